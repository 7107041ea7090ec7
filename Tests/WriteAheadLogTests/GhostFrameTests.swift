import Testing
import WalTesting
import WriteAheadLog

/// A log of nine records of one size in three segments, of which the first was durable, and a hole at one of the others: what stands
/// behind it is whole, and never part of the log again.
private struct HoledLog: Sendable {
    let original: [String: [UInt8]]
    /// With the hole.
    let files: [String: [UInt8]]
    /// The LSN that is lost, and with it all that follow.
    let hole: UInt64
    let segments: [DamagedLog.Segment]
    let disabled: SafetyMeasures

    static let holes = 2...9 as ClosedRange<UInt64>

    /// - Parameter disabled: a log that was written without that, and goes on without it.
    init(_ hole: UInt64, _ kind: Damage.ToFrame = .zeroed, disabled: SafetyMeasures = []) {
        let salts: [UInt64] = disabled.contains(.salt) ? [1, 1, 1] : [0x1234_5678, 0x9ABC_DEF0, 0x0FED_CBA9]
        var image = LogImage(segments: [
            // The frame of a mark has the size of a record's.
            .init(
                firstLSN: 1, salt: salts[0], incarnation: 10,
                frames: [.record, .record, .mark(1, end: LogImage.dataStart + 48), .record]),
            .init(firstLSN: 4, salt: salts[1], incarnation: 10, frames: [.record, .record, .record]),
            .init(firstLSN: 7, salt: salts[2], incarnation: 10, frames: [.record, .record, .record], isSealed: false),
        ])
        image.states[1] = .init(sequence: 3, durable: 1, incarnation: 10)
        let whole = DamagedLog(image)
        let place = whole.segments.firstIndex { $0.lastLSN >= hole } ?? 0
        let frame = whole.segments[place].frames.lastIndex { $0.lsn == hole } ?? 0
        original = whole.files
        files = whole.damaged(by: [.frame(place, frame, kind)]).files
        self.hole = hole
        segments = whole.segments
        self.disabled = disabled
    }

    var configuration: BytesWal.Configuration {
        var configuration = BytesWal.Configuration(segmentSize: 16 << 10, codec: .bytes())
        configuration.minimumSegmentSize = 16 << 10
        configuration.disabledMeasures = disabled
        return configuration
    }

    /// As long as the old one of that LSN.
    static func payload(_ lsn: UInt64) -> [UInt8] { LogImage.payload(lsn).map { ~$0 } }

    /// The segment in which the hole is.
    var torn: DamagedLog.Segment { segments.last { $0.firstLSN <= hole } ?? segments[0] }

    /// All old frames from an LSN on, one behind the other.
    func oldFrames(from lsn: UInt64) -> [UInt8] {
        segments.flatMap { segment in
            segment.frames.filter { $0.lsn >= lsn && ($0.lsn > lsn || $0.mark == nil) }.flatMap {
                original[segment.path]?[$0.offset..<$0.end] ?? []
            }
        }
    }

    /// What the disk may give back: in the new segment, which got blocks that were the old one's.
    enum Haunting: CaseIterable, Sendable {
        case none
        /// Each byte behind the end is what stood at its place in the torn segment.
        case sameOffsets
        /// Behind the end stand the old frames of the LSNs that come next.
        case nextLSNs
        /// The torn segment is as long as it was. It was durable without that: no crash does it.
        case tornSegment
        /// The segments that were removed are there again. No crash does it.
        case removedSegments

        var isCrash: Bool { self != .tornSegment && self != .removedSegments }
    }

    /// - Parameters:
    ///   - end: of the new frames in the new segment.
    ///   - next: the LSN that comes next.
    func haunted(_ files: [String: [UInt8]], _ haunting: Haunting, end: Int, next: UInt64) -> [String: [UInt8]] {
        var files = files
        let new = LogImage.path(hole)
        func put(_ bytes: some Collection<UInt8>, at offset: Int, in path: String) {
            guard var file = files[path] else { return }
            if file.count < offset + bytes.count {
                file += [UInt8](repeating: 0, count: offset + bytes.count - file.count)
            }
            file.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
            files[path] = file
        }
        switch haunting {
        case .none: break
        case .sameOffsets:
            if let old = original[torn.path], old.count > end { put(old[end...], at: end, in: new) }
        case .nextLSNs: put(oldFrames(from: next), at: end, in: new)
        case .tornSegment:
            // The hole stays one.
            if let old = self.files[torn.path], let now = files[torn.path]?.count, now < old.count, torn.path != new {
                put(old[now...], at: now, in: torn.path)
            }
        case .removedSegments:
            for segment in segments where files[segment.path] == nil { files[segment.path] = self.files[segment.path] }
        }
        return files
    }

    /// The same of what a killed process left.
    func haunted(
        _ disk: SimulatedDisk, _ haunting: Haunting, end: Int, next: UInt64
    ) throws -> [String: [UInt8]] {
        if haunting == .removedSegments {
            // Only behind a segment that is ended can another one follow.
            try disk.run { try await disk.open(configuration).close() }
        }
        return haunted(disk.files(), haunting, end: end, next: next)
    }

    /// Opens what is on the disk and reads it all; nil where it is a log that may be there, else what is wrong.
    ///
    /// - Parameters:
    ///   - least: the last LSN that must be there.
    ///   - most: the last that may.
    func complaint(
        on disk: SimulatedDisk, least: UInt64, most: UInt64, mayRefuse: Bool = false
    ) throws -> String? {
        try disk.run {
            let wal: BytesWal
            do throws(WalError) {
                wal = try await disk.open(configuration)
            } catch {
                return mayRefuse && (error.code == .corrupt || error.code == .missing) ? nil : "open says \(error)"
            }
            var next: UInt64 = 1
            do throws(WalError) {
                let partition = try wal.partition(1)
                var cursor = try partition.entries().makeCursor()
                while let entry = try cursor.next() {
                    guard entry.lsn.rawValue == next else { return "LSN \(entry.lsn) where \(next) should be" }
                    let isOld = entry.record.bytes == LogImage.payload(next)
                    guard isOld == (next < hole), isOld || entry.record.bytes == Self.payload(next) else {
                        return "LSN \(next) is \(isOld ? "the old one" : "foreign")"
                    }
                    next += 1
                }
                guard partition.lastLSN.rawValue + 1 == next else {
                    return "reading ends before \(next), the partition at \(partition.lastLSN)"
                }
                // What comes next gets the next LSN.
                let lsn = try partition.append(Payload(Self.payload(next))).lsn
                guard lsn.rawValue == next else { return "\(lsn) is given out where \(next) should be" }
            } catch {
                return "reading up to \(next) says \(error)"
            }
            return (least + 1...most + 1).contains(next) ? nil : "it ends before \(next), not after \(least)…\(most)"
        }
    }
}

extension ExhaustiveDamageTests {
    /// Promise 6: old frames beyond a hole never join new ones, whatever a crash leaves of them and whenever it comes.
    @Suite("Old frames beyond a hole never join new ones")
    struct GhostFrameTests {
        /// How often an app syncs what it appends.
        enum Syncs: CaseIterable, Sendable { case never, everySecond, always }

        /// Appends behind the hole until all old boundaries are passed, and hands over the disk at each step with the end of the new
        /// frames and how much was synced.
        private static func append(
            to log: HoledLog, _ syncs: Syncs,
            _ body: @escaping @Sendable (SimulatedDisk, Int, UInt64, UInt64) throws -> Void
        ) throws {
            let disk = SimulatedDisk(seed: log.hole, files: log.files)
            disk.exposesFreedBlocks = true
            try disk.run {
                let wal = try await disk.open(log.configuration)
                let partition = try wal.partition(1)
                #expect(partition.lastLSN.rawValue == log.hole - 1)
                var synced = log.hole - 1
                try body(disk, LogImage.dataStart, synced, synced)
                for lsn in log.hole...12 {
                    let record = Payload(HoledLog.payload(lsn))
                    let isSynced = syncs == .always || syncs == .everySecond && lsn % 2 == 0
                    let receipt =
                        isSynced
                        ? try await partition.append(record, durability: .synced) : try partition.append(record)
                    #expect(receipt.lsn.rawValue == lsn && receipt.position.segment.rawValue == log.hole)
                    if isSynced { synced = lsn }
                    try body(disk, Int(receipt.position.offset), lsn, synced)
                }
            }
        }

        @Test(
            "after a crash at every step, whatever the disk gives back", arguments: HoledLog.holes, Syncs.allCases)
        func everyStep(_ hole: UInt64, _ syncs: Syncs) throws {
            for kind in syncs == .never ? [Damage.ToFrame.zeroed, .payloadBit] : [.zeroed] {
                let log = HoledLog(hole, kind)
                try Self.append(to: log, syncs) { disk, end, last, synced in
                    func expect(_ complaint: String?, _ what: String) {
                        if let complaint { Issue.record("\(what) behind LSN \(last), hole \(kind): \(complaint)") }
                    }
                    for haunting in HoledLog.Haunting.allCases {
                        let files = try log.haunted(
                            disk.clone(after: .kill, seed: last), haunting, end: end, next: last + 1)
                        expect(
                            try log.complaint(
                                on: SimulatedDisk(seed: 1, files: files), least: haunting.isCrash ? last : synced,
                                most: last,
                                mayRefuse: !haunting.isCrash), "killed, \(haunting),")
                    }
                    for seed in 0..<2 as Range<UInt64> {
                        let lost = disk.clone(after: .powerLoss, seed: 100 * last + seed)
                        expect(try log.complaint(on: lost, least: synced, most: last), "power lost, seed \(seed),")
                    }
                }
            }
        }

        @Test(
            "when recovery is interrupted before every operation", arguments: HoledLog.holes,
            SimulatedDisk.Crash.allCases)
        func interruptedRecovery(_ hole: UInt64, _ crash: SimulatedDisk.Crash) throws {
            let log = HoledLog(hole)
            for operation in 1...200 {
                let disk = SimulatedDisk(seed: UInt64(operation), files: log.files)
                disk.exposesFreedBlocks = true
                disk.crash(crash, beforeOperation: operation)
                let isDone = try disk.run {
                    do throws(WalError) {
                        _ = try await disk.open(log.configuration)
                        return true
                    } catch {
                        return false
                    }
                }
                disk.restart()
                // Nothing was promised yet: all that was behind the hole may be there again, in any part.
                var files = disk.files()
                // Once STATE calls it closed, it was synced before.
                if operation % 3 > 0, try !isClosed(files) {
                    files = log.haunted(files, .tornSegment, end: 0, next: 0)
                    if operation % 3 > 1 { files = log.haunted(files, .removedSegments, end: 0, next: 0) }
                }
                let haunted = SimulatedDisk(seed: UInt64(operation), files: files)
                let complaint = try log.complaint(on: haunted, least: hole - 1, most: hole - 1)
                #expect(complaint == nil, "before operation \(operation)")
                // One new record is there now; behind it, the old ones again.
                haunted.restart()
                for haunting in [HoledLog.Haunting.sameOffsets, .nextLSNs] {
                    let again = log.haunted(haunted.files(), haunting, end: LogImage.dataStart + 48, next: hole + 1)
                    let complaint = try log.complaint(
                        on: SimulatedDisk(seed: 1, files: again), least: hole, most: hole)
                    #expect(complaint == nil, "before operation \(operation), then \(haunting)")
                }
                if isDone {
                    #expect(operation > 10)
                    return
                }
            }
            Issue.record("recovery takes more than 200 operations")
        }

        private func isClosed(_ files: [String: [UInt8]]) throws -> Bool {
            let state = files[LogImage.statePath] ?? []
            let slots = try LogImage.statePlaces.compactMap { place -> PartitionState? in
                guard state.count >= place + PartitionState.slotSize else { return nil }
                return try state[place..<(place + PartitionState.slotSize)].withUnsafeBytes {
                    try PartitionState(decoding: $0, partition: PartitionID(rawValue: 1), logID: nil)
                }
            }
            return slots.max { $0.sequence < $1.sequence }?.isClean ?? false
        }

        /// Crashes and recoveries one after the other, with the old frames given back each time, until the new records are as many.
        @Test("after many crashes in a row", arguments: HoledLog.holes, 0..<4 as Range<UInt64>)
        func manyCrashes(_ hole: UInt64, _ seed: UInt64) throws {
            let log = HoledLog(hole)
            var random = SeededGenerator(seed: 1_000 * hole + seed)
            var files = log.files
            var last = hole - 1
            for round in 0..<8 {
                let disk = SimulatedDisk(seed: random.next(), files: files)
                let start = last
                let count = UInt64(1 + random.next() % 3)
                let end = try disk.run {
                    let partition = try await disk.open(log.configuration).partition(1)
                    #expect(partition.lastLSN.rawValue == start, "in round \(round)")
                    var end = 0
                    for lsn in (start + 1)...(start + count) {
                        end = Int(try partition.append(Payload(HoledLog.payload(lsn))).position.offset)
                    }
                    return end
                }
                last += count
                disk.restart()
                // The newest segment is the one that begins behind what was there.
                files = disk.files()
                let newest = LogImage.path(start + 1)
                if var bytes = files[newest] {
                    let ghosts = random.next() % 2 == 0 ? log.oldFrames(from: last + 1) : log.oldFrames(from: hole)
                    bytes.replaceSubrange(end..<max(end, min(bytes.count, end + ghosts.count)), with: ghosts)
                    files[newest] = bytes
                }
                let complaint = try log.complaint(on: SimulatedDisk(seed: 1, files: files), least: last, most: last)
                #expect(complaint == nil, "in round \(round)")
            }
        }

        @Test(
            "without salts, or incarnations, they would: the tests above notice",
            arguments: [SafetyMeasures.salt, .incarnation])
        func measures(_ measure: SafetyMeasures) throws {
            let noticed = Locked(false)
            for hole in HoledLog.holes {
                let log = HoledLog(hole, disabled: measure)
                try Self.append(to: log, .never) { disk, end, last, _ in
                    for haunting in HoledLog.Haunting.allCases {
                        let files = try log.haunted(
                            disk.clone(after: .kill, seed: last), haunting, end: end, next: last + 1)
                        let complaint = try log.complaint(
                            on: SimulatedDisk(seed: 1, files: files), least: hole - 1, most: .max - 1, mayRefuse: true)
                        if complaint?.contains("the old one") == true { noticed.withLock { $0 = true } }
                    }
                }
            }
            #expect(noticed.withLock { $0 })
        }
    }
}
