import Foundation
import Testing
import WalJSON
import WalTesting
import WriteAheadLog

struct Everything: Codable, WalCodable, Equatable {
    enum Choice: Codable, Equatable {
        case none
        case some(Int, label: String)
    }
    var text = "a\"\\\u{1}\n\u{1F600}é"
    var bytes: [UInt8] = [0, 255, 7, 9]
    var data = Data([1, 2])
    var uuid = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))
    var date = Date(timeIntervalSinceReferenceDate: 0.1)
    var decimal = Decimal(string: "1234567890123456789012345678.25")
    var double = 0.1
    var float: Float = 3.4e38
    var large = UInt64.max
    var small = Int64.min
    var huge = Int128.min
    var missing: Int?
    var names = ["b": 1, "a": 2, "a!": 3]
    var numbered: [Int: [UInt8]] = [3: [1], 10: [2]]
    var ids: Set<Int> = [5, 1, 900]
    var pairs: [Double: String] = [1.5: "x", 0.5: "y"]
    var choice = Choice.some(1, label: "z")
    var nested: [[String]] = [[], ["q"]]
}

func json<R: WalCodable & Codable>(_ record: R) throws -> String {
    var encoder = WalEncoder()
    try JSONCodec<R>().encode(record, into: &encoder)
    return encoder.withBytes { String(decoding: $0, as: UTF8.self) }
}

func decodeJSON<R: WalCodable & Codable>(_: R.Type, _ text: String) throws -> R {
    try Array(text.utf8).withUnsafeBytes { bytes in
        var decoder = WalDecoder(unsafeBytes: bytes)
        return try JSONCodec<R>().decode(&decoder)
    }
}

struct Number: Codable, WalCodable { var n: Int8 }
struct Large: Codable, WalCodable { var n: Int128 }
struct Real: Codable, WalCodable { var d: Double }

@Suite struct JSONCodecTests {
    @Test func `keeps every promise of a codec`() throws {
        var options = CodecConformance.Options()
        options.refusesTruncation = true
        options.randomInputs = 50_000
        try CodecConformance.check(.json(), samples: [Everything()], options: options)
    }

    @Test func `dictionaries and sets are sorted`() throws {
        let text = try json(Everything())
        #expect(text.contains(#""names":{"a":2,"a!":3,"b":1}"#))
        #expect(text.contains(#""ids":[1,5,900]"#))
        #expect(text.contains(#""pairs":[0.5,"y",1.5,"x"]"#))
        #expect(text.contains(#""bytes":"AP8HCQ==""#))
    }

    @Test(arguments: [
        Int128(UInt64.max), -Int128(UInt64.max), -10_000_000_000_000_000_000, -9_999_999_999_999_999_999,
        -Int128(UInt64.max) - 1,
    ])
    func `integers of twenty digits and a sign come back`(integer: Int128) throws {
        let text = try json(Large(n: integer))
        #expect(text == "{\"n\":\(integer)}")
        #expect(try decodeJSON(Large.self, text).n == integer)
    }

    @Test(arguments: [#"{"n":1.0}"#, #"{"n":10e-1}"#, #"{"x":[{}],"n":1}"#, #" {"n":9,"n":1} "#, #"{"\u006e":1}"#])
    func `an exact integer is taken, and the last of a key's values`(text: String) throws {
        #expect(try decodeJSON(Number.self, text).n == 1)
    }

    @Test(arguments: [
        "", "{}", #"{"n":128}"#, #"{"n":1.5}"#, #"{"n":01}"#, #"{"n":1}x"#, #"{"n":null}"#, #"{"n":1,}"#,
        #"{"n":1,"s":"\ud800"}"#, #"{"n":1e999999999999999999999}"#, "{\"n\":1,\"s\":\"\u{1}\"}",
        String(repeating: "[", count: 600), #"{"n":"1"}"#, #"{"n":+1}"#, #"{"n":1.}"#,
    ])
    func `text that is not JSON or does not fit is a decoding error`(text: String) {
        let error = #expect(throws: WalError.self) { try decodeJSON(Number.self, text) }
        #expect(error?.code == .decoding)
    }

    @Test func `errors name the place`() {
        let error = #expect(throws: WalError.self) { try decodeJSON(Number.self, #"{"n":true}"#) }
        #expect(error?.codingPath == ["n"])
        let encoding = #expect(throws: WalError.self) { try json(Real(d: .nan)) }
        #expect(encoding?.code == .encoding)
        #expect(encoding?.codingPath == ["d"])
    }
}

@Suite struct JSONValueTests {
    @Test(arguments: [#"{"b":1e400,"a":-0,"b":[18446744073709551615,null,true,false,"x\n"]}"#, "1.50", "[]", "{}"])
    func `nothing is lost, as text or in the compact form`(text: String) throws {
        let value = try JSONValue(parsing: text)
        #expect(value.description == text)
        var encoder = WalEncoder()
        value.encode(into: &encoder)
        let back = try encoder.withBytes { bytes in
            var decoder = WalDecoder(unsafeBytes: bytes)
            return try JSONValue(from: &decoder)
        }
        #expect(back == value)
    }

    @Test func `keeps every promise of a codec`() throws {
        let samples: [JSONValue] = [nil, ["k": [1, "two", true], "k": nil], try JSONValue(parsing: "[1e400,-0]")]
        try CodecConformance.check(.json(), samples: samples)
    }

    @Test func `hostile compact bytes never trap`() {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<50_000 {
            let length = Int(random.next() % 64)
            let bytes = random.bytes(count: length).map { $0 % 3 == 0 ? $0 % 8 : $0 }
            bytes.withUnsafeBytes {
                var decoder = WalDecoder(unsafeBytes: $0)
                _ = try? JSONValue(from: &decoder)
            }
        }
    }
}
