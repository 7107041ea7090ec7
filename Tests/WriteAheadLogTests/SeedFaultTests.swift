import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// The faults that the log's predecessor showed when it was run, one test each.
@Suite("A fault of the seed can't happen", .timeLimit(.minutes(15)))
struct SeedFaultTests {
    @Test("after a torn last record the next LSN is right, and what is appended then is read back")
    func tornLastRecord() async throws {
        for lost in [1, 8, 9, 17, 24] {
            try await withTemporaryDirectory { path in
                try await abandonedLog(at: path) { partition in
                    try partition.appendRecords(1...5)
                }
                let file = segmentPath(path)
                var bytes = try readFile(file)
                let last = try #require(frames(of: bytes).last)
                for k in (last.upperBound - min(lost, last.count))..<last.upperBound { bytes[k] = 0 }
                // A record may end in zeros: tear it visibly.
                bytes[last.lowerBound + 16] ^= 0xFF
                try writeFile(file, bytes)
                for k in 5...8 {
                    let wal = try await BytesWal.open(at: path, configuration: small())
                    try wal.partition(1).appendRecords(k...k)
                    try await wal.close()
                }
                let wal = try await BytesWal.open(at: path, configuration: small())
                try expectRecords(wal.partition(1), 1...8)
                try await wal.close()
            }
        }
    }

    @Test("no flipped bit of a record is delivered", arguments: [ReadMode.automatic, .pread])
    func flippedPayload(_ reads: ReadMode) async throws {
        try await withTemporaryDirectory { path in
            var wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(1...4)
            try await wal.close()
            let clean = try readFile(segmentPath(path))
            let third = frames(of: clean)[2]
            for bit in 0..<(third.count * 8) {
                var bytes = clean
                bytes[third.lowerBound + bit / 8] ^= 1 << UInt8(bit % 8)
                try writeFile(segmentPath(path), bytes)
                var configuration = small()
                configuration.reads = reads
                wal = try BytesWal.openAndWait(at: path, configuration: configuration, readOnly: reads == .pread)
                let read = try wal.partition(1).readAll()
                #expect(read.lsns == [1, 2] && read.isRight, "bit \(bit)")
                #expect(read.error?.code == .corrupt, "bit \(bit)")
                #expect(read.error?.lsn == 3 && read.error?.partition == 1 && read.error?.segment == 1, "bit \(bit)")
                try wal.closeAndWait()
            }
        }
    }

    @Test("an empty newest segment does not restart LSNs", arguments: [0, 1, 4096, 12_288, 65_536])
    func emptyNewestSegment(_ size: Int) async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(1...10)
            try await wal.close()
            // What a crash right behind a rotation leaves: the name, and zeros or nothing.
            try writeFile(segmentPath(path, 1, 11), [UInt8](repeating: 0, count: size))
            for k in 11...13 {
                let again = try await BytesWal.open(at: path, configuration: small())
                #expect(try again.partition(1).lastLSN.rawValue == UInt64(k - 1))
                try again.partition(1).appendRecords(k...k)
                try await again.close()
            }
            let last = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(last.partition(1), 1...13)
            try await last.close()
        }
    }

    @Test("a log that is open can't be opened again, in this process or another")
    func twoOpens() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            let error = await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            #expect(error?.message.contains("\(getpid())") == true)
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String] in
                do {
                    _ = try BytesWal.openAndWait(at: path, configuration: .init(codec: .bytes()))
                } catch {
                    exit((error as? WalError)?.code == .alreadyOpen ? 42 : 1)
                }
            }
            try wal.partition(1).appendRecords(1...1)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small())
            try await again.close()
        }
    }

    @Test("a failed fdatasync is an error, and stays one")
    func failedSync() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            storage.fail([.sync, .writeSynced], of: ".wal", times: 1, errno: EIO)
            #expect(await expectError(.io) { try await partition.sync() }?.errno == EIO)
            #expect(partition.mark.durable == 0)
            // The device works again, but nobody knows what it has.
            await expectError(.io) { try await partition.sync() }
            #expect(partition.mark.durable == 0)
            await expectError(.io) { try await wal.close() }
        }
    }

    @Test("file, partition directory and log directory are synced before a record is called durable")
    func directoriesSynced() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            storage.forgetCalls()
            try await wal.partition(1).append(Payload(record(1)), durability: .synced)
            #expect(!storage.calls([.sync, .writeSynced], of: "partition-00001/0").isEmpty)
            #expect(!storage.calls([.syncDirectory], of: "partition-00001").isEmpty)
            #expect(!storage.calls([.syncDirectory], of: "/").isEmpty)
            try await wal.close()
        }
    }

    @Test("a length of 0xFFFFFFFF allocates nothing", arguments: [UInt32.max, 0x7FFF_FFFF, 0x4000_0000, 0x3FFF_FFF0])
    func hugeLength(_ length: UInt32) async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { try $0.appendRecords(1...5) }
            var bytes = try readFile(segmentPath(path))
            let last = try #require(frames(of: bytes).last)
            bytes.store(length, at: last.lowerBound)
            try writeFile(segmentPath(path), bytes)
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            try expectRecords(wal.partition(1), 1...4)
            let largest = storage.calls([.read]).map(\.count).max() ?? 0
            #expect(largest <= 1 << 20)
            try await wal.close()
        }
    }

    @Test("a record too large for the format is refused before any byte, not wrapped")
    func oversizedRecord() async throws {
        try await withTemporaryDirectory { path in
            var configuration = small()
            configuration.maximumRecordSize = 1 << 31
            await expectError(.invalidArgument) { try await BytesWal.open(at: path, configuration: configuration) }
            configuration.maximumRecordSize = 100_000
            let wal = try await BytesWal.open(at: path, configuration: configuration)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...1)
            let large = Payload([UInt8](repeating: 1, count: 100_001))
            await expectError(.recordTooLarge) { try partition.append(large) }
            await expectError(.recordTooLarge) { try await partition.append(large, durability: .synced) }
            await expectError(.recordTooLarge) {
                try partition.append(contentsOf: [large, Payload([1])])
            }
            await expectError(.recordTooLarge) {
                try partition.append(contentsOf: (0..<3).map { _ in Payload([UInt8](repeating: 1, count: 40_000)) })
            }
            try partition.appendRecords(2...2)
            try expectRecords(partition, 1...2)
            try await wal.close()
        }
    }

    @Test(
        "an append that a full disk refused does not come back, and the next are not lost",
        arguments: [WriteMode.mapped, .written])
    func fullDisk(_ writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(writes), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            storage.fail([.allocate, .write, .writeSynced], of: ".wal", errno: ENOSPC)
            let large = Payload([UInt8](repeating: 7, count: 40_000))
            for _ in 0..<3 { await expectError(.noSpace) { try partition.append(large) } }
            #expect(partition.lastLSN == 3)
            storage.heal()
            try partition.appendRecords(4...500)
            try expectRecords(partition, 1...500)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small(writes))
            try expectRecords(again.partition(1), 1...500)
            try await again.close()
        }
    }

    @Test("a purge right after opening takes sealed segments, the newest too, and LSNs go on")
    func purgeAfterOpen() async throws {
        try await withTemporaryDirectory { path in
            for k in 1...3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                try wal.partition(1).appendRecords(k...k)
                try await wal.close()
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            #expect(try partition.purge(before: LSN(3)) == 2)
            try expectRecords(partition, 3...3)
            #expect(try partition.purge(before: LSN(1_000)) == 1)
            #expect(partition.readAll().lsns.isEmpty && partition.firstRetainedLSN == 4 && partition.lastLSN == 3)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small())
            try again.partition(1).appendRecords(4...4)
            try expectRecords(again.partition(1), 4...4)
            try await again.close()
        }
    }

    @Test("a watch begins with the true last LSN, also after reopening")
    func watchBegins() async throws {
        try await withTemporaryDirectory { path in
            for k in 1...3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                let partition = try wal.partition(1)
                var watch = partition.watch().makeAsyncIterator()
                let first = await watch.next()
                #expect(first?.appended.rawValue == UInt64(k - 1))
                #expect(first?.durable.rawValue == UInt64(k - 1))
                try partition.appendRecords(k...k)
                try await wal.close()
            }
        }
    }

    @Test("reading near the end of a big segment does not read all of it", arguments: [false, true])
    func readingNearTheEnd(_ isSealed: Bool) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let configuration = BytesWal.Configuration(segmentSize: 64 << 20, codec: .bytes(), reads: .pread)
            var wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            var partition = try wal.partition(1)
            let last = 8_000
            for k in 1...last { try partition.append(Payload([UInt8](repeating: UInt8(k % 251), count: 1_000))) }
            if isSealed {
                try await wal.close()
                wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
                partition = try wal.partition(1)
            }
            storage.forgetCalls()
            var cursor = try partition.entries(from: .lsn(LSN(UInt64(last - 5)))).makeCursor()
            #expect(try cursor.next()?.lsn.rawValue == UInt64(last - 5))
            let read = storage.calls([.read]).map(\.count).reduce(0, +)
            #expect(read < 1 << 20, "\(read) of 8 MB were read")
            try await wal.close()
        }
    }
}
