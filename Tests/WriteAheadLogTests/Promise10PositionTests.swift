import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 10: positions cannot lie, and tails show what is durable unless asked for more.
@Suite("Promise 10: positions cannot lie", .timeLimit(.minutes(15)))
struct Promise10PositionTests {
    /// Nine records, of which a crash takes the last three. Where each record ended.
    private static func cut(at path: String) async throws -> [Position] {
        var positions: [Position] = []
        try await abandonedLog(at: path) { partition in
            for k in 1...9 { positions.append(try partition.append(Payload(record(k))).position) }
        }
        var bytes = try readFile(segmentPath(path))
        bytes[frames(of: bytes)[6].lowerBound + 18] ^= 1
        try writeFile(segmentPath(path), bytes)
        return positions
    }

    @Test("a position whose record was cut is refused and names the last common LSN")
    func afterCut() async throws {
        try await withTemporaryDirectory { path in
            let positions = try await Self.cut(at: path)
            for opening in 0..<3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                let partition = try wal.partition(1)
                for (k, position) in positions.enumerated() {
                    if k + 1 <= 6 {
                        try expectRecords(
                            partition, (k + 2)..<Int(partition.lastLSN.rawValue + 1), from: .after(position))
                    } else {
                        let error = await expectError(.positionLost) { try partition.entries(from: .after(position)) }
                        #expect(
                            error?.lsn == 6 && error?.partition == 1, "position behind \(k + 1), opening \(opening)")
                    }
                }
                // LSNs that the lost positions count are given out again: they must not fit.
                try partition.appendRecords((7 + 2 * opening)...(8 + 2 * opening))
                for position in positions[6...] {
                    #expect(
                        await expectError(.positionLost) { try partition.entries(from: .after(position)) }?.lsn == 6)
                }
                try await wal.close()
            }
        }
    }

    @Test("also once the segments that would show it were purged")
    func afterCutAndPurge() async throws {
        try await withTemporaryDirectory { path in
            let positions = try await Self.cut(at: path)
            for k in 7...12 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                try wal.partition(1).appendRecords(k...k)
                try await wal.close()
            }
            for before in 8...12 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                let partition = try wal.partition(1)
                try partition.purge(before: LSN(UInt64(before)))
                for position in positions[6...] {
                    let error = await expectError(.positionLost) { try partition.entries(from: .after(position)) }
                    #expect(error?.lsn == 6, "\(position) after purge before \(before)")
                }
                try await wal.close()
            }
        }
    }

    @Test("after a truncation every old position is refused")
    func afterTruncation() async throws {
        try await withTemporaryDirectory { path in
            var positions: [Position] = []
            var wal = try await BytesWal.open(at: path, configuration: small())
            for k in 1...5 { positions.append(try wal.partition(1).append(Payload(record(k))).position) }
            try await wal.close()
            var configuration = small()
            configuration.truncate = true
            wal = try await BytesWal.open(at: path, configuration: configuration)
            try wal.partition(1).appendRecords(1...9)
            for opening in 0..<2 {
                let partition = try wal.partition(1)
                for position in positions {
                    let error = await expectError(.positionLost) { try partition.entries(from: .after(position)) }
                    #expect(error?.lsn == LSN.none, "opening \(opening)")
                }
                try await wal.close()
                wal = try await BytesWal.open(at: path, configuration: small())
            }
            try await wal.close()
        }
    }

    @Test("positions survive reopening, rotation and batches, and lead on from every record")
    func resume() async throws {
        try await withTemporaryDirectory { path in
            var positions: [Position] = []
            for round in 0..<3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                let partition = try wal.partition(1)
                for k in 1...40 { positions.append(try partition.append(Payload(record(100 * round + k))).position) }
                let batch = (41...100).map { Payload(record(100 * round + $0)) }
                try partition.append(contentsOf: batch)
                var cursor = try partition.entries(from: .after(positions[positions.count - 1])).makeCursor()
                while let entry = try cursor.next() { positions.append(entry.position) }
                #expect(positions.count == 100 * (round + 1))
                for (k, position) in positions.enumerated() {
                    #expect(position.lsn.rawValue == UInt64(k + 2))
                    let next = try partition.entries(from: .after(position))
                    var cursor = next.makeCursor()
                    #expect(try cursor.next()?.lsn.rawValue == (k + 1 < positions.count ? UInt64(k + 2) : nil))
                }
                try await wal.close()
            }
        }
    }

    @Test("an LSN that does not belong to its position is refused")
    func mismatch() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            let position = try partition.append(Payload(record(1))).position
            try partition.appendRecords(2...5)
            try expectRecords(partition, 2...5, from: .lsn(2, at: position))
            for lsn: LSN in [1, 3, 5] {
                await expectError(.positionLost) { try partition.entries(from: .lsn(lsn, at: position)) }
            }
            try await wal.close()
        }
    }

    @Test("a tail shows durable records only, and appended ones by name")
    func tails() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            try partition.syncAndWait()
            try partition.appendRecords(4...6)
            var appended = try partition.tail(upTo: .appended).makeAsyncIterator()
            for lsn in 1...6 { #expect(try await appended.next()?.lsn.rawValue == UInt64(lsn)) }
            let durable = try partition.tail()
            let seen = Locked<[UInt64]>([])
            let reader = Task {
                for try await entry in durable {
                    #expect(entry.lsn <= partition.mark.durable)
                    seen.withLock { $0.append(entry.lsn.rawValue) }
                }
            }
            while seen.withLock({ $0.count }) < 3 { await Task.yield() }
            for _ in 0..<100 { await Task.yield() }
            #expect(seen.withLock { $0 } == [1, 2, 3])
            try partition.syncAndWait()
            while seen.withLock({ $0.count }) < 6 { await Task.yield() }
            try partition.appendRecords(7...7)
            // What `close` makes durable is shown before the tail ends.
            try wal.closeAndWait()
            try await reader.value
            #expect(seen.withLock { $0 } == [1, 2, 3, 4, 5, 6, 7])
        }
    }
}
