import CBaseline
import WriteAheadLog

extension Place {
    var streams: [Measurement] {
        [
            raw("stream_raw_65", recordA, 1_000_000, target: 1.3), raw("stream_raw_1k", recordB, 200_000), visitor,
            decoded, seek,
        ]
    }

    private func raw(_ name: String, _ record: [UInt8], _ count: Int, target: Double? = nil) -> Measurement {
        Measurement(
            name: name, unit: "ns/record", target: target,
            limitIs: record.count < 300 ? "checksum over a mapping" : "checksum over reads into a warm buffer",
            ours: {
                try await log.measure(.raw, records: count, each: Payload(record)) { wal in
                    let partition = try wal.partition(1)
                    for _ in 0..<count { try partition.append(payload: record.span.bytes) }
                    return try await second(count * record.count) { try countBytes(partition) } * 1e9 / Double(count)
                }
            }, limit: { baseline_read(directory, record, UInt32(record.count), count) },
            peers: readingPeers(record, count))
    }

    private static let count = 1_000_000

    private var visitor: Measurement {
        let count = Self.count
        return Measurement(
            name: "stream_enum_65_visitor", unit: "ns/record", target: 1.3, limitIs: "as in stream_raw_65",
            ours: {
                try await log.measure(.binary, records: count, each: Change.sample) { wal in
                    let partition = try wal.partition(1)
                    for _ in 0..<count { try partition.append(Change.sample) }
                    return try await second(nil) { try countBytes(partition) } * 1e9 / Double(count)
                }
            }, limit: { baseline_read(directory, recordA, 65, count) })
    }

    private var decoded: Measurement {
        let count = Self.count
        return Measurement(
            name: "stream_enum_65", unit: "ns/record", targetExcess: 25,
            limitIs: "allocating, copying and freeing the two arrays",
            ours: {
                try await log.measure(.binary, records: count, each: Change.sample) { wal in
                    let partition = try wal.partition(1)
                    for _ in 0..<count { try partition.append(Change.sample) }
                    return try await second(count) { try countPuts(partition) } * 1e9 / Double(count)
                }
            }, limit: { arrayCost(count) })
    }

    private var seek: Measurement {
        let count = Self.count
        return Measurement(
            name: "seek_end_1m", unit: "µs", target: 20,
            ours: {
                try await log.measure(.raw, records: count, each: Payload(recordA)) { wal in
                    let partition = try wal.partition(1)
                    for _ in 0..<count { try partition.append(payload: recordA.span.bytes) }
                    // From 100 places near the end.
                    return try await seconds {
                        for k in 0..<100 {
                            let lsn = LSN(UInt64(count - 1 - k * 37))
                            var cursor = try partition.entries(from: .lsn(lsn)).makeCursor()
                            guard try cursor.next()?.lsn == lsn else { throw WalError(.corrupt, "another record") }
                        }
                    } * 1e6 / 100
                }
            })
    }

    /// The second of two readings: the first fills the page tables' caches, as the baseline's does.
    private func second(_ expected: Int?, _ read: () throws -> Int) async throws -> Double {
        var taken = 0.0
        for _ in 0..<2 {
            var found = 0
            taken = try await seconds { found = try read() }
            if let expected, found != expected { throw WalError(.corrupt, "read \(found) instead of \(expected)") }
        }
        return taken
    }
}

// Functions of their own: a variable that an async function shares with a closure is checked at each access.

@inline(never)
private func countBytes<R>(_ partition: Wal<R>.Partition) throws -> Int {
    var bytes = 0
    try partition.entries().forEachPayload { _, payload in bytes &+= payload.byteCount }
    return bytes
}

@inline(never)
private func countPuts(_ partition: Wal<Change>.Partition) throws -> Int {
    var puts = 0
    var cursor = try partition.entries().makeCursor()
    while let entry = try cursor.next() {
        if touch(entry.record) == 65 { puts &+= 1 }
    }
    return puts
}

/// The control of what decodes the record: its two arrays are allocated, filled and freed.
@inline(never)
func arrayCost(_ count: Int) -> Double {
    let start = bench_clock()
    var sum = 0
    recordA.withUnsafeBufferPointer { bytes in
        for _ in 0..<count {
            sum &+= touch(Change.put(key: Array(bytes[..<9]), value: Array(bytes[9...])))
        }
    }
    return sum == 65 * count ? Double(bench_clock() - start) / Double(count) : -1
}

@inline(never)
func touch(_ change: Change) -> Int {
    guard case .put(let key, let value) = change else { return 0 }
    return key.count + value.count
}
