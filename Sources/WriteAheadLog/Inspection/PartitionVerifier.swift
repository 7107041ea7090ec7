/// Checks one partition, segment by segment.
///
/// As in recovery, the greatest mark decides: a place that can't be read is damage where a mark says that the records there
/// were durable, and beyond it the torn end that a crash leaves.
struct PartitionVerifier {
    /// More damage than this in one partition is not listed.
    private static let damageLimit = 1000

    private let look: PartitionLook
    private let progress: (UInt64) -> Void
    private let state: PartitionState?
    /// Their files are closed, for there may be more of them than the process may have open.
    private let segments: [SegmentFile]
    private var result: WalVerification.Partition

    /// The LSN that comes next.
    private var next: UInt64 = 1
    /// The greatest LSN that anything calls durable.
    private var durable: UInt64
    /// What was known to be durable before this look began. Beside a writer nothing else is held against what is found.
    private let known: UInt64
    /// Something can't be read that was called durable only meanwhile: another look tells.
    private var isUnsettled = false
    /// Everything behind the first bad place was searched for marks.
    private var isSurveyed = false
    /// Mark frames after that place say that its segment was durable up to here.
    private var markedEnd: UInt64 = 0
    private var bytesDone: UInt64 = 0
    /// A copy ends where it can't be read on.
    private var isPrefix = false

    static func verify(
        _ id: PartitionID, _ log: LogFiles, _ progress: (UInt64) -> Void
    ) throws(WalError) -> WalVerification.Partition {
        try withoutActuallyEscaping(progress) { (progress) throws(WalError) in
            var known: UInt64 = 0
            var rounds = 0
            while true {
                rounds += 1
                do throws(WalError) {
                    let look = try log.look(at: id, readsAllMarks: true)
                    var verifier = PartitionVerifier(look, known: max(known, look.durable), progress)
                    try verifier.run()
                    guard verifier.isUnsettled, rounds < 100 else { return verifier.result }
                    known = max(known, verifier.durable)
                } catch {
                    // A writer purged or recompressed a segment meanwhile.
                    guard error.code == .notFound || error.code == .segmentReplaced, rounds < 100 else { throw error }
                }
            }
        }
    }

    private init(_ look: PartitionLook, known: UInt64, _ progress: @escaping (UInt64) -> Void) {
        self.look = look
        self.known = known
        self.progress = progress
        state = look.evidence.state
        segments = look.files
        durable = look.durable
        result = WalVerification.Partition(id: look.evidence.id)
    }

    private mutating func run() throws(WalError) {
        if let refusal = look.evidence.refusal {
            // Nothing can be said about what a newer release wrote.
            if refusal.finding == .newer { throw refusal.error }
            note(refusal.error)
            return
        }
        if let error = look.error, error.code == .foreign {
            note(error)
            return
        }
        try readSlots()
        for leftover in look.evidence.leftovers where !leftover.isPrepared {
            remark(
                "\(leftover.name) is left over from a \(state?.isRemoved == true ? "removal" : "purge or a truncation")"
            )
        }
        for (_, error) in look.evidence.unreadable { note(error) }
        result.bytes = segments.reduce(0) { $0 + $1.size }
        result.segments = segments.count
        next = state?.firstExpected ?? 1
        if look.isCopy, let first = segments.first, first.firstLSN > next { next = first.firstLSN }
        var isWhole = true
        for place in segments.indices {
            isWhole = try check(place)
            bytesDone += segments[place].size
            if !isWhole { break }
        }
        if isWhole, next <= min(durable, known) {
            if RecoveryTable.verdict(.end, isMarked: true, isCopy: look.isCopy) == .prefix {
                remarkPrefix()
            } else {
                damage(
                    .missing, "records up to LSN \(durable) were durable, but the files end before LSN \(next)",
                    segment: segments.last?.footer == nil ? segments.last?.firstLSN : next, lsn: next)
            }
        } else if isWhole, next <= durable {
            isUnsettled = true
        }
        result.durableLSN = LSN(durable)
        judgeState()
        // Whatever keeps the log from being opened is damage here too.
        if let error = look.error, result.damage.isEmpty { note(error) }
        result.isClean =
            state?.isClean == true && result.damage.isEmpty && result.tornTail == nil && !isPrefix
            && durable + 1 == next
            && segments.allSatisfy { $0.footer != nil }
    }

    private mutating func remarkPrefix() {
        guard !isPrefix else { return }
        isPrefix = true
        remark(
            "the files are a copy of different moments: it ends before LSN \(next), and opening it for writing sets aside what comes after"
        )
    }

    // MARK: Notes

    private mutating func damage(
        _ code: WalError.Code, _ message: String, segment: UInt64? = nil, offset: UInt64? = nil, lsn: UInt64? = nil
    ) {
        note(error(code, message, segment, offset, lsn))
    }

    private mutating func note(_ error: WalError) {
        if result.damage.count < Self.damageLimit { result.damage.append(error) }
    }

    private mutating func remark(_ message: String, segment: UInt64? = nil, offset: UInt64? = nil) {
        result.remarks.append(error(.corrupt, message, segment, offset, nil))
    }

    private func error(
        _ code: WalError.Code, _ message: String, _ segment: UInt64?, _ offset: UInt64?, _ lsn: UInt64?
    ) -> WalError {
        WalError(
            code, message, partition: look.evidence.id, segment: segment.map { LSN($0) }, offset: offset,
            lsn: lsn.map { LSN($0) })
    }

    // MARK: STATE

    private var brokenSlots: [UInt64] = []

    private mutating func readSlots() throws(WalError) {
        let file: any WalFile
        do throws(WalError) {
            file = try look.directory.openFile(FileFormat.stateFileName, .read)
        } catch {
            guard error.code == .notFound else { throw error }
            return
        }
        defer { file.close() }
        for place in PartitionState.slotOffsets {
            let bytes = try file.read(PartitionState.slotSize, at: place)
            guard bytes.contains(where: { $0 != 0 }) else { continue }
            let slot = try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
                try PartitionState(
                    decoding: UnsafeRawBufferPointer(bytes), partition: look.evidence.id,
                    logID: look.evidence.place.logID)
            }
            if slot == nil { brokenSlots.append(place) }
        }
    }

    /// Once it is known what was durable.
    private mutating func judgeState() {
        for place in brokenSlots {
            if state == nil, durable > 0 {
                damage(.corrupt, "no slot of STATE is what was written, though records were durable", offset: place)
            } else {
                // A crash may tear the slot that is being written; what it replaces is in the other one.
                remark("one of the two slots of STATE is not what was written; the other one counts", offset: place)
            }
        }
        if state == nil, durable > 0, brokenSlots.isEmpty {
            damage(.missing, "the file STATE is gone or empty, though records were durable")
        }
    }

    /// What a mark calls durable and was not taken back since.
    private func counted(_ mark: SegmentMark) -> UInt64 { state?.durable(by: mark) ?? mark.durable }

    // MARK: Segments

    /// Something can't be read at `offset`, where LSN `next` should be: true where that is damage.
    private mutating func gap(
        _ finding: Finding, _ place: Int, _ offset: UInt64, _ code: WalError.Code, _ message: String,
        segment: UInt64? = nil
    ) throws(WalError) -> Bool {
        var content: UInt64?
        if !isSurveyed {
            isSurveyed = true
            content = try survey(place, offset)
        }
        let name = segments[place].firstLSN
        // A log that was closed in order has no torn end.
        let wasSealed = state.map { $0.isClean && $0.durable >= name } ?? false
        if next <= durable, next > known { isUnsettled = true }
        // By its offset, whatever its LSN.
        let ends = segments[place].marks.filter { $0.tells(ofSegment: name, state) }.map(\.endOffset)
        let isBeforeMark =
            offset >= FileFormat.dataStart && (offset < ends.max() ?? 0 || look.error != nil && offset < markedEnd)
        let isMarked = next <= min(durable, known) || wasSealed || isBeforeMark
        switch RecoveryTable.verdict(finding, isMarked: isMarked, isCopy: look.isCopy) {
        case .damaged, .foreign, .newer:
            damage(code, message, segment: segment ?? name, offset: segment == nil ? offset : nil, lsn: next)
            return true
        case .prefix:
            remarkPrefix()
            return false
        case .torn, .end:
            if content == nil { content = try survey(place, offset) }
            if let bytes = content, bytes > 0 {
                result.tornTail = WalVerification.TornTail(
                    segment: LSN(name), offset: offset, lsn: LSN(next), bytes: bytes)
            }
            return false
        }
    }

    /// Looks for marks in everything behind a bad place, and how many bytes were ever written there.
    private mutating func survey(_ place: Int, _ offset: UInt64) throws(WalError) -> UInt64 {
        var content: UInt64 = 0
        for (later, segment) in segments.enumerated().dropFirst(place) {
            let from = later == place ? max(offset, FileFormat.dataStart) : FileFormat.dataStart
            let file = try segment.open(in: look.directory)
            defer { file.close() }
            let rest = try SegmentScan.survey(
                file: file, firstLSN: segment.firstLSN, salts: try segment.salts(in: file), from: from, state: state)
            durable = max(durable, rest.greatestMark)
            if later == place { markedEnd = rest.markedEnd }
            guard segment.header != nil else {
                content += segment.size
                continue
            }
            // Behind a terminator is what the file held before.
            if later == place, segment.header?.endsAtTerminator == true, try SegmentScan.isBlank(file, at: from) {
                continue
            }
            content += later == place ? rest.contentEnd - from : min(rest.contentEnd, segment.size)
        }
        return content
    }

    /// Behind a place that could not be passed: the LSN that comes next in what is left.
    private mutating func skip(behind place: Int) {
        if let footer = segments[place].footer {
            next = max(next, footer.lastLSN + 1)
        } else if place + 1 < segments.count {
            next = max(next, segments[place + 1].firstLSN)
        } else {
            next = max(next, durable + 1)
        }
    }

    /// Checks a segment; false where the log ends in it.
    private mutating func check(_ place: Int) throws(WalError) -> Bool {
        let segment = segments[place]
        if segment.firstLSN > next {
            let last = segment.firstLSN - 1
            let message = "the segment with LSN \(next) … \(last) is missing, and STATE does not say that it was purged"
            if state == nil, place == 0 {
                damage(.missing, "\(message): it is missing too, or damaged", segment: next, lsn: next)
            } else {
                guard
                    try gap(.missingSegment, place, 0, .missing, "\(message): restore it from a backup", segment: next)
                else {
                    return false
                }
            }
        } else if segment.firstLSN < next {
            guard
                try gap(
                    .repeatedSegment, place, 0, .corrupt,
                    "the segment begins with LSN \(segment.firstLSN), which an earlier one says that it holds")
            else { return false }
        }
        next = segment.firstLSN
        guard let header = segment.header else {
            let error = segment.headerError
            guard
                try gap(
                    segment.stray == nil ? .brokenHeader : .strayHeader, place, 0, error?.code ?? .corrupt,
                    error?.message ?? "the segment has no header")
            else {
                return false
            }
            skip(behind: place)
            return true
        }
        if place > 0, let before = segments[place - 1].header, before.incarnation > header.incarnation {
            guard
                try gap(
                    .olderSegment, place, 0, .corrupt,
                    "the segment's incarnation is older than that of the segment before")
            else { return false }
        }
        do throws(WalError) {
            let file = try segment.open(in: look.directory)
            defer { file.close() }
            try checkFront(segment, header, file, isLast: place == segments.count - 1)
            return try checkFrames(place, header, file)
        } catch {
            guard error.code == .io else { throw error }
            note(error.at(partition: look.evidence.id, segment: LSN(header.firstLSN), lsn: LSN(next)))
            skip(behind: place)
            return true
        }
    }

    /// What stands before the frames: the two places for marks, and zeros.
    private mutating func checkFront(
        _ segment: SegmentFile, _ header: SegmentHeader, _ file: any WalFile, isLast: Bool
    ) throws(WalError) {
        let front = try file.read(Int(FileFormat.dataStart), at: 0)
        let area: UInt32 = front.withUnsafeBytes { ByteReader($0).integer(SegmentHeader.areaSizeOffset) } ?? 0
        var zeros = [min(SegmentHeader.fixedSize + Int(area) + 4, FileFormat.headerSize)..<FileFormat.headerSize]
        for place in FileFormat.markOffsets.map(Int.init) {
            let range = place..<(place + FileFormat.markSize)
            zeros.append(range.upperBound..<(place + FileFormat.headerSize))
            guard front.count >= range.upperBound, front[range].contains(where: { $0 != 0 }) else { continue }
            let mark = front.withUnsafeBytes {
                SegmentMark(
                    decoding: UnsafeRawBufferPointer(rebasing: $0[range]), salt: header.salt, logID: header.logID,
                    partition: header.partition, firstLSN: header.firstLSN)
            }
            guard mark == nil else { continue }
            let message = "a mark is not what was written; the other one and the frames count"
            // Not yet synced, a mark may be torn by a crash.
            if isLast, segment.footer == nil {
                remark(message, segment: header.firstLSN, offset: UInt64(place))
            } else {
                damage(.corrupt, message, segment: header.firstLSN, offset: UInt64(place), lsn: header.firstLSN)
            }
        }
        for range in zeros {
            guard let at = front.indices.clamped(to: range).first(where: { front[$0] != 0 }) else { continue }
            damage(
                .corrupt, "there should be zeros before the frames; no record is concerned", segment: header.firstLSN,
                offset: UInt64(at), lsn: header.firstLSN)
        }
    }

    private mutating func checkFrames(
        _ place: Int, _ header: SegmentHeader, _ file: any WalFile
    ) throws(WalError) -> Bool {
        let segment = segments[place]
        // Of one whose records were taken back, the place says nothing.
        var tracker = FrameTracker(segment: segment, marks: segment.marks.filter { counted($0) == $0.durable })
        var walk = FrameWalk(file: file, salt: header.salt, limit: segment.footer?.dataEnd ?? segment.size)
        var reported: UInt64 = 0
        var end: UInt64?
        let takenBackFrom = state?.limit(ofHistory: header.history) ?? UInt64.max
        frames: while true {
            let at = UInt64(walk.offset)
            switch try walk.next() {
            case .frame:
                if at - reported >= 4 << 20 {
                    reported = at
                    progress(bytesDone + at)
                }
                let scanner = walk.scanner
                let content = walk.content
                if case .newer(let what) = content {
                    throw error(.unsupportedFormat, what, header.firstLSN, at, next)
                }
                // Sealed, but the trailer behind it, or something in it, is not whole.
                if case .footer = content {
                    end = at
                    break frames
                }
                guard scanner.lsn == next else {
                    guard
                        try gap(
                            .brokenFrame, place, at, .corrupt,
                            "a frame of LSN \(scanner.lsn) stands where LSN \(next) should")
                    else { return false }
                    tracker.isBroken = true
                    guard scanner.lsn > next else { continue }
                    next = scanner.lsn
                    take(content, at, header, &tracker)
                    continue
                }
                if next > takenBackFrom, !content.isWithoutRecords {
                    guard
                        try gap(
                            .brokenFrame, place, at, .corrupt,
                            "LSN \(next) was taken back and given out again: the segment is from another time of this log"
                        )
                    else { return false }
                }
                take(content, at, header, &tracker)
            case .blank where segment.footer == nil, .end:
                break frames
            case .blank, .bad:
                guard
                    try gap(
                        .brokenFrame, place, at, .corrupt,
                        "a frame is not what was written: its length or checksum is wrong")
                else { return false }
                tracker.isBroken = true
                guard try walk.resync(from: next) else {
                    skip(behind: place)
                    if segment.footer == nil { return true }
                    break frames
                }
                next = max(next, walk.peekedLSN)
            }
        }
        let dataEnd = end ?? UInt64(walk.offset)
        tracker.frame(at: dataEnd, lsn: next)
        return try finish(place, header, tracker, end: dataEnd)
    }

    /// Counts a whole frame.
    private mutating func take(
        _ content: Frame.Content, _ at: UInt64, _ header: SegmentHeader, _ tracker: inout FrameTracker
    ) {
        tracker.frame(at: at, lsn: next)
        switch content {
        case .mark(let mark):
            guard mark.durable < next, mark.endOffset <= at else {
                damage(
                    .corrupt, "a mark between the records makes no sense", segment: header.firstLSN, offset: at,
                    lsn: next)
                return
            }
            durable = max(durable, counted(mark))
        case .records(let frame):
            if result.firstLSN == nil { result.firstLSN = LSN(next) }
            result.records += frame.records
            next += frame.records
            result.lastLSN = LSN(next - 1)
        case .lost(let last):
            if result.lost.count < Self.damageLimit { result.lost.append(LSN(next)...LSN(last)) }
            next = last + 1
        case .footer, .skipped, .bad, .newer: break
        }
    }

    /// At the end of a segment's frames: the footer, its index, and the marks that point into the segment.
    private mutating func finish(
        _ place: Int, _ header: SegmentHeader, _ tracker: FrameTracker, end: UInt64
    ) throws(WalError) -> Bool {
        let segment = segments[place]
        let name = header.firstLSN
        for entry in tracker.badEntries where !tracker.isBroken {
            damage(
                .corrupt, "the index says that LSN \(entry.lsn) is at offset \(entry.offset), where it is not",
                segment: name, offset: entry.offset, lsn: entry.lsn)
        }
        for mark in tracker.badMarks where !tracker.isBroken {
            damage(
                .corrupt,
                "a mark says that everything up to LSN \(mark.durable), before offset \(mark.endOffset), is durable, but no frame ends there",
                segment: name, offset: mark.place, lsn: mark.durable)
        }
        guard let footer = segment.footer else {
            let isLast = place == segments.count - 1
            guard
                try gap(
                    isLast ? .openEnd : .brokenFrame, place, end, .corrupt,
                    isLast
                        ? "the segment ends without the records or the footer that it had"
                        : "the segment ends without a whole footer, though another follows it")
            else { return isLast && result.tornTail == nil }
            if isLast || segments[place + 1].firstLSN > next { skip(behind: place) }
            return true
        }
        if segment.size != footer.dataEnd + UInt64(SegmentFooter.size(indexCount: footer.index.count)) {
            damage(
                .corrupt, "there are bytes between the footer and the trailer that nobody wrote", segment: name,
                offset: footer.dataEnd, lsn: footer.lastLSN)
        }
        if footer.lastLSN + 1 != next {
            guard
                try gap(
                    .brokenFrame, place, footer.dataEnd, .corrupt,
                    "the footer says that the segment ends with LSN \(footer.lastLSN), but its frames end before LSN \(next)"
                )
            else { return false }
            next = footer.lastLSN + 1
        }
        return true
    }
}

/// Compares frames with what points at them: the footer's index and the marks.
private struct FrameTracker {
    private let entries: [IndexEntry]
    private var entry = 0
    private var marks: [SegmentMark]
    private(set) var badEntries: [IndexEntry] = []
    /// Frames could not be read, so that what points at them proves nothing.
    var isBroken = false

    init(segment: SegmentFile, marks: [SegmentMark]) {
        entries = segment.footer?.index ?? []
        self.marks = marks.filter { $0.endOffset > FileFormat.dataStart }
    }

    /// A frame starts, or the last one ends, at `offset`; the next record is `lsn`.
    mutating func frame(at offset: UInt64, lsn: UInt64) {
        while entry < entries.count, entries[entry].offset <= offset {
            if entries[entry] != IndexEntry(lsn: lsn, offset: offset, time: entries[entry].time) {
                badEntries.append(entries[entry])
            }
            entry += 1
        }
        if !marks.isEmpty { marks.removeAll { $0.endOffset == offset && $0.durable + 1 == lsn } }
    }

    /// Those that no frame has met.
    var badMarks: [SegmentMark] { marks }
}
