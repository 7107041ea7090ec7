#if Macros
import Foundation
import WalMacros

// Records by the macro, and beside each the same written by hand: the third way to the same bytes.

@WalRecord indirect enum Change: Codable, Hashable {
    case put(key: [UInt8], value: [UInt8])
    case delete(key: [UInt8])
    case clear
    case rename(String, to: String?)
    case all([Change], then: Change?)
}

struct HandChange: WalBinaryValue {
    var value: Change
    init(_ value: Change) { self.value = value }

    func encode(into encoder: inout WalEncoder) {
        switch value {
        case .put(let key, let value):
            encoder.beginCase("put")
            encoder.field("key", key)
            encoder.field("value", value)
        case .delete(let key):
            encoder.beginCase("delete")
            encoder.field("key", key)
        case .clear:
            encoder.beginCase("clear")
        case .rename(let old, let new):
            encoder.beginCase("rename")
            encoder.field("_0", old)
            encoder.fieldIfPresent("to", new)
        case .all(let changes, let last):
            encoder.beginCase("all")
            encoder.field("_0", changes.map(HandChange.init))
            encoder.fieldIfPresent("then", last.map(HandChange.init))
        }
        encoder.endCase()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("put") {
            value = .put(key: try decoder.field("key", in: &fields), value: try decoder.field("value", in: &fields))
        } else if fields.isCase("delete") {
            value = .delete(key: try decoder.field("key", in: &fields))
        } else if fields.isCase("clear") {
            value = .clear
        } else if fields.isCase("rename") {
            value = .rename(
                try decoder.field("_0", in: &fields), to: try decoder.fieldIfPresent("to", in: &fields))
        } else if fields.isCase("all") {
            let changes: [HandChange] = try decoder.field("_0", in: &fields)
            let last: HandChange? = try decoder.fieldIfPresent("then", in: &fields)
            value = .all(changes.map(\.value), then: last?.value)
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}

extension Change: Arbitrary {
    static func random(_ source: inout Source) -> Change {
        if source.goesDeeper() {
            defer { source.depth += 1 }
            return .all(arbitrary(&source), then: arbitrary(&source))
        }
        return switch source.below(4) {
        case 0: .put(key: arbitrary(&source), value: arbitrary(&source))
        case 1: .delete(key: arbitrary(&source))
        case 2: .clear
        default: .rename(arbitrary(&source), to: arbitrary(&source))
        }
    }
}

@WalRecord enum Colour: String, Codable, Hashable, CaseIterable { case red, green = "grün" }

@WalRecord struct Order: Codable, Hashable {
    let id: Int
    var note: String?
    var price: Double
    var colour: Colour
    var changes: [Change]
    var tags: [String: Int]
    var numbers: Set<Int>
    var byNumber: [Int32: [UInt8]]
    var uuid: UUID
    var when: Optional<Date>
    var amount: Decimal
    var link: URL
    var blob: Data
    let version = 2
    var aNameOfMoreThanTwentyThreeBytes: UInt128
}

struct HandOrder: WalBinaryValue {
    var value: Order
    init(_ value: Order) { self.value = value }

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", value.id)
        encoder.fieldIfPresent("note", value.note)
        encoder.field("price", value.price)
        encoder.field("colour", value.colour.rawValue)
        encoder.field("changes", value.changes.map(HandChange.init))
        encoder.field("tags", value.tags)
        encoder.field("numbers", value.numbers)
        encoder.field("byNumber", value.byNumber)
        encoder.field("uuid", value.uuid)
        encoder.fieldIfPresent("when", value.when)
        encoder.field("amount", value.amount)
        encoder.field("link", value.link)
        encoder.field("blob", value.blob)
        encoder.field("version", 2)
        encoder.field("aNameOfMoreThanTwentyThreeBytes", value.aNameOfMoreThanTwentyThreeBytes)
        encoder.endMap()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        let id: Int = try decoder.field("id", in: &fields)
        let note: String? = try decoder.fieldIfPresent("note", in: &fields)
        let price: Double = try decoder.field("price", in: &fields)
        let colour: String = try decoder.field("colour", in: &fields)
        let changes: [HandChange] = try decoder.field("changes", in: &fields)
        value = Order(
            id: id, note: note, price: price, colour: Colour(rawValue: colour) ?? .red,
            changes: changes.map(\.value), tags: try decoder.field("tags", in: &fields),
            numbers: try decoder.field("numbers", in: &fields), byNumber: try decoder.field("byNumber", in: &fields),
            uuid: try decoder.field("uuid", in: &fields), when: try decoder.fieldIfPresent("when", in: &fields),
            amount: try decoder.field("amount", in: &fields), link: try decoder.field("link", in: &fields),
            blob: try decoder.field("blob", in: &fields),
            aNameOfMoreThanTwentyThreeBytes: try decoder.field("aNameOfMoreThanTwentyThreeBytes", in: &fields))
        try decoder.endFields(&fields)
    }
}

extension Order: Arbitrary {
    static func random(_ source: inout Source) -> Order {
        Order(
            id: arbitrary(&source), note: arbitrary(&source), price: arbitrary(&source),
            colour: source.pick(Colour.allCases), changes: arbitrary(&source), tags: arbitrary(&source),
            numbers: arbitrary(&source), byNumber: arbitrary(&source), uuid: arbitrary(&source),
            when: arbitrary(&source), amount: arbitrary(&source), link: arbitrary(&source), blob: arbitrary(&source),
            aNameOfMoreThanTwentyThreeBytes: arbitrary(&source))
    }
}

/// Another order, other names, and one that is not written.
@WalRecord struct Renamed: Codable, Hashable {
    var a: Int
    var b, c: String?
    var cache: [Int] = [7]

    enum CodingKeys: String, CodingKey {
        case c = "see"
        case a = "\"a\""
        case b
    }
}

struct HandRenamed: WalBinaryValue {
    var value: Renamed
    init(_ value: Renamed) { self.value = value }

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.fieldIfPresent("see", value.c)
        encoder.field("\"a\"", value.a)
        encoder.fieldIfPresent("b", value.b)
        encoder.endMap()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        let c: String? = try decoder.fieldIfPresent("see", in: &fields)
        let a: Int = try decoder.field("\"a\"", in: &fields)
        value = Renamed(a: a, b: try decoder.fieldIfPresent("b", in: &fields), c: c)
        try decoder.endFields(&fields)
    }
}

extension Renamed: Arbitrary {
    static func random(_ source: inout Source) -> Renamed {
        Renamed(a: arbitrary(&source), b: arbitrary(&source), c: arbitrary(&source))
    }
}

/// A type and its twin.
protocol ByHand: WalBinaryValue {
    associatedtype Value: Arbitrary & WalDirectCodable & Codable & Hashable
    var value: Value { get }
    init(_ value: Value)
}
extension HandChange: ByHand {}
extension HandOrder: ByHand {}
extension HandRenamed: ByHand {}
#endif
