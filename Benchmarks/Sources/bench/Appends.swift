import CBaseline
import WriteAheadLog

extension Place {
    /// Handed to the OS: what returned survives the process.
    var appends: [Measurement] {
        [
            raw("append_raw_65", recordA, 2_000_000, peerCount: 100_000),
            raw("append_raw_1k", recordB, 200_000, peerCount: 50_000),
            enums, batch,
        ]
    }

    private func raw(_ name: String, _ record: [UInt8], _ count: Int, peerCount: Int) -> Measurement {
        Measurement(
            name: name, unit: "ns/record", target: 1.2, limitIs: "checksum and copy into mapped, allocated segments",
            ours: {
                try await log.measure(.raw, records: count, each: Payload(record)) { wal in
                    let partition = try wal.partition(1)
                    return try await seconds {
                        for _ in 0..<count { try partition.append(payload: record.span.bytes) }
                    } * 1e9 / Double(count)
                }
            }, limit: { baseline_append_mapped(directory, record, UInt32(record.count), count) },
            peers: appendingPeers(record, peerCount) { $0 })
    }

    private var enums: Measurement {
        let count = 1_500_000
        return Measurement(
            name: "append_enum_65", unit: "ns/record", target: 1.6, limitIs: "the 65 bytes as in append_raw_65",
            ours: {
                try await log.measure(.binary, records: count, each: Change.sample) { wal in
                    let partition = try wal.partition(1)
                    let change = Change.sample
                    return try await seconds { for _ in 0..<count { try partition.append(change) } } * 1e9
                        / Double(count)
                }
            }, limit: { baseline_append_mapped(directory, recordA, 65, count) })
    }

    private var batch: Measurement {
        let batches = 2000
        return Measurement(
            name: "batch_1000_65", unit: "ns/record", target: 1.3, limitIs: "a checksum each, one pwrite a batch",
            ours: {
                try await log.measure(.raw, records: batches * 1000, each: Payload(recordA)) { wal in
                    let partition = try wal.partition(1)
                    let records = (0..<1000).map { _ in Payload(recordA) }
                    return try await seconds {
                        for _ in 0..<batches { try partition.append(contentsOf: records) }
                    } * 1e6 / Double(batches)
                }
            }, limit: { baseline_batch_write(directory, recordA, 65, 1000, batches) },
            peers: appendingPeers(recordA, 200, batch: 1000) { $0 })
    }
}
