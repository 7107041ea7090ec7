import CBaseline
import Foundation
import WriteAheadLog

/// One run of everything, ours and the C baseline in turn: the ratio is what counts, for machines drift.
struct Figure: Encodable {
    var name: String
    var unit: String
    var ours: Double
    var limit: Double
    /// Time over time: above 1 is slower than the limit, for throughputs too.
    var ratio: Double
    var oursMin: Double
    var oursMax: Double
    var limitMin: Double
    var limitMax: Double
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try await body()
    let taken = clock.now - start
    return Double(taken.components.seconds) + Double(taken.components.attoseconds) * 1e-18
}

final class Runner {
    let repetitions: Int
    let directory: String
    var figures: [Figure] = []

    init(repetitions: Int, directory: String) {
        self.repetitions = repetitions
        self.directory = directory
    }

    func measure(
        _ name: String, _ unit: String, isRate: Bool = false, ours: () async throws -> Double, limit: () -> Double
    ) async throws {
        var mine: [Double] = []
        var theirs: [Double] = []
        for _ in 0..<repetitions {
            theirs.append(limit())
            mine.append(try await ours())
        }
        guard !theirs.contains(where: { $0 < 0 }) else { throw WalError(.io, "the C baseline failed in \(name)") }
        mine.sort()
        theirs.sort()
        let a = mine[mine.count / 2]
        let b = theirs[theirs.count / 2]
        let figure = Figure(
            name: name, unit: unit, ours: a, limit: b, ratio: isRate ? b / a : a / b, oursMin: mine[0],
            oursMax: mine[mine.count - 1], limitMin: theirs[0], limitMax: theirs[theirs.count - 1])
        figures.append(figure)
        func text(_ value: Double) -> String { String(format: value < 100 ? "%.1f" : "%.0f", value) }
        print(
            name.padding(toLength: 22, withPad: " ", startingAt: 0),
            "\(text(a)) [\(text(mine[0]))…\(text(mine[mine.count - 1]))]".padding(
                toLength: 30, withPad: " ", startingAt: 0),
            "\(text(b)) [\(text(theirs[0]))…\(text(theirs[theirs.count - 1]))]".padding(
                toLength: 30, withPad: " ", startingAt: 0),
            String(format: "%.2f", figure.ratio), unit)
        fflush(nil)
    }

    /// A log in a fresh directory, reopened and counted after the timed part.
    func log(
        _ configuration: Wal<Payload>.Configuration = .init(codec: .bytes()), expecting count: Int,
        _ body: (Wal<Payload>) async throws -> Double
    ) async throws -> Double {
        let path = directory + "/log"
        try? FileManager.default.removeItem(atPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
        let figure = try await body(wal)
        try await wal.close()
        let again = try await Wal<Payload>.open(at: path, configuration: configuration)
        var found = 0
        for id in again.partitionIDs {
            try again.partition(id).entries().forEachPayload { _, _ in found += 1 }
        }
        try await again.close()
        guard found == count else { throw WalError(.corrupt, "appended \(count) records and read back \(found)") }
        return figure
    }
}

let recordA = Array("123456789{\"user\": \"123456\", \"name\": \"bob\", \"number\": \"123456789\"}".utf8.prefix(65))
let recordB = (0..<1024).map { UInt8(97 + ($0 &* 7919) % 26) }

/// A function of its own: a variable that an async function shares with a closure is checked at each access.
@inline(never)
func countBytes(_ partition: Wal<Payload>.Partition) throws -> Int {
    var bytes = 0
    try partition.entries().forEachPayload { _, payload in bytes &+= payload.byteCount }
    return bytes
}

@Sendable func run() async throws {
    let arguments = CommandLine.arguments.dropFirst()
    let directory = arguments.first ?? ".build/speed-data"
    let only = arguments.dropFirst().first
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let repetitions = Int(ProcessInfo.processInfo.environment["REPETITIONS"] ?? "") ?? 5
    let runner = Runner(repetitions: repetitions, directory: directory)
    func wanted(_ name: String) -> Bool { only == nil || name.contains(only ?? "") }
    print("figure                 ours [min…max]                 C [min…max]                    ratio unit")

    for (name, record, count) in [("append_raw_65", recordA, 12_000_000), ("append_raw_1k", recordB, 1_200_000)]
    where wanted(name) {
        try await runner.measure(name, "ns/record") {
            try await runner.log(expecting: count) { wal in
                let partition = try wal.partition(1)
                return try await seconds {
                    for _ in 0..<count { try partition.append(payload: record.span.bytes) }
                } * 1e9 / Double(count)
            }
        } limit: {
            baseline_append_mapped(directory, record, UInt32(record.count), count)
        }
    }
    if wanted("append_bytes_65") {
        let count = 4_000_000
        try await runner.measure("append_bytes_65", "ns/record") {
            try await runner.log(expecting: count) { wal in
                let partition = try wal.partition(1)
                let payload = Payload(recordA)
                return try await seconds { for _ in 0..<count { try partition.append(payload) } } * 1e9 / Double(count)
            }
        } limit: {
            baseline_append_mapped(directory, recordA, 65, count)
        }
    }
    if wanted("batch_1000_65") {
        let batches = 2000
        try await runner.measure("batch_1000_65", "ns/record") {
            try await runner.log(expecting: batches * 1000) { wal in
                let partition = try wal.partition(1)
                let batch = (0..<1000).map { _ in Payload(recordA) }
                return try await seconds { for _ in 0..<batches { try partition.append(contentsOf: batch) } } * 1e6
                    / Double(batches)
            }
        } limit: {
            baseline_batch_write(directory, recordA, 65, 1000, batches)
        }
    }
    if wanted("append_sync_1") {
        let count = 1000
        try await runner.measure("append_sync_1", "µs/record") {
            try await runner.log(expecting: count) { wal in
                let partition = try wal.partition(1)
                let payload = Payload(recordA)
                return try await seconds {
                    for _ in 0..<count { try await partition.append(payload, durability: .synced) }
                } * 1e6 / Double(count)
            }
        } limit: {
            baseline_append_sync(directory, recordA, 65, count) / 1000
        }
    }
    for (name, partitions, tasks) in [("group_commit_64", 1, 64), ("group_commit_8x8", 8, 8)] where wanted(name) {
        let each = 500
        try await runner.measure(name, "records/s", isRate: true) {
            try await runner.log(expecting: partitions * tasks * each) { wal in
                let taken = try await seconds {
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for p in 0..<partitions {
                            let partition = try wal.partition(PartitionID(rawValue: UInt16(p)))
                            for _ in 0..<tasks {
                                group.addTask {
                                    let payload = Payload(recordA)
                                    for _ in 0..<each { try await partition.append(payload, durability: .synced) }
                                }
                            }
                        }
                        try await group.waitForAll()
                    }
                }
                return Double(partitions * tasks * each) / taken
            }
        } limit: {
            baseline_group_commit(directory, recordA, 65, 64, Int32(each))
        }
    }
    for (name, record, count) in [("stream_raw_65", recordA, 1_000_000), ("stream_raw_1k", recordB, 200_000)]
    where wanted(name) {
        try await runner.measure(name, "ns/record") {
            try await runner.log(.init(segmentSize: 256 << 20, codec: .bytes()), expecting: count) { wal in
                let partition = try wal.partition(1)
                for _ in 0..<count { try partition.append(payload: record.span.bytes) }
                var taken = 0.0
                for _ in 0..<2 {
                    var bytes = 0
                    taken = try await seconds { bytes = try countBytes(partition) }
                    guard bytes == count * record.count else { throw WalError(.corrupt, "read \(bytes) bytes") }
                }
                return taken * 1e9 / Double(count)
            }
        } limit: {
            baseline_read_mapped(directory, record, UInt32(record.count), count)
        }
    }
    if let path = ProcessInfo.processInfo.environment["BENCH_JSON"] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(runner.figures).write(to: URL(fileURLWithPath: path))
    }
    try FileManager.default.removeItem(atPath: directory)
}

try await run()
