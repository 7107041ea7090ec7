import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 6: a segment that was cut is ended; what comes next stands in a new one with a new salt and incarnation.
@Suite("Promise 6: nothing is appended to a segment that was cut", .timeLimit(.minutes(15)))
struct Promise06IncarnationTests {
    private static func header(_ path: String, _ segment: UInt64) throws -> SegmentHeader {
        try readFile(segmentPath(path, 1, segment)).withUnsafeBytes { try SegmentHeader(decoding: $0) }
    }

    @Test("after a cut the old segment ends in a footer, and the next has another salt and a later incarnation")
    func newSegment() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { try $0.appendRecords(1...9) }
            var bytes = try readFile(segmentPath(path))
            bytes[frames(of: bytes)[6].lowerBound + 20] ^= 2
            try writeFile(segmentPath(path), bytes)
            let old = try Self.header(path, 1)
            let wal = try await BytesWal.open(at: path, configuration: small())
            let sealed = try readFile(segmentPath(path))
            try wal.partition(1).appendRecords(7...8)
            try await wal.partition(1).sync()
            #expect(try readFile(segmentPath(path)) == sealed)
            let new = try Self.header(path, 7)
            #expect(new.salt != old.salt)
            #expect(new.incarnation > old.incarnation)
            let trailer = Array(sealed.suffix(FileFormat.trailerSize))
            #expect(trailer.withUnsafeBytes { SegmentFooter.footerOffset(trailer: $0, salt: old.salt) } != nil)
            try await wal.close()
        }
    }

    @Test("old whole frames beyond the hole never join in")
    func oldFrames() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { try $0.appendRecords(1...9) }
            let original = try readFile(segmentPath(path))
            let places = frames(of: original)
            // Power is lost: frame 7 never got to the disk, 8 and 9 did.
            var torn = original
            for k in places[6] { torn[k] = 0 }
            try writeFile(segmentPath(path), torn)
            try await abandonedLog(at: path) { partition in
                #expect(partition.lastLSN == 6)
                // Other bytes than the old record 7, of the same length.
                try partition.append(Payload(record(7).map { ~$0 }))
            }
            // The disk gives back the old 8 and 9: behind the cut, and behind the new 7.
            let sealed = try readFile(segmentPath(path))
            var haunted = try readFile(segmentPath(path, 1, 7))
            let end = try #require(frames(of: haunted).last).upperBound
            let ghosts = Array(original[places[7].lowerBound..<places[8].upperBound])
            haunted.replaceSubrange(end..<(end + ghosts.count), with: ghosts)
            try writeFile(segmentPath(path, 1, 7), haunted)
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            #expect(partition.lastLSN == 7)
            var cursor = try partition.entries(from: .lsn(7)).makeCursor()
            #expect(try cursor.next()?.record.bytes == record(7).map { ~$0 })
            #expect(try cursor.next() == nil)
            #expect(try readFile(segmentPath(path)) == sealed)
            try await wal.close()
        }
    }

    @Test("each opening writes in an incarnation of its own")
    func eachOpening() async throws {
        try await withTemporaryDirectory { path in
            var incarnations: [UInt64] = []
            for k in 1...5 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                let receipt = try wal.partition(1).append(Payload(record(k)))
                incarnations.append(receipt.position.history)
                #expect(try Self.header(path, UInt64(k)).incarnation == receipt.position.history)
                if k % 2 == 0 { try await wal.close() }
            }
            #expect(incarnations == Array(Set(incarnations)).sorted())
        }
    }
}
