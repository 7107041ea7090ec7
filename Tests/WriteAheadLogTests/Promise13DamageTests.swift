import Testing
import WalTesting
import WriteAheadLog

/// Promise 13: damage stays local. What was durable is not read by opening; it is an error when it is read, and for `verify` and
/// `check: .full`.
@Suite("Promise 13: damage stays local", .timeLimit(.minutes(15)))
struct Promise13DamageTests {
    /// A frame of a sealed segment, and the LSN that can't be read because of it.
    struct Row: Sendable {
        let segment: Int
        let frame: Int
        let lsn: UInt64
        var first: UInt64 { MarkedLog.segments[segment].first }

        /// With the batch's second record, and the frame of a mark, which takes the record behind it with it.
        static let all = [
            Row(segment: 0, frame: 0, lsn: 1), Row(segment: 0, frame: 1, lsn: 2), Row(segment: 0, frame: 2, lsn: 3),
            Row(segment: 1, frame: 0, lsn: 5), Row(segment: 1, frame: 1, lsn: 6), Row(segment: 1, frame: 2, lsn: 6),
            Row(segment: 1, frame: 3, lsn: 7),
        ]

        /// All 13 records were durable, and the last segment was written to when the process was killed.
        var log: DamagedLog {
            var marked = MarkedLog("", frames: (5, 9))
            marked.state(13)
            return DamagedLog(marked.image).damaged(by: [.frame(segment, frame, .payloadBit)])
        }
        var offset: UInt64 { UInt64(log.segments[segment].frames[frame].offset) }
    }

    private static func configuration(
        _ check: CheckLevel, _ onDamage: DamagePolicy = .throw
    ) -> BytesWal.Configuration {
        BytesWal.Configuration(segmentSize: 64 << 10, codec: .bytes(), onDamage: onDamage, check: check)
    }

    private static func expectPlace(
        _ error: WalError?, _ row: Row, _ location: SourceLocation = #_sourceLocation
    ) {
        let isRight =
            error?.code == .corrupt && error?.partition == 1 && error?.segment?.rawValue == row.first
            && error?.offset == row.offset && error?.lsn?.rawValue == row.lsn
        #expect(isRight, "\(String(describing: error))", sourceLocation: location)
    }

    private static func lsns(
        _ partition: BytesWal.Partition, from start: ReadStart = .first
    ) -> (found: [UInt64], error: WalError?) {
        var found: [UInt64] = []
        do throws(WalError) {
            var cursor = try partition.entries(from: start).makeCursor()
            while let entry = try cursor.next() {
                #expect(entry.record.bytes == LogImage.payload(entry.lsn.rawValue))
                found.append(entry.lsn.rawValue)
            }
            return (found, nil)
        } catch {
            return (found, error)
        }
    }

    @Test(
        "opening does not see it; reading goes up to it and names it; what is behind it can be read", arguments: Row.all
    )
    func reading(_ row: Row) throws {
        let disk = SimulatedDisk(seed: 1, files: row.log.files)
        try disk.run {
            let wal = try await disk.open(Self.configuration(.tail))
            let partition = try wal.partition(1)
            let (found, error) = Self.lsns(partition)
            #expect(found == Array(1..<row.lsn))
            Self.expectPlace(error, row)
            // Segments behind it, and new records.
            try await partition.append(Payload(LogImage.payload(14)), durability: .synced)
            let behind = MarkedLog.segments[row.segment].last + 1
            #expect(Self.lsns(partition, from: .lsn(LSN(behind))).found == Array(behind...14))
            try await wal.close()
        }
        // The sealed file is not touched.
        let path = LogImage.path(row.first)
        #expect((disk.files()[path] == row.log.files[path]) == true)
    }

    @Test("reading from a record behind it names it, not that record", arguments: Row.all)
    func readingFromBehind(_ row: Row) throws {
        let disk = SimulatedDisk(seed: 1, files: row.log.files)
        try disk.run {
            let wal = try await disk.open(Self.configuration(.tail))
            let partition = try wal.partition(1)
            let start = LSN(MarkedLog.segments[row.segment].last)
            let (found, error) = Self.lsns(partition, from: .lsn(start))
            #expect(found == [])
            Self.expectPlace(error, row)
            try await wal.close()
        }
    }

    @Test("verify names it and counts the rest", arguments: Row.all)
    func verify(_ row: Row) throws {
        let found = try #require(try SimulatedDisk(seed: 1, files: row.log.files).verify().partitions.first)
        #expect(found.damage.count == 1, "\(found.damage)")
        Self.expectPlace(found.damage.first, row)
        let records = row.log.segments[row.segment].frames[row.frame].records
        #expect(found.records == 13 - records)
    }

    @Test("a full check refuses it and changes nothing; in quarantine it can be read up to it", arguments: Row.all)
    func fullCheck(_ row: Row) throws {
        let disk = SimulatedDisk(seed: 1, files: row.log.files)
        try disk.run {
            Self.expectPlace(await expectError(.corrupt) { try await disk.open(Self.configuration(.full)) }, row)
            let wal = try await disk.open(Self.configuration(.full, .quarantine))
            let partition = try wal.partition(1)
            #expect(Self.lsns(partition).found == Array(1..<row.lsn))
            Self.expectPlace(partition.mark.failure, row)
            await expectError(.poisoned) { try partition.append(Payload([])) }
            try await wal.close()
        }
        for (path, bytes) in row.log.files { #expect((disk.files()[path] == bytes) == true, "\(path) changed") }
    }

    /// Whoever replays from the first record must not begin in the middle without a word.
    @Test("in quarantine nothing is read behind a missing beginning")
    func missingBeginning() throws {
        var marked = MarkedLog("")
        marked.state(13)
        let disk = SimulatedDisk(seed: 1, files: DamagedLog(marked.image).damaged(by: [.missing(0)]).files)
        try disk.run {
            let wal = try await disk.open(Self.configuration(.tail, .quarantine))
            let partition = try wal.partition(1)
            #expect(partition.mark.failure?.code == .missing && partition.mark.failure?.lsn == 1)
            #expect(partition.lastLSN == 0)
            #expect(Self.lsns(partition).found == [])
            try await wal.close()
        }
    }
}
