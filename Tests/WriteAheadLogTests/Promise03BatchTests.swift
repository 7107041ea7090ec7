import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 3: a batch is atomic.
@Suite("Promise 3: a batch is atomic", .timeLimit(.minutes(15)))
struct Promise03BatchTests {
    private static func batch(_ range: ClosedRange<Int>) -> [Payload] { range.map { Payload(record($0)) } }

    @Test("torn at every byte it is all there or not at all", arguments: [true, false])
    func torn(_ isCut: Bool) async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { partition in
                try partition.appendRecords(1...2)
                try partition.append(contentsOf: Self.batch(3...8))
            }
            let files = try snapshot(path)
            let clean = try readFile(segmentPath(path))
            let frame = try #require(frames(of: clean).last)
            for length in frame.lowerBound..<frame.upperBound {
                var bytes = clean
                if isCut {
                    bytes = Array(clean[..<length])
                } else {
                    // A page that came, and one that did not.
                    bytes[length] ^= 0x80
                }
                try writeFile(segmentPath(path), bytes)
                for readOnly in [true, false] {
                    let wal = try BytesWal.openAndWait(at: path, configuration: small(), readOnly: readOnly)
                    let read = try wal.partition(1).readAll()
                    #expect(read.lsns == [1, 2] && read.isRight && read.error == nil, "byte \(length)")
                    try wal.closeAndWait()
                }
                try restore(files, to: path)
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...8)
            try await wal.close()
        }
    }

    @Test("it lies in one segment, in its own where it is larger than one", arguments: [WriteMode.mapped, .written])
    func oneSegment(_ writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            var wal = try await BytesWal.open(at: path, configuration: small(writes))
            var next = 1
            for size in [10, 800, 700, 2_500, 3, 900, 900, 6_000, 1] {
                let receipt = try wal.partition(1).append(contentsOf: Self.batch(next...(next + size - 1)))
                next += size
                #expect(receipt.lsn.rawValue == UInt64(next - 1))
                #expect(receipt.position.segment.rawValue <= UInt64(next - size))
            }
            try expectRecords(wal.partition(1), 1...(next - 1))
            try await wal.close()
            #expect(try segmentNames(path).contains(FileFormat.segmentName(1511)))
            wal = try await BytesWal.open(at: path, configuration: small(writes))
            try expectRecords(wal.partition(1), 1...(next - 1))
            try await wal.close()
        }
    }

    @Test(
        "a synced batch larger than the staging buffer is durable as a whole", arguments: [WriteMode.mapped, .written])
    func largeSynced(_ writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            var configuration = small(writes)
            configuration.segmentSize = 4 << 20
            var wal = try await BytesWal.open(at: path, configuration: configuration)
            try await wal.partition(1).append(contentsOf: Self.batch(1...10), durability: .synced)
            let receipt = try await wal.partition(1).append(contentsOf: Self.batch(11...40_000), durability: .synced)
            #expect(receipt.lsn == 40_000)
            #expect(try wal.partition(1).mark.durable == 40_000)
            try await wal.close()
            wal = try await BytesWal.open(at: path, configuration: configuration)
            try expectRecords(wal.partition(1), 1...40_000)
            try await wal.close()
        }
    }

    @Test(
        "over the limit it is refused before any byte; an empty one is nothing; one that fails to encode leaves nothing"
    )
    func refused() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            var configuration = small()
            configuration.maximumRecordSize = 1_000
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            let partition = try wal.partition(1)
            storage.forgetCalls()
            await expectError(.recordTooLarge) { try partition.append(contentsOf: Self.batch(1...100)) }
            #expect(try partition.append(contentsOf: []).lsn == 0)
            #expect(storage.calls.isEmpty)
            #expect(partition.lastLSN == 0)
            try partition.appendRecords(1...1)
            #expect(try partition.append(contentsOf: []).lsn == 1)
            try wal.closeAndWait()
        }
    }

    @Test("readers see all of a batch or none of it, also while it is appended")
    func visible() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            let isDone = Locked(false)
            let reader = Task.detached {
                var batches = 0
                var cursor = try partition.entries().makeCursor()
                while true {
                    let wasDone = isDone.withLock { $0 }
                    var count = 0
                    while try cursor.next() != nil { count += 1 }
                    #expect(count % 7 == 0)
                    batches += count / 7
                    if wasDone { return batches }
                    await Task.yield()
                }
            }
            for k in 0..<300 { try partition.append(contentsOf: Self.batch((7 * k + 1)...(7 * k + 7))) }
            isDone.withLock { $0 = true }
            #expect(try await reader.value == 300)
            try await wal.close()
        }
    }
}
