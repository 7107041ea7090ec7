import Foundation
import Testing
import WalTesting

@testable import WriteAheadLog

/// Ways that exist for speed alone do what the plain ones do.
@Suite("Fast paths", .timeLimit(.minutes(15)))
struct FastPathTests {
    @Test("bytes of every length are copied into an encoder as they are")
    func smallCopies() {
        let source = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 1) }
        for length in 0...150 {
            var encoder = WalEncoder()
            encoder.write(0xEE as UInt8)
            encoder.write(bytes: Array(source[..<length]))
            encoder.write(0xDD as UInt8)
            #expect(encoder.withBytes { Array($0) } == [0xEE] + source[..<length] + [0xDD])
        }
    }

    /// From 32 KiB on a frame is written to the file, where smaller ones are stored into its mapping.
    @Test(
        "frames that are written and frames that are stored stand side by side, and come back after a crash and a close"
    )
    func largeFrames() async throws {
        try await withTemporaryDirectory { path in
            var configuration = Wal<Payload>.Configuration(codec: .bytes())
            configuration.segmentSize = 1 << 20
            let sizes = (0..<300).map { k in [7, 32_751, 100, 32_752, 32_753, 200_000, 0, 40_001][k % 8] }
            func bytes(_ k: Int) -> [UInt8] { [UInt8](repeating: UInt8(truncatingIfNeeded: k), count: sizes[k]) }
            func check(_ partition: Wal<Payload>.Partition) throws {
                var k = 0
                var cursor = try partition.entries().makeCursor()
                while let entry = try cursor.next() {
                    #expect(entry.record.bytes == bytes(k))
                    k += 1
                }
                #expect(k == sizes.count)
            }
            let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
            let partition = try wal.partition(1)
            for k in sizes.indices {
                // Synced ones are staged; what is staged is handed over before a larger frame.
                if k % 5 == 0 {
                    try await partition.append(Payload(bytes(k)), durability: .synced)
                } else {
                    try partition.append(Payload(bytes(k)))
                }
            }
            try check(partition)
            let copy = path + "-copy"
            defer { try? FileManager.default.removeItem(atPath: copy) }
            try FileManager.default.copyItem(atPath: path, toPath: copy)
            try await wal.close()
            for path in [path, copy] {
                let again = try await Wal<Payload>.open(at: path, configuration: configuration)
                try check(again.partition(1))
                try await again.close()
            }
        }
    }

    @Test(
        "a full disk under a large frame changes nothing; a write that fails otherwise poisons",
        arguments: [ENOSPC, EIO])
    func largeFrameFails(errno: Int32) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()), storage: storage)
            let partition = try wal.partition(1)
            try partition.append(Payload(record(1)))
            storage.fail([.write], of: ".wal", times: 1, errno: errno)
            let large = Payload([UInt8](repeating: 9, count: 50_000))
            await expectError(errno == ENOSPC ? .noSpace : .io) { try partition.append(large) }
            if errno == ENOSPC {
                try partition.append(Payload(record(2)))
                try await wal.close()
            } else {
                await expectError(.poisoned) { try partition.append(Payload(record(2))) }
                await expectError(.io) { try await wal.close() }
            }
            let again = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            try expectRecords(again.partition(1), 1...(errno == ENOSPC ? 2 : 1))
            try await again.close()
        }
    }

    @Test("a batch from an array is the same as one from any other sequence")
    func batches() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            let records = (1...50).map { Payload(record($0)) }
            try wal.partition(1).append(contentsOf: records)
            try wal.partition(2).append(contentsOf: AnySequence(records))
            try expectRecords(wal.partition(1), 1...50)
            try expectRecords(wal.partition(2), 1...50)
            try await wal.close()
        }
    }

    // MARK: appendAndWait

    private static func appendAndWait(_ partition: Wal<Payload>.Partition, _ range: ClosedRange<Int>) throws {
        for k in range {
            let receipt = try partition.appendAndWait(Payload(record(k)))
            #expect(partition.mark.durable >= receipt.lsn)
        }
    }

    @Test("what a thread appended and waited for is durable when it returns, whoever syncs beside it")
    func durableOnReturn() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            let partition = try wal.partition(1)
            try Self.appendAndWait(partition, 1...50)
            try expectRecords(partition, 1...50)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<2 { group.addTask { try Self.appendAndWait(partition, 1...50) } }
                for _ in 0..<4 {
                    group.addTask {
                        for k in 1...50 { try await partition.append(Payload(record(k)), durability: .synced) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(partition.lastLSN == 350)
            #expect(partition.mark.durable == 350)
            try await wal.close()
        }
    }

    private static func batchAndWait(_ partition: Wal<Payload>.Partition, _ records: [Payload]) throws -> Receipt {
        try partition.appendAndWait(contentsOf: records)
    }

    @Test("a batch that is waited for is durable; an empty one appends nothing; a closed log refuses")
    func batchesAndErrors() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            let partition = try wal.partition(1)
            #expect(try Self.batchAndWait(partition, (1...9).map { Payload(record($0)) }).lsn == 9)
            #expect(partition.mark.durable == 9)
            #expect(try Self.batchAndWait(partition, []).lsn == 9)
            try await wal.close()
            await expectError(.closed) { try Self.appendAndWait(partition, 1...1) }
        }
    }

    @Test("a failed sync is told to the thread that waits, and poisons the partition")
    func failedSync() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()), storage: storage)
            let partition = try wal.partition(1)
            try Self.appendAndWait(partition, 1...3)
            storage.fail([.writeSynced, .sync], of: ".wal", errno: EIO)
            await expectError(.io) { try Self.appendAndWait(partition, 4...4) }
            await expectError(.poisoned) { try Self.appendAndWait(partition, 5...5) }
            #expect(partition.mark.durable == 3)
        }
    }

    // MARK: Holes

    @Test("what lies behind a hole of a file is not passed over")
    func holes() async throws {
        try await withTemporaryDirectory { path in
            let directory = try PosixStorage().openRoot(path, create: true)
            let file = try directory.openFile("sparse", .createNew)
            try file.allocate(from: 0, to: 8 << 20)
            for place in [0, 1 << 20, 5 << 20 + 4321, 8 << 20 - 1] as [UInt64] { try file.write([1], at: place) }
            for start in [0, 1, 2 << 20, 6 << 20] as [UInt64] {
                let ranges = try file.content(from: start)
                var last = start
                for range in ranges {
                    #expect(range.lowerBound >= last)
                    last = range.upperBound
                }
                for place in [0, 1 << 20, 5 << 20 + 4321, 8 << 20 - 1] as [UInt64] where place >= start {
                    #expect(ranges.contains { $0.contains(place) }, "byte \(place) from \(start)")
                }
            }
            #expect(try file.content(from: 8 << 20).isEmpty)
            file.close()
        }
    }

    @Test("content ends with the last byte that is not zero", arguments: [0, 1, 63, 64, 65, 200, 4096])
    func contentCount(size: Int) {
        #expect([UInt8](repeating: 0, count: size).withUnsafeBytes { $0.contentCount } == 0)
        for place in 0..<size {
            var bytes = [UInt8](repeating: 0, count: size)
            bytes[place] = 1
            #expect(bytes.withUnsafeBytes { $0.contentCount } == place + 1)
        }
    }
}
