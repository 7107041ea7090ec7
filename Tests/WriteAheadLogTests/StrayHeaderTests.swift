import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 4: what belongs elsewhere, whole and checked, is refused. A lone block of a removed file, which a file system that does
/// not order data before metadata shows after a loss of power, is where a crash tore the log.
@Suite struct `A header of another segment` {
    enum Rest: String, CaseIterable {
        case nothing, zeros, junk, framesElsewhere, frames, mark, footer, wholeFile

        /// More of the segment that the header names: the file was moved or copied here.
        var isMoved: Bool { [.frames, .mark, .footer, .wholeFile].contains(self) }

        func bytes(_ whole: [UInt8]) -> [UInt8] {
            let start = 12_288
            let header = Array(whole[..<4_096])
            let blank = header + [UInt8](repeating: 0, count: start - 4_096)
            let frames = Array(whole[start...])
            let trailer = whole[(whole.count - 32)...]
            let footer = (8..<16).reduce(0) { $0 | Int(trailer[trailer.startIndex + $1]) << ((($1) - 8) * 8) }
            switch self {
            case .nothing: return header
            case .zeros: return blank + [UInt8](repeating: 0, count: 65_536)
            case .junk: return header + (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ $0 >> 8) }
            case .framesElsewhere: return blank + [UInt8](repeating: 0, count: 4_096) + frames.dropLast(40)
            case .frames: return blank + frames[..<(footer - start)] + [UInt8](repeating: 0, count: 4_096)
            case .mark:
                let salt = (48..<56).reduce(UInt64(0)) { $0 | UInt64(header[$1]) << UInt64(($1 - 48) * 8) }
                let mark = SegmentMark(salt: salt, history: 1, durable: 1, endOffset: UInt64(start), sequence: 2)
                return header + mark.encoded() + [UInt8](repeating: 0, count: 65_536)
            case .footer: return blank + [UInt8](repeating: 0, count: footer - start) + whole[footer...]
            case .wholeFile: return whole
            }
        }
    }

    enum Owner: CaseIterable { case otherPartition, otherSegment, otherLog }

    private static func write(_ path: String) async throws {
        let wal = try await BytesWal.open(at: path, configuration: small())
        try wal.partition(1).appendRecords(1...3)
        try wal.partition(2).appendRecords(1...5)
        try await wal.close()
    }

    @Test(arguments: Rest.allCases, Owner.allCases)
    func `is a torn place where nothing was durable, and foreign with more of it`(_ rest: Rest, _ owner: Owner)
        async throws
    {
        try await withTemporaryDirectory { root in
            let (path, other) = ("\(root)/log", "\(root)/other")
            try await Self.write(path)
            try await Self.write(other)
            let source = segmentPath(owner == .otherLog ? other : path, owner == .otherSegment ? 1 : 2)
            let bytes = rest.bytes(try readFile(source))
            let clean = try snapshot(path)
            // In a new segment's place, in that of one that was durable, and of one that was purged.
            for lsn in [4, 1] as [UInt64] {
                try restore(clean, to: path)
                let file = segmentPath(path, 1, lsn)
                // There is nothing strange in a segment that says its own name.
                if owner == .otherSegment, lsn == 1 { continue }
                try writeFile(file, bytes)
                let before = try snapshot(path)
                let isTorn = lsn == 4 && !rest.isMoved && owner != .otherLog
                let verified = try await WalVerification.verify(at: path)
                #expect(verified.damage.map(\.code) == (isTorn ? [] : [.foreign]))
                let info = try await WalInspection.inspect(at: path)
                #expect(info.partitions.flatMap(\.damage).map(\.code) == (isTorn ? [] : [.foreign]))
                guard isTorn else {
                    await expectError(.foreign) { try await BytesWal.open(at: path, configuration: small()) }
                    await expectError(.foreign) { try await BytesWal.openReadOnly(at: path, configuration: small()) }
                    #expect(try snapshot(path) == before)
                    continue
                }
                #expect(verified.partitions.first { $0.id == 1 }?.tornTail?.lsn == 4)
                let reader = try await BytesWal.openReadOnly(at: path, configuration: small())
                #expect(try reader.partition(1).lastLSN == 3)
                try await reader.close()
                #expect(try snapshot(path) == before)
                let wal = try await BytesWal.open(at: path, configuration: small())
                // Set aside and not removed, for nobody can tell whose it was.
                #expect(try readFile(file + ".aside") == bytes)
                #expect(try await wal.partition(1).append(Payload(record(4)), durability: .synced).lsn == 4)
                try await wal.close()
                #expect(try await !WalVerification.verify(at: path).isDamaged)
            }
        }
    }

    @Test func `is foreign in a removed partition and below a purge`() async throws {
        try await withTemporaryDirectory { path in
            try await Self.write(path)
            let bytes = Rest.zeros.bytes(try readFile(segmentPath(path, 2)))
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(4...6)
            try wal.partition(1).syncAndWait()
            _ = try wal.partition(1).purge(before: 4)
            try await wal.close()
            try writeFile(segmentPath(path, 1, 2), bytes)
            let before = try snapshot(path)
            await expectError(.foreign) { try await BytesWal.open(at: path, configuration: small()) }
            #expect(try snapshot(path) == before)
        }
    }

    @Test func `is set aside when the log is truncated`() async throws {
        try await withTemporaryDirectory { path in
            try await Self.write(path)
            let bytes = Rest.zeros.bytes(try readFile(segmentPath(path, 2)))
            try writeFile(segmentPath(path, 1, 4), bytes)
            var configuration = small()
            configuration.truncate = true
            let wal = try await BytesWal.open(at: path, configuration: configuration)
            #expect(try readFile(segmentPath(path, 1, 4) + ".aside") == bytes)
            #expect(try await wal.partition(1).append(Payload(record(1)), durability: .synced).lsn == 1)
            try await wal.close()
        }
    }
}
