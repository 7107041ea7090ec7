import CBaseline
import Foundation
import WriteAheadLog

extension Place {
    /// Opening a log of 1,000,000 records of 65 bytes, in milliseconds.
    var opens: [Measurement] {
        [
            Measurement(
                name: "reopen_1m_clean", unit: "ms", target: 1, ours: { try await reopen(isClean: true, unsynced: 0) }),
            // 11,000 records and their frames are a little under a MiB.
            Measurement(
                name: "reopen_1m_crashed", unit: "ms", target: 10,
                ours: { try await reopen(isClean: false, unsynced: 11_000) }),
            Measurement(
                name: "reopen_1m_unsynced", unit: "ms", limitIs: "writing the same bytes and one fdatasync",
                ours: { try await reopen(isClean: false, unsynced: Self.count) },
                limit: { baseline_write_and_sync(directory, UInt(Self.count * 88)) * 1e3 }),
        ]
    }

    private static let count = 1_000_000

    /// The files of a writer that did not close are copied while it is open: what a killed process leaves.
    private func reopen(isClean: Bool, unsynced: Int) async throws -> Double {
        let files = FileManager.default
        let copy = directory + "/copy"
        try removeIfThere(copy)
        var taken = 0.0
        // Its own verification says that the original is right; the copy is verified here.
        _ = try await log.measure(.raw, records: Self.count, each: Payload(recordA)) { wal in
            let partition = try wal.partition(1)
            for _ in 0..<(Self.count - unsynced) { try partition.append(payload: recordA.span.bytes) }
            if unsynced < Self.count { try await partition.sync() }
            for _ in 0..<unsynced { try partition.append(payload: recordA.span.bytes) }
            if isClean { try await wal.close() }
            try files.copyItem(atPath: log.path, toPath: copy)
            var opened: Wal<Payload>?
            taken = try await seconds { opened = try await Wal<Payload>.open(at: copy, configuration: .raw) }
            guard let again = opened, try again.partition(1).lastLSN == LSN(UInt64(Self.count)) else {
                throw WalError(.corrupt, "the copy does not hold \(Self.count) records")
            }
            var found = 0
            try again.partition(1).entries().forEachPayload { _, _ in found += 1 }
            guard found == Self.count else { throw WalError(.corrupt, "the copy holds \(found) records") }
            try await again.close()
            return 0
        }
        try removeIfThere(copy)
        return taken * 1e3
    }
}
