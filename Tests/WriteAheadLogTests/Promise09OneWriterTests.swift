import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 9: one writer; readers beside it take no lock and write nothing.
@Suite("Promise 9: one writer", .timeLimit(.minutes(15)))
struct Promise09OneWriterTests {
    @Test("LOCK stays, and stays the same file")
    func lockFile() async throws {
        try await withTemporaryDirectory { path in
            var inodes: Set<UInt64> = []
            for _ in 0..<3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                var status = stat()
                #expect(stat("\(path)/LOCK", &status) == 0)
                inodes.insert(UInt64(status.st_ino))
                let error = await expectError(.alreadyOpen) {
                    try await BytesWal.open(at: path, configuration: small())
                }
                #expect(error?.message.contains("process \(getpid())") == true)
                try await wal.close()
                #expect(stat("\(path)/LOCK", &status) == 0)
                inodes.insert(UInt64(status.st_ino))
            }
            #expect(inodes.count == 1)
        }
    }

    @Test("a process that was killed holds no lock, and what it appended is there")
    func killed() async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                let wal = try BytesWal.openAndWait(at: path, configuration: .init(codec: .bytes()))
                let partition = try wal.partition(1)
                for k in 1...500 { _ = try partition.append(Payload(Array("record \(k)".utf8))) }
                kill(getpid(), SIGKILL)
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            var count = 0
            try wal.partition(1).entries().forEach { entry in
                count += 1
                #expect(entry.record.bytes == Array("record \(count)".utf8))
            }
            #expect(count == 500)
            try await wal.close()
        }
    }

    @Test("a partition that outlives its log either appends under the lock or not at all")
    func outlivingHandle() async throws {
        try await withTemporaryDirectory { path in
            var kept: BytesWal.Partition?
            do {
                let wal = try await BytesWal.open(at: path, configuration: small())
                kept = try wal.partition(1)
            }
            let partition = try #require(kept)
            do throws(WalError) {
                try partition.append(Payload(record(1)))
                try await partition.append(Payload(record(2)), durability: .synced)
                await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            } catch {
                #expect(error.code == .closed)
            }
        }
    }

    @Test("a reader beside a live writer takes no lock and writes nothing")
    func readOnly() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...5)
            try writeFile("\(partitionPath(path))/next-0000000000000001.prepared", [1])
            let before = try snapshot(path)
            let other = FaultyStorage()
            let reader = try await BytesWal.open(at: path, configuration: small(), storage: other, isReadOnly: true)
            let readerPartition = try reader.partition(1)
            try expectRecords(readerPartition, 1...5)
            await expectError(.readOnly) { try readerPartition.append(Payload([])) }
            await expectError(.readOnly) { try await readerPartition.append(Payload([]), durability: .synced) }
            await expectError(.readOnly) { try readerPartition.purge(before: 3) }
            #expect(try snapshot(path) == before)
            // The writer goes on; so does the reader.
            try partition.appendRecords(6...3_000)
            try expectRecords(readerPartition, 1...3_000)
            try partition.syncAndWait()
            try partition.purge(before: 2_000)
            let first = Int(partition.firstRetainedLSN.rawValue)
            try expectRecords(readerPartition, first...3_000)
            try wal.partition(2).appendRecords(1...2)
            try expectRecords(reader.partition(2), 1...2)
            try await reader.close()
            #expect(
                other.calls([
                    .write, .writeSynced, .truncate, .allocate, .sync, .syncDirectory, .remove, .rename, .lock, .map,
                ])
                .isEmpty)
            try wal.closeAndWait()
        }
    }

    @Test("a reader that is asked to sync makes nothing durable by saying so")
    func readOnlySync() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            try wal.partition(1).appendRecords(1...5)
            let reader = try await BytesWal.openReadOnly(at: path, configuration: small())
            let partition = try reader.partition(1)
            #expect(partition.mark.durable == 0)
            await expectError(.readOnly) { try partition.syncAndWait() }
            await expectError(.readOnly) { try await partition.sync() }
            #expect(partition.mark.durable == 0)
            try await reader.close()
            try wal.closeAndWait()
        }
    }

    @Test("a reader that opens while the writer rotates, syncs or purges sees a whole log")
    func openRaces() async throws {
        for operation in [FaultyStorage.Operation.list, .openFile, .read] {
            for skipping in 0..<6 {
                for purges in [false, true] {
                    try await withTemporaryDirectory { path in
                        let storage = FaultyStorage(runsWorkers: false)
                        let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
                        let partition = try wal.partition(1)
                        try partition.appendRecords(1...2_500)
                        try partition.syncAndWait()
                        let other = FaultyStorage()
                        other.before([operation], of: "partition-00001", skipping: skipping) {
                            do {
                                for k in 2_501...5_000 { _ = try partition.append(Payload(record(k))) }
                                try partition.syncAndWait()
                                if purges { try partition.purge(before: 4_500) }
                            } catch {
                                Issue.record("the writer failed: \(error)")
                            }
                        }
                        let reader = try await BytesWal.open(
                            at: path, configuration: small(), storage: other, isReadOnly: true)
                        let read = try reader.partition(1).readAll()
                        #expect(
                            read.error == nil && read.isRight,
                            "\(operation) \(skipping): \(String(describing: read.error))")
                        // As far as the writer was when the reader came there.
                        #expect((2_500...5_000).contains(read.lsns.last ?? 0))
                        try await reader.close()
                        try wal.closeAndWait()
                    }
                }
            }
        }
    }

    @Test("a bad frame beyond the last durable one is not yet there, for a reader")
    func notYet() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { partition in
                try partition.appendRecords(1...3)
                try partition.syncAndWait()
                try partition.appendRecords(4...6)
            }
            let clean = try readFile(segmentPath(path))
            let fifth = frames(of: clean)[5]
            var bytes = clean
            bytes[fifth.lowerBound + 20] ^= 1
            try writeFile(segmentPath(path), bytes)
            let reader = try await BytesWal.openReadOnly(at: path, configuration: small())
            try expectRecords(reader.partition(1), 1...4)
            // The writer's store gets there.
            try writeFile(segmentPath(path), clean)
            try expectRecords(reader.partition(1), 1...6)
            try await reader.close()
        }
    }
}
