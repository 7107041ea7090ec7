internal import Foundation
internal import WalBinary
internal import WriteAheadLog

/// An enum with payloads of every shape, by both ways of coding.
enum FuzzEvent: Codable, WalDirectCodable, WalBinaryValue {
    case put(key: [UInt8], value: [UInt8])
    case rename(String, to: String?)
    case clear

    func encode(into encoder: inout WalEncoder) {
        switch self {
        case .put(let key, let value):
            encoder.beginCase("put")
            encoder.field("key", key)
            encoder.field("value", value)
        case .rename(let old, let new):
            encoder.beginCase("rename")
            encoder.field("_0", old)
            encoder.fieldIfPresent("to", new)
        case .clear:
            encoder.beginCase("clear")
        }
        encoder.endCase()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("put") {
            self = .put(key: try decoder.field("key", in: &fields), value: try decoder.field("value", in: &fields))
        } else if fields.isCase("rename") {
            self = .rename(try decoder.field("_0", in: &fields), to: try decoder.fieldIfPresent("to", in: &fields))
        } else if fields.isCase("clear") {
            self = .clear
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}

enum FuzzColour: String, Codable, Hashable, WalBinaryValue { case red, green }

/// One field of every kind that the formats state. All are optional, so that an input need not have them all.
struct FuzzOrder: Codable, WalDirectCodable, WalBinaryValue {
    var i: Int?
    var b: Bool?
    var n: Int8?
    var w: UInt64?
    var h: Int128?
    var u: UInt128?
    var d: Double?
    var f: Float?
    var s: String?
    var c: FuzzColour?
    var e: [FuzzEvent]?
    var t: [String: Int]?
    var m: [Int: [String: Bool]]?
    var o: Set<Int>?
    var p: [Int32: [UInt8]]?
    var id: UUID?
    var at: Date?
    var x: Decimal?
    var l: URL?
    var a: Data?
    var k: [Double?]?
    var aNameOfMoreThanTwentyThreeBytes: UInt8?

    init() {}

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.fieldIfPresent("i", i)
        encoder.fieldIfPresent("b", b)
        encoder.fieldIfPresent("n", n)
        encoder.fieldIfPresent("w", w)
        encoder.fieldIfPresent("h", h)
        encoder.fieldIfPresent("u", u)
        encoder.fieldIfPresent("d", d)
        encoder.fieldIfPresent("f", f)
        encoder.fieldIfPresent("s", s)
        encoder.fieldIfPresent("c", c)
        encoder.fieldIfPresent("e", e)
        encoder.fieldIfPresent("t", t)
        encoder.fieldIfPresent("m", m)
        encoder.fieldIfPresent("o", o)
        encoder.fieldIfPresent("p", p)
        encoder.fieldIfPresent("id", id)
        encoder.fieldIfPresent("at", at)
        encoder.fieldIfPresent("x", x)
        encoder.fieldIfPresent("l", l)
        encoder.fieldIfPresent("a", a)
        encoder.fieldIfPresent("k", k)
        encoder.fieldIfPresent("aNameOfMoreThanTwentyThreeBytes", aNameOfMoreThanTwentyThreeBytes)
        encoder.endMap()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        i = try decoder.fieldIfPresent("i", in: &fields)
        b = try decoder.fieldIfPresent("b", in: &fields)
        n = try decoder.fieldIfPresent("n", in: &fields)
        w = try decoder.fieldIfPresent("w", in: &fields)
        h = try decoder.fieldIfPresent("h", in: &fields)
        u = try decoder.fieldIfPresent("u", in: &fields)
        d = try decoder.fieldIfPresent("d", in: &fields)
        f = try decoder.fieldIfPresent("f", in: &fields)
        s = try decoder.fieldIfPresent("s", in: &fields)
        c = try decoder.fieldIfPresent("c", in: &fields)
        e = try decoder.fieldIfPresent("e", in: &fields)
        t = try decoder.fieldIfPresent("t", in: &fields)
        m = try decoder.fieldIfPresent("m", in: &fields)
        o = try decoder.fieldIfPresent("o", in: &fields)
        p = try decoder.fieldIfPresent("p", in: &fields)
        id = try decoder.fieldIfPresent("id", in: &fields)
        at = try decoder.fieldIfPresent("at", in: &fields)
        x = try decoder.fieldIfPresent("x", in: &fields)
        l = try decoder.fieldIfPresent("l", in: &fields)
        a = try decoder.fieldIfPresent("a", in: &fields)
        k = try decoder.fieldIfPresent("k", in: &fields)
        aNameOfMoreThanTwentyThreeBytes = try decoder.fieldIfPresent("aNameOfMoreThanTwentyThreeBytes", in: &fields)
        try decoder.endFields(&fields)
    }
}

/// One that holds itself.
struct FuzzTree: Codable, WalDirectCodable, WalBinaryValue {
    var c: [FuzzTree]
    var v: Int?

    init(c: [FuzzTree]) { self.c = c }

    func encode(into encoder: inout WalEncoder) {
        encoder.beginMap()
        encoder.field("c", c)
        encoder.fieldIfPresent("v", v)
        encoder.endMap()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginFields()
        c = try decoder.field("c", in: &fields)
        v = try decoder.fieldIfPresent("v", in: &fields)
        try decoder.endFields(&fields)
    }
}

/// A record that is a value of that type.
struct FuzzBox<Value: Codable & WalBinaryValue & Sendable>: Codable, WalDirectCodable {
    var value: Value

    init(value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Value.self) }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
    init(from decoder: inout WalDecoder) throws(WalError) { value = try Value(from: &decoder) }
    func encode(into encoder: inout WalEncoder) { value.encode(into: &encoder) }
}
