import CAllocations
import CBaseline
import WriteAheadLog

extension Place {
    /// How often memory is asked for, by this thread. The limit is a control: a counter that reads 0 for it counts nothing.
    var allocations: [Measurement] {
        let count = 500_000
        // An index entry every 64 KiB and what a new segment takes are no cost of one record.
        let target = 0.001
        let control = "a control that makes one array for each record"
        return [
            Measurement(
                name: "append_allocations", unit: "per record", target: target, limitIs: control, isExact: true,
                ours: {
                    try await log.measure(.raw, records: count + 1, each: Payload(recordA)) { wal in
                        let partition = try wal.partition(1)
                        try partition.append(payload: recordA.span.bytes)
                        return try counted(count) {
                            for _ in 0..<count { try partition.append(payload: recordA.span.bytes) }
                        }
                    }
                }, limit: { arrays(count) }),
            Measurement(
                name: "append_enum_allocations", unit: "per record", target: target, limitIs: control, isExact: true,
                ours: {
                    try await log.measure(.binary, records: count + 1, each: Change.sample) { wal in
                        let partition = try wal.partition(1)
                        try partition.append(Change.sample)
                        return try counted(count) { for _ in 0..<count { try partition.append(Change.sample) } }
                    }
                }, limit: { arrays(count) }),
            Measurement(
                name: "stream_allocations", unit: "per record", target: target, limitIs: control, isExact: true,
                ours: {
                    try await log.measure(.raw, records: count, each: Payload(recordA)) { wal in
                        let partition = try wal.partition(1)
                        for _ in 0..<count { try partition.append(payload: recordA.span.bytes) }
                        return try counted(count) {
                            var bytes = 0
                            try partition.entries().forEachPayload { _, payload in bytes &+= payload.byteCount }
                            guard bytes == count * 65 else { throw WalError(.corrupt, "read \(bytes) bytes") }
                        }
                    }
                }, limit: { arrays(count) }),
        ]
    }
}

private func counted(_ count: Int, _ body: () throws -> Void) rethrows -> Double {
    let before = allocations_of_thread()
    try body()
    return Double(allocations_of_thread() - before) / Double(count)
}

@inline(never)
private func arrays(_ count: Int) -> Double {
    var sum = 0
    let made = counted(count) { for k in 0..<count { sum &+= makeArray(k).count } }
    return sum == 65 * count ? made : -1
}

@inline(never)
private func makeArray(_ k: Int) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: k), count: 65) }
