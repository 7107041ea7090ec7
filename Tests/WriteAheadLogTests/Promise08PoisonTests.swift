import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 8: space refused before a byte was stored changes nothing; any error after that ends the partition.
@Suite("Promise 8: poison", .timeLimit(.minutes(15)))
struct Promise08PoisonTests {
    @Test("a failed sync fails every waiter and every later append; nothing becomes durable; others go on")
    func everyWaiter() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let events = EventLog()
            let wal = try await BytesWal.open(
                at: path, configuration: small(observer: events.observer), storage: storage)
            let partition = try wal.partition(1)
            let other = try wal.partition(2)
            try await partition.append(Payload(record(1)), durability: .synced)
            try await other.append(Payload(record(1)), durability: .synced)
            var watch = partition.watch().makeAsyncIterator()
            _ = await watch.next()
            storage.fail([.sync, .writeSynced], of: "partition-00001/0", times: 1, errno: EIO)
            let codes = await withTaskGroup(of: WalError.Code?.self) { group in
                for k in 0..<32 {
                    group.addTask {
                        do throws(WalError) {
                            try await partition.append(Payload(record(k)), durability: .synced)
                            return nil
                        } catch {
                            return error.code
                        }
                    }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(codes.allSatisfy { $0 == .io || $0 == .poisoned }, "\(codes)")
            #expect(codes.contains(.io))
            #expect(partition.mark.durable == 1)
            #expect(partition.mark.failure?.errno == EIO)
            let poisoned = await expectError(.poisoned) { try partition.append(Payload([])) }
            #expect(poisoned?.errno == EIO && poisoned?.partition == 1)
            await expectError(.poisoned) { try partition.append(contentsOf: [Payload([])]) }
            await expectError(.poisoned) { try await partition.append(Payload([]), durability: .synced) }
            await expectError(.io) { try await partition.sync() }
            await expectError(.io) { try partition.syncAndWait() }
            // Nothing is retried.
            let syncs = storage.calls([.sync, .writeSynced], of: "partition-00001/0").count
            await expectError(.io) { try await wal.sync() }
            #expect(storage.calls([.sync, .writeSynced], of: "partition-00001/0").count == syncs)
            // A watch hears of it and ends.
            while let mark = await watch.next(), mark.failure == nil {}
            #expect(await watch.next() == nil)
            // Another partition knows nothing of it.
            try await other.append(Payload(record(2)), durability: .synced)
            #expect(other.mark.durable == 2)
            // Reading goes on, close says what was wrong and lets go of the lock.
            #expect(partition.readAll().error == nil)
            await expectError(.io) { try await wal.close() }
            let again = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(again.partition(2), 1...2)
            #expect(try again.partition(1).lastLSN >= 1)
            try await again.close()
        }
    }

    @Test(
        "space that can't be had is .noSpace, changes nothing, and is had later",
        arguments: Writing.all)
    func noSpace(_ writing: Writing) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(
                at: path, configuration: small(writing.writes, fills: writing.fills), storage: storage)
            let partition = try wal.partition(1)
            // From the very first segment on.
            storage.fail([.allocate, .write, .writeSynced], of: "", errno: ENOSPC)
            for _ in 0..<3 { await expectError(.noSpace) { try partition.append(Payload(record(1))) } }
            storage.heal()
            try partition.appendRecords(1...2)
            // And wherever a segment ends.
            var next = 3
            for _ in 0..<6 {
                storage.fail([.allocate, .write, .writeSynced], of: ".wal", errno: ENOSPC)
                storage.fail([.allocate, .write, .writeSynced], of: ".prepared", errno: ENOSPC)
                var refused: WalError?
                while refused == nil {
                    do throws(WalError) {
                        let lsn = try partition.append(Payload([UInt8](repeating: 3, count: 9_000))).lsn
                        #expect(lsn.rawValue == UInt64(next))
                        next += 1
                    } catch {
                        refused = error
                    }
                    try #require(next < 1_000)
                }
                #expect(refused?.code == .noSpace, "\(String(describing: refused))")
                #expect(partition.lastLSN.rawValue == UInt64(next - 1))
                #expect(partition.mark.failure == nil)
                storage.heal()
                #expect(try partition.append(Payload([1])).lsn.rawValue == UInt64(next))
                next += 1
            }
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small(writing.writes))
            #expect(try again.partition(1).readAll().lsns == Array(1..<UInt64(next)))
            try await again.close()
        }
    }

    @Test("a synced append that finds the disk full is not told that nothing was changed")
    func noSpaceAfterAcceptance() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            try await partition.append(Payload(record(1)), durability: .synced)
            storage.fail([.write, .writeSynced], of: "0001.wal", times: 1, errno: ENOSPC)
            do throws(WalError) {
                try await partition.append(Payload(record(2)), durability: .synced)
                Issue.record("acknowledged")
            } catch {
                // Either it was refused before it was accepted, and all goes on; or the partition is poisoned and says so.
                if error.code == .noSpace {
                    try await partition.append(Payload(record(2)), durability: .synced)
                } else {
                    await expectError(.poisoned) { try partition.append(Payload([])) }
                }
            }
            _ = try? await wal.close()
        }
    }

    @Test("a segment that was made but got no record, for lack of space, is no trap for the next opening")
    func emptySegmentClosed() async throws {
        for isClosed in [true, false] {
            try await withTemporaryDirectory { path in
                let storage = FaultyStorage(runsWorkers: false)
                do {
                    let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
                    let partition = try wal.partition(1)
                    // The header goes through, the record does not.
                    storage.fail([.write], of: "0001.wal", skipping: 1, times: 1, errno: ENOSPC)
                    await expectError(.noSpace) { try partition.append(Payload(record(1))) }
                    if isClosed { try wal.closeAndWait() }
                }
                for k in 1...2 {
                    let wal = try await BytesWal.open(at: path, configuration: small(.written))
                    try wal.partition(1).appendRecords(k...k)
                    try await wal.close()
                }
                let wal = try await BytesWal.open(at: path, configuration: small(.written))
                try expectRecords(wal.partition(1), 1...2)
                try await wal.close()
            }
        }
    }

    @Test("an error while a frame is stored poisons", arguments: [FaultyStorage.Operation.write])
    func failedWrite(_ operation: FaultyStorage.Operation) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            storage.fail([operation], of: "0001.wal", times: 1, errno: EIO, partial: 9)
            await expectError(.io) { try partition.append(Payload(record(4))) }
            await expectError(.poisoned) { try partition.append(Payload(record(4))) }
            #expect(partition.lastLSN == 3)
            try expectRecords(partition, 1...3)
            await expectError(.io) { try await wal.close() }
            let again = try await BytesWal.open(at: path, configuration: small(.written))
            try again.partition(1).appendRecords(4...4)
            try expectRecords(again.partition(1), 1...4)
            try await again.close()
        }
    }

    @Test(
        "what part of a record was written before the disk was full is cut off, durably, and it is .noSpace",
        arguments: [false, true])
    func partialNoSpace(_ isSynced: Bool) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            try await partition.sync()
            // Before a record that is not synced comes the last sync's mark, by itself.
            storage.fail(
                [.write], of: "0001.wal", skipping: isSynced ? 0 : 1, times: 1, errno: ENOSPC, partial: 9)
            storage.forgetCalls()
            await expectError(.noSpace) {
                if isSynced {
                    try await partition.append(Payload(record(4)), durability: .synced)
                } else {
                    try partition.append(Payload(record(4)))
                }
            }
            let after = storage.calls([.truncate, .sync], of: "0001.wal").map(\.operation)
            #expect(after == [.truncate, .sync])
            #expect(partition.mark.appended == 3 && partition.mark.durable == 3 && partition.mark.failure == nil)
            try partition.appendRecords(4...4)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small(.written))
            try expectRecords(again.partition(1), 1...4)
            try await again.close()
        }
    }

    @Test("what part of a record is there and can't be cut off poisons")
    func partialNoSpaceStays() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(.written), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            storage.fail([.write], of: "0001.wal", times: 1, errno: ENOSPC, partial: 9)
            storage.fail([.truncate], of: "0001.wal", times: 1, errno: EIO)
            await expectError(.io) { try partition.append(Payload(record(4))) }
            await expectError(.poisoned) { try partition.append(Payload(record(4))) }
            _ = try? await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small(.written))
            try expectRecords(again.partition(1), 1...3)
            try await again.close()
        }
    }

    @Test(
        "any failing operation of a rotation poisons or changes nothing, and loses nothing",
        arguments: Writing.all)
    func failingRotation(_ writing: Writing) async throws {
        let operations: [FaultyStorage.Operation] = [
            .openFile, .write, .truncate, .allocate, .map, .rename, .openDirectory, .sync,
        ]
        for operation in operations {
            try await withTemporaryDirectory { path in
                let storage = FaultyStorage(runsWorkers: false)
                var accepted = 5
                do {
                    let wal = try await BytesWal.open(
                        at: path, configuration: small(writing.writes, fills: writing.fills), storage: storage)
                    let partition = try wal.partition(1)
                    try partition.appendRecords(1...5)
                    storage.fail([operation], of: "partition-00001", times: 1, errno: EIO)
                    for _ in 0..<3_000 {
                        do throws(WalError) {
                            _ = try partition.append(Payload(record(accepted + 1)))
                            accepted += 1
                        } catch {
                            #expect(error.code == .io || error.code == .poisoned, "\(error)")
                            if error.code == .poisoned { break }
                        }
                    }
                    try expectRecords(partition, 1...accepted)
                    _ = try? wal.closeAndWait()
                }
                let again = try await BytesWal.open(at: path, configuration: small(writing.writes))
                try expectRecords(again.partition(1), 1...accepted)
                try await again.close()
            }
        }
    }

    @Test("purge and reads work on a poisoned partition")
    func purgePoisoned() async throws {
        try await withTemporaryDirectory { path in
            for k in 1...3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                try wal.partition(1).appendRecords(k...k)
                try await wal.close()
            }
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(4...4)
            storage.fail([.sync], of: "0004.wal", times: 1, errno: EIO)
            await expectError(.io) { try partition.syncAndWait() }
            #expect(try partition.purge(before: 3) == 2)
            try expectRecords(partition, 3...4)
            await expectError(.io) { try await wal.close() }
        }
    }

    @Test("STATE has its space from the first sync on, so that purge and close need none on a full disk")
    func stateHasSpace() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...1)
            try partition.syncAndWait()
            var status = stat()
            #expect(stat("\(partitionPath(path))/STATE", &status) == 0)
            #expect(status.st_blocks * 512 >= 8192)
            try await wal.close()
        }
    }

    @Test("poisoned partitions give their files back: others still get one")
    func poolSurvives() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            var configuration = small()
            configuration.maximumOpenSegments = 4
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            for id in 1...4 {
                let partition = try wal.partition(.init(rawValue: UInt16(id)))
                try partition.appendRecords(1...1)
                storage.fail([.sync, .writeSynced], of: "partition-0000\(id)/0", times: 1, errno: EIO)
                await expectError(.io) { try await partition.sync() }
            }
            for id in 5...12 {
                let partition = try wal.partition(.init(rawValue: UInt16(id)))
                try partition.appendRecords(1...1)
                try await partition.sync()
            }
            _ = try? await wal.close()
        }
    }

    @Test("a partition whose sync fails when its file is wanted elsewhere fails alone")
    func parkingFails() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            var configuration = small()
            configuration.maximumOpenSegments = 4
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            for id in 1...4 { try wal.partition(.init(rawValue: UInt16(id))).appendRecords(1...1) }
            storage.fail([.sync], of: "partition-00001/0", errno: EIO)
            for id in 5...8 { try wal.partition(.init(rawValue: UInt16(id))).appendRecords(1...1) }
            await expectError(.io) { try await wal.partition(1).sync() }
            for id in 2...8 { try await wal.partition(.init(rawValue: UInt16(id))).sync() }
            _ = try? await wal.close()
        }
    }

    @Test("a failed sync of the log's directory is not made good by another partition's")
    func rootSyncFails() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let (first, second) = (try wal.partition(1), try wal.partition(2))
            try first.appendRecords(1...1)
            try second.appendRecords(1...1)
            storage.fail([.syncDirectory], of: "/", times: 1, errno: EIO)
            await expectError(.io) { try await first.sync() }
            // The name of the second was to become durable by the sync that failed: it may be clean in the cache, and not on disk.
            await expectError(.io) { try await second.sync() }
            #expect(second.mark.durable == 0)
            _ = try? await wal.close()
        }
    }
}
