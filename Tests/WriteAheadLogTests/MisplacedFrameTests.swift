import Testing
import WalTesting
import WriteAheadLog

/// A whole frame in another frame's place, as a misdirected write leaves it. A mark frame states where it stands, so that a copy is
/// none; it has as many bytes as the image's records have.
@Suite("A frame in the wrong place", .timeLimit(.minutes(15)))
struct MisplacedFrameTests {
    private static let configuration = BytesWal.Configuration(segmentSize: 64 << 10, codec: .bytes())

    /// A closed log, in which a copy of the mark frame stands in LSN 9's place.
    private static var copiedMark: DamagedLog {
        var marked = MarkedLog("", frames: (5, 8))
        marked.state(13, isClean: true)
        marked.image.segments[2].isSealed = true
        let log = DamagedLog(marked.image).damaged(by: [.frame(2, 0, .duplicate)])
        #expect(log.files[LogImage.path(9)]?[LogImage.dataStart + 15] == 2)
        return log
    }

    @Test("is damage where it stands, also if it is a mark's copy", arguments: [ReadStart.first, .lsn(9)])
    func read(_ start: ReadStart) throws {
        let disk = SimulatedDisk(seed: 1, files: Self.copiedMark.files)
        try disk.run {
            let wal = try await disk.open(Self.configuration)
            let read = try wal.partition(1).readAll(from: start)
            #expect(read.lsns == (start == .first ? Array(1...8) : []))
            let error = read.error
            #expect(error?.code == .corrupt && error?.segment == 9 && error?.lsn == 9)
            #expect(error?.offset == UInt64(LogImage.dataStart), "\(String(describing: error))")
            try await wal.close()
        }
    }

    @Test("is named once by verify, where it stands")
    func verified() throws {
        let found = try #require(try SimulatedDisk(seed: 1, files: Self.copiedMark.files).verify().partitions.first)
        #expect(found.damage.count == 1, "\(found.damage)")
        #expect(found.damage.first?.code == .corrupt && found.damage.first?.lsn == 9)
        #expect(found.damage.first?.offset == UInt64(LogImage.dataStart))
        #expect(found.records == 12)
    }

    @Test("above the mark is where a crash tore the log, also for verify")
    func torn() throws {
        let marked = MarkedLog("", frames: (5, 8))
        let log = DamagedLog(marked.image).damaged(by: [.frame(2, 2, .duplicate)])
        let disk = SimulatedDisk(seed: 1, files: log.files)
        let found = try #require(try disk.verify().partitions.first)
        #expect(found.damage.allSatisfy { $0.lsn == nil }, "\(found.damage)")
        #expect(found.tornTail?.lsn == 10 && found.tornTail?.offset == UInt64(log.segments[2].frames[2].offset))
        try disk.run {
            let wal = try await disk.open(Self.configuration)
            #expect(try wal.partition(1).lastLSN == 9)
            try await wal.close()
        }
    }

    /// In the place of a batch, which is longer.
    @Test("is damage, not a frame of a newer format, if it is a footer")
    func footer() throws {
        var marked = MarkedLog("")
        marked.state(13)
        var files = marked.image.files()
        let offset = LogImage.dataStart + 96
        let footer = LogImage.footer(count: 2, last: 2, at: offset, marked.image.segments[0].salt)
        files[LogImage.path(1)]?.replaceSubrange(offset..<(offset + 56), with: footer[..<56])
        let disk = SimulatedDisk(seed: 1, files: files)
        #expect(try disk.verify().damage.contains { $0.code == .corrupt && $0.segment == 1 && $0.lsn == 3 })
        try disk.run {
            let wal = try await disk.open(Self.configuration)
            let partition = try wal.partition(1)
            var cursor = try partition.entries().makeCursor()
            #expect(try cursor.next()?.lsn == 1)
            #expect(try cursor.next()?.lsn == 2)
            let error = await expectError(.corrupt) { try cursor.next() }
            #expect(error?.segment == 1 && error?.offset == UInt64(offset) && error?.lsn == 3)
            try await wal.close()
        }
    }
}
