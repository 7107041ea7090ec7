// Written by Generator/generate.py, and not by hand.
// swift-format-ignore-file
#if Macros
import Foundation
import WalMacros

@WalRecord enum Raw0: String, Codable, CaseIterable {
    case delete = "r"
    case encoder = "two words"
    case rename
    case aCaseWhoseNameIsLongerThan24
}

extension Raw0: Arbitrary {
    static func random(_ source: inout Source) -> Self { source.pick(allCases) }
}

@WalRecord enum Raw1: Int, Codable, CaseIterable {
    case aCaseWhoseNameIsLongerThan24 = 5
    case delete = -3
    case `in` = 70000
    case größer = 9
}

extension Raw1: Arbitrary {
    static func random(_ source: inout Source) -> Self { source.pick(allCases) }
}

@WalRecord enum Raw2: UInt8, Codable, CaseIterable {
    case `default` = 1
    case encoder = 200
    case größer = 24
    case clear = 9
}

extension Raw2: Arbitrary {
    static func random(_ source: inout Source) -> Self { source.pick(allCases) }
}

@WalRecord enum Raw3: Double, Codable, CaseIterable {
    case rename = 1.5
    case clear = 2.5
    case `default` = -0.25
    case move = 9
}

extension Raw3: Arbitrary {
    static func random(_ source: inout Source) -> Self { source.pick(allCases) }
}

@WalRecord struct Page<T: Arbitrary & Codable & Hashable & Sendable>: Codable, Hashable {
    var indirect: Raw1?
    var type = -2.5
    var aNameThatIsLongerThanTwentyFourBytes, `inout`: Data
}

extension Page: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(indirect: arbitrary(&source), type: arbitrary(&source), aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), `inout`: arbitrary(&source))
    }
}

@WalRecord struct Pair<A: Arbitrary & Codable & Hashable & Sendable, B: Arbitrary & Codable & Hashable & Sendable>: Codable, Hashable {
    let 名前: B?
    var aNameOfExactly23Letter_: Optional<B>
    var id: [String: A]
    var decoder: Set<Array<Data>>??
    let _0: Set<Dictionary<String, UUID>>??
    enum CodingKeys: Int, CodingKey {
        case id
        case _0
        case 名前
        case decoder
        case aNameOfExactly23Letter_
    }
}

extension Pair: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(名前: arbitrary(&source), aNameOfExactly23Letter_: arbitrary(&source), id: arbitrary(&source), decoder: arbitrary(&source), _0: arbitrary(&source))
    }
}

@WalRecord enum Either<A: Arbitrary & Codable & Hashable & Sendable, B: Arbitrary & Codable & Hashable & Sendable>: Codable, Hashable {
    enum DefaultCodingKeys: String, CodingKey {
        case scope = "the key"
        case _1
        case _0
    }
    case `default`(UInt128?, Dictionary<UUID, Pair<Int64, Date>>, scope: Int = 4)
    case größer
    enum CodingKeys: String, CodingKey {
        case `default`
        case größer = "tab\t"
    }
}

extension Either: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(2) {
        case 0: .`default`(arbitrary(&source), arbitrary(&source), scope: arbitrary(&source))
        default: .größer
        }
    }
}

@WalRecord struct Struct0: Codable, Hashable {
    private(set) var aNameOfExactly24Letters_ = 7
    private(set) var _0: Optional<Dictionary<Bool, Page<UUID>>>
    let key: Double = 3
    private(set) var `case`: Dictionary<UUID, UInt128>
}

extension Struct0: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(aNameOfExactly24Letters_: arbitrary(&source), _0: arbitrary(&source), case: arbitrary(&source))
    }
}

@WalRecord enum Enum0: Codable, Hashable {
    case aCaseWhoseNameIsLongerThan24
    case `nil`
    enum ClearCodingKeys: String, CodingKey {
        case `throws` = "_"
        case größe = "ключ"
    }
    case clear(`throws`: Double, größe: [String: Raw0])
    case `switch`(`case`: Int = 4)
    case move
    indirect case again(Self, and: Self?)
    case many([Self])
    enum CodingKeys: String, CodingKey {
        case `nil` = "a.b"
        case aCaseWhoseNameIsLongerThan24 = "the key"
        case again = "_"
        case clear = "quo\"ted"
        case move
        case many
        case `switch` = "ключ"
    }
}

extension Enum0: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        if source.goesDeeper() {
            defer { source.depth += 1 }
            return source.below(2) == 0 ? .again(arbitrary(&source), and: arbitrary(&source)) : .many(arbitrary(&source))
        }
        return switch source.below(5) {
        case 0: .aCaseWhoseNameIsLongerThan24
        case 1: .`nil`
        case 2: .clear(throws: arbitrary(&source), größe: arbitrary(&source))
        case 3: .`switch`(case: arbitrary(&source))
        default: .move
        }
    }
}

@WalRecord struct Struct1: Codable, Hashable {
    let _1: Array<UInt8>
    let größe: UInt32
    let aNameThatIsLongerThanTwentyFourBytes: Int32
    private(set) var `case`: Int64 = 1_000
    private(set) var encoder: Double = -1.5
    let _0: Either<Int128, UInt64>
}

extension Struct1: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(_1: arbitrary(&source), größe: arbitrary(&source), aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), case: arbitrary(&source), encoder: arbitrary(&source), _0: arbitrary(&source))
    }
}

@WalRecord struct Struct2: Codable, Hashable {
    var decoder = 7
    var `var`: [String: Int] = [:]
    let `let`: Bool
    let `func`: Int = 3
}

extension Struct2: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(decoder: arbitrary(&source), var: arbitrary(&source), let: arbitrary(&source))
    }
}

@WalRecord enum Enum2: Codable, Hashable {
    @WalField(aliases: "formerly put") case put
    enum MoveCodingKeys: CodingKey {
        case `var`
    }
    case move(`var`: Optional<Struct0>)
}

extension Enum2: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(2) {
        case 0: .put
        default: .move(var: arbitrary(&source))
        }
    }
}

@WalRecord struct Struct3: Codable, Hashable {
    var `in`: Swift.Optional<Enum2>
    let decoder: Int? = 3
    let fields: Double = 3
    var `func`: Int8 { didSet { _ = oldValue } }
    var get: Int128
    var name: Raw2
    @WalField(aliases: "old 6", "older 6") var value: [Int: UInt32?]
    var computed: Int { 1 }
    static let shared = "never written"
    enum CodingKeys: Int, CodingKey {
        case fields
        case value
        case `in`
        case `func`
        case name
        case decoder
        case get
    }
}

extension Struct3: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(in: arbitrary(&source), func: arbitrary(&source), get: arbitrary(&source), name: arbitrary(&source), value: arbitrary(&source))
    }
}

@WalRecord struct Struct4: Codable, Hashable {
    private(set) var `throws`: Either<UInt64, UInt32>
    @WalField(aliases: "was 1", default: 1) var y: Int32
    var `in`: String = "é\""
    var `default`: UInt8
    let _1: UInt32
}

extension Struct4: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(throws: arbitrary(&source), y: arbitrary(&source), in: arbitrary(&source), default: arbitrary(&source), _1: arbitrary(&source))
    }
}

@WalRecord enum Enum4: Codable, Hashable {
    case delete(_ encoder: Optional<Date>)
    case put(Bool, x: Maybe<Array<[UInt16?]>>)
    case move(aNameOfExactly24Letters_: URL?, `func`: Int128, Raw1, indirect: Int128?)
    enum InCodingKeys: Int, CodingKey {
        case `in`
        case `class`
    }
    case `in`(`in`: Bool, `class`: Int16)
    @WalField(aliases: "formerly switch") case `switch`(indirect: Optional<[String: Decimal]>)
}

extension Enum4: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(5) {
        case 0: .delete(arbitrary(&source))
        case 1: .put(arbitrary(&source), x: arbitrary(&source))
        case 2: .move(aNameOfExactly24Letters_: arbitrary(&source), func: arbitrary(&source), arbitrary(&source), indirect: arbitrary(&source))
        case 3: .`in`(in: arbitrary(&source), class: arbitrary(&source))
        default: .`switch`(indirect: arbitrary(&source))
        }
    }
}

@WalRecord struct Struct5: Codable, Hashable {
    let x: UInt128
    var encoder: Double = -1.5
    private(set) var `func` = 7
    @WalField(aliases: "old 3", "older 3") var decoder: Set<Raw2>
    private(set) var `true`: (Data)
    var y: Int64 = 1_000
    var type: Int64 = 1_000
    let scope: [UUID]
}

extension Struct5: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(x: arbitrary(&source), encoder: arbitrary(&source), func: arbitrary(&source), decoder: arbitrary(&source), true: arbitrary(&source), y: arbitrary(&source), type: arbitrary(&source), scope: arbitrary(&source))
    }
}

@WalRecord struct Struct6: Codable, Hashable {
    let 名前: [[String: Bool]?]?
    private(set) var value: Maybe<Page<UInt>>
    let `throws`: Decimal
    var `true` = 7
    var count: [UInt8] = [1, 2]
    let key: Maybe<[Set<Double>?]>
    var `in`: Set<[Int8]>
}

extension Struct6: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(名前: arbitrary(&source), value: arbitrary(&source), throws: arbitrary(&source), true: arbitrary(&source), count: arbitrary(&source), key: arbitrary(&source), in: arbitrary(&source))
    }
}

@WalRecord enum Enum6: Codable, Hashable {
    case encoder(get: UInt?, x: Array<Either<[UInt8], Int16>>, encoder: Int8?, `throws`: Double?)
    case put([Data?]??)
    @WalField(aliases: "formerly nil") case `nil`
    case rename
    case `in`
    @WalField(aliases: "formerly delete") case delete(aNameOfExactly23Letter_: Optional<Int16>, key: MaybeInt, 名前: Raw1, Pair<Int, [UInt8]>)
    indirect case again(Self, and: Self?)
    case many([Self])
}

extension Enum6: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        if source.goesDeeper() {
            defer { source.depth += 1 }
            return source.below(2) == 0 ? .again(arbitrary(&source), and: arbitrary(&source)) : .many(arbitrary(&source))
        }
        return switch source.below(6) {
        case 0: .encoder(get: arbitrary(&source), x: arbitrary(&source), encoder: arbitrary(&source), throws: arbitrary(&source))
        case 1: .put(arbitrary(&source))
        case 2: .`nil`
        case 3: .rename
        case 4: .`in`
        default: .delete(aNameOfExactly23Letter_: arbitrary(&source), key: arbitrary(&source), 名前: arbitrary(&source), arbitrary(&source))
        }
    }
}

@WalRecord struct Struct7: Codable, Hashable {
    let type: Int? = 3
    @WalField(aliases: "was 1", default: 1) private(set) var value: Int32
    private(set) var `true` = false
    var `inout`: UInt128 = 1
}

extension Struct7: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(value: arbitrary(&source), true: arbitrary(&source), `inout`: arbitrary(&source))
    }
}

@WalRecord struct Struct8: Codable, Hashable {
    var _1: [UUID?]
    let id: Struct6
    var computed: Int { 1 }
    static let shared = "never written"
}

extension Struct8: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(_1: arbitrary(&source), id: arbitrary(&source))
    }
}

@WalRecord enum Enum8: Codable, Hashable {
    @WalField(aliases: "formerly aCaseWhoseNameIsLongerThan24") case aCaseWhoseNameIsLongerThan24
}

extension Enum8: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        .aCaseWhoseNameIsLongerThan24
    }
}

@WalRecord struct Struct9: Codable, Hashable {
    let indirect: Dictionary<Bool, Int64>
    @WalField(aliases: "old 1", "older 1") var scope: URL?
}

extension Struct9: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(indirect: arbitrary(&source), scope: arbitrary(&source))
    }
}

@WalRecord struct Struct10: Codable, Hashable {
    var größe: [UInt8] = [1, 2]
    var decoder: Optional<UInt>
    var `let`: [String: Int] = [:]
    @WalField(aliases: "old 3", "older 3") var `case`: [Date]
    var count: Optional<UInt16>
    let aNameOfExactly23Letter_: Double?
    enum CodingKeys: Int, CodingKey {
        case aNameOfExactly23Letter_
        case `case`
        case count
        case `let`
        case decoder
    }
}

extension Struct10: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(decoder: arbitrary(&source), let: arbitrary(&source), case: arbitrary(&source), count: arbitrary(&source), aNameOfExactly23Letter_: arbitrary(&source))
    }
}

@WalRecord enum Enum10: Codable, Hashable {
    case move([Double?])
    enum PutCodingKeys: String, CodingKey {
        case y = "\u{1F600}"
    }
    @WalField(aliases: "formerly put") case put(y: Decimal)
    case `switch`(UInt128)
    case rename
    case `in`
    enum CodingKeys: String, CodingKey {
        case rename
        case `switch` = "ключ"
        case put = "tab\t"
        case `in`
        case move = "a.b"
    }
}

extension Enum10: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(5) {
        case 0: .move(arbitrary(&source))
        case 1: .put(y: arbitrary(&source))
        case 2: .`switch`(arbitrary(&source))
        case 3: .rename
        default: .`in`
        }
    }
}

@WalRecord struct Struct11: Codable, Hashable {
    private(set) var _0: URL?
    @WalField(aliases: "old 1", "older 1") var decoder: Int32
    @WalField(aliases: "old 2", "older 2") var `case`: Bool?
    var computed: Int { 1 }
    static let shared = "never written"
}

extension Struct11: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(_0: arbitrary(&source), decoder: arbitrary(&source), case: arbitrary(&source))
    }
}

@WalRecord struct Struct12: Codable, Hashable {
    let `inout`: Double = 3
    @WalField(aliases: "was 1", default: 1) var aNameThatIsLongerThanTwentyFourBytes: Int32
    let indirect: Struct5??
    private(set) var `let`, `in`: Set<Array<Int64>>?
    var fields: Bool = true
    var y: [UInt8]?
    enum CodingKeys: String, CodingKey {
        case aNameThatIsLongerThanTwentyFourBytes = "_"
        case `in`
        case y = "the key"
        case indirect = "\u{1F600}"
        case `let`
        case fields = "tab\t"
        case `inout`
    }
}

extension Struct12: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), indirect: arbitrary(&source), let: arbitrary(&source), in: arbitrary(&source), fields: arbitrary(&source), y: arbitrary(&source))
    }
}

@WalRecord enum Enum12: Codable, Hashable {
    enum XCodingKeys: CodingKey {
        case `throws`
    }
    case x(`throws`: Int = 4)
    case aCaseWhoseNameIsLongerThan24(`class`: Int = 4)
    case `nil`(name: Decimal, `throws`: Struct5, 名前: URL, get: Float)
    case rename
    indirect case again(Self, and: Self?)
    case many([Self])
    enum CodingKeys: String, CodingKey {
        case rename = "tab\t"
        case again = "the key"
        case many
        case x
        case `nil` = "k"
        case aCaseWhoseNameIsLongerThan24
    }
}

extension Enum12: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        if source.goesDeeper() {
            defer { source.depth += 1 }
            return source.below(2) == 0 ? .again(arbitrary(&source), and: arbitrary(&source)) : .many(arbitrary(&source))
        }
        return switch source.below(4) {
        case 0: .x(throws: arbitrary(&source))
        case 1: .aCaseWhoseNameIsLongerThan24(class: arbitrary(&source))
        case 2: .`nil`(name: arbitrary(&source), throws: arbitrary(&source), 名前: arbitrary(&source), get: arbitrary(&source))
        default: .rename
        }
    }
}

@WalRecord struct Struct13: Codable, Hashable {
    var x, count: Optional<Dictionary<Bool, UInt64>>
    var computed: Int { 1 }
    static let shared = "never written"
    enum CodingKeys: String, CodingKey {
        case x = "_"
        case count = "quo\"ted"
    }
}

extension Struct13: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(x: arbitrary(&source), count: arbitrary(&source))
    }
}

@WalRecord struct Struct14: Codable, Hashable {
    let indirect: UInt
    private(set) var aNameOfExactly24Letters_: [Int: Raw1?]
    enum CodingKeys: CodingKey {
        case aNameOfExactly24Letters_
        case indirect
    }
}

extension Struct14: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(indirect: arbitrary(&source), aNameOfExactly24Letters_: arbitrary(&source))
    }
}

@WalRecord enum Enum14: Codable, Hashable {
    case clear
    case move(aNameOfExactly24Letters_: Int = 4)
    enum CodingKeys: CodingKey {
        case clear
        case move
    }
}

extension Enum14: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(2) {
        case 0: .clear
        default: .move(aNameOfExactly24Letters_: arbitrary(&source))
        }
    }
}

@WalRecord struct Struct15: Codable, Hashable {
    @WalField(aliases: "old 0", "older 0") var `case`: Raw1
    let fields: Int = 3
    var `class`: [String: Int] = [:]
    @WalField(aliases: "was 3", default: 3) private(set) var value: Int32
    var aNameOfExactly23Letter_ = -2.5
    var type: [UInt8] = [1, 2]
    enum CodingKeys: String, CodingKey {
        case value = "back\\slash"
        case aNameOfExactly23Letter_ = "k"
        case `case` = "_"
        case fields = "quo\"ted"
    }
}

extension Struct15: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(case: arbitrary(&source), value: arbitrary(&source), aNameOfExactly23Letter_: arbitrary(&source))
    }
}

@WalRecord struct Struct16: Codable, Hashable {
    let `in`: Int32
    var größe: [Int: Struct8?] { didSet { _ = oldValue } }
    let aNameThatIsLongerThanTwentyFourBytes: [UInt8]
    var fields: Optional<UUID>
    let y: Date
    var name: Int = -7
    private(set) var `var`: Optional<Enum10>
    let decoder: Int16
}

extension Struct16: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(in: arbitrary(&source), größe: arbitrary(&source), aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), fields: arbitrary(&source), y: arbitrary(&source), name: arbitrary(&source), var: arbitrary(&source), decoder: arbitrary(&source))
    }
}

@WalRecord enum Enum16: Codable, Hashable {
    case `switch`(`inout`: Maybe<UInt16>, Double?, value: [[Int: Int8?]], type: Struct5?)
    case move(name: Int32, type: Optional<[UInt8]>, `default`: URL)
    case rename(UInt32)
    case `in`(encoder: UInt128?)
}

extension Enum16: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(4) {
        case 0: .`switch`(`inout`: arbitrary(&source), arbitrary(&source), value: arbitrary(&source), type: arbitrary(&source))
        case 1: .move(name: arbitrary(&source), type: arbitrary(&source), default: arbitrary(&source))
        case 2: .rename(arbitrary(&source))
        default: .`in`(encoder: arbitrary(&source))
        }
    }
}

@WalRecord struct Struct17: Codable, Hashable {
    @WalField(aliases: "old 0", "older 0") var x: Double?
    var `func`: URL
    let count: Optional<Float>
    var `default`: Double = -1.5
    var fields: MaybeInt
    var name: Maybe<UInt8>
}

extension Struct17: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(x: arbitrary(&source), func: arbitrary(&source), count: arbitrary(&source), default: arbitrary(&source), fields: arbitrary(&source), name: arbitrary(&source))
    }
}

@WalRecord struct Struct18: Codable, Hashable {
    var aNameOfExactly23Letter_: Either<URL, UInt64>
    var größe: UInt64
    enum CodingKeys: String, CodingKey {
        case größe = "tab\t"
        case aNameOfExactly23Letter_
    }
}

extension Struct18: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(aNameOfExactly23Letter_: arbitrary(&source), größe: arbitrary(&source))
    }
}

@WalRecord enum Enum18: Codable, Hashable {
    case x
    enum SwitchCodingKeys: String, CodingKey {
        case x = "a.b"
    }
    case `switch`(x: [UInt?]??)
    case encoder([String: UInt]?, Bool)
    enum DefaultCodingKeys: CodingKey {
        case _1
        case fields
    }
    case `default`(fields: Data?, [UUID?]?)
    case move(`class`: [String: Enum2])
    enum InCodingKeys: String, CodingKey {
        case `in`
    }
    case `in`(`in`: Enum6)
    indirect case again(Self, and: Self?)
    case many([Self])
    enum CodingKeys: String, CodingKey {
        case x
        case again
        case encoder
        case `in` = "tab\t"
        case `switch` = "quo\"ted"
        case many
        case move = "\u{1F600}"
        case `default` = "a.b"
    }
}

extension Enum18: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        if source.goesDeeper() {
            defer { source.depth += 1 }
            return source.below(2) == 0 ? .again(arbitrary(&source), and: arbitrary(&source)) : .many(arbitrary(&source))
        }
        return switch source.below(6) {
        case 0: .x
        case 1: .`switch`(x: arbitrary(&source))
        case 2: .encoder(arbitrary(&source), arbitrary(&source))
        case 3: .`default`(fields: arbitrary(&source), arbitrary(&source))
        case 4: .move(class: arbitrary(&source))
        default: .`in`(in: arbitrary(&source))
        }
    }
}

@WalRecord struct Struct19: Codable, Hashable {
    var `in`: Enum12
    var value: URL
    var _1: Optional<Enum6>
    let name: Optional<Int32>
    @WalField(aliases: "was 4", default: 4) private(set) var `let`: Int32
    @WalField(aliases: "was 5", default: 5) var x: Int32
    var `class`: Int128
    enum CodingKeys: String, CodingKey {
        case value = "back\\slash"
        case `let`
        case name = "the key"
        case _1 = "ключ"
        case `in` = "k"
        case `class` = "tab\t"
        case x
    }
}

extension Struct19: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(in: arbitrary(&source), value: arbitrary(&source), _1: arbitrary(&source), name: arbitrary(&source), let: arbitrary(&source), x: arbitrary(&source), class: arbitrary(&source))
    }
}

@WalRecord struct Struct20: Codable, Hashable {
    private(set) var _1: Optional<[String: [UInt32?]]>
    var computed: Int { 1 }
    static let shared = "never written"
}

extension Struct20: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(_1: arbitrary(&source))
    }
}

@WalRecord enum Enum20: Codable, Hashable {
    @WalField(aliases: "formerly größer") case größer(_ `let`: Int32, Raw2)
    @WalField(aliases: "formerly in") case `in`(key: Data, `var`: [Float?], name: Optional<String>)
    @WalField(aliases: "formerly aCaseWhoseNameIsLongerThan24") case aCaseWhoseNameIsLongerThan24(`func`: Enum0)
    @WalField(aliases: "formerly rename") case rename(Struct8, Set<[Decimal?]>, fields: UInt128?, name: [Int64?])
    enum XCodingKeys: String, CodingKey {
        case `in`
        case _0
        case _2
    }
    case x(Dictionary<UUID, Struct16>, `in`: Array<String>, Struct5?)
}

extension Enum20: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        switch source.below(5) {
        case 0: .größer(arbitrary(&source), arbitrary(&source))
        case 1: .`in`(key: arbitrary(&source), var: arbitrary(&source), name: arbitrary(&source))
        case 2: .aCaseWhoseNameIsLongerThan24(func: arbitrary(&source))
        case 3: .rename(arbitrary(&source), arbitrary(&source), fields: arbitrary(&source), name: arbitrary(&source))
        default: .x(arbitrary(&source), in: arbitrary(&source), arbitrary(&source))
        }
    }
}

@WalRecord struct Struct21: Codable, Hashable {
    var aNameThatIsLongerThanTwentyFourBytes = -2.5
    let größe: Int
    private(set) var value: Struct15 { didSet { _ = oldValue } }
    let fields: Int? = 3
    let decoder: Date?
    var 名前: Int64
}

extension Struct21: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), größe: arbitrary(&source), value: arbitrary(&source), decoder: arbitrary(&source), 名前: arbitrary(&source))
    }
}

@WalRecord struct Late0: Codable, Hashable {
    var _1: Dictionary<Int32, Array<Float>>
    private(set) var `in`: Swift.Optional<Double>
    let aNameOfExactly23Letter_: [UInt128]
    private(set) var count, `func`: Dictionary<Int32, UInt128>
    let `class`: Struct14?
    private(set) var y: UInt?
    let `true`: [[String: [UInt8]]?]
    let value: UInt32
    private(set) var `default` = -2.5
    let aNameThatIsLongerThanTwentyFourBytes: Maybe<String>
    var `throws`: [String: UInt128]
    let indirect: [Int: Enum16?]?
}

extension Late0: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(_1: arbitrary(&source), in: arbitrary(&source), aNameOfExactly23Letter_: arbitrary(&source), count: arbitrary(&source), func: arbitrary(&source), class: arbitrary(&source), y: arbitrary(&source), true: arbitrary(&source), value: arbitrary(&source), default: arbitrary(&source), aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), throws: arbitrary(&source), indirect: arbitrary(&source))
    }
}

@WalRecord struct Late1: Codable, Hashable {
    let id: Int
    let `in`: Double = 3
    var `var`: Int64 = 1_000
    let größe: UInt?
    let `let`: Double = 3
    var value: [URL] { didSet { _ = oldValue } }
    var _0: UInt8?
    private(set) var scope: Raw1
    @WalField(aliases: "was 8", default: 8) var key: Int32
    var `throws`: Set<Set<Data>>?
}

extension Late1: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(id: arbitrary(&source), var: arbitrary(&source), größe: arbitrary(&source), value: arbitrary(&source), _0: arbitrary(&source), scope: arbitrary(&source), key: arbitrary(&source), throws: arbitrary(&source))
    }
}

@WalRecord struct Late2: Codable, Hashable {
    let `throws`: [String: UInt]
    private(set) var größe: (UInt32)
    let count: Int? = 3
    let fields: Double = 3
    var `in`: Array<Data>??
    let encoder: Array<Bool>
    let aNameOfExactly23Letter_: Int? = 3
    @WalField(aliases: "was 7", default: 7) private(set) var x: Int32
    private(set) var scope: UUID
    private(set) var decoder: String = "é\""
    let key: Data
    var `var`: Array<UInt>
}

extension Late2: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(throws: arbitrary(&source), größe: arbitrary(&source), in: arbitrary(&source), encoder: arbitrary(&source), x: arbitrary(&source), scope: arbitrary(&source), decoder: arbitrary(&source), key: arbitrary(&source), var: arbitrary(&source))
    }
}

@WalRecord struct Late3: Codable, Hashable {
    var `class`: Dictionary<String, [UInt?]> { didSet { _ = oldValue } }
    @WalField(aliases: "was 1", default: 1) private(set) var `true`: Int32
    private(set) var x: [Int16]
    @WalField(aliases: "old 3", "older 3") var `default`: Set<Dictionary<UUID, Date>>
    @WalField(aliases: "old 4", "older 4") var `let`: Int16
    let `var`: UInt64
    var decoder: Int = -7
    private(set) var aNameThatIsLongerThanTwentyFourBytes: MaybeInt
    let größe: Dictionary<UUID, UUID>
    private(set) var fields: Set<Int8>
    var aNameOfExactly24Letters_: Int64
    enum CodingKeys: String, CodingKey {
        case größe = "back\\slash"
        case aNameThatIsLongerThanTwentyFourBytes
        case `var` = "\u{1F600}"
        case x
        case `let` = "tab\t"
        case fields
        case `class` = "quo\"ted"
        case `true`
        case `default` = "_"
        case aNameOfExactly24Letters_ = "a.b"
    }
}

extension Late3: Arbitrary {
    static func random(_ source: inout Source) -> Self {
        Self(class: arbitrary(&source), true: arbitrary(&source), x: arbitrary(&source), default: arbitrary(&source), let: arbitrary(&source), var: arbitrary(&source), aNameThatIsLongerThanTwentyFourBytes: arbitrary(&source), größe: arbitrary(&source), fields: arbitrary(&source), aNameOfExactly24Letters_: arbitrary(&source))
    }
}

let generatedTypes: [any (Arbitrary & WalDirectCodable & Codable & Hashable).Type] = [
    Raw0.self,
    Raw1.self,
    Raw2.self,
    Raw3.self,
    Page<Int>.self,
    Page<Struct1>.self,
    Page<Int?>.self,
    Pair<Int, String>.self,
    Pair<Struct1, [UInt8]>.self,
    Pair<Int?, Enum0>.self,
    Either<Int, String>.self,
    Either<Struct1, [UInt8]>.self,
    Either<Int?, Enum0>.self,
    Struct0.self,
    Enum0.self,
    Struct1.self,
    Struct2.self,
    Enum2.self,
    Struct3.self,
    Struct4.self,
    Enum4.self,
    Struct5.self,
    Struct6.self,
    Enum6.self,
    Struct7.self,
    Struct8.self,
    Enum8.self,
    Struct9.self,
    Struct10.self,
    Enum10.self,
    Struct11.self,
    Struct12.self,
    Enum12.self,
    Struct13.self,
    Struct14.self,
    Enum14.self,
    Struct15.self,
    Struct16.self,
    Enum16.self,
    Struct17.self,
    Struct18.self,
    Enum18.self,
    Struct19.self,
    Struct20.self,
    Enum20.self,
    Struct21.self,
    Late0.self,
    Late1.self,
    Late2.self,
    Late3.self,
]
#endif
