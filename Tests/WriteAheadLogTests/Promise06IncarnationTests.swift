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

    private static let second: UInt64 = 1_000_000_000
    /// 1970, before and at the bounds of what is believed, beyond 2116, and what a clock can't say.
    private static let clocks: [UInt64] = [
        1_800_000_000 * second, 5_680_281_600 * second, 0, 1_800_000_001 * second, 1, 1_577_836_799 * second,
        4_102_444_799 * second, 1_790_000_000 * second, 4_102_444_800 * second, .max, 1_800_000_002 * second, .max,
    ]

    @Test("no clock spoils an incarnation, whatever it says and however it steps", arguments: [true, false])
    func clocks(closes: Bool) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: true, runsClock: true)
            var incarnations: [UInt64] = []
            var positions: [Position] = []
            for (k, clock) in Self.clocks.enumerated() {
                storage.wallClock = clock
                let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
                let partition = try wal.partition(1)
                #expect(partition.lastLSN.rawValue == UInt64(k))
                positions.append(try await partition.append(Payload(record(k)), durability: .synced).position)
                incarnations.append(try Self.header(path, UInt64(k + 1)).incarnation)
                for position in positions { _ = try partition.entries(from: .after(position)).makeCursor() }
                if closes { try await wal.close() }
            }
            #expect(incarnations == Array(Set(incarnations)).sorted())
            #expect(incarnations.last.map { $0 < 1 << 62 } == true)
            let wal = try await BytesWal.open(at: path, configuration: small())
            #expect(try wal.partition(1).readAll().lsns == (1...UInt64(Self.clocks.count)).map { $0 })
            try await wal.close()
            #expect(try WalVerification.verifyAndWait(at: path).damage.isEmpty)
        }
    }

    @Test("an incarnation is the clock where that is plausible and ahead, else a random step, else used up")
    func choice() throws {
        let now = 1_800_000_000 * Self.second
        for random in [0, 12_345, .max] as [UInt64] {
            let timed = try Incarnation.next(after: 5, clock: now, random: random)
            #expect(timed >> 16 == now >> 16 && timed & 0xFFFF == random & 0xFFFF)
            for clock in [0, 1, 1_577_836_800 * Self.second - 1, 4_102_444_800 * Self.second, now - 65_536, .max] {
                let stepped = try Incarnation.next(after: now, clock: clock, random: random)
                #expect(stepped > now && stepped <= now + 1 << 36)
            }
            let largest = FileFormat.largestCounter
            for newest in [largest - 1, largest - 2, largest - 1_000] {
                let last = try Incarnation.next(after: newest, clock: now, random: random)
                #expect(last > newest && last <= largest)
            }
            #expect(throws: WalError.self) { try Incarnation.next(after: largest, clock: now, random: random) }
        }
    }

    @Test("two copies of a log that are both opened do not share an incarnation, whatever the clock says")
    func copies() async throws {
        for clock in [1_800_000_000 * Self.second, 0] {
            try await withTemporaryDirectory { path in
                let storage = FaultyStorage(runsWorkers: true, runsClock: true)
                storage.wallClock = clock
                let wal = try await BytesWal.open(at: path + "/a", configuration: small(), storage: storage)
                try wal.partition(1).append(Payload(record(1)))
                try await wal.close()
                var found: Set<UInt64> = []
                for copy in 1...20 {
                    let copied = "\(path)/copy\(copy)"
                    try FileManager.default.copyItem(atPath: path + "/a", toPath: copied)
                    let wal = try await BytesWal.open(at: copied, configuration: small(), storage: storage)
                    found.insert(try wal.partition(1).append(Payload(record(2))).position.history)
                    try await wal.close()
                }
                // With the clock 16 bits are random, else 36.
                #expect(found.count >= 19)
            }
        }
    }

    @Test("a log whose files state the greatest incarnation can be read, but not be opened for writing")
    func usedUp() throws {
        var image = FormatSamples.frames
        image.segments[0].incarnation = FileFormat.largestCounter
        image.states = [nil, nil]
        let disk = SimulatedDisk(seed: 1, files: image.files())
        try disk.run {
            await expectError(.outOfRange) { try await disk.open(small()) }
            let reader = try await disk.openReadOnly(small())
            #expect(try reader.partition(1).lastLSN == 12)
            try await reader.close()
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
