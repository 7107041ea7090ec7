import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 12: what the format has and no writer of this release writes is read as the `FileFormat` article says.
@Suite("What other writers may write", .timeLimit(.minutes(15)))
struct FormatSampleTests {
    private static let configuration = BytesWal.Configuration(segmentSize: 64 << 10, codec: .bytes())

    private static func configuration(_ check: CheckLevel) -> BytesWal.Configuration {
        var configuration = configuration
        configuration.check = check
        return configuration
    }

    /// LSNs and ranges that are lost, in order; the payloads are those of the image.
    private static func read(
        _ partition: BytesWal.Partition, from start: ReadStart = .first
    ) throws -> (lsns: [UInt64], lost: [ClosedRange<UInt64>]) {
        var cursor = try partition.entries(from: start).makeCursor()
        var lsns: [UInt64] = []
        var lost: [ClosedRange<UInt64>] = []
        while true {
            do throws(WalError) {
                guard let entry = try cursor.next() else { return (lsns, lost) }
                lsns.append(entry.lsn.rawValue)
                if entry.lsn.rawValue <= 12 { #expect(entry.record.bytes == LogImage.payload(entry.lsn.rawValue)) }
            } catch {
                guard error.code == .lost, let first = error.lsn else { throw error }
                let next = cursor.position.lsn.rawValue
                lost.append(first.rawValue...(next - 1))
            }
        }
    }

    @Test("the golden files are the samples", arguments: FormatSamples.all.map(\.name))
    func golden(name: String) throws {
        let image = try #require(FormatSamples.all.first { $0.name == name }).image
        if let path = ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"] {
            for (file, bytes) in image.files() {
                let url = URL(fileURLWithPath: "\(path)/v2-\(name)/\(file)")
                try FileManager.default.createDirectory(
                    at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(bytes).write(to: url)
            }
        }
        let golden = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
        for (file, bytes) in image.files() {
            #expect(try Data(contentsOf: golden.appending(path: "v2-\(name)/\(file)")) == Data(bytes), "\(file)")
        }
    }

    @Test(
        "wrappers, frames without a record and lost ranges", arguments: [CheckLevel.tail, .full],
        [false, true])
    func frames(check: CheckLevel, readOnly: Bool) throws {
        let disk = SimulatedDisk(seed: 1, files: FormatSamples.frames.files())
        let found = try #require(try disk.verify().partitions.first)
        #expect(found.damage.isEmpty && found.remarks.isEmpty && found.isClean, "\(found.damage) \(found.remarks)")
        #expect(found.records == 8 && found.lost == [6...9] && found.lastLSN == 12)
        let configuration = Self.configuration(check)
        try disk.run {
            let wal = try await readOnly ? disk.openReadOnly(configuration) : disk.open(configuration)
            let partition = try wal.partition(1)
            #expect(partition.lastLSN == 12)
            let all = try Self.read(partition)
            #expect(all.lsns == FormatSamples.framesHold && all.lost == [6...9])
            for lsn in 1...12 as ClosedRange<UInt64> {
                let part = try Self.read(partition, from: .lsn(LSN(lsn)))
                #expect(part.lsns == FormatSamples.framesHold.filter { $0 >= lsn })
                #expect(part.lost == (lsn > 9 ? [] : [max(lsn, 6)...9]))
            }
            // Each position leads on.
            var cursor = try partition.entries().makeCursor()
            for _ in 1...5 {
                let entry = try #require(try cursor.next())
                let rest = try Self.read(partition, from: .after(entry.position))
                #expect(rest.lsns == FormatSamples.framesHold.filter { $0 > entry.lsn.rawValue })
            }
            // In one go: what comes before the lost ones.
            var payloads = 0
            let error = await expectError(.lost) {
                try partition.entries().forEachPayload { (_, _) throws(WalError) in payloads += 1 }
            }
            #expect(payloads == 5 && error?.lsn == 6 && error?.message.contains("6 … 9") == true)
            if !readOnly {
                #expect(try await partition.append(Payload(LogImage.payload(1)), durability: .synced).lsn == 13)
                #expect(try Self.read(partition).lsns == FormatSamples.framesHold + [13])
            }
            try await wal.close()
        }
    }

    @Test("without STATE or a footer the frames are read all the same")
    func scanned() throws {
        var image = FormatSamples.frames
        image.states = [nil, nil]
        image.segments[0].isSealed = false
        let disk = SimulatedDisk(seed: 1, files: image.files())
        try disk.run {
            let wal = try await disk.open(Self.configuration)
            #expect(try Self.read(wal.partition(1)).lsns == FormatSamples.framesHold)
            try await wal.close()
        }
        try disk.run {
            let wal = try await disk.open(Self.configuration(.full))
            #expect(try Self.read(wal.partition(1)).lost == [6...9])
            try await wal.close()
        }
        #expect(try disk.verify().damage.isEmpty)
    }

    @Test("a segment whose frames end at a terminator: what stands after it is no damage, is no mark, and is not read")
    func terminated() throws {
        for (durable, isRight) in [(0, true), (2, true), (3, true), (4, false)] as [(UInt64, Bool)] {
            var image = FormatSamples.terminated
            image.states[0]?.durable = durable
            let disk = SimulatedDisk(seed: 1, files: image.files())
            let found = try #require(try disk.verify().partitions.first)
            #expect(found.damage.isEmpty == isRight && found.tornTail == nil && found.records == 3)
            let events = EventLog()
            var configuration = Self.configuration
            configuration.observer = events.observer
            try disk.run { [configuration] in
                guard isRight else {
                    await expectError(.corrupt) { try await disk.open(configuration) }
                    return
                }
                let wal = try await disk.open(configuration)
                #expect(try Self.read(wal.partition(1)).lsns == [1, 2, 3])
                #expect(try wal.partition(1).append(Payload(LogImage.payload(4))).lsn == 4)
                try await wal.close()
            }
            #expect(events.cuts.isEmpty)
            if isRight { #expect(try disk.verify().damage.isEmpty) }
        }
    }

    @Test(
        "its own mark frame after a terminator counts, another's does not; neither a frame nor a terminator is a torn end"
    )
    func evidence() throws {
        var image = FormatSamples.terminated
        let end = LogImage.dataStart + 3 * 48 + 16
        image.segments[0].rest =
            LogImage.frame(.mark(5, end: 12_288), lsn: 6, at: end, FormatSamples.salt, 10) + image.segments[0].rest
        var disk = SimulatedDisk(seed: 1, files: image.files())
        #expect(try disk.verify().damage.map(\.lsn) == [4])
        try disk.run { [disk] in
            let error = await expectError(.corrupt) { try await disk.open(Self.configuration) }
            #expect(error?.lsn == 4)
        }
        var files = FormatSamples.terminated.files()
        files[LogImage.path(1)]?[end - 3] = 1
        disk = SimulatedDisk(seed: 1, files: files)
        #expect(try disk.verify().partitions.first?.tornTail?.lsn == 4)
        try disk.run { [disk] in
            let wal = try await disk.open(Self.configuration)
            #expect(try wal.partition(1).lastLSN == 3)
            try await wal.close()
        }
    }

    @Test("a partition that was removed: its segments are left over, and LSNs go on after those that it gave out")
    func removed() throws {
        let disk = SimulatedDisk(seed: 1, files: FormatSamples.removed.files())
        let found = try #require(try disk.verify().partitions.first)
        #expect(found.damage.isEmpty && found.remarks.count == 2 && found.records == 0)
        let info = try #require(try WalInspection.inspect(at: "log", storage: disk.storage).partitions.first)
        #expect(info.isRemoved && info.segments.isEmpty && info.damage.isEmpty)
        try disk.run {
            let reader = try await disk.openReadOnly(Self.configuration)
            #expect(reader.partitionIDs.isEmpty)
            #expect(try Self.read(reader.partition(1)).lsns.isEmpty)
            try await reader.close()
        }
        for round in 0..<2 as Range<UInt64> {
            try disk.run {
                let wal = try await disk.open(Self.configuration)
                #expect(wal.partitionIDs == (round == 0 ? [] : [1]))
                let partition = try wal.partition(1)
                let receipt = try await partition.append(Payload(LogImage.payload(5 + round)), durability: .synced)
                #expect(receipt.lsn.rawValue == 5 + round && wal.partitionIDs == [1])
                await expectError(.purged) { try partition.entries(from: .lsn(4)).makeCursor() }
                try await wal.close()
            }
            disk.restart()
            #expect(try disk.verify().damage.isEmpty)
        }
        #expect(disk.files().keys.filter { $0.hasSuffix(".wal") }.count == 2)
        // A crash between the opening and the first append changes nothing.
        let crashed = SimulatedDisk(seed: 1, files: FormatSamples.removed.files())
        _ = try crashed.run { try await crashed.open(Self.configuration) }
        let after = crashed.clone(after: .powerLoss, seed: 3) { _ in false }
        try after.run {
            let wal = try await after.open(Self.configuration)
            #expect(wal.partitionIDs.isEmpty)
            try await wal.close()
        }
    }

    @Test("a mark of an older history counts up to where it ended; what is not visible counts as purged")
    func histories() throws {
        let disk = SimulatedDisk(seed: 1, files: FormatSamples.histories.files())
        let found = try #require(try disk.verify().partitions.first)
        #expect(found.durableLSN == 6 && found.lastLSN == 6 && found.damage.isEmpty, "\(found.damage)")
        let info = try #require(try WalInspection.inspect(at: "log", storage: disk.storage).partitions.first)
        #expect(info.firstVisibleLSN == 4 && info.history == 20 && info.incarnation == 20 && info.damage.isEmpty)
        for readOnly in [true, false] {
            try disk.run {
                let wal =
                    try await readOnly
                    ? disk.openReadOnly(Self.configuration(.full)) : disk.open(Self.configuration(.full))
                let partition = try wal.partition(1)
                #expect(partition.firstRetainedLSN == 4)
                #expect(try Self.read(partition).lsns == [4, 5, 6])
                let error = await expectError(.purged) { try partition.entries(from: .lsn(3)).makeCursor() }
                #expect(error?.lsn == 4)
                // Of the records that were taken back.
                let lost = Position(history: 10, lsn: 6, segment: 1, offset: 12_288)
                let refused = await expectError(.positionLost) {
                    try partition.entries(from: .after(lost)).makeCursor()
                }
                #expect(refused?.lsn == 4)
                try await wal.close()
            }
        }
    }

    @Test("records of a history from after it ended are of another time of the log")
    func takenBack() throws {
        var image = FormatSamples.histories
        // As if the later segment were gone and the old one came back with more in it.
        image.segments[0].frames += [.record, .record]
        image.segments.removeLast()
        for durable in [4, 6] as [UInt64] {
            image.states[0]?.durable = durable
            image.states[0]?.isClean = false
            image.states[0]?.floor = 5
            let disk = SimulatedDisk(seed: 1, files: image.files())
            let found = try #require(try disk.verify().partitions.first)
            #expect(found.damage.isEmpty == (durable == 4))
            try disk.run {
                guard durable == 4 else {
                    let error = await expectError(.corrupt) { try await disk.open(Self.configuration) }
                    #expect(error?.lsn == 5)
                    return
                }
                let wal = try await disk.open(Self.configuration)
                #expect(try wal.partition(1).lastLSN == 4)
                try await wal.close()
            }
        }
    }

    @Test("something critical around a record that is not known is a newer format, wherever one comes to it")
    func newer() throws {
        let disk = SimulatedDisk(seed: 1, files: FormatSamples.newer.files())
        #expect(throws: WalError.self) { try disk.verify() }
        try disk.run {
            await expectError(.unsupportedFormat) { try await disk.open(Self.configuration(.full)) }
            let wal = try await disk.openReadOnly(Self.configuration)
            let partition = try wal.partition(1)
            var cursor = try partition.entries().makeCursor()
            #expect(try cursor.next()?.lsn == 1)
            for _ in 0..<2 {
                do throws(WalError) {
                    _ = try cursor.next()
                    Issue.record("it was read")
                } catch {
                    #expect(error.code == .unsupportedFormat && error.lsn == 2)
                }
            }
            try await wal.close()
        }
    }

    @Test("wrappers and lost ranges that do not parse are judged like frames that are not whole")
    func broken() throws {
        let record = LogImage.payload(2)
        func wrapper(_ change: (inout [UInt8]) -> Void) -> LogImage.Frame {
            guard
                case .other(let kind, var payload, let takes) = LogImage.Frame.wrapper(
                    0, record, extras: [(0x8001, [1, 2, 3])], takes: 1)
            else { return .record }
            change(&payload)
            return .other(kind, payload, takes: takes)
        }
        var frames: [LogImage.Frame] = [
            wrapper { $0[0] = 2 }, wrapper { $0[0] = 3 }, wrapper { $0[0] = 8 }, wrapper { $0[0] = 9 },
            wrapper { $0[0] = 0x80 }, wrapper { $0[2] = 1 }, wrapper { $0[4] = 0 }, wrapper { $0[4] = 12 },
            wrapper { $0[4] = 24 }, wrapper { $0[7] = 0x80 }, wrapper { $0[10] = 1 }, wrapper { $0[12] = 9 },
            wrapper { $0[15] = 0xFF }, wrapper { $0[20] = 1 }, wrapper { $0.removeLast($0.count - 7) },
            wrapper { $0.removeAll() }, .wrapper(0, record, extras: [], takes: 1),
            .wrapper(0, record, extras: [(0x8001, []), (0x8001, [])], takes: 1),
            .wrapper(1, record, extras: [(0x8001, [])], takes: 1), .wrapper(4, [], extras: [(0x8001, [])], takes: 1),
            .lost(2, 1),
            .other(9, (0..<8).map { $0 < 7 ? 0xFF : 0 }, takes: 1),
            .other(9, [UInt8](repeating: 0xFF, count: 8), takes: 1),
            .other(9, [UInt8](repeating: 1, count: 7), takes: 1),
            .other(9, [UInt8](repeating: 1, count: 16), takes: 1),
        ]
        // An unknown critical type does not excuse what does not parse.
        frames.append(.wrapper(1, record, extras: [(7, [])], takes: 1))
        for (number, frame) in frames.enumerated() {
            var image = LogImage(segments: [
                .init(firstLSN: 1, salt: 5, incarnation: 10, frames: [.record, frame, .record], isSealed: false)
            ])
            for durable in [1, 2] as [UInt64] {
                image.states[0] = .init(sequence: 2, durable: durable, incarnation: 10)
                let disk = SimulatedDisk(seed: 1, files: image.files())
                #expect(try disk.verify().damage.isEmpty == (durable == 1), "frame \(number)")
                try disk.run {
                    guard durable == 1 else {
                        let error = await expectError(.corrupt) { try await disk.open(Self.configuration) }
                        #expect(error?.lsn == 2, "frame \(number)")
                        return
                    }
                    let wal = try await disk.open(Self.configuration)
                    #expect(try wal.partition(1).lastLSN == 1, "frame \(number)")
                    try await wal.close()
                }
            }
        }
    }
}
