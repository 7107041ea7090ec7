#if Macros
import Foundation
import Testing
public import WalMacros

// Declarations that a generator is no good at. That they compile is most of what is tested.

@WalRecord public struct PublicRecord: Codable, Equatable {
    public var id: Int
    private var secret: String? = nil
    package var items: [Item]

    @WalRecord public enum Item: Codable, Equatable {
        case one(PublicRecord?)
        case `self`, `init`, `Type`
    }

    public init(id: Int, items: [Item]) { (self.id, self.items) = (id, items) }
}

public extension PublicRecord {
    @WalRecord struct Inner: Codable, Equatable { var x: Int }
}

extension PublicRecord {
    @WalRecord fileprivate struct Hidden: Codable, Equatable { private(set) var x: Int }
}

@WalRecord package struct PackageRecord: Codable, Equatable { package var x: Int }

@WalRecord public struct PublicPage<Item: Codable & Equatable & Sendable>: Codable, Equatable {
    public var items: [Item]
    public var last: Item?
}

public struct Outer<T: Codable & Equatable & Sendable> {
    @WalRecord public struct Inner: Codable, Equatable { var x: T }
}

/// It says of itself what the macro would say.
@WalRecord struct Declared: WalDirectCodable, WalBinaryValue, Codable, Equatable, Sendable {
    static var walTypeName: String { "declared" }
    var x: Int
}

/// Nothing but what is stored is written.
@WalRecord struct Stored: Codable, Equatable {
    static let shared = 1
    static var counter: Int { 2 }
    var x: Int {
        willSet {}
        didSet {}
    }
    var `self`: Int
    var `init`: Int
    var double: Int { x * 2 }
    var both: Int {
        get { x }
        set { x = newValue }
    }
    lazy var cache: Int = x * 2
    var forced: Int!

    static func == (left: Stored, right: Stored) -> Bool {
        left.x == right.x && left.`self` == right.`self` && left.`init` == right.`init` && left.forced == right.forced
    }
    init(x: Int, forced: Int?) { (self.x, self.`self`, self.`init`, self.forced) = (x, 2, 3, forced) }
}

/// Codable writes these as their raw values, for a raw value of its own kinds.
@WalRecord struct Flags: OptionSet, Codable {
    let rawValue: UInt8
    static let one = Flags(rawValue: 1)
}
@WalRecord struct Name: Codable, RawRepresentable, Equatable { var rawValue: String }
@WalRecord struct Identity: Codable, RawRepresentable, Equatable { var rawValue: UUID }
@WalRecord enum Switch: RawRepresentable, Codable {
    case on, off
    var rawValue: Bool {
        switch self {
        case .on: true
        case .off: false
        }
    }
    init(rawValue: Bool) { self = rawValue ? .on : .off }
}
protocol Own {}
@WalRecord enum Plain: Sendable, Own, Codable { case a, b }

@WalRecord struct Nothing: Codable, Equatable {}

@WalRecord struct Optionals: Codable, Equatable {
    var twice: Int??
    var thrice: Optional<Optional<Bool>>?
    var named: MaybeInt?
    var list: [Int?]
    var map: [String: Int?]
}

@Suite struct DeclarationTests {
    private func check<T: WalDirectCodable & Codable & Equatable>(_ value: T) throws {
        let written = try bytes(value, by: CodableBinaryCodec<T>())
        #expect(try bytes(value, by: DirectBinaryCodec<T>()) == written)
        #expect(try record(written, by: CodableBinaryCodec<T>()) == value)
        #expect(try record(written, by: DirectBinaryCodec<T>()) == value)
    }

    @Test func accessLevels() throws {
        try check(
            PublicRecord(id: 1, items: [.one(nil), .one(PublicRecord(id: 2, items: [])), .`self`, .`init`, .Type]))
        try check(PublicRecord.Inner(x: 1))
        try check(PublicRecord.Hidden(x: 1))
        try check(PackageRecord(x: 1))
        try check(Declared(x: 1))
        #expect(Declared.walTypeName == "declared")
    }

    @Test func genericTypes() throws {
        try check(PublicPage(items: [1, 2], last: nil))
        try check(PublicPage(items: [PublicPage(items: ["a"], last: "b")], last: nil))
        try check(Outer.Inner(x: [UInt8](repeating: 1, count: 3)))
        // A parameter is no optional, whatever stands for it: nil is written as null.
        try check(Outer<Int?>.Inner(x: nil))
        #expect(hex(try bytes(Outer<Int?>.Inner(x: nil), by: DirectBinaryCodec())) == "bf6178f6ff")
    }

    @Test func rawRepresentableTypes() throws {
        try check(Flags.one)
        try check(Flags([]))
        try check(Name(rawValue: "n"))
        #expect(hex(try bytes(Name(rawValue: "n"), by: DirectBinaryCodec())) == "616e")
        try check(Identity(rawValue: UUID()))
        try check(Switch.off)
        try check(Plain.b)
    }

    @Test func whatIsNotStoredIsNotWritten() throws {
        try check(Stored(x: 1, forced: nil))
        try check(Stored(x: 1, forced: 4))
        try check(Nothing())
    }

    /// Nil within an optional is read back as the outer nil, as the binary codec has it.
    @Test func optionalsWithinOptionals() throws {
        try check(Optionals(twice: 1, thrice: true, named: 3, list: [1, nil], map: ["a": nil, "b": 1]))
        try check(Optionals(twice: nil, thrice: nil, named: nil, list: [], map: [:]))
        let inner = Optionals(twice: .some(nil), thrice: .some(nil), named: .some(nil), list: [], map: [:])
        let written = try bytes(inner, by: CodableBinaryCodec())
        #expect(try bytes(inner, by: DirectBinaryCodec()) == written)
        let left = try record(written, by: CodableBinaryCodec<Optionals>())
        #expect(try record(written, by: DirectBinaryCodec<Optionals>()) == left)
    }

    @Test func aLogOfThemIsChosenTheFastPath() {
        #expect(AnyWalCodec<PublicRecord>.binary().base is DirectBinaryCodec<PublicRecord>)
    }
}
#endif
