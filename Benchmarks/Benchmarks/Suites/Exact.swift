import Benchmark
import CAllocations
import WalBinary
import WriteAheadLog

/// What does the same work each time: thresholds are kept for these. Each appends to, or reads, a segment that has room.
enum Exact {
    private static let configuration = Wal<Record>.Configuration(codec: .binary())

    static func define() {
        // Counts what is known: without it, a counter that reads 0 would look like a log that allocates nothing.
        Benchmark("control_1000_allocations") { benchmark in
            await benchmark.count {
                for size in 1...1000 { blackHole([UInt8](repeating: 1, count: size)) }
            }
        }

        // The seed's five, under its names.
        appending("append_single_record", 1) { partition, count in
            for _ in 0..<count { try partition.append(Record.sample) }
        }
        appending("append_1000_records", 1000) { partition, count in
            for _ in 0..<count { try partition.append(Record.sample) }
        }
        appending("append_single_record_and_io_sync", 1) { partition, count in
            for _ in 0..<count { try partition.append(Record.sample) }
            try partition.syncAndWait()
        }
        appending("append_1000_records_and_io_sync", 1000) { partition, count in
            for _ in 0..<count { try partition.append(Record.sample) }
            try partition.syncAndWait()
        }
        reading("stream_1000_records_linear") { partition in try decodeAll(partition) }

        appending("batch_1000_records", 1000) { partition, count in
            try partition.append(contentsOf: repeatElement(Record.sample, count: count))
        }
        reading("stream_1000_payloads") { partition in try countBytes(partition) }
    }

    private static func reading(_ name: String, _ body: @escaping @Sendable (Wal<Record>.Partition) throws -> Int) {
        Benchmark(name) { benchmark in
            let log = try await Fresh(configuration)
            let partition = try log.wal.partition(1)
            for _ in 0..<1000 { try partition.append(Record.sample) }
            try await benchmark.count { blackHole(try body(partition)) }
            try await log.remove()
        }
    }

    private static func appending(
        _ name: String, _ count: Int, _ body: @escaping @Sendable (Wal<Record>.Partition, Int) throws -> Void
    ) {
        Benchmark(name) { benchmark in
            let log = try await Fresh(configuration)
            let partition = try log.wal.partition(1)
            // The first record makes the segment and what the thread keeps; from a MiB on, pages are made ready by a worker.
            for _ in 0..<3000 { try partition.append(Record.sample) }
            try partition.syncAndWait()
            let start = try partition.append(Record.sample).position
            try await benchmark.count { try body(partition, count) }
            let end = try partition.append(Record.sample).position
            let last = try partition.append(Record.sample).position
            guard start.segment == last.segment else { throw WalError(.io, "the benchmark met a rotation") }
            // Without the one record that was appended to find the end.
            benchmark.measurement(.bytesAppended, Int(end.offset - start.offset - (last.offset - end.offset)))
            try await log.remove()
        }
    }
}

@inline(never)
func decodeAll<R>(_ partition: Wal<R>.Partition) throws -> Int {
    var found = 0
    var cursor = try partition.entries().makeCursor()
    while try cursor.next() != nil { found += 1 }
    return found
}

@inline(never)
func countBytes<R>(_ partition: Wal<R>.Partition) throws -> Int {
    var bytes = 0
    try partition.entries().forEachPayload { _, payload in bytes &+= payload.byteCount }
    return bytes
}
