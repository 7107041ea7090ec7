internal import CWalShims

/// Steps through the records of a partition, as bytes. One for each reader; not shared between threads.
///
/// It keeps the segment that it is in open, so that a purge can't take it away while it is read.
@usableFromInline
struct RecordCursor {
    let partition: PartitionLog
    let visibility: Visibility
    private let maps: Bool
    private var disabled: SafetyMeasures { partition.shared.settings.disabled }

    /// The LSN of the record that comes next.
    private(set) var nextLSN: UInt64
    private(set) var segment: Segment?
    /// It passed something that is more than records, which who writes the records anew would lose.
    private(set) var hasPassedMore = false
    /// It was entered since somebody set this back: another codec may have written it.
    @usableFromInline var hasNewSegment = false
    private var scanner: FrameScanner
    private var window: ReadWindow?
    private var mapping: (any WalMapping)?
    /// The records of the batch frame that the cursor is in.
    private var batch: BatchReader?
    /// What the codec made of the coded batch that the cursor is in.
    private var expanded: ExpandedBatch?
    /// Expands the coded batches of `segment`; looked for with the first.
    private var expansion: BatchExpansion?
    /// Opens the frames of `segment`, where they are sealed.
    private var opener: (any WalFrameOpener)?
    /// What was in the sealed frame that the cursor is in.
    private var opened: ExpandedBatch?
    /// The frame of the last record.
    private var frameStart: UInt64 = 0
    /// Readers see nothing beyond it; kept from the last look.
    private var visibleEnd = 0
    /// Nor any record beyond this one.
    private var visibleLSN: UInt64 { didSet { plainLSN = opener == nil ? visibleLSN : 0 } }
    /// The same for records in frames that are not sealed: none, where they should be.
    private var plainLSN: UInt64 = 0

    /// Of the last record.
    @usableFromInline private(set) var lsn: UInt64 = 0
    @usableFromInline private(set) var payload = UnsafeRawBufferPointer(start: nil, count: 0)

    /// For a cursor that is in no segment: its scanner's window is empty.
    private static var nowhere: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 16).unsafelyUnwrapped }

    init(partition: PartitionLog, start: ReadStart, visibility: Visibility) throws(WalError) {
        try partition.shared.checkProcess(partition.id)
        self.partition = partition
        self.visibility = visibility
        let settings = partition.shared.settings
        maps = settings.reads == .automatic && !settings.isReadOnly && partition.shared.isMapped
        scanner = FrameScanner(base: Self.nowhere, offset: 0, limit: 0, salt: 0, disabled: [])
        behind = Position(history: 0, lsn: .none, segment: .none, offset: 0)
        visibleLSN = visibility == .appended ? UInt64.max : partition.durable
        var hint: Position?
        switch start.kind {
        case .first:
            nextLSN = partition.firstRetained
        case .lsn(let lsn, let inclusive):
            guard inclusive || lsn < LSN.max else {
                throw WalError(.outOfRange, "there is no LSN behind \(lsn)", partition: partition.id)
            }
            nextLSN = inclusive ? lsn.rawValue : lsn.rawValue + 1
            // The record behind LSN 0 is the first; LSN 0 itself is none.
            if nextLSN == 0 {
                throw WalError(.invalidArgument, "LSNs begin with 1; use `.first`", partition: partition.id)
            }
        case .position(let position):
            try partition.check(position)
            nextLSN = position.lsn.rawValue
            hint = position
        case .record(let lsn, let position):
            try partition.check(position)
            guard lsn == position.lsn else {
                throw WalError(
                    .positionLost, "the position is of LSN \(position.lsn), not of \(lsn)", partition: partition.id,
                    segment: position.segment, offset: position.offset, lsn: position.lsn)
            }
            nextLSN = lsn.rawValue
            hint = position
        }
        while true {
            do throws(WalError) {
                guard try enterNext() else { return }
                try seek(hint)
                return
            } catch {
                // What was the first just now was purged before it could be opened.
                guard case .first = start.kind, error.code == .purged, partition.firstRetained > nextLSN else {
                    throw error
                }
                nextLSN = partition.firstRetained
            }
        }
    }

    /// Where the record after the one that ``advance()`` found starts: what ``position`` says then, kept up to date.
    @usableFromInline private(set) var behind: Position

    /// Where the record after the last one starts.
    var position: Position {
        guard let segment else {
            return Position(
                history: partition.withLock { partition.hot.pointee.history }, lsn: LSN(nextLSN), segment: LSN(nextLSN),
                offset: FileFormat.dataStart)
        }
        let inBatch = (batch?.remaining ?? 0) > 0
        return Position(
            history: segment.header.history, lsn: LSN(nextLSN), segment: LSN(segment.firstLSN),
            offset: inBatch ? frameStart : UInt64(scanner.offset))
    }

    // MARK: Segments

    /// Goes to the segment that holds `nextLSN`; false where there is none yet.
    private mutating func enterNext() throws(WalError) -> Bool {
        try partition.shared.checkProcess(partition.id)
        var replacements = 0
        while true {
            guard case .segment(let next) = try partition.segment(holding: nextLSN) else { return false }
            do throws(WalError) {
                try enter(next)
                return true
            } catch {
                if error.code == .segmentReplaced {
                    // Whoever recompressed it holds this lock until the new one is known.
                    partition.state.withLock { _ in }
                    replacements += 1
                    guard replacements < 1_000 else { throw error.at(partition: partition.id) }
                    if partition.shared.settings.isReadOnly { try partition.refresh() }
                    continue
                }
                if error.isAboutCodec { throw partition.unreadable(error, next) }
                guard error.code == .notFound else { throw error.at(partition: partition.id) }
                // It went since we looked: purged, or empty and made anew. Another process does not tell.
                if partition.shared.settings.isReadOnly { try partition.refresh() }
                guard isGone(next) else {
                    throw WalError(
                        .missing, "the segment file is gone; restore it from a backup", partition: partition.id,
                        segment: LSN(next.firstLSN), lsn: LSN(nextLSN))
                }
            }
        }
    }

    private func isGone(_ segment: Segment) -> Bool {
        partition.withLock { !partition.segments.reversed().contains { $0 === segment } }
    }

    /// The segment was taken away while the cursor stood in it, before anybody here saw it sealed: by another process's purge, or
    /// because it held no record. What it holds can be read to its end.
    private mutating func leaveGone(_ current: Segment) throws(WalError) {
        if let file = window?.file,
            let footer = try SegmentFile(
                name: current.name, firstLSN: current.firstLSN,
                place: LogPlace(logID: current.header.logID, partition: partition.id), file: file
            ).footer
        {
            partition.withLock { current.setSealed(end: footer.dataEnd, lastLSN: footer.lastLSN) }
            return
        }
        segment = nil
        if try enterNext() { try seek(nil) }
    }

    private mutating func enter(_ next: Segment) throws(WalError) {
        let base: UnsafeRawPointer
        if maps, let mapped = try readableMapping(of: next) {
            base = UnsafeRawPointer(mapped.base)
            opener = try partition.opener(next.header) {
                Array(UnsafeRawBufferPointer(start: base, count: FileFormat.headerSize))
            }
            (mapping, window) = (mapped, nil)
        } else {
            let file = try partition.openDirectory().openFile(next.name, .read)
            try next.check(file)
            opener = try partition.opener(next.header) { () throws(WalError) in
                try file.read(FileFormat.headerSize, at: 0)
            }
            let opened = ReadWindow(file: file)
            (mapping, window, base) = (nil, opened, opened.base)
        }
        plainLSN = opener == nil ? visibleLSN : 0
        segment = next
        hasNewSegment = true
        behind.history = next.header.history
        behind.segment = LSN(next.firstLSN)
        batch = nil
        expansion = nil
        visibleEnd = 0
        scanner = FrameScanner(
            base: base, offset: Int(FileFormat.dataStart), limit: 0, salt: next.header.salt, disabled: disabled)
    }

    /// A mapping that reaches as far as the file may grow; it needs no descriptor. The segment that is written has one.
    /// Nil where there is no address space for it: then it is read.
    private func readableMapping(of next: Segment) throws(WalError) -> (any WalMapping)? {
        let (atHand, capacity) = partition.withLock { (next.mapping, next.capacity) }
        if let atHand { return atHand }
        let file = try partition.openDirectory().openFile(next.name, .read)
        defer { file.close() }
        // By the file, not the mapping: it may be shorter than it should be.
        try next.check(file)
        do throws(WalError) {
            return try file.map(count: max(capacity, Int(FileFormat.dataStart)), writable: false)
        } catch {
            guard error.saysNothingOfData else { throw error }
            return nil
        }
    }

    /// Moves to `nextLSN` within the segment just entered: by the hint where it is right, else by the sparse index.
    private mutating func seek(_ hint: Position?) throws(WalError) {
        guard let segment else { return }
        let end = segment.publishedEnd
        if let hint, hint.segment.rawValue == segment.firstLSN, hint.offset >= FileFormat.dataStart, hint.offset <= end,
            hint.offset % 8 == 0
        {
            move(to: Int(hint.offset))
            if hint.offset == end, partition.withLock({ partition.hot.pointee.nextLSN }) == nextLSN { return }
            let target = nextLSN
            if try findFrame(holding: target) { return }
        }
        if segment.firstLSN == nextLSN {
            move(to: Int(FileFormat.dataStart))
            return
        }
        let places = try indexEntries(of: segment)
        var low = 0
        var high = places.count
        while low < high {
            let middle = (low + high) / 2
            if places[middle].lsn <= nextLSN { low = middle + 1 } else { high = middle }
        }
        move(to: low > 0 ? Int(places[low - 1].offset) : Int(FileFormat.dataStart))
        let target = nextLSN
        guard try skip(to: target, from: low > 0 ? places[low - 1].lsn : segment.firstLSN) else {
            throw corrupt("the index leads to another record")
        }
    }

    private func indexEntries(of segment: Segment) throws(WalError) -> [IndexEntry] {
        if !segment.isSealed {
            return partition.withLock { partition.active === segment ? partition.index : [] }
        }
        let directory = try partition.openDirectory()
        let file: any WalFile
        do throws(WalError) {
            file = try directory.openFile(segment.name, .read)
        } catch {
            // Purged since; what is mapped can be read without its index.
            if error.code == .notFound { return [] }
            throw error
        }
        let found = try SegmentFile(
            name: segment.name, firstLSN: segment.firstLSN,
            place: LogPlace(logID: segment.header.logID, partition: partition.id), file: file)
        // Without a footer (a quarantined partition), and where it was recompressed since, from the start.
        guard found.header?.salt == segment.header.salt else { return [] }
        return found.footer?.index ?? []
    }

    /// Goes to an offset that may lie before what the window holds.
    private mutating func move(to offset: Int) {
        scanner.offset = offset
        scanner.limit = offset
    }

    /// Whether the frame at the current offset holds `target`; if so, the cursor stands before that record.
    private mutating func findFrame(holding target: UInt64) throws(WalError) -> Bool {
        let before = scanner.offset
        while true {
            guard try refresh(wanted: FileFormat.frameHeaderSize) else {
                move(to: before)
                return false
            }
            switch scanner.step() {
            case .frame:
                switch scanner.content {
                case .mark, .skipped: continue
                case .records(let frame) where scanner.lsn <= target && target - scanner.lsn < frame.records:
                    try open(target, in: frame)
                    return true
                case .lost(let last) where scanner.lsn <= target && target <= last:
                    stand(before: target)
                    return true
                default:
                    move(to: before)
                    return false
                }
            case .beyondWindow(let wanted):
                guard try refresh(wanted: wanted) else {
                    move(to: before)
                    return false
                }
            case .blank, .bad:
                move(to: before)
                return false
            }
        }
    }

    /// Reads on from the current offset up to the record `target`; false where another comes first.
    private mutating func skip(to target: UInt64, from first: UInt64) throws(WalError) -> Bool {
        // The LSN that comes next on the way: what is damaged, if something is.
        var here = first
        while true {
            guard try refresh(wanted: FileFormat.frameHeaderSize) else {
                // The end: fine if the record is the one that comes next.
                return true
            }
            switch scanner.step() {
            case .frame:
                switch scanner.content {
                case .mark, .skipped, .footer: continue
                case .bad: return false
                case .newer(let what): throw newer(what)
                case .lost(let last):
                    guard scanner.lsn <= target else { return false }
                    if target <= last {
                        stand(before: target)
                        return true
                    }
                    here = last + 1
                case .records(let frame):
                    guard scanner.lsn <= target else { return false }
                    if target - scanner.lsn < frame.records {
                        try open(target, in: frame)
                        return true
                    }
                    here = scanner.lsn + frame.records
                }
            case .beyondWindow(let wanted):
                guard try refresh(wanted: wanted) else {
                    throw corrupt("a frame runs over the end of what was written", lsn: here)
                }
            case .blank, .bad:
                throw corrupt("a frame is not what was written: length, checksum or LSN is wrong", lsn: here)
            }
        }
    }

    /// Puts the cursor before `target`, and before the frame just read.
    private mutating func stand(before target: UInt64) {
        nextLSN = target
        scanner.offset = scanner.frameOffset
    }

    /// Puts the cursor before `target`, which the frame just read holds.
    private mutating func open(_ target: UInt64, in frame: RecordFrame) throws(WalError) {
        frameStart = UInt64(scanner.frameOffset)
        let isRecord = frame.kind == FrameKind.record || frame.kind == FrameKind.sealedRecord
        guard !isRecord else { return stand(before: target) }
        nextLSN = target
        let (kind, content) = try content(of: frame)
        guard var records = try records(of: kind, content) else { return stand(before: target) }
        for _ in scanner.lsn..<target { _ = records.next() }
        batch = records
    }

    private mutating func newer(_ what: String) -> WalError {
        scanner.offset = scanner.frameOffset
        return WalError(
            .unsupportedFormat, what, partition: partition.id, segment: segment.map { LSN($0.firstLSN) },
            offset: UInt64(scanner.frameOffset), lsn: LSN(nextLSN))
    }

    /// What the frame of records just read holds, as if it had not been sealed.
    private mutating func content(
        of frame: RecordFrame
    ) throws(WalError) -> (kind: UInt8, payload: UnsafeRawBufferPointer) {
        let (kind, payload) = (frame.kind, frame.payload)
        guard let segment, FrameKind.isSealed(kind) || opener != nil else { return (kind, payload) }
        guard let opener else {
            guard try partition.knowsCodec(segment.header) else { throw PartitionLog.needsCodec(segment.header) }
            scanner.offset = scanner.frameOffset
            throw corrupt("a sealed frame, in a segment of the codec \(segment.header.codecName), which seals none")
        }
        guard FrameKind.isSealed(kind) else {
            scanner.offset = scanner.frameOffset
            throw WalError(
                .notAuthentic,
                "a frame that is not sealed stands in a segment of sealed ones: somebody changed the file",
                partition: partition.id, segment: LSN(segment.firstLSN), offset: UInt64(scanner.frameOffset),
                lsn: LSN(scanner.lsn))
        }
        // A copy of this cursor may still look at what the last one held.
        if !isKnownUniquelyReferenced(&self.opened) { self.opened = nil }
        let opened = self.opened ?? ExpandedBatch()
        self.opened = opened
        opened.bytes.reset()
        var sealed = payload
        if kind != FrameKind.sealedRecord {
            opened.bytes.write(bytes: UnsafeRawBufferPointer(rebasing: payload[..<4]))
            sealed = UnsafeRawBufferPointer(rebasing: payload[4...])
        }
        let plain = WalSealedFrame(
            lsn: LSN(scanner.lsn), kind: kind, recordCount: UInt32(truncatingIfNeeded: frame.records),
            wrapping: Array(frame.wrapping))
        do throws(WalError) {
            try opener.open(sealed, plain, into: &opened.bytes)
        } catch {
            scanner.offset = scanner.frameOffset
            throw error.at(
                partition: partition.id, segment: LSN(segment.firstLSN), offset: UInt64(scanner.frameOffset),
                lsn: LSN(scanner.lsn))
        }
        return (FrameKind.opened(kind), opened.bytes.bytes)
    }

    /// The records of the batch frame just read; nil where it is no batch.
    private mutating func records(of kind: UInt8, _ payload: UnsafeRawBufferPointer) throws(WalError) -> BatchReader? {
        guard kind == FrameKind.codedBatch else { return BatchReader(payload: payload) }
        guard let segment, let count = BatchReader.codedCount(payload) else { return nil }
        let expansion: BatchExpansion
        if let known = self.expansion { expansion = known } else { expansion = try partition.expansion(segment.header) }
        self.expansion = expansion
        // A copy of this cursor may still look at what the last one held.
        if !isKnownUniquelyReferenced(&expanded) { expanded = ExpandedBatch() }
        guard let expanded else { return nil }
        expanded.bytes.reset()
        var stored = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(rebasing: payload[4...]))
        do throws(WalError) {
            try expansion(&stored, &expanded.bytes)
        } catch {
            throw error.at(partition: partition.id, segment: LSN(segment.firstLSN), lsn: LSN(scanner.lsn))
        }
        guard let records = BatchReader(records: expanded.bytes.bytes, count: count) else {
            throw WalError(
                .decoding, "a batch of \(count) records that the codec expands to something else",
                partition: partition.id, segment: LSN(segment.firstLSN), offset: UInt64(scanner.frameOffset),
                lsn: LSN(scanner.lsn))
        }
        return records
    }

    private func corrupt(_ message: String, lsn: UInt64? = nil) -> WalError {
        WalError(
            .corrupt, "\(message). Restore the segment from a backup", partition: partition.id,
            segment: segment.map { LSN($0.firstLSN) }, offset: UInt64(scanner.offset),
            lsn: LSN(lsn ?? nextLSN))
    }

    // MARK: Stepping

    /// Sees to it that `wanted` bytes from the scanner's offset are in its window; false where so much is not visible.
    private mutating func refresh(wanted: Int) throws(WalError) -> Bool {
        if scanner.limit - scanner.offset >= wanted { return true }
        guard let segment else { return false }
        visibleEnd = Int(segment.publishedEnd)
        if _slowPath(disabled.contains(.publishedEnd)) { visibleEnd = max(visibleEnd, segment.capacity) }
        guard visibleEnd - scanner.offset >= wanted else { return false }
        if window != nil {
            // A copy of this cursor may still look at what the window holds.
            if !isKnownUniquelyReferenced(&window), let shared = window { window = ReadWindow(file: shared.file) }
            guard let window else { return false }
            let filled = try window.fill(from: scanner.offset, wanted: wanted, limit: visibleEnd)
            scanner.base = window.base
            scanner.limit = filled
            if filled - scanner.offset < wanted { throw corrupt("the file is shorter than what was written to it") }
        } else {
            scanner.limit = visibleEnd
        }
        return true
    }

    /// The next record, in `lsn` and `payload`, the latter valid until the next call; false at the end of what is visible.
    @usableFromInline
    mutating func advance() throws(WalError) -> Bool {
        if _fastPath(batch == nil) {
            let before = scanner.offset
            if case .frame = scanner.step() {
                if _fastPath(scanner.word == nextLSN && nextLSN <= plainLSN) {
                    // The kind of a plain record is 0, so that the word is its LSN.
                    lsn = nextLSN
                    nextLSN &+= 1
                    payload = scanner.payload
                    behind.lsn = LSN(nextLSN)
                    behind.offset = UInt64(truncatingIfNeeded: scanner.offset)
                    return true
                }
                scanner.offset = before
            }
        }
        guard try advanceSlowly() else { return false }
        behind = position
        return true
    }

    /// Calls `body` for each record up to the end of what is visible. The loop works on copies that stay in registers.
    mutating func forEachPayload(_ body: (LSN, RawSpan) throws(WalError) -> Void) throws(WalError) {
        while true {
            if batch != nil {
                guard try advanceSlowly() else { return }
                try body(LSN(lsn), payload.bytes)
                continue
            }
            var frames = scanner
            var next = nextLSN
            let visible = plainLSN
            while true {
                let before = frames.offset
                guard case .frame = frames.step(), frames.word == next, next <= visible else {
                    frames.offset = before
                    break
                }
                next &+= 1
                // A constant of its own: a span of `frames` itself would keep the variable in memory, checked at each access.
                let found = frames.payload
                try body(LSN(frames.word), found.bytes)
            }
            scanner = frames
            nextLSN = next
            guard try advanceSlowly() else { return }
            try body(LSN(lsn), payload.bytes)
        }
    }

    @inline(never)
    private mutating func advanceSlowly() throws(WalError) -> Bool {
        if visibility == .durable { visibleLSN = partition.durable }
        while true {
            if var records = batch {
                if records.remaining > 0 {
                    guard nextLSN <= visibleLSN else { return false }
                    guard let record = records.next() else { throw corrupt("a batch is shorter than it says") }
                    batch = records
                    payload = record
                    lsn = nextLSN
                    nextLSN += 1
                    if records.remaining == 0 { batch = nil }
                    return true
                }
                batch = nil
            }
            guard let current = segment else {
                // Nothing was there when the cursor was made, or behind the last sealed segment.
                guard try enterNext() else { return false }
                try seek(nil)
                continue
            }
            // Read before the end: if it says yes, the end is final.
            let isSealed = current.isSealed
            guard try refresh(wanted: FileFormat.frameHeaderSize) else {
                guard isSealed else {
                    guard !current.isSealed else { continue }
                    guard isGone(current) else { return false }
                    try leaveGone(current)
                    guard segment != nil else { return false }
                    continue
                }
                if scanner.offset < Int(current.publishedEnd) {
                    throw corrupt("the segment ends within a frame")
                }
                guard nextLSN == current.lastLSN + 1 else {
                    throw corrupt("the segment ends before LSN \(current.lastLSN), which it should hold")
                }
                guard try enterNext() else { return false }
                continue
            }
            switch scanner.step() {
            case .beyondWindow(let wanted):
                guard try refresh(wanted: wanted) else {
                    throw corrupt("a frame runs over the end of what was written")
                }
            case .blank, .bad:
                throw corrupt("a frame is not what was written: length or checksum is wrong")
            case .frame:
                let frame: RecordFrame
                switch scanner.content {
                case .records(let found): frame = found
                case .mark, .skipped:
                    guard scanner.lsn == nextLSN else {
                        scanner.offset = scanner.frameOffset
                        throw corrupt("a mark, or another frame without a record, stands where it was not written")
                    }
                    if scanner.kind != FrameKind.mark { hasPassedMore = true }
                    continue
                case .lost(let last):
                    guard scanner.lsn <= nextLSN, nextLSN <= last else {
                        scanner.offset = scanner.frameOffset
                        throw corrupt(
                            "a note of lost records from LSN \(scanner.lsn) on stands where it was not written")
                    }
                    hasPassedMore = true
                    guard last <= visibleLSN else {
                        scanner.offset = scanner.frameOffset
                        return false
                    }
                    let first = nextLSN
                    nextLSN = last + 1
                    behind = position
                    throw WalError(
                        .lost,
                        "the records with LSN \(first) … \(last) were lost before salvage wrote this log; read again to go on with LSN \(last + 1)",
                        partition: partition.id, segment: LSN(current.firstLSN), offset: UInt64(scanner.frameOffset),
                        lsn: LSN(first))
                case .footer:
                    scanner.offset = scanner.frameOffset
                    throw corrupt("a footer stands where a record should")
                case .bad:
                    scanner.offset = scanner.frameOffset
                    throw corrupt("a frame does not hold what it states, or was not written where it stands")
                case .newer(let what): throw newer(what)
                }
                guard scanner.lsn == nextLSN else {
                    scanner.offset = scanner.frameOffset
                    throw corrupt("a frame of LSN \(scanner.lsn) stands where another should")
                }
                guard nextLSN <= visibleLSN else {
                    scanner.offset = scanner.frameOffset
                    return false
                }
                if !frame.wrapping.isEmpty { hasPassedMore = true }
                frameStart = UInt64(scanner.frameOffset)
                let (kind, content) = try content(of: frame)
                if kind != FrameKind.record {
                    guard let records = try records(of: kind, content) else {
                        throw corrupt("a batch is shorter than it says")
                    }
                    batch = records
                    continue
                }
                payload = content
                lsn = nextLSN
                nextLSN += 1
                return true
            }
        }
    }
}

/// What a codec made of a coded batch: each record's length and bytes.
private final class ExpandedBatch {
    var bytes = WalEncoder()
}
