/// A partition as its files show it, and what is to be made of it. Nothing is changed by looking.
///
/// Opening for writing or reading, quarantine, verification and inspection all begin with one of these, so that they agree.
struct PartitionLook {
    /// Where the partition ends, or can't be read on.
    struct Stop {
        var finding: Finding
        /// Which of the files; one past the last where all were read.
        var place: Int
        /// In that file; nil where a whole file is missing.
        var offset: UInt64?
        /// What to say where it is damage.
        var reason: WalError
    }

    let evidence: PartitionEvidence
    var state: PartitionState
    var files: [SegmentFile] { evidence.files }
    var directory: any WalDirectory { evidence.directory }

    /// How many of `files` belong to the partition up to where it ends.
    private(set) var kept = 0
    /// Where the last kept one's frames end.
    private(set) var endOffset = FileFormat.dataStart
    private(set) var endsInFooter = false
    /// From where frames of kept files were read because nothing says that they are durable.
    private(set) var scanned: [Int: UInt64] = [:]
    /// Of the last kept file.
    private(set) var index: [IndexEntry] = []
    private(set) var nextLSN: UInt64
    /// The LSN that could not be read, or that comes after all that was.
    private(set) var stopLSN: UInt64 = 1
    /// The greatest LSN that anything calls durable.
    private(set) var durable: UInt64
    private(set) var stop: Stop
    /// Mark frames after the stop say that its segment was durable up to here.
    private var markedEnd: UInt64 = 0
    private(set) var verdict = Verdict.end
    /// How many bytes stand after the end.
    private(set) var lostBytes: UInt64 = 0
    /// Of these, in the last kept file.
    private(set) var lostInLast: UInt64 = 0
    /// What is thrown where the verdict is to refuse the partition.
    private(set) var error: WalError?
    /// It was closed in order, and all that it held is there.
    private(set) var wasOrderly = false
    /// So that nothing is to be done: a copy is to be made durable all the same.
    var isClean: Bool { wasOrderly && !isCopy }

    var isCopy: Bool { evidence.isCopy }
    var isRefused: Bool { error != nil }

    // MARK: Looking

    /// What was known to be durable before a look began.
    private struct Known {
        var lsn: UInt64 = 0
        /// Up to an offset, in the segment that begins with that LSN; in any, where it is nil.
        var segment: UInt64? = 0
        var end: UInt64 = 0
    }

    /// Looks at a partition that nobody else is writing to.
    ///
    /// - Throws: what the file system says. What is wrong with the files is a result.
    static func alone(
        _ evidence: PartitionEvidence, check: CheckLevel, disabled: SafetyMeasures = []
    ) throws(WalError) -> PartitionLook {
        try PartitionLook(evidence, check: check, disabled: disabled, known: Known(lsn: .max, segment: nil, end: .max))
    }

    /// Looks at a partition while another process may be writing to it.
    ///
    /// A record counts as lost only if it was known to be durable before the look that misses it began: what a look finds called
    /// durable is held against the next one.
    static func besideWriter(
        check: CheckLevel, disabled: SafetyMeasures = [],
        collecting collect: () throws(WalError) -> PartitionEvidence
    ) throws(WalError) -> PartitionLook {
        var known = Known()
        var rounds = 0
        var interruptions = 0
        while true {
            do throws(WalError) {
                let look = try PartitionLook(try collect(), check: check, disabled: disabled, known: known)
                // Each round has seen the writer make progress. After many, what was read so far is shown.
                guard look.error == nil, look.isAboutMarks, rounds < 100,
                    look.stopLSN <= look.durable || look.stop.offset ?? .max < look.markedEnd
                else { return look }
                known = Known(
                    lsn: look.durable,
                    segment: look.stop.place < look.files.count ? look.files[look.stop.place].firstLSN : 0,
                    end: look.markedEnd)
                rounds += 1
            } catch {
                interruptions += 1
                guard error.code == .notFound || error.code == .segmentReplaced, interruptions < 1_000 else {
                    throw error
                }
            }
        }
    }

    /// Whether it depends on what is called durable.
    private var isAboutMarks: Bool {
        RecoveryTable.verdict(stop.finding, isMarked: true, isCopy: isCopy)
            != RecoveryTable.verdict(stop.finding, isMarked: false, isCopy: isCopy)
    }

    /// - Parameter known: what was known to be durable before the evidence was collected.
    private init(
        _ evidence: PartitionEvidence, check: CheckLevel, disabled: SafetyMeasures, known: Known
    ) throws(WalError) {
        self.evidence = evidence
        state = evidence.knownState
        nextLSN = state.firstExpected
        durable = evidence.durable
        stop = Stop(finding: .end, place: 0, offset: nil, reason: WalError(.missing, ""))
        if let refusal = evidence.refusal {
            stop = Stop(finding: refusal.finding, place: 0, offset: nil, reason: refusal.error)
            verdict = RecoveryTable.verdict(refusal.finding, isMarked: true, isCopy: isCopy)
            error = refusal.error
            return
        }
        do throws(WalError) {
            // In a copy there may be a hole anywhere.
            stop = try walk(isCopy ? .full : check, disabled)
        } catch {
            guard error.code == .unsupportedFormat else { throw error }
            stop = Stop(finding: .newer, place: 0, offset: error.offset, reason: error)
        }
        if stop.finding != .end, stop.finding != .newer { try survey() }
        judge(known: known)
    }

    /// Steps through the segments in order, up to the first place that can't be read on.
    private mutating func walk(_ check: CheckLevel, _ disabled: SafetyMeasures) throws(WalError) -> Stop {
        func stop(_ finding: Finding, _ place: Int, _ offset: UInt64?, _ reason: WalError) -> Stop {
            Stop(finding: finding, place: place, offset: offset, reason: reason)
        }
        // Before there was a second segment, STATE was durable.
        if evidence.state == nil, let first = files.first, first.firstLSN > 1 {
            nextLSN = 1
            return stop(
                .unknownBeginning, 0, nil,
                WalError(
                    .missing,
                    "STATE is missing or damaged, and the log begins with LSN \(first.firstLSN): nobody can tell whether what came before was purged. Nothing was changed: restore STATE from a backup, or open with `onDamage: .quarantine`",
                    segment: 1))
        }
        // A copy begins where its files do: STATE may be from before a purge.
        if isCopy, let first = files.first, first.firstLSN > nextLSN { nextLSN = first.firstLSN }
        var limit: (history: UInt64, last: UInt64) = (0, .max)
        for (place, file) in files.enumerated() {
            guard file.firstLSN >= nextLSN else {
                // No crash does that: the segment that held them was removed durably before they were given out again.
                return stop(
                    .repeatedSegment, place, 0,
                    WalError(
                        .corrupt,
                        "the segment begins with LSN \(file.firstLSN), which an earlier one says that it holds; restore both from a backup, or open with `onDamage: .quarantine`",
                        segment: LSN(file.firstLSN)))
            }
            guard file.firstLSN == nextLSN else {
                return stop(
                    .missingSegment, place, nil,
                    WalError(
                        .missing,
                        "the segment that begins with LSN \(nextLSN) is missing, and STATE does not say that it was purged; the next there is begins with LSN \(file.firstLSN)",
                        segment: LSN(nextLSN)))
            }
            guard let header = file.header else {
                return stop(
                    file.stray == nil ? .brokenHeader : .strayHeader, place, 0,
                    file.headerError ?? WalError(.corrupt, "the segment has no header"))
            }
            // What was cut off and is here again, on a file system that forgot its removal.
            if place > 0, let before = files[place - 1].header, before.incarnation > header.incarnation {
                return stop(
                    .olderSegment, place, 0,
                    WalError(.corrupt, "the segment's incarnation is older than that of the segment before"))
            }
            if limit.history != header.history { limit = (header.history, state.limit(ofHistory: header.history)) }
            // A sealed segment that was durable as a whole needs no reading.
            let durableFooter = file.footer.flatMap {
                $0.recordCount > 0 && isKnownDurable($0) && $0.lastLSN <= limit.last ? $0 : nil
            }
            if check == .tail, let footer = durableFooter {
                nextLSN = footer.lastLSN + 1
                kept = place + 1
                endOffset = footer.dataEnd
                endsInFooter = true
                index = footer.index
                continue
            }
            var from = FileFormat.dataStart
            var expected = header.firstLSN
            if check == .tail, let mark = file.marks.max(by: { $0.endOffset < $1.endOffset }),
                mark.endOffset > from, mark.endOffset <= file.size, mark.durable + 1 >= header.firstLSN,
                state.durable(by: mark) == mark.durable
            {
                from = mark.endOffset
                expected = mark.durable + 1
            }
            let opened = try file.open(in: directory)
            defer { opened.close() }
            let scan = try SegmentScan(
                file: opened, header: header, from: from, nextLSN: expected, limit: file.size, state: state,
                disabled: disabled)
            durable = max(durable, scan.greatestMark)
            // What was durable as a whole is read for a full check, but not rewritten.
            if durableFooter == nil { scanned[place] = from }
            nextLSN = scan.nextLSN
            kept = place + 1
            endOffset = scan.offset
            index = scan.index
            endsInFooter = false
            if case .footer = scan.end, let footer = file.footer, footer.dataEnd == scan.offset,
                footer.lastLSN + 1 == scan.nextLSN
            {
                endsInFooter = true
                index = footer.index
                continue
            }
            if case .bad = scan.end {
                return stop(
                    .brokenFrame, place, scan.offset,
                    WalError(.corrupt, "a frame is not what was written: length, checksum or LSN is wrong"))
            }
            if place < files.count - 1 || file.footer != nil {
                return stop(
                    .brokenFrame, place, scan.offset, WalError(.corrupt, "the frames end before the segment does"))
            }
            // The end of what was written, or zeros where something was: only a mark can tell.
            return stop(.openEnd, place, scan.offset, WalError(.corrupt, "there are zeros where a record was"))
        }
        return stop(
            .end, files.count, nil,
            WalError(
                .missing,
                "records up to LSN \(durable) were durable, but the files end before LSN \(nextLSN); restore the missing segment from a backup",
                segment: LSN(nextLSN)))
    }

    /// A footer, and a mark before it, are written behind a last record that may have been durable before: only something that is
    /// durable behind them, or an orderly close, says that they are on the disk too.
    private func isKnownDurable(_ footer: SegmentFooter) -> Bool {
        footer.lastLSN < durable || state.isClean && footer.lastLSN <= state.durable
    }

    /// Looks for marks in everything after the place where the partition can't be read on, and how many bytes stand there.
    private mutating func survey() throws(WalError) {
        for (later, file) in files.enumerated().dropFirst(stop.place) {
            let from = later == stop.place ? max(stop.offset ?? 0, FileFormat.dataStart) : FileFormat.dataStart
            let opened = try file.open(in: directory)
            defer { opened.close() }
            let rest = try SegmentScan.survey(
                file: opened, firstLSN: file.firstLSN, salts: try file.salts(in: opened), from: from, state: state)
            durable = max(durable, rest.greatestMark)
            if later == stop.place { markedEnd = rest.markedEnd }
            guard file.header != nil else {
                lostBytes += file.size
                continue
            }
            // Behind a terminator is what the file held before.
            if later == stop.place, file.header?.endsAtTerminator == true, try SegmentScan.isBlank(opened, at: from) {
                continue
            }
            let lost = later == stop.place ? rest.contentEnd - from : min(rest.contentEnd, file.size)
            lostBytes += lost
            if later == kept - 1 { lostInLast = lost }
        }
    }

    // MARK: Judging

    private mutating func judge(known: Known) {
        // Its records were durable, as mark frames say: no power loss has left that.
        if let file = files.first(where: { $0.stray != nil && $0.firstLSN <= min(durable, known.lsn) }),
            let reason = file.strayError
        {
            stop = Stop(finding: .foreign, place: 0, offset: nil, reason: reason)
        }
        // A segment that STATE calls closed was sealed.
        let wasClosed =
            state.isClean && stop.place < files.count && files[stop.place].firstLSN <= state.durable
            && stop.finding != .end
        stopLSN = nextLSN
        let isMarked = stopLSN <= min(durable, known.lsn) || wasClosed || isBeforeMark(known)
        verdict = RecoveryTable.verdict(stop.finding, isMarked: isMarked, isCopy: isCopy)
        switch verdict {
        case .end, .torn, .prefix: break
        case .foreign, .newer: error = stop.reason.at(partition: evidence.id)
        case .damaged: error = damage(isMarked)
        }
        // In a copy what STATE says may be of another moment than the files.
        if verdict != .prefix { nextLSN = max(nextLSN, state.nextLSNFloor) }
        wasOrderly =
            evidence.state != nil && (state.isClean || state.isRemoved && files.isEmpty) && verdict == .end
            && durable + 1 == nextLSN
            && (files.isEmpty || endsInFooter) && scanned.isEmpty
    }

    /// Whether a mark calls the place durable by its offset, whatever its LSN.
    private func isBeforeMark(_ known: Known) -> Bool {
        guard let offset = stop.offset, offset >= FileFormat.dataStart, stop.place < files.count else { return false }
        let file = files[stop.place]
        let ends = file.marks.filter { $0.tells(ofSegment: file.firstLSN, evidence.state) }.map(\.endOffset)
        let seen = known.segment == nil || known.segment == file.firstLSN ? min(markedEnd, known.end) : 0
        return offset < max(ends.max() ?? 0, seen)
    }

    private func damage(_ isMarked: Bool) -> WalError {
        let (finding, reason) = (stop.finding, stop.reason)
        guard isMarked, finding != .end, finding != .unknownBeginning, finding != .repeatedSegment else {
            return reason.at(partition: evidence.id, offset: stop.offset, lsn: LSN(nextLSN))
        }
        let why =
            stopLSN <= durable
            ? "It was durable, for a mark says that everything up to LSN \(durable) was"
            : state.isClean && files[stop.place].firstLSN <= state.durable
                ? "STATE says that the segment was closed" : "A mark says that what stands there was durable"
        return WalError(
            reason.code,
            "\(reason.message). \(why). Nothing was changed: restore the segment from a backup, or open with `onDamage: .quarantine` to read what is before it",
            partition: evidence.id, segment: reason.segment ?? LSN(files[stop.place].firstLSN), offset: stop.offset,
            lsn: LSN(nextLSN))
    }
}
