import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 11: LSNs never restart; purge says so durably before it removes.
@Suite("Promise 11: LSNs never restart", .timeLimit(.minutes(15)))
struct Promise11RetentionTests {
    /// Segments of one record each, closed.
    private static func closed(at path: String, _ records: Int) async throws {
        for k in 1...records {
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(k...k)
            try await wal.close()
        }
    }

    @Test("LSNs go on after a purge of all that can be purged, a close, and a crash")
    func afterPurge() async throws {
        try await withTemporaryDirectory { path in
            for k in 1...6 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                let partition = try wal.partition(1)
                #expect(partition.lastLSN.rawValue == UInt64(k - 1))
                try partition.purge(before: LSN(1 << 40))
                try partition.appendRecords(k...k)
                if k % 2 == 0 { try await wal.close() }
            }
        }
    }

    @Test("STATE is durable before the first file goes; oldest first; then the directory is synced")
    func order() async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 5)
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            storage.forgetCalls()
            #expect(try wal.partition(1).purge(before: 5) == 4)
            let calls = storage.calls([.write, .sync, .remove, .syncDirectory])
            // What STATE said before is made sure of first, so that its two slots are never unsynced at once.
            #expect(
                calls.map(\.operation)
                    == [.write, .sync, .write, .sync, .remove, .remove, .remove, .remove, .syncDirectory])
            #expect(calls[..<4].allSatisfy { $0.path.hasSuffix("STATE") })
            #expect(calls[4...7].map { Int($0.path.suffix(24).prefix(20)) } == [1, 2, 3, 4])
            try await wal.close()
        }
    }

    @Test("a purge that fails at any step can be done again, and no step loses what was to be kept")
    func interrupted() async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 5)
            let files = try snapshot(path)
            for skipping in 0..<6 {
                try restore(files, to: path)
                let storage = FaultyStorage(runsWorkers: false)
                do {
                    let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
                    let partition = try wal.partition(1)
                    storage.fail(
                        [.write, .sync, .remove, .syncDirectory], of: "partition-00001", skipping: skipping, errno: EIO)
                    await expectError(.io) { try partition.purge(before: 4) }
                    // Once STATE may say that they are gone, they must not come back; until then they may stay.
                    let first = Int(partition.firstRetainedLSN.rawValue)
                    #expect(first == 1 || first == 4)
                    try expectRecords(partition, first...5)
                }
                storage.heal()
                let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
                let partition = try wal.partition(1)
                let first = Int(partition.firstRetainedLSN.rawValue)
                #expect(first == 1 || first == 4)
                try expectRecords(partition, first...5)
                // What was left over went when the log was opened.
                #expect(try segmentNames(path).first == FileFormat.segmentName(UInt64(first)))
                try partition.purge(before: 4)
                try expectRecords(partition, 4...5)
                try partition.appendRecords(6...6)
                try await wal.close()
            }
        }
    }

    @Test("a file missing at or above the first retained LSN is damage", arguments: [2, 3, 5])
    func missing(_ lsn: Int) async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 5)
            var wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).purge(before: 2)
            try await wal.close()
            try FileManager.default.removeItem(atPath: segmentPath(path, 1, UInt64(lsn)))
            let before = try snapshot(path)
            let error = await expectError(.missing) { try await BytesWal.open(at: path, configuration: small()) }
            #expect(error?.partition == 1 && error?.lsn?.rawValue == UInt64(lsn))
            #expect(try snapshot(path) == before)
            var configuration = small()
            configuration.onDamage = .quarantine
            wal = try await BytesWal.open(at: path, configuration: configuration)
            await expectError(.poisoned) { try wal.partition(1).append(Payload([])) }
            try await wal.close()
        }
    }

    @Test("a deleted newest segment with durable records is an error, also after a crash", arguments: [true, false])
    func deletedNewest(_ isClosed: Bool) async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 3)
            do {
                let storage = FaultyStorage(runsWorkers: false)
                let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
                try wal.partition(1).appendRecords(4...6)
                try wal.partition(1).syncAndWait()
                if isClosed { try wal.closeAndWait() }
            }
            try FileManager.default.removeItem(atPath: segmentPath(path, 1, 4))
            for _ in 0..<2 { await expectError(.missing) { try await BytesWal.open(at: path, configuration: small()) } }
        }
    }

    @Test("with all segments gone STATE knows where LSNs were")
    func allDeleted() async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 3)
            for name in try segmentNames(path) {
                try FileManager.default.removeItem(atPath: "\(partitionPath(path))/\(name)")
            }
            await expectError(.missing) { try await BytesWal.open(at: path, configuration: small()) }
        }
    }

    @Test("a torn slot of STATE restarts nothing", arguments: [0, 4096])
    func tornState(_ slot: Int) async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 4)
            var bytes = try readFile("\(partitionPath(path))/STATE")
            for k in slot..<min(slot + 512, bytes.count) { bytes[k] = 0xA5 }
            try writeFile("\(partitionPath(path))/STATE", bytes)
            let wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...4)
            try wal.partition(1).appendRecords(5...5)
            try await wal.close()
        }
    }

    @Test("the newest segment is never purged, nor one that is not durable")
    func neverNewest() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            #expect(try partition.purge(before: 10) == 0)
            try partition.appendRecords(1...3_000)
            storage.forgetCalls()
            let removed = try partition.purge(before: LSN(3_001))
            #expect(removed > 0)
            // They had to become durable first.
            let firstRemove = try #require(storage.calls.firstIndex { $0.operation == .remove })
            #expect(storage.calls[..<firstRemove].contains { $0.operation == .sync && $0.path.hasSuffix(".wal") })
            let first = Int(partition.firstRetainedLSN.rawValue)
            try expectRecords(partition, first...3_000)
            try wal.closeAndWait()
        }
    }

    @Test("truncation wipes what the log wrote and nothing else")
    func truncation() async throws {
        try await withTemporaryDirectory { path in
            try await Self.closed(at: path, 3)
            try writeFile("\(path)/notes.txt", [1])
            try writeFile("\(partitionPath(path))/notes.txt", [2])
            var configuration = small()
            configuration.truncate = true
            var wal = try await BytesWal.open(at: path, configuration: configuration)
            #expect(try wal.partition(1).lastLSN == 0)
            try wal.partition(1).appendRecords(1...2)
            try await wal.close()
            #expect(try readFile("\(path)/notes.txt") == [1])
            #expect(try readFile("\(partitionPath(path))/notes.txt") == [2])
            wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...2)
            try await wal.close()
        }
    }

    @Test("a first append and a purge at the same time do not wait for each other for ever")
    func noDeadlock() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            // While the first append, under the partition's lock, makes the directory.
            storage.before([.openDirectory], of: "partition-00001") {
                Thread.detachNewThread {
                    _ = try? partition.purge(before: 5)
                }
                // Long enough for it to get to where it has to wait.
                let start = PosixStorage().monotonicNow()
                while PosixStorage().monotonicNow() < start + 50_000_000 { sched_yield() }
            }
            #expect(finishes { try? partition.appendRecords(1...1) })
            // The log holds its storage, which holds the log for that.
            storage.heal()
            try wal.closeAndWait()
        }
    }
}
