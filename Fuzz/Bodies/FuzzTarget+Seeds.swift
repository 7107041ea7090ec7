internal import Foundation
internal import WalBinary
internal import WalJSON
internal import WriteAheadLog

extension FuzzTarget {
    /// Inputs to begin with: records as the codecs write them, and the like.
    var seeds: [[UInt8]] {
        switch self {
        case .segment: (0..<64).map { (k: UInt8) in [k & 7, k >> 3] + (0..<48).map { $0 &* (2 * k + 1) } }
        case .binaryCodable, .binaryDirect: Self.records(isBinary: true)
        case .json:
            Self.records(isBinary: false)
                + Self.texts.flatMap { [[11] + Array($0.utf8), [10] + Self.compact($0)] }
        case .zstd:
            Self.texts.flatMap { text in (0..<6).map { (kind: UInt8) in [kind, 0] + Array(text.utf8) } }
        case .cli:
            Self.texts.flatMap { text in
                (0..<8).map { (kind: UInt8) in [kind, 1, 9] + Array("\(text)\n\(text)\n".utf8) }
            }
        }
    }

    private static let texts = [
        #"{"b":1e400,"a":-0,"b":[18446744073709551615,null,true,false,"x\n\u00e9\ud83d\ude00"]}"#, "1.50", "[]", "{}",
        #"[[[["deep"]]]]"#, "-12.5E+3", #""text""#,
    ]

    private static func compact(_ text: String) -> [UInt8] {
        guard let value = try? JSONValue(parsing: text) else { return [] }
        return bytes(CompactCodec(), value)
    }

    private static func bytes<Codec: WalCodec>(_ codec: Codec, _ record: Codec.Record) -> [UInt8] {
        var encoder = WalEncoder()
        try? codec.encode(record, into: &encoder)
        return encoder.withBytes { Array($0) }
    }

    private static let id = UUID(uuid: (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16))

    private static var order: FuzzOrder {
        var order = FuzzOrder()
        (order.i, order.b, order.n, order.w) = (-7, true, -128, .max)
        (order.h, order.u, order.d, order.f) = (.min, .max, 0.1, 3.5)
        (order.s, order.c, order.id) = ("text", .green, id)
        order.e = [.put(key: [1], value: [2, 3]), .rename("a", to: nil), .rename("a", to: "b"), .clear]
        (order.t, order.m) = (["b": 1, "a": 2], [10: ["x": true], -1: [:]])
        (order.o, order.p) = ([3, 1000], [7: [1], -1: []])
        (order.at, order.x) = (Date(timeIntervalSinceReferenceDate: 1.5), Decimal(string: "-12.50"))
        (order.l, order.a, order.k) = (URL(string: "https://example.org/a?b=c"), Data([9, 8]), [1, nil])
        order.aNameOfMoreThanTwentyThreeBytes = 1
        return order
    }

    /// Of each kind that the bodies know: its number, and such a record's bytes.
    private static func records(isBinary: Bool) -> [[UInt8]] {
        func seed<Record: Codable & WalCodable>(_ kind: UInt8, _ record: Record) -> [UInt8] {
            [kind] + (isBinary ? bytes(CodableBinaryCodec<Record>(), record) : bytes(JSONCodec<Record>(), record))
        }
        let wanderer: UInt8 = isBinary ? 10 : 9
        return [
            seed(0, order), seed(1, FuzzEvent.put(key: [1, 2], value: [3])), seed(1, FuzzEvent.rename("a", to: "b")),
            seed(2, FuzzTree(c: [FuzzTree(c: [FuzzTree(c: [])]), FuzzTree(c: [])])),
            seed(3, FuzzBox(value: [Decimal(string: "-12.50"), Decimal(1), Decimal(UInt64.max)].compactMap { $0 })),
            seed(4, FuzzBox(value: ["a": [1: Set(["x", "y"])], "b": [:]])),
            seed(5, FuzzBox(value: [Int128.min, -1, 0, 1, Int128.max, Int128(UInt64.max)])),
            seed(6, FuzzBox(value: [Date(timeIntervalSinceReferenceDate: 0): Float(1.5)])),
            isBinary
                ? seed(7, FuzzBox(value: [URL(string: "a:b"), URL(string: "/x")].compactMap { $0 }))
                : seed(7, FuzzBox(value: [id: Data([1, 2, 3])])),
            isBinary ? seed(8, FuzzBox(value: [id: Data([1, 2])])) : seed(8, FuzzBox(value: [[1.5, nil], []])),
            isBinary ? seed(9, FuzzBox(value: [order])) : seed(0, order), seed(wanderer, order),
            isBinary ? seed(11, FuzzBox(value: [[true, nil], []])) : seed(wanderer, FuzzTree(c: [FuzzTree(c: [])])),
        ]
    }
}
