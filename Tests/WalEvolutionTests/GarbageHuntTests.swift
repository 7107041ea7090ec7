import Foundation
import Testing
import WalBinary
import WalTesting
import WriteAheadLog

/// What a value says, whatever its type: two builds that read the same see the same.
indirect enum Meaning: Equatable {
    case none
    case truth(Bool)
    case integer(String)
    case floating(Double, text: String)
    case decimal(Decimal)
    case text(String)
    case bytes([UInt8])
    case date(Double)
    case link(String)
    case list([Meaning])
    case members([Meaning])
    case table([String: Meaning])
    case pairs([[Meaning]])
    /// A struct: fields of another build's record that it does not have are not missed.
    case fields([String: Meaning])

    /// Whether a record of that meaning may be read with this one.
    func mayStand(for old: Meaning, inJSON: Bool) -> Bool {
        if self == old { return true }
        switch (old, self) {
        case (.integer(let text), .floating(let value, _)), (.floating(let value, _), .integer(let text)):
            guard let number = Int128(text) else { return false }
            return Int128(exactly: value) == number
        case (.floating(let a, let one), .floating(let b, let other)): return a == b || inJSON && one == other
        case (.integer(let text), .decimal(let value)), (.decimal(let value), .integer(let text)):
            return inJSON && Decimal(string: text) == value
        // JSON has one form for these, and nobody can tell. A Decimal's digits beyond a Double's are lost.
        case (.floating(_, let text), .decimal(let value)): return inJSON && Decimal(string: text) == value
        case (.decimal(let value), .floating(let other, _)):
            return inJSON && (Double("\(value)") == other || Float("\(value)").map { Double($0) } == other)
        case (.text(let text), .bytes(let bytes)), (.bytes(let bytes), .text(let text)),
            (.link(let text), .bytes(let bytes)), (.bytes(let bytes), .link(let text)):
            return inJSON && Data(bytes).base64EncodedString() == text
        // A date is its seconds, in the binary format too.
        case (.date(let value), .floating(let other, let text)), (.floating(let other, let text), .date(let value)):
            return value == other || inJSON && Double(text) == value
        case (.date(let value), .integer(let text)), (.integer(let text), .date(let value)):
            return inJSON && Double(text) == value
        case (.date(let value), .decimal(let number)), (.decimal(let number), .date(let value)):
            return inJSON && Double("\(number)") == value
        // URL writes what may not stand in one in its own way.
        case (.text(let text), .link(let link)), (.link(let link), .text(let text)):
            return text == link || URL(string: text)?.absoluteString == link
        // Bytes that somebody wrote one by one are read as well.
        case (.list, .bytes(let bytes)):
            return Meaning.list(bytes.map(\.meaning)).mayStand(for: old, inJSON: inJSON)
        case (.members(let old), .bytes(let bytes)):
            return bytes.count == old.count && bytes.allSatisfy { old.contains($0.meaning) }
        // A dictionary whose keys are no names is a list of keys and values by turns.
        case (.pairs(let old), .list(let new)):
            return new.count == old.count * 2
                && old.indices.allSatisfy { index in
                    old.contains {
                        new[2 * index].mayStand(for: $0[0], inJSON: inJSON)
                            && new[2 * index + 1].mayStand(for: $0[1], inJSON: inJSON)
                    }
                }
        case (.pairs(let old), .members(let new)):
            return old.joined().allSatisfy { one in new.contains { $0.mayStand(for: one, inJSON: inJSON) } }
        case (.pairs(let old), .bytes(let bytes)):
            return Meaning.list(bytes.map(\.meaning)).mayStand(for: .pairs(old), inJSON: inJSON)
        case (.pairs(let old), .pairs(let new)):
            return old.count == new.count
                && new.allSatisfy { one in
                    old.contains {
                        one[0].mayStand(for: $0[0], inJSON: inJSON) && one[1].mayStand(for: $0[1], inJSON: inJSON)
                    }
                }
        case (.list(let old), .pairs(let new)):
            // Of a key that is there twice the last value counts.
            return old.count.isMultiple(of: 2)
                && new.allSatisfy { one in
                    stride(from: 0, to: old.count, by: 2).contains {
                        one[0].mayStand(for: old[$0], inJSON: inJSON)
                            && one[1].mayStand(for: old[$0 + 1], inJSON: inJSON)
                    }
                }
        case (.members(let old), .pairs(let new)):
            return new.joined().allSatisfy { one in old.contains { one.mayStand(for: $0, inJSON: inJSON) } }
        case (.list(let old), .list(let new)):
            return old.count == new.count && zip(old, new).allSatisfy { $1.mayStand(for: $0, inJSON: inJSON) }
        case (.list(let old), .members(let new)), (.members(let old), .list(let new)),
            (.members(let old), .members(let new)):
            return old.allSatisfy { one in new.contains { $0.mayStand(for: one, inJSON: inJSON) } }
                && new.allSatisfy { one in old.contains { one.mayStand(for: $0, inJSON: inJSON) } }
        case (.table(let old), .table(let new)):
            return old.keys == new.keys
                && old.allSatisfy { new[$0.key]?.mayStand(for: $0.value, inJSON: inJSON) == true }
        case (.fields(let old), .table(let new)):
            let set = old.filter { $0.value != .none }
            return Meaning.table(new).mayStand(for: .table(set), inJSON: inJSON)
        case (.table(let old), .fields(let new)), (.fields(let old), .fields(let new)):
            return new.allSatisfy { $0.value.mayStand(for: old[$0.key] ?? .none, inJSON: inJSON) }
        default: return false
        }
    }
}

protocol Meaningful: Codable, Equatable, WalBinaryValue, Sendable {
    var meaning: Meaning { get }
    static func random(_ numbers: inout SeededGenerator) -> Self
}

extension Meaningful where Self: FixedWidthInteger {
    var meaning: Meaning { .integer("\(self)") }
    static func random(_ numbers: inout SeededGenerator) -> Self {
        let edges: [Self] = [
            .min, .max, 0, 1, 7, 100, Self(truncatingIfNeeded: 1 << 24 + 1), Self(truncatingIfNeeded: 1 << 53 + 1),
            Self(truncatingIfNeeded: -1), Self(truncatingIfNeeded: 300),
        ]
        return numbers.chance(3) ? Self(truncatingIfNeeded: numbers.next()) : edges[numbers.below(edges.count)]
    }
}
extension Int: Meaningful {}
extension Int8: Meaningful {}
extension UInt8: Meaningful {}
extension UInt16: Meaningful {}
extension Int32: Meaningful {}
extension UInt64: Meaningful {}
extension Int128: Meaningful {}
extension Bool: Meaningful {
    var meaning: Meaning { .truth(self) }
    static func random(_ numbers: inout SeededGenerator) -> Bool { numbers.chance(2) }
}
extension Double: Meaningful {
    var meaning: Meaning { .floating(self, text: "\(self)") }
    static func random(_ numbers: inout SeededGenerator) -> Double {
        let edges = [
            0, 1, -1, 7.5, 0.1, 1e300, 16_777_217, 9_007_199_254_740_992, 1e18, 255, 256, -0.5,
            .greatestFiniteMagnitude,
        ]
        return numbers.chance(3) ? Double(numbers.below(1 << 40)) / 1024 : edges[numbers.below(edges.count)]
    }
}
extension Float: Meaningful {
    var meaning: Meaning { .floating(Double(self), text: "\(self)") }
    static func random(_ numbers: inout SeededGenerator) -> Float {
        let edges: [Float] = [0, 1, -1, 7.5, 0.1, 3e38, 16_777_216, 255]
        return edges[numbers.below(edges.count)]
    }
}
extension Decimal: Meaningful {
    var meaning: Meaning { .decimal(self) }
    static func random(_ numbers: inout SeededGenerator) -> Decimal {
        let edges = ["0", "1", "-1", "0.1", "12345678901234567890.123", "300", "9007199254740993"]
        return Decimal(string: edges[numbers.below(edges.count)]) ?? 0
    }
}
extension String: Meaningful {
    var meaning: Meaning { .text(self) }
    static func random(_ numbers: inout SeededGenerator) -> String {
        let edges = [
            "", "abcd", "1", "true", "null", "red", "blue", "2020-01-01T00:00:00Z", "x:y", "größe",
            "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "1.5", "AAAAAAAAAAA=",
        ]
        return edges[numbers.below(edges.count)]
    }
}
extension Data: Meaningful {
    var meaning: Meaning { .bytes(Array(self)) }
    static func random(_ numbers: inout SeededGenerator) -> Data { Data([UInt8].random(&numbers)) }
}
extension Date: Meaningful {
    var meaning: Meaning { .date(timeIntervalSinceReferenceDate) }
    static func random(_ numbers: inout SeededGenerator) -> Date {
        Date(timeIntervalSinceReferenceDate: .random(&numbers))
    }
}
extension UUID: Meaningful {
    var meaning: Meaning { .text(uuidString) }
    static func random(_ numbers: inout SeededGenerator) -> UUID {
        numbers.chance(2) ? UUID() : UUID(uuidString: "6BA7B810-9DAD-11D1-80B4-00C04FD430C8") ?? UUID()
    }
}
extension URL: Meaningful {
    var meaning: Meaning { .link(absoluteString) }
    static func random(_ numbers: inout SeededGenerator) -> URL {
        URL(string: ["x:y", "https://example.org/a?b=c", "abcd"][numbers.below(3)]) ?? URL(fileURLWithPath: "/")
    }
}
extension Colour: Meaningful {
    var meaning: Meaning { .text(rawValue) }
    static func random(_ numbers: inout SeededGenerator) -> Colour { numbers.chance(2) ? .red : .green }
}
extension MoreColours: Meaningful {
    var meaning: Meaning { .text(rawValue) }
    static func random(_ numbers: inout SeededGenerator) -> MoreColours { [.red, .green, .blue][numbers.below(3)] }
}
extension Optional: Meaningful where Wrapped: Meaningful {
    var meaning: Meaning { self?.meaning ?? .none }
    static func random(_ numbers: inout SeededGenerator) -> Wrapped? {
        numbers.chance(3) ? nil : Wrapped.random(&numbers)
    }
}
extension Array: Meaningful where Element: Meaningful {
    var meaning: Meaning {
        // A cast of the value would do for an empty array of anything.
        if Element.self == UInt8.self { return .bytes(compactMap { $0 as? UInt8 }) }
        return .list(map(\.meaning))
    }
    static func random(_ numbers: inout SeededGenerator) -> [Element] {
        (0..<numbers.below(4)).map { _ in Element.random(&numbers) }
    }
}
extension Set: Meaningful where Element: Meaningful {
    var meaning: Meaning { .members(map(\.meaning)) }
    static func random(_ numbers: inout SeededGenerator) -> Set<Element> { Set([Element].random(&numbers)) }
}
extension Dictionary: Meaningful where Key: Meaningful, Value: Meaningful {
    var meaning: Meaning {
        guard Key.self == String.self || Key.self == Int.self else {
            return .pairs(map { [$0.key.meaning, $0.value.meaning] })
        }
        return .table(Dictionary<String, Meaning>(uniqueKeysWithValues: map { ("\($0.key)", $0.value.meaning) }))
    }
    static func random(_ numbers: inout SeededGenerator) -> [Key: Value] {
        Dictionary((0..<numbers.below(4)).map { _ in (Key.random(&numbers), Value.random(&numbers)) }) { $1 }
    }
}
extension Person: Meaningful {
    var meaning: Meaning { .fields(["id": id.meaning, "name": name.meaning]) }
    static func random(_ numbers: inout SeededGenerator) -> Person {
        Person(id: .random(&numbers), name: .random(&numbers))
    }
}
extension PersonWithNote: Meaningful {
    var meaning: Meaning { .fields(["id": id.meaning, "name": name.meaning, "note": note.meaning]) }
    static func random(_ numbers: inout SeededGenerator) -> PersonWithNote {
        PersonWithNote(id: .random(&numbers), name: .random(&numbers), note: .random(&numbers))
    }
}
extension Holder: Meaningful where Value: Meaningful {
    var meaning: Meaning { .fields(["value": value.meaning]) }
    static func random(_ numbers: inout SeededGenerator) -> Holder { Holder(.random(&numbers)) }
}
extension Command: Meaningful {
    var meaning: Meaning {
        switch self {
        case .put(let key): .fields(["put": .fields(["key": key.meaning])])
        case .clear: .fields(["clear": .fields([:])])
        }
    }
    static func random(_ numbers: inout SeededGenerator) -> Command {
        numbers.chance(2) ? .clear : .put(key: .random(&numbers))
    }
}

@Suite(.timeLimit(.minutes(15))) struct GarbageHuntTests {
    private static let types: [any Meaningful.Type] = [
        Bool.self, Int.self, Int8.self, UInt16.self, Int32.self, UInt64.self, Int128.self, Double.self, Float.self,
        Decimal.self, String.self, [UInt8].self, Data.self, Date.self, UUID.self, URL.self, Colour.self,
        MoreColours.self, Int?.self, String?.self, [UInt8]?.self, [Int].self, [String].self, [Double].self,
        [[UInt8]].self, [Int?].self, Set<Int>.self, Set<String>.self, [String: Int].self, [String: String].self,
        [Int: String].self, [Double: Double].self, Person.self, PersonWithNote.self, [Person].self,
        Holder<Int>.self, Holder<String?>.self, Command.self, [Command].self, [String: Person].self,
    ]

    /// nil where it is well.
    private static func look<Old: Meaningful, New: Meaningful>(
        _: Old.Type, _: New.Type, _ storing: Storing, _ numbers: inout SeededGenerator
    ) -> String? {
        let old = Holder(Old.random(&numbers))
        var encoder = WalEncoder()
        guard (try? storing.codec(Holder<Old>.self).encode(old, into: &encoder)) != nil else { return nil }
        let bytes = encoder.withBytes { Array($0) }
        do throws(WalError) {
            let new = try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
                var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(bytes))
                return try storing.codec(Holder<New>.self).decode(&decoder)
            }
            if new.meaning.mayStand(for: old.meaning, inJSON: storing.isJSON) { return nil }
            return "\(Old.self) -> \(New.self), \(storing.rawValue): \(old.value) is read as \(new.value)"
        } catch {
            guard error.code == .decoding else { return "\(Old.self) -> \(New.self): \(error)" }
            guard Old.self != New.self else {
                return "\(Old.self) is not read back, \(storing.rawValue): \(old): \(error)"
            }
            guard error.message.contains("this build reads ") else {
                return "\(Old.self) -> \(New.self), \(storing.rawValue): no schemas: \(error)"
            }
            guard error.codingPath.first == "value" else {
                return "\(Old.self) -> \(New.self), \(storing.rawValue): names no field: \(error)"
            }
            return nil
        }
    }

    private static func row<Old: Meaningful>(_ old: Old.Type, _ rounds: Int, _ numbers: inout SeededGenerator)
        -> [String]
    {
        var found: [String] = []
        for new in types {
            for storing in Storing.allCases {
                // One of a kind.
                for _ in 0..<rounds {
                    if let wrong = look(old, new, storing, &numbers) {
                        found.append(wrong)
                        break
                    }
                }
            }
        }
        return found
    }

    @Test(arguments: 0..<types.count)
    func `no record of one type is read as another value of another type`(index: Int) {
        var numbers = SeededGenerator(seed: UInt64(index) + 1)
        for wrong in Self.row(Self.types[index], 10, &numbers) { Issue.record("\(wrong)") }
    }
}
