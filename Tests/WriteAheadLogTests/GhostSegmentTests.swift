import Testing
import WalTesting
import WriteAheadLog

/// Promise 6: a segment that recovery cut off and that is there again, for a file system forgot that it was removed, does not join
/// the log, though its LSNs would fit by now: its incarnation is older than that of the segment before it.
@Suite("A segment that was cut off and comes back", .timeLimit(.minutes(15)))
struct GhostSegmentTests {
    private static let configuration = BytesWal.Configuration(segmentSize: 64 << 10, codec: .bytes())

    /// LSNs 1 … 4 in incarnation 10, 5 … 8 in 20, and behind them 9 … 13 again from 10.
    private static func haunted(durable: UInt64) -> DamagedLog {
        var marked = MarkedLog("")
        marked.state(durable)
        marked.image.segments[1].incarnation = 20
        marked.image.segments[2].incarnation = 10
        return DamagedLog(marked.image)
    }

    @Test("is cut off again above the mark, as verify says", arguments: [CheckLevel.tail, .full])
    func cut(_ check: CheckLevel) throws {
        var configuration = Self.configuration
        configuration.check = check
        let events = EventLog()
        configuration.observer = events.observer
        let disk = SimulatedDisk(seed: 1, files: Self.haunted(durable: 8).files)
        let found = try #require(try disk.verify().partitions.first)
        #expect(found.damage.isEmpty && found.tornTail?.lsn == 9 && found.tornTail?.segment == 9, "\(found.damage)")
        try disk.run { [configuration] in
            let wal = try await disk.open(configuration)
            #expect(try wal.partition(1).lastLSN == 8)
            try await wal.partition(1).append(Payload([1]), durability: .synced)
            try await wal.close()
        }
        #expect(events.cuts.count == 1 && events.cuts.first?.1 == 9)
    }

    @Test("is an error where a mark says that its LSNs were durable", arguments: [CheckLevel.tail, .full])
    func refused(_ check: CheckLevel) throws {
        var configuration = Self.configuration
        configuration.check = check
        let disk = SimulatedDisk(seed: 1, files: Self.haunted(durable: 9).files)
        let found = try #require(try disk.verify().partitions.first)
        let error = try disk.run { [configuration] in
            await expectError(.corrupt) { try await disk.open(configuration) }
        }
        configuration.onDamage = .quarantine
        try disk.run { [configuration] in
            let wal = try await disk.open(configuration)
            #expect(try wal.partition(1).readAll().lsns == Array(1...8))
            try await wal.close()
        }
        for error in [error, found.damage.first] {
            #expect(error?.segment == 9 && error?.offset == 0 && error?.lsn == 9, "\(String(describing: error))")
        }
    }

    /// An earlier segment says that it holds LSNs with which a later one begins: no crash does that, for recovery removes a segment
    /// durably before another one gets its LSNs. So it is an error above the mark too.
    @Test("is an error where its LSNs are others' by now", arguments: [8, 9] as [UInt64])
    func overlapping(_ durable: UInt64) throws {
        var marked = MarkedLog("")
        marked.state(8)
        var image = marked.image
        image.segments[2].isSealed = true
        var ghost = image.segments[1]
        ghost.firstLSN = 7
        ghost.frames = [.record]
        image.segments.insert(ghost, at: 2)
        image.states[0]?.durable = durable
        let before = image.files()
        let disk = SimulatedDisk(seed: 1, files: before)
        let found = try disk.verify().damage.first
        let error = try disk.run {
            await expectError(.corrupt) { try await disk.open(Self.configuration) }
        }
        for error in [error, found] {
            #expect(error?.segment == 7 && error?.offset == 0 && error?.lsn == 9, "\(String(describing: error))")
        }
        for (path, bytes) in before { #expect((disk.files()[path] == bytes) == true, "\(path) changed") }
    }
}
