import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 5: recovery trusts no cache; what it serves as durable it has written and synced itself.
@Suite("Promise 5: recovery trusts no cache", .timeLimit(.minutes(15)))
struct Promise05RecoveryTests {
    private static func crashed(at path: String, _ last: Int = 12) async throws {
        try await abandonedLog(at: path) { partition in
            try partition.appendRecords(1...5)
            try partition.syncAndWait()
            try partition.appendRecords(6...last)
        }
    }

    @Test(
        "what is found above the mark is rewritten, then synced: file, directory, log directory",
        arguments: [12, 3_000])
    func rewritten(_ last: Int) async throws {
        try await withTemporaryDirectory { path in
            try await Self.crashed(at: path, last)
            let names = try segmentNames(path)
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let calls = storage.calls
            #expect(try wal.partition(1).mark.durable.rawValue == UInt64(last))
            for name in names {
                let writes = calls.indices.filter { calls[$0].operation == .write && calls[$0].path.hasSuffix(name) }
                let syncs = calls.indices.filter { calls[$0].operation == .sync && calls[$0].path.hasSuffix(name) }
                let end = try #require(frames(of: readFile("\(partitionPath(path))/\(name)")).last).upperBound
                // Header, marks and all frames, in one piece or several.
                var covered: UInt64 = 0
                for write in writes where calls[write].offset <= covered {
                    covered = max(covered, calls[write].offset + UInt64(calls[write].count))
                }
                #expect(covered >= UInt64(end), "\(name): only \(covered) of \(end) bytes")
                let sync = try #require(syncs.last)
                #expect(writes.allSatisfy { $0 < sync }, "\(name) was written after its sync")
                let directory = calls.lastIndex { $0.operation == .syncDirectory && $0.path == "partition-00001" }
                #expect(try #require(directory) > sync)
            }
            #expect(calls.contains { $0.operation == .syncDirectory && $0.path.isEmpty })
            try await wal.close()
        }
    }

    @Test("a sync that fails in recovery fails the open, releases the lock, and loses nothing")
    func failingSync() async throws {
        try await withTemporaryDirectory { path in
            try await Self.crashed(at: path)
            for operation in [FaultyStorage.Operation.write, .truncate, .sync, .syncDirectory] {
                let storage = FaultyStorage()
                storage.fail([operation], of: "partition-00001", times: 1, errno: EIO)
                await expectError(.io) {
                    try await BytesWal.open(at: path, configuration: small(), storage: storage)
                }
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...12)
            try await wal.close()
        }
    }

    @Test("recovery that is itself cut short anywhere can be done again")
    func interrupted() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { partition in
                try partition.appendRecords(1...5)
                try partition.syncAndWait()
                try partition.appendRecords(6...3_000)
            }
            // Torn in the second segment, so that there is something to cut and to remove.
            let names = try segmentNames(path)
            let second = "\(partitionPath(path))/\(names[1])"
            var bytes = try readFile(second)
            bytes[frames(of: bytes)[3].lowerBound + 4] ^= 1
            try writeFile(second, bytes)
            let expected = Int(UInt64(names[1].prefix(20)) ?? 0) + 2
            let files = try snapshot(path)
            for skipping in 0..<60 {
                try restore(files, to: path)
                let storage = FaultyStorage()
                storage.fail(
                    [.write, .sync, .syncDirectory, .truncate, .remove], of: "partition-00001", skipping: skipping,
                    errno: EIO)
                var isDone = false
                do {
                    let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
                    isDone = true
                    _ = try? await wal.close()
                } catch {
                    #expect((error as? WalError)?.code == .io)
                }
                let wal = try await BytesWal.open(at: path, configuration: small())
                try expectRecords(wal.partition(1), 1...expected)
                try wal.partition(1).appendRecords((expected + 1)...(expected + 1))
                try await wal.close()
                if isDone { return }
            }
            Issue.record("recovery takes more than 60 steps")
        }
    }
}
