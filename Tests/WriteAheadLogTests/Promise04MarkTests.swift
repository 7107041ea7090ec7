import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 4: a crash is told from corruption, by marks that are written only after a sync returned.
@Suite("Promise 4: marks tell a crash from corruption", .timeLimit(.minutes(15)))
struct Promise04MarkTests {
    /// Records 1…5 synced; 6 carries the mark; up to 12 in the OS only. Frames: 5 records, the mark, 7 records.
    private static func crashed(at path: String) async throws {
        try await abandonedLog(at: path) { partition in
            try partition.appendRecords(1...5)
            try partition.syncAndWait()
            try partition.appendRecords(6...12)
        }
    }

    private static func damage(_ path: String, frame: Int, _ segment: UInt64 = 1) throws -> Range<Int> {
        var bytes = try readFile(segmentPath(path, 1, segment))
        let found = frames(of: bytes)[frame]
        bytes[found.lowerBound + 17] ^= 0x10
        try writeFile(segmentPath(path, 1, segment), bytes)
        return found
    }

    @Test("damage at or below the mark is an error that names the place, and nothing is touched", arguments: 0..<5)
    func belowMark(_ frame: Int) async throws {
        try await withTemporaryDirectory { path in
            try await Self.crashed(at: path)
            let place = try Self.damage(path, frame: frame)
            let before = try snapshot(path)
            for _ in 0..<2 {
                let error = await expectError(.corrupt) { try await BytesWal.open(at: path, configuration: small()) }
                #expect(error?.partition == 1)
                #expect(error?.segment == 1)
                #expect(error?.offset == UInt64(place.lowerBound))
                #expect(error?.lsn?.rawValue == UInt64(frame + 1))
                #expect(try snapshot(path) == before)
            }
        }
    }

    @Test("damage above the mark ends the log there, though whole frames follow, and is reported", arguments: 6..<13)
    func aboveMark(_ frame: Int) async throws {
        try await withTemporaryDirectory { path in
            try await Self.crashed(at: path)
            let end = try #require(frames(of: readFile(segmentPath(path))).last).upperBound
            let place = try Self.damage(path, frame: frame)
            let events = EventLog()
            let wal = try await BytesWal.open(at: path, configuration: small(observer: events.observer))
            let partition = try wal.partition(1)
            try expectRecords(partition, 1...(frame - 1))
            #expect(events.cuts.count == 1)
            #expect(events.cuts.first?.0 == 1)
            #expect(events.cuts.first?.1?.rawValue == UInt64(frame))
            // Trailing zeros of the last record may or may not be counted.
            let cut = try #require(events.cuts.first?.2)
            #expect(cut <= UInt64(end - place.lowerBound) && cut + 8 > UInt64(end - place.lowerBound))
            try partition.appendRecords(frame...20)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(again.partition(1), 1...20)
            try await again.close()
        }
    }

    @Test("above the mark a footer and later segments do not count; they go newest first")
    func laterSegments() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { partition in
                try partition.appendRecords(1...5)
                try partition.syncAndWait()
                try partition.appendRecords(6...4_000)
            }
            let names = try segmentNames(path)
            #expect(names.count > 3)
            _ = try Self.damage(path, frame: 10)
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            try expectRecords(wal.partition(1), 1...9)
            let removed = storage.calls([.remove], of: ".wal").map { String($0.path.suffix(24)) }
            #expect(removed == names.dropFirst().reversed())
            try await wal.close()
        }
    }

    @Test("a cleanly closed log has no window in which damage is cut", arguments: [CheckLevel.tail, .full])
    func cleanlyClosed(_ check: CheckLevel) async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(1...5)
            try await wal.close()
            _ = try Self.damage(path, frame: 4)
            let before = try snapshot(path)
            var configuration = small()
            configuration.check = check
            do {
                let again = try await BytesWal.open(at: path, configuration: configuration)
                #expect(check == .tail)
                let read = try again.partition(1).readAll()
                #expect(read.lsns == [1, 2, 3, 4])
                #expect(read.error?.code == .corrupt && read.error?.lsn == 5)
                try again.partition(1).appendRecords(6...6)
                try await again.close()
                #expect(try readFile(segmentPath(path)) == before["partition-00001/00000000000000000001.wal"])
            } catch let error as WalError {
                #expect(check == .full && error.code == .corrupt && error.lsn == 5, "\(error)")
                #expect(try snapshot(path) == before)
            }
        }
    }

    @Test("no mark says that a failed sync went well", arguments: [WriteMode.mapped, .written])
    func failedSync(_ writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            do {
                let wal = try await BytesWal.open(at: path, configuration: small(writes), storage: storage)
                let partition = try wal.partition(1)
                try partition.appendRecords(1...5)
                storage.fail([.sync], of: "0001.wal", errno: EIO)
                await expectError(.io) { try partition.syncAndWait() }
                await expectError(.poisoned) { try partition.append(Payload([])) }
                await expectError(.io) { try wal.closeAndWait() }
            }
            let bytes = try readFile(segmentPath(path))
            #expect(bytes[4096..<12_288].allSatisfy { $0 == 0 })
            #expect(frames(of: bytes).count == 5)
            // So all five are above the mark: torn, they are cut.
            _ = try Self.damage(path, frame: 2)
            let wal = try await BytesWal.open(at: path, configuration: small(writes))
            try expectRecords(wal.partition(1), 1...2)
            try await wal.close()
        }
    }

    @Test("a mark costs no second sync")
    func oneSyncEach() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            var configuration = small()
            // Not within this test, however long it takes.
            configuration.idleMarkNanoseconds = 3_600_000_000_000
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            let partition = try wal.partition(1)
            try await partition.append(Payload(record(1)), durability: .synced)
            storage.forgetCalls()
            for k in 2...21 { try await partition.append(Payload(record(k)), durability: .synced) }
            #expect(storage.calls([.sync, .writeSynced, .syncDirectory]).count == 20)
            try await wal.close()
        }
    }

    @Test("a second after the last sync its mark is written and synced")
    func idleMark() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsClock: true)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            try await partition.append(Payload(record(1)), durability: .synced)
            // The record's own, and the mark's.
            #expect(storage.waitForCalls([.sync, .writeSynced], of: ".wal", count: 2))
            let calls = storage.calls([.write, .sync], of: "0001.wal")
            let mark = try #require(calls.lastIndex { $0.operation == .write && [4096, 8192].contains($0.offset) })
            #expect(calls[mark...].contains { $0.operation == .sync })
            try await wal.close()
        }
    }
}
