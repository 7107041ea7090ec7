import CAllocations
import CBaseline
import Foundation
import WalBinary
import WriteAheadLog

extension Place {
    /// Records to bytes and back, without a log.
    var codings: [Measurement] {
        let direct = AnyWalCodec<Change>(DirectBinaryCodec<Change>())
        let codable = AnyWalCodec<Change>(CodableBinaryCodec<Change>())
        return [
            Measurement(name: "encode_enum_65", unit: "ns/record", target: 12) { try encodings(direct, 2_000_000) },
            Measurement(
                name: "decode_enum_65", unit: "ns/record", targetExcess: 15,
                limitIs: "allocating, copying and freeing the two arrays",
                ours: { try decodings(direct, 1_000_000) }, limit: { arrayCost(1_000_000) }),
            Measurement(name: "encode_codable_65", unit: "ns/record", target: 650) { try encodings(codable, 100_000) },
            Measurement(name: "decode_codable_65", unit: "ns/record", target: 950) { try decodings(codable, 100_000) },
            Measurement(
                name: "decode_codable_vs_floor", unit: "ns/record", limitIs: "a decoder that reads nothing",
                ours: { try decodings(codable, 100_000) }, limit: { try floorDecodings(100_000) }),
            Measurement(
                name: "encode_codable_vs_json", unit: "ns/record", target: 0.05, limitIs: "Foundation's JSONEncoder",
                ours: { try encodings(codable, 100_000) }, limit: { try jsonEncodings(3_000) }),
            Measurement(
                name: "decode_codable_vs_json", unit: "ns/record", target: 0.05, limitIs: "Foundation's JSONDecoder",
                ours: { try decodings(codable, 100_000) }, limit: { try jsonDecodings(3_000) }),
        ] + shapes
    }

    /// Allocations by shape: each container of Codable's takes some, a value none.
    private var shapes: [Measurement] {
        [
            shape("one field", One(a: 1)), shape("eight fields", Eight()), shape("one nested", Outer(inner: One(a: 1))),
            shape("ten nested", Outers(inner: (0..<10).map { One(a: $0) })),
            shape("a byte array of 56", Bytes(bytes: [UInt8](repeating: 7, count: 56))),
            shape("a string of 40", Text(text: String(repeating: "x", count: 40))),
        ].flatMap { $0 }
    }

    private func shape<Record: Codable & WalCodable>(_ name: String, _ record: Record) -> [Measurement] {
        let codec = AnyWalCodec<Record>(CodableBinaryCodec<Record>())
        return [
            Measurement(name: "codable, \(name): encode", unit: "allocations", isExact: true) {
                try allocationsOf {
                    var encoder = WalEncoder()
                    try codec.encode(record, into: &encoder)
                }
            },
            Measurement(name: "codable, \(name): decode", unit: "allocations", isExact: true) {
                var encoder = WalEncoder()
                try codec.encode(record, into: &encoder)
                let bytes = encoder.withBytes { Array($0) }
                return try allocationsOf { _ = try decode(codec, bytes) }
            },
        ]
    }

    private func allocationsOf(_ body: () throws -> Void) throws -> Double {
        // What is made once for each type is not counted.
        for _ in 0..<10 { try body() }
        let before = allocations_of_process()
        for _ in 0..<100 { try body() }
        return Double(allocations_of_process() - before) / 100
    }
}

private struct One: Codable, WalCodable { var a: Int }
private struct Eight: Codable, WalCodable {
    var a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8
}
private struct Outer: Codable, WalCodable { var inner: One }
private struct Outers: Codable, WalCodable { var inner: [One] }
private struct Bytes: Codable, WalCodable { var bytes: [UInt8] }
private struct Text: Codable, WalCodable { var text: String }

@inline(never)
private func encodings(_ codec: AnyWalCodec<Change>, _ count: Int) throws -> Double {
    let change = Change.sample
    var encoder = WalEncoder(minimumCapacity: 4096)
    var bytes = 0
    let start = bench_clock()
    for _ in 0..<count {
        encoder.reset()
        try codec.encode(change, into: &encoder)
        bytes &+= encoder.count
    }
    let taken = Double(bench_clock() - start)
    return bytes >= 65 * count ? taken / Double(count) : -1
}

@inline(never)
private func decode<Record>(_ codec: AnyWalCodec<Record>, _ bytes: [UInt8]) throws -> Record {
    try bytes.withUnsafeBytes { bytes in
        var decoder = WalDecoder(unsafeBytes: bytes)
        return try codec.decode(&decoder)
    }
}

@inline(never)
private func decodings(_ codec: AnyWalCodec<Change>, _ count: Int) throws -> Double {
    var encoder = WalEncoder()
    try codec.encode(Change.sample, into: &encoder)
    let bytes = encoder.withBytes { Array($0) }
    var sum = 0
    let start = bench_clock()
    try bytes.withUnsafeBytes { bytes in
        for _ in 0..<count {
            var decoder = WalDecoder(unsafeBytes: bytes)
            sum &+= touch(try codec.decode(&decoder))
        }
    }
    let taken = Double(bench_clock() - start)
    return sum == 65 * count ? taken / Double(count) : -1
}

private func jsonEncodings(_ count: Int) throws -> Double {
    let encoder = JSONEncoder()
    var bytes = 0
    let start = bench_clock()
    for _ in 0..<count { bytes += try encoder.encode(Change.sample).count }
    return bytes > 65 * count ? Double(bench_clock() - start) / Double(count) : -1
}

@inline(never)
private func floorDecodings(_ count: Int) throws -> Double {
    guard case .put(let key, let value) = Change.sample else { return -1 }
    let source = FloorSource(name: "put", key: key, value: value)
    var sum = 0
    let start = bench_clock()
    for _ in 0..<count { sum &+= touch(try decodedAnyhow(Change.self, FloorDecoder(source: source))) }
    return sum == 65 * count ? Double(bench_clock() - start) / Double(count) : -1
}

/// As a codec does, which does not know the type.
@inline(never) @_optimize(none)
private func decodedAnyhow<Record: Decodable>(_: Record.Type, _ decoder: any Decoder) throws -> Record {
    try Record(from: decoder)
}

private func jsonDecodings(_ count: Int) throws -> Double {
    let text = try JSONEncoder().encode(Change.sample)
    let decoder = JSONDecoder()
    var sum = 0
    let start = bench_clock()
    for _ in 0..<count { sum += touch(try decoder.decode(Change.self, from: text)) }
    return sum == 65 * count ? Double(bench_clock() - start) / Double(count) : -1
}
