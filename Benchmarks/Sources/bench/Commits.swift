import CBaseline
import WriteAheadLog

extension Place {
    /// On the disk: what returned survives a loss of power.
    var commits: [Measurement] {
        let count = 1000
        let limit = { baseline_append_sync(directory, recordA, 65, count) / 1000 }
        let thread = Measurement(
            name: "append_sync_1", unit: "µs/record", target: 1.15, limitIs: "pwrite and fdatasync",
            ours: {
                try await log.measure(.raw, records: count, each: Payload(recordA)) { wal in
                    try appendAndWait(wal.partition(1), count)
                }
            }, limit: limit, peers: appendingPeers(recordA, count, synced: true) { $0 / 1000 })
        let task = Measurement(
            name: "append_sync_1_task", unit: "µs/record", limitIs: "as in append_sync_1; a task that awaits each",
            ours: {
                try await log.measure(.raw, records: count, each: Payload(recordA)) { wal in
                    let partition = try wal.partition(1)
                    let payload = Payload(recordA)
                    return try await seconds {
                        for _ in 0..<count { try await partition.append(payload, durability: .synced) }
                    } * 1e6 / Double(count)
                }
            }, limit: limit)
        let filled = Measurement(
            name: "append_sync_1_filled", unit: "µs/record",
            limitIs: "O_DIRECT|O_DSYNC writes into zero-filled space; ours with fillsSegments",
            ours: {
                try await log.measure(.filled, records: count, each: Payload(recordA)) { wal in
                    try appendAndWait(wal.partition(1), count)
                }
            }, limit: { baseline_append_sync_filled(directory, recordA, 65, count) / 1000 })
        return [
            thread, filled, task, group("group_commit_64", partitions: 1, tasks: 64, target: 1 / 1.6),
            group("group_commit_64_filled", isFilled: true, partitions: 1, tasks: 64, target: 1 / 2),
            group("group_commit_8x8", partitions: 8, tasks: 8, target: 1),
        ]
    }

    /// How many records a second are synced, and the time that the slowest hundredth of the callers waits.
    private func group(
        _ name: String, isFilled: Bool = false, partitions: Int, tasks: Int, target: Double
    ) -> Measurement {
        let each = 300
        let configuration: Wal<Payload>.Configuration = isFilled ? .filled : .raw
        var row = Measurement(
            [
                FigureKind(name: name, unit: "records/s", isRate: true, target: target),
                FigureKind(name: name + "_p99", unit: "ms"),
            ], limitIs: "group commit by 64 threads, one \(isFilled ? "zero-filled" : "reserved") file",
            ours: {
                try await log.measure(configuration, records: partitions * tasks * each, each: Payload(recordA)) {
                    wal in
                    let times = Times()
                    let taken = try await seconds { try await commit(wal, partitions, tasks, each) { times.add($0) } }
                    var histogram = times.histogram
                    return [
                        Double(partitions * tasks * each) / taken, histogram_quantile(&histogram, 0.99) / 1e6,
                    ]
                }
            },
            limit: {
                var waits = histogram_t()
                let rate = baseline_group_commit(directory, recordA, 65, 64, Int32(each), isFilled ? 1 : 0, &waits)
                return [rate, histogram_quantile(&waits, 0.99) / 1e6]
            })
        row.peers = appendingPeers(recordA, each, threads: 64, synced: true) { 1e9 / $0 }
        return row
    }

    /// Each of `tasks` callers for each partition appends `each` records and waits for each.
    private func commit(
        _ wal: Wal<Payload>, _ partitions: Int, _ tasks: Int, _ each: Int,
        timed: @escaping @Sendable (_ nanoseconds: [UInt]) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for p in 0..<partitions {
                let partition = try wal.partition(PartitionID(rawValue: UInt16(p)))
                for _ in 0..<tasks {
                    group.addTask {
                        let payload = Payload(recordA)
                        var times: [UInt] = []
                        times.reserveCapacity(each)
                        for _ in 0..<each {
                            let start = bench_clock()
                            try await partition.append(payload, durability: .synced)
                            times.append(bench_clock() - start)
                        }
                        timed(times)
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Microseconds for each of `count` records, each synced by this thread before the next.
private func appendAndWait(_ partition: Wal<Payload>.Partition, _ count: Int) throws -> Double {
    let payload = Payload(recordA)
    let start = bench_clock()
    for _ in 0..<count { try partition.appendAndWait(payload) }
    return Double(bench_clock() - start) / 1000 / Double(count)
}
