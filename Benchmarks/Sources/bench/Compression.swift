import CBaseline
import Foundation
import WalZstd
import WriteAheadLog

/// What compression gains and costs, on two kinds of records: `make compression`.
struct Compression {
    static let argument = "compression"

    /// One way to store records.
    private struct Way {
        let name: String
        /// Bytes that frames take, paddings included, and nanoseconds a record.
        let measure: (_ records: [[UInt8]]) throws -> Costs
    }

    private struct Costs {
        var stored: Double
        var onDisk: Double
        var encode: Double
        var decode: Double
    }

    private let repetitions: Int

    init(repetitions: Int) { self.repetitions = repetitions }

    /// - Parameter arguments: a file of JSON lines, in place of the cut of package descriptions in the repository.
    func main(_ arguments: some Collection<String>) throws {
        let path = arguments.first ?? "Examples/Sources/demo/Data/packages.ndjson"
        let lines = try Data(contentsOf: URL(fileURLWithPath: path)).split(separator: UInt8(ascii: "\n")).map {
            Array($0)
        }
        guard lines.count >= 100 else {
            print("\(path) has \(lines.count) lines; 100 are the least that a dictionary can be learnt from")
            exit(64)
        }
        try table("Package descriptions: \(path)", lines)
        try table("Events, made from a fixed seed", Self.events(10_000))
    }

    /// About 120 bytes each, as an application's log has them.
    private static func events(_ count: Int) -> [[UInt8]] {
        var state: UInt64 = 7
        func below(_ bound: UInt64) -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) % bound
        }
        let kinds = ["view", "click", "purchase", "login", "logout", "search"]
        return (0..<UInt64(count)).map { number in
            let kind = kinds[Int(below(UInt64(kinds.count)))]
            return Array(
                """
                {"id":\(1_000_000 + number),"at":\(1_764_000_000_000 + number * 37 + below(37)),"user":"u\(below(50_000))",\
                "kind":"\(kind)","page":"/items/\(below(3_000))","session":"\(String(below(1 << 31), radix: 16))","value":\(below(10_000))}
                """.utf8)
        }
    }

    private func table(_ title: String, _ all: [[UInt8]]) throws {
        // A dictionary is learnt from what came before: from every other record, and all ways are measured on the rest.
        let learnt = stride(from: 0, to: all.count, by: 2).map { all[$0] }
        let records = stride(from: 1, to: all.count, by: 2).map { all[$0] }
        let plain = Double(records.reduce(0) { $0 + $1.count }) / Double(records.count)
        let dictionary = try ZstdDictionary.train(on: learnt)
        let large = try ZstdDictionary.train(on: learnt, capacity: 64 << 10)
        print("\n\(title): \(records.count) records of \(Int(plain)) bytes; medians of \(repetitions).\n")
        print(
            "| | bytes a record | ratio | on disk, with frames | encode | decode |\n| --- | --- | --- | --- | --- | --- |"
        )

        var ways = [Way(name: "plain") { try Self.single(.init(PayloadCodec()), $0) }]
        for level in [-5, 1, 3, 9] {
            ways.append(Way(name: "each record, level \(level)") { try Self.single(.zstd(.bytes(), level: level), $0) })
        }
        for level in [-5, 1, 3, 9, 19] {
            ways.append(
                Way(name: "each record, dictionary of 16 KiB, level \(level)") {
                    try Self.single(.zstd(.bytes(), level: level, dictionary: dictionary), $0)
                })
        }
        ways.append(
            Way(name: "each record, dictionary of 64 KiB, level 1") {
                try Self.single(.zstd(.bytes(), dictionary: large), $0)
            })
        for count in [16, 64, 256] {
            for level in [-5, 1, 3] {
                ways.append(
                    Way(name: "batches of \(count), level \(level)") {
                        try Self.batches(ZstdCodec(.bytes(), level: level), $0) { $1 == count }
                    })
            }
        }
        ways.append(
            Way(name: "batches of 16, dictionary, level 1") {
                try Self.batches(ZstdCodec(.bytes(), dictionary: dictionary), $0) { $1 == 16 }
            })
        ways.append(
            Way(name: "batches of 256, level 1, window of 16 KiB") {
                try Self.batches(ZstdCodec(.bytes(), windowLog: 14), $0) { $1 == 256 }
            })
        for block in [64 << 10, 1 << 20] {
            for level in [3, 12, 19] {
                ways.append(
                    Way(name: "recompressed, blocks of \(block >> 10) KiB, level \(level)") {
                        try Self.batches(ZstdCodec(.bytes(), level: level), $0) { bytes, _ in bytes >= block }
                    })
            }
        }
        for count in [64, 256] {
            ways.append(
                Way(name: "context kept over \(count), flushed behind each, level 1") { try Self.stream($0, count) })
        }
        var costs = [[Costs]](repeating: [], count: ways.count)
        for _ in 0..<repetitions {
            for (place, way) in ways.enumerated() { costs[place].append(try way.measure(records)) }
        }
        for (way, runs) in zip(ways, costs) {
            func median(_ value: (Costs) -> Double) -> Double { runs.map(value).sorted()[runs.count / 2] }
            let stored = median(\.stored)
            print(
                String(
                    format: "| %@ | %.1f | %.2f | %.1f | %.0f ns | %.0f ns |", way.name, stored, plain / stored,
                    median(\.onDisk), median(\.encode), median(\.decode)))
        }
    }

    /// A frame's header, and its padding to a multiple of eight.
    private static func frame(_ payload: Int) -> Int { (16 + payload + 7) / 8 * 8 }

    private static func single(_ codec: AnyWalCodec<Payload>, _ records: [[UInt8]]) throws -> Costs {
        let payloads = records.map(Payload.init)
        var encoder = WalEncoder(minimumCapacity: 1 << 20)
        var ends: [Int] = []
        ends.reserveCapacity(records.count)
        var start = bench_clock()
        for payload in payloads {
            try codec.encode(payload, into: &encoder)
            ends.append(encoder.count)
        }
        let encode = bench_clock() - start
        var onDisk = 0
        for (place, end) in ends.enumerated() { onDisk += frame(end - (place == 0 ? 0 : ends[place - 1])) }
        start = bench_clock()
        var from = 0
        try encoder.withBytes { bytes in
            for (place, end) in ends.enumerated() {
                var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[from..<end]))
                guard try codec.decode(&decoder).bytes.count == records[place].count else { throw Wrong() }
                from = end
            }
        }
        return costs(encoder.count, onDisk, encode, bench_clock() - start, records.count)
    }

    private static func costs(_ stored: Int, _ onDisk: Int, _ encode: UInt, _ decode: UInt, _ count: Int) -> Costs {
        Costs(
            stored: Double(stored) / Double(count), onDisk: Double(onDisk) / Double(count),
            encode: Double(encode) / Double(count), decode: Double(decode) / Double(count))
    }

    private struct Wrong: Error {}

    /// - Parameter isFull: of the bytes and records of a batch.
    private static func batches(
        _ codec: ZstdCodec<Payload>, _ records: [[UInt8]], _ isFull: (Int, Int) -> Bool
    ) throws -> Costs {
        let payloads = records.map(Payload.init)
        var encoder = WalEncoder(minimumCapacity: 1 << 20)
        var ends: [Int] = []
        var plain = WalEncoder(minimumCapacity: 1 << 20)
        var inBatch = 0
        func close() throws {
            try plain.withBytes { bytes in
                var list = WalDecoder(unsafeBytes: bytes)
                try codec.encodeBatch(&list, into: &encoder)
            }
            ends.append(encoder.count)
            plain.reset()
            inBatch = 0
        }
        var start = bench_clock()
        for payload in payloads {
            let place = plain.count
            plain.write(UInt32(0))
            try codec.encodeWithinBatch(payload, into: &plain)
            plain.overwrite(UInt32(plain.count - place - 4), at: place)
            inBatch += 1
            if isFull(plain.count, inBatch) { try close() }
        }
        if inBatch > 0 { try close() }
        let encode = bench_clock() - start
        var onDisk = 0
        for (place, end) in ends.enumerated() { onDisk += frame(4 + end - (place == 0 ? 0 : ends[place - 1])) }
        start = bench_clock()
        var (from, found) = (0, 0)
        try encoder.withBytes { bytes in
            for end in ends {
                var stored = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[from..<end]))
                plain.reset()
                try codec.decodeBatch(&stored, into: &plain)
                try plain.withBytes { list in
                    var all = WalDecoder(unsafeBytes: list)
                    while all.remaining > 0 {
                        let size = Int(try all.read(UInt32.self))
                        var record = WalDecoder(unsafeBytes: try all.readBuffer(count: size))
                        guard try codec.decode(&record).bytes.count == records[found].count else { throw Wrong() }
                        found += 1
                    }
                }
                from = end
            }
        }
        guard found == records.count else { throw Wrong() }
        return costs(encoder.count, onDisk, encode, bench_clock() - start, records.count)
    }

    private static func stream(_ records: [[UInt8]], _ block: Int) throws -> Costs {
        var (encode, decode) = (0.0, 0.0)
        let bytes = records.flatMap { $0 }
        let stored = stream_context(
            bytes, records.map(\.count), records.count, Int32(block), 1, &encode, &decode)
        guard stored > 0 else { throw Wrong() }
        return Costs(stored: stored, onDisk: stored + 20, encode: encode, decode: decode)
    }
}
