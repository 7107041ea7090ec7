import Testing
import WalTesting
import WriteAheadLog

/// `fillsSegments`: the space of segments is written and synced before it is used.
@Suite("Filled segments", .timeLimit(.minutes(15)))
struct FilledSegmentTests {
    /// Which bytes of one file were written, and which of those synced since.
    private struct Written {
        private var unsynced: Set<UInt64> = []
        private(set) var synced: Set<UInt64> = []

        /// - Returns: false for a synced write over a byte that nothing had been written to.
        mutating func note(_ call: FaultyStorage.Call) -> Bool {
            let range = call.offset..<(call.offset + UInt64(call.count))
            switch call.operation {
            case .write: unsynced.formUnion(range)
            case .sync:
                synced.formUnion(unsynced)
                unsynced = []
            case .writeSynced: return range.allSatisfy(synced.contains)
            default: break
            }
            return true
        }
    }

    private func appendSynced(_ count: Int, to partition: BytesWal.Partition) throws {
        for _ in 0..<count { try partition.appendAndWait(Payload([UInt8](repeating: 1, count: 900))) }
    }

    @Test("a synced append changes only bytes that were written before", arguments: [true, false])
    func writtenBefore(_ fills: Bool) async throws {
        try await withTemporaryDirectory { path in
            // Without workers: all there is are a partition's first segment, as it grows, and those of rotations.
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(.mapped, fills: fills), storage: storage)
            let partition = try wal.partition(1)
            try appendSynced(200, to: partition)
            try wal.closeAndWait()
            var files: [String: Written] = [:]
            var (first, later) = (0, 0)
            for call in storage.calls([.write, .sync, .writeSynced], of: ".wal") where !call.failed {
                let wasWritten = files[call.path, default: Written()].note(call)
                guard call.operation == .writeSynced else { continue }
                if wasWritten { later += 1 } else { first += 1 }
            }
            #expect(files.count >= 3)
            #expect(first + later > 150)
            #expect(fills ? first == 0 : later == 0, "\(first) over bytes never written, \(later) over others")
        }
    }

    /// Segments of several steps, of which the first is filled up and another made ready.
    private func openLarge(_ path: String, _ storage: any WalStorage = PosixStorage()) async throws -> BytesWal {
        var configuration = small(.mapped, fills: true)
        configuration.segmentSize = 3 << 20
        return try await BytesWal.open(at: path, configuration: configuration, storage: storage)
    }

    private func fillOne(_ partition: BytesWal.Partition) throws {
        while partition.lastLSN < 60 { try partition.append(Payload([UInt8](repeating: 1, count: 60_000))) }
    }

    @Test("the segment that is made ready is filled to its end")
    func preparedIsFilled() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await openLarge(path, storage)
            let partition = try wal.partition(1)
            try fillOne(partition)
            // Three MiB, and the room for a footer.
            #expect(storage.waitForCalls([.sync], of: "next-", count: 4))
            try await wal.close()
            var written = Written()
            for call in storage.calls([.write, .sync], of: "next-") { _ = written.note(call) }
            #expect(written.synced.count > 3 << 20)
            let again = try await openLarge(path)
            #expect(try again.partition(1).readAll().lsns.count == 60)
            try await again.close()
        }
    }

    @Test("a file whose filling fails is not used, and the log goes on", arguments: [false, true])
    func failedFilling(_ isSync: Bool) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await openLarge(path, storage)
            let partition = try wal.partition(1)
            storage.fail([isSync ? .sync : .write], of: "next-", skipping: isSync ? 1 : 300, errno: 5)
            try fillOne(partition)
            #expect(storage.waitForCalls([.remove], of: "next-", count: 1))
            storage.heal()
            while partition.lastLSN < 180 { try await partition.append(Payload([2]), durability: .synced) }
            try await wal.close()
            let again = try await openLarge(path)
            #expect(try again.partition(1).readAll().lsns.count == 180)
            try await again.close()
        }
    }

    @Test("8: a sync that fails while a segment grows is not passed over, for records' bytes may have been in it")
    func failedSyncOfGrowth() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(.mapped, fills: true), storage: storage)
            let partition = try wal.partition(1)
            try partition.append(Payload([1]))
            storage.fail([.sync], of: "0001.wal", times: 1, errno: 5)
            await expectError(.io) {
                for _ in 0..<100 { try partition.append(Payload([UInt8](repeating: 1, count: 900))) }
            }
            await expectError(.poisoned) { try partition.append(Payload([])) }
            await expectError(.io) { try await wal.close() }
        }
    }
}
