import Foundation
import WalBinary
import WriteAheadLog

enum Change: Codable, Hashable, WalDirectCodable, WalBinaryValue {
    case put(key: [UInt8], value: [UInt8])
    case delete(key: [UInt8])
    case clear
    case rename(String, to: String?)

    func encode(into encoder: inout WalEncoder) {
        switch self {
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
        }
        encoder.endCase()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("put") {
            self = .put(
                key: try decoder.field("key", in: &fields), value: try decoder.field("value", in: &fields))
        } else if fields.isCase("delete") {
            self = .delete(key: try decoder.field("key", in: &fields))
        } else if fields.isCase("clear") {
            self = .clear
        } else if fields.isCase("rename") {
            self = .rename(
                try decoder.field("_0", in: &fields), to: try decoder.fieldIfPresent("to", in: &fields))
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}

enum Colour: String, Codable, Hashable, WalBinaryValue { case red, green }

struct Order: Codable, Hashable, WalDirectCodable, WalBinaryValue {
    var id: Int
    var note: String?
    var price: Double
    var colour: Colour
    var changes: [Change]
    var tags: [String: Int]
    var numbers: Set<Int>
    var byColour: [Int32: [UInt8]]
    var uuid: UUID
    var when: Date?
    var amount: Decimal
    var link: URL
    var blob: Data
    var aNameOfMoreThanTwentyThreeBytes: UInt128

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("id", id)
        encoder.fieldIfPresent("note", note)
        encoder.field("price", price)
        encoder.field("colour", colour)
        encoder.field("changes", changes)
        encoder.field("tags", tags)
        encoder.field("numbers", numbers)
        encoder.field("byColour", byColour)
        encoder.field("uuid", uuid)
        encoder.fieldIfPresent("when", when)
        encoder.field("amount", amount)
        encoder.field("link", link)
        encoder.field("blob", blob)
        encoder.field("aNameOfMoreThanTwentyThreeBytes", aNameOfMoreThanTwentyThreeBytes)
        encoder.endMap()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        id = try decoder.field("id", in: &fields)
        note = try decoder.fieldIfPresent("note", in: &fields)
        price = try decoder.field("price", in: &fields)
        colour = try decoder.field("colour", in: &fields)
        changes = try decoder.field("changes", in: &fields)
        tags = try decoder.field("tags", in: &fields)
        numbers = try decoder.field("numbers", in: &fields)
        byColour = try decoder.field("byColour", in: &fields)
        uuid = try decoder.field("uuid", in: &fields)
        when = try decoder.fieldIfPresent("when", in: &fields)
        amount = try decoder.field("amount", in: &fields)
        link = try decoder.field("link", in: &fields)
        blob = try decoder.field("blob", in: &fields)
        aNameOfMoreThanTwentyThreeBytes = try decoder.field("aNameOfMoreThanTwentyThreeBytes", in: &fields)
        try decoder.endFields(&fields)
    }

    init(note: String? = "n", when: Date? = Date(timeIntervalSinceReferenceDate: 1.5)) {
        id = -7
        self.note = note
        price = 1.25
        colour = .green
        changes = [
            .put(key: [1], value: [2, 3]), .clear, .rename("a", to: nil), .rename("a", to: "b"), .delete(key: []),
        ]
        tags = ["zz": 1, "a": 2, "m": 3]
        numbers = [1000, 3, -5]
        byColour = [7: [1], -1: [], 300: [9]]
        uuid = UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
        self.when = when
        amount = Decimal(string: "-12.50")!
        link = URL(string: "https://example.org/a?b=c")!
        blob = Data([9, 8, 7])
        aNameOfMoreThanTwentyThreeBytes = .max
    }
}

/// One that holds itself.
struct Tree: Codable, Hashable, WalDirectCodable, WalBinaryValue {
    var children: [Tree]

    init(children: [Tree] = []) { self.children = children }
    init(depth: Int) { self = depth <= 1 ? Tree() : Tree(children: [Tree(depth: depth - 1)]) }

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("children", children)
        encoder.endMap()
    }
    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        children = try decoder.field("children", in: &fields)
        try decoder.endFields(&fields)
    }
}
