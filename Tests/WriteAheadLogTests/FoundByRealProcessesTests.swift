import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Bugs that the harness of real processes found, each as the shortest story that shows it.
@Suite("Found by real processes", .timeLimit(.minutes(15)))
struct FoundByRealProcessesTests {
    /// A log whose partition 1 is written by one instance and read by another, as if by two processes.
    private static func beside(
        _ path: String, _ body: (BytesWal.Partition, BytesWal.Partition, FaultyStorage) async throws -> Void
    ) async throws {
        let wal = try await BytesWal.open(
            at: path, configuration: small(), storage: FaultyStorage(runsWorkers: false))
        let writer = try wal.partition(1)
        try writer.appendRecords(1...10)
        try writer.syncAndWait()
        let storage = FaultyStorage()
        let reader = try await BytesWal.open(at: path, configuration: small(), storage: storage, isReadOnly: true)
        try await body(writer, try reader.partition(1), storage)
        try await reader.close()
        try wal.closeAndWait()
    }

    @Test("a reader whose next segment was purged by another process is told so, and not that it is missing")
    func purgedAhead() async throws {
        try await withTemporaryDirectory { path in
            try await Self.beside(path) { writer, partition, _ in
                try writer.appendRecords(11...4_000)
                try writer.syncAndWait()
                // Knows all segments, and is in the first.
                var cursor = try partition.entries().makeCursor()
                #expect(try cursor.next()?.lsn == 1)
                try writer.purge(before: 4_000)
                let first = writer.firstRetainedLSN
                let error = await expectError(.purged) { while try cursor.next() != nil {} }
                #expect(error?.lsn == first)
                try expectRecords(partition, Int(first.rawValue)...4_000)
            }
        }
    }

    @Test("a reader whose segment was sealed and purged before it looked again reads it to its end, and is told")
    func purgedBehind() async throws {
        try await withTemporaryDirectory { path in
            try await Self.beside(path) { writer, partition, _ in
                var cursor = try partition.entries().makeCursor()
                for lsn: UInt64 in 1...10 { #expect(try cursor.next()?.lsn.rawValue == lsn) }
                #expect(try cursor.next() == nil)
                try writer.appendRecords(11...4_000)
                try writer.syncAndWait()
                try writer.purge(before: 4_000)
                // What a tail does now and then: looks again.
                let first = try partition.entries().makeCursor().position.lsn
                #expect(first == writer.firstRetainedLSN)
                var last: UInt64 = 10
                let error = await expectError(.purged) {
                    while let entry = try cursor.next() {
                        #expect(entry.lsn.rawValue == last + 1 && entry.record.bytes == record(Int(last) + 1))
                        last += 1
                    }
                }
                // The rest of the segment that it stood in is there.
                #expect(last > 100 && last < first.rawValue)
                #expect(error?.lsn == first)
            }
        }
    }

    @Test("a tail in another process ends neither in silence nor by a wrong error when a purge overtakes it")
    func overtakenTail() async throws {
        try await withTemporaryDirectory { path in
            try await Self.beside(path) { writer, partition, _ in
                var iterator = try partition.tail(upTo: .appended).makeAsyncIterator()
                for _ in 1...10 { _ = try await iterator.next(isolation: nil) }
                try writer.appendRecords(11...4_000)
                try writer.syncAndWait()
                try writer.purge(before: 4_000)
                await expectError(.purged) { while try await iterator.next(isolation: nil) != nil {} }
            }
        }
    }

    @Test("to begin with the first record works while another process purges", arguments: 0..<16)
    func firstWhilePurging(_ skipping: Int) async throws {
        try await withTemporaryDirectory { path in
            try await Self.beside(path) { writer, partition, storage in
                try writer.appendRecords(11...4_000)
                try writer.syncAndWait()
                storage.before([.openFile], of: ".wal", skipping: skipping) {
                    do { try writer.purge(before: 4_000) } catch { Issue.record("purge: \(error)") }
                }
                var cursor = try partition.entries().makeCursor()
                let first = try #require(try cursor.next()).lsn
                #expect(first == 1 || first == writer.firstRetainedLSN)
            }
        }
    }

    @Test("a reader that stands in an empty segment goes on when that is made anew")
    func emptySegmentMadeAnew() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            // The header goes through, the record does not.
            storage.fail([.write], of: "0001.wal", skipping: 1, times: 1, errno: ENOSPC)
            await expectError(.noSpace) { try partition.append(Payload(record(1))) }
            let reader = try await BytesWal.openReadOnly(at: path, configuration: small())
            var cursors = [try partition.entries().makeCursor(), try reader.partition(1).entries().makeCursor()]
            for k in cursors.indices { #expect(try cursors[k].next() == nil) }
            // Larger than a segment: the empty one is of no use to it.
            let large = Payload([UInt8](repeating: 1, count: 100_000))
            try partition.append(large)
            try partition.append(Payload(record(2)))
            _ = try reader.partition(1).entries()
            for k in cursors.indices {
                #expect(try cursors[k].next()?.record == large)
                #expect(try cursors[k].next()?.record == Payload(record(2)))
            }
            try await reader.close()
            try wal.closeAndWait()
        }
    }

    @Test("who comes right after another took the lock is told that one's pid, not that of an earlier holder")
    func pidOfTheHolder() async throws {
        try await withTemporaryDirectory { path in
            // Left by a process that was killed.
            try writeFile("\(path)/LOCK", Array("1\n".utf8))
            let storage = FaultyStorage(runsWorkers: false)
            let refusal = Locked<WalError?>(nil)
            let isRefused = DispatchSemaphore(value: 0)
            storage.before([.truncate], of: "LOCK") {
                // The lock is taken, and does not say by whom.
                let isDone = DispatchSemaphore(value: 0)
                Thread {
                    do throws(WalError) {
                        _ = try BytesWal.openAndWait(at: path, configuration: small())
                    } catch {
                        refusal.withLock { $0 = error }
                    }
                    isDone.signal()
                    isRefused.signal()
                }.start()
                // It has its answer at once, or waits for what is to be written.
                _ = isDone.wait(timeout: .now() + 0.2)
            }
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            #expect(isRefused.wait(timeout: .now() + 20) == .success)
            let error = try #require(refusal.withLock { $0 })
            #expect(error.code == .alreadyOpen)
            #expect(error.message.contains("by process \(getpid());"), "\(error)")
            try await wal.close()
        }
    }

    @Test("an open that has no room for its footer says so, whatever part of it was written", arguments: [0, 9])
    func recoveryWithoutSpace(_ partial: Int) async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path, small(.written)) { try $0.appendRecords(1...5) }
            let storage = FaultyStorage(runsWorkers: false)
            // The frames are rewritten where they are; behind them there is no room.
            storage.fail([.write], of: "0001.wal", skipping: 1, times: 1, errno: ENOSPC, partial: partial)
            await expectError(.noSpace) {
                try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            }
            let wal = try await BytesWal.open(at: path, configuration: small(.written))
            try expectRecords(wal.partition(1), 1...5)
            try await wal.close()
        }
    }

    @Test(
        "a mark needs no room of its own, so that it spoils nothing on a full disk",
        arguments: [WriteMode.mapped, .written])
    func marksHaveSpace(_ writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(writes), storage: storage)
            try wal.partition(1).appendRecords(1...1)
            let taken = storage.calls([.allocate, .write], of: ".wal").filter { $0.offset == 0 }
            #expect(taken.contains { $0.count >= Int(FileFormat.dataStart) })
            try wal.closeAndWait()
        }
    }

    @Test("a log closes on a full disk, and nothing is lost by that", arguments: [0, 9], [true, false])
    func closingWithoutSpace(_ partial: Int, isSynced: Bool) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...5)
            if isSynced { try partition.syncAndWait() }
            // The mark has its place; the footer, behind the frames, has none.
            storage.fail([.write], of: "0001.wal", skipping: 1, errno: ENOSPC, partial: partial)
            try wal.closeAndWait()
            let reader = try await BytesWal.openReadOnly(at: path, configuration: small(.written))
            #expect(try reader.partition(1).mark.durable == 5)
            try await reader.close()
            let again = try await BytesWal.open(at: path, configuration: small(.written))
            try again.partition(1).appendRecords(6...6)
            try expectRecords(again.partition(1), 1...6)
            try await again.close()
        }
    }

    @Test(
        "an append that finds no room for the rest of a new segment's front, or for a footer, is .noSpace",
        arguments: [0, 9])
    func rotatingWithoutSpace(_ partial: Int) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            storage.fail([.write], of: ".wal", times: 1, errno: ENOSPC, partial: partial)
            await expectError(.noSpace) { try partition.append(Payload(record(1))) }
            try partition.appendRecords(1...1)
            for k in 2...6 { try partition.append(Payload([UInt8](repeating: UInt8(k), count: 10_000))) }
            // Does not fit any more: the footer is written before the next segment is made.
            storage.fail([.write], of: ".wal", times: 1, errno: ENOSPC, partial: partial)
            await expectError(.noSpace) { try partition.append(Payload([UInt8](repeating: 7, count: 10_000))) }
            try partition.append(Payload([7]))
            try partition.append(Payload([UInt8](repeating: 8, count: 10_000)))
            #expect(partition.readAll().lsns == Array(1...8))
            try wal.closeAndWait()
            let again = try await BytesWal.open(at: path, configuration: small(.written))
            #expect(try again.partition(1).readAll().lsns == Array(1...8))
            try await again.close()
        }
    }
}
