import CBaseline
import Foundation
import WriteAheadLog

extension Place {
    /// Two threads on one partition: nanoseconds for each record of both together.
    var contention: [Measurement] {
        [1, 2].map { threads in
            Measurement(
                name: threads == 1 ? "one_thread_65" : "two_threads_65", unit: "ns/record",
                target: threads == 1 ? nil : 50,
                ours: {
                    let each = 2_000_000 / threads
                    return try await log.measure(.raw, records: each * threads, each: Payload(recordA)) { wal in
                        let partition = try wal.partition(1)
                        return try await seconds {
                            try await withThrowingTaskGroup(of: Void.self) { group in
                                for _ in 0..<threads {
                                    group.addTask {
                                        for _ in 0..<each { try partition.append(payload: recordA.span.bytes) }
                                    }
                                }
                                try await group.waitForAll()
                            }
                        } * 1e9 / Double(each * threads)
                    }
                })
        }
    }

    /// Appends with their rotations, each timed.
    var latencies: [Measurement] {
        let count = 4_000_000
        let shares: [(name: String, share: Double)] = [("p50", 0.5), ("p99", 0.99), ("p999", 0.999), ("worst", 1)]
        func figures(_ times: histogram_t) -> [Double] {
            var times = times
            return shares.map { histogram_quantile(&times, $0.share) / 1000 }
        }
        return [
            Measurement(
                shares.map { FigureKind(name: "append_65_\($0.name)", unit: "µs") },
                limitIs: "as in append_raw_65, each timed",
                ours: {
                    try await log.measure(.raw, records: count, each: Payload(recordA)) { wal in
                        figures(try appendTimed(wal.partition(1), count))
                    }
                },
                limit: {
                    var times = histogram_t()
                    let failed = baseline_append_latency(directory, recordA, 65, count, &times) < 0
                    return failed ? [-1, -1, -1, -1] : figures(times)
                })
        ]
    }
}

@inline(never)
private func appendTimed(_ partition: Wal<Payload>.Partition, _ count: Int) throws -> histogram_t {
    var times = histogram_t()
    for _ in 0..<count {
        let start = bench_clock()
        try partition.append(payload: recordA.span.bytes)
        histogram_add(&times, bench_clock() - start)
    }
    return times
}
