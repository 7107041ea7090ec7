import Benchmark
import CAllocations
import Foundation
import WalBinary
import WalJSON
import WalZstd
import WriteAheadLog

// `swift package benchmark` runs all of these and reports times; `make thresholds` runs those that `Exact` names and compares what
// repeats, allocations and what was handed to the OS, with the
// files in Thresholds.

let benchmarks: @Sendable () -> Void = {
    let isExact = ProcessInfo.processInfo.environment["WAL_EXACT"] != nil
    Benchmark.defaultConfiguration = .init(
        metrics: isExact
            ? [.allocations, .writeSyscalls, .bytesAppended]
            : [.wallClock, .throughput, .allocations, .writeSyscalls],
        warmupIterations: 3, maxDuration: .seconds(isExact ? 10 : 1), maxIterations: isExact ? 100 : 10_000,
        // Room for a job of the log's own threads; a thousand records have none for one allocation each.
        thresholds: [
            .allocations: .init(absolute: [.p90: 4]), .writeSyscalls: .init(absolute: [.p90: 1]),
            .bytesAppended: .init(absolute: [.p90: 96]),
        ])
    Exact.define()
    if !isExact { Timed.define() }
}

extension BenchmarkMetric {
    /// Of this process, by all its threads.
    static let allocations = Self.custom("allocations", polarity: .prefersSmaller, useScalingFactor: false)
    /// To the partition, frames and all.
    static let bytesAppended = Self.custom("bytesAppended", polarity: .prefersSmaller, useScalingFactor: false)
}

extension Benchmark {
    /// Measures `body` and counts what it allocates.
    func count(_ body: () async throws -> Void) async rethrows {
        startMeasurement()
        let before = allocations_of_process()
        try await body()
        let after = allocations_of_process()
        stopMeasurement()
        measurement(.allocations, Int(after - before))
    }
}

/// 65 bytes, as the seed's benchmarks have them: a key of 9 and a value of 56.
enum Record: Codable, Equatable, WalDirectCodable {
    case put(key: [UInt8], value: [UInt8])

    static let bytes = Array(
        "123456789{\"user\": \"123456\", \"name\": \"bob\", \"number\": \"123456789\"}".utf8.prefix(65))
    static let sample = Self.put(key: Array(bytes[..<9]), value: Array(bytes[9...]))

    func encode(into encoder: inout WalEncoder) {
        switch self {
        case .put(let key, let value):
            encoder.beginCase("put")
            encoder.field("key", key)
            encoder.field("value", value)
        }
        encoder.endCase()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        guard fields.isCase("put") else { throw decoder.unknownCase(fields) }
        self = .put(key: try decoder.field("key", in: &fields), value: try decoder.field("value", in: &fields))
        try decoder.endCase(&fields)
    }
}

/// The same without direct coding.
struct Plain: Codable, Equatable, WalCodable {
    var key = Array(Record.bytes[..<9])
    var value = Array(Record.bytes[9...])
}

/// A log in a fresh directory, removed when its benchmark is done.
struct Fresh<R: WalCodable> {
    let path: String
    let wal: Wal<R>

    init(_ configuration: Wal<R>.Configuration) async throws {
        let base = ProcessInfo.processInfo.environment["BENCH_DIR"] ?? ".build/suite-data"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        path = "\(base)/\(UUID().uuidString)"
        wal = try await Wal<R>.open(at: path, configuration: configuration)
    }

    func remove() async throws {
        try await wal.close()
        try FileManager.default.removeItem(atPath: path)
    }
}
