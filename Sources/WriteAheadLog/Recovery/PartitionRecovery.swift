/// Reads a partition's directory and finds what is whole; for a writer, makes it durable again.
///
/// What decides is the greatest mark: everything up to the LSN that any mark states was on stable storage. Damage there is
/// corruption and nothing is touched. Beyond it, the first frame that is not whole is where a crash tore the log: it ends there.
struct PartitionRecovery {
    let id: PartitionID
    let shared: LogShared
    private var settings: LogSettings { shared.settings }

    struct Result {
        var state: PartitionState
        var segments: [Segment] = []
        var nextLSN: UInt64 = 1
        /// The last LSN known to be on stable storage.
        var durable: UInt64 = 0
        /// False once the partition was removed and nothing was appended since.
        var exists: Bool { !state.isRemoved || !segments.isEmpty }
        /// Damage, with `.quarantine`.
        var failure: WalError?
        var wasClean = true
        /// The greatest incarnation that anything in the partition states.
        var newestIncarnation: UInt64 = 0
        var cutFrom: UInt64?
        var cutBytes: UInt64 = 0
    }

    /// A partition as its files show it, changed by nothing yet.
    private struct Survey {
        var state: PartitionState
        var files: [SegmentFile]
        /// Names that go once nothing speaks against it.
        var leftovers: [String]
        /// How many of `files` belong to the log; the rest were torn off.
        var kept = 0
        /// Where the last kept one ends.
        var endOffset = FileFormat.dataStart
        var endsInFooter = false
        /// From here the last kept segment's frames were scanned.
        var scanned: [Int: UInt64] = [:]
        var index: [IndexEntry] = []
        var nextLSN: UInt64
        var durable: UInt64
        var cutBytes: UInt64 = 0
        var isClean = false
        var newestIncarnation: UInt64 = 0
    }

    // MARK: Entry

    func recover(in directory: any WalDirectory) throws(WalError) -> Result {
        do throws(WalError) {
            var survey = try settings.isReadOnly ? lookBesideWriter(at: directory) : look(at: directory)
            if !settings.isReadOnly {
                try removeLeftovers(&survey, in: directory)
                if !survey.isClean { try mend(&survey, in: directory) }
            }
            return result(survey)
        } catch {
            // What part of a footer was written, the next opening finds torn, and writes again.
            let error = error.at(partition: id).retryable
            let isDamage = error.code == .corrupt || error.code == .missing
            guard isDamage, settings.onDamage == .quarantine else { throw error }
            return try quarantined(error, in: directory)
        }
    }

    /// For a reader beside a live writer, who purges or rotates while we look: a name is gone that was there just now, or STATE
    /// knows of a file that was not there yet. Then it looks again.
    func recoverBesideWriter(in directory: any WalDirectory) throws(WalError) -> Result {
        var attempts = 0
        while true {
            do throws(WalError) {
                return try recover(in: directory)
            } catch {
                attempts += 1
                guard error.code == .notFound || error.code == .missing, attempts < 20 else { throw error }
            }
        }
    }

    private func result(_ survey: Survey) -> Result {
        var result = Result(state: survey.state)
        for (place, file) in survey.files.prefix(survey.kept).enumerated() {
            guard let header = file.header else { continue }
            let segment = Segment(header: header, capacity: Int(clamping: file.size))
            if place < survey.kept - 1 || survey.endsInFooter, let footer = file.footer {
                segment.fileSize = file.size
                segment.syncedEnd = file.size
                segment.setSealed(end: footer.dataEnd, lastLSN: footer.lastLSN)
            } else if survey.endsInFooter {
                segment.setSealed(end: survey.endOffset, lastLSN: survey.nextLSN - 1)
                segment.fileSize = survey.endOffset
                segment.syncedEnd = survey.endOffset
            } else {
                segment.lastLSN = survey.nextLSN - 1
                segment.publish(survey.endOffset)
            }
            result.segments.append(segment)
            file.file.close()
        }
        result.nextLSN = survey.nextLSN
        result.durable = survey.durable
        result.wasClean = survey.isClean
        result.newestIncarnation = survey.newestIncarnation
        if survey.cutBytes > 0 {
            result.cutFrom = survey.nextLSN
            result.cutBytes = survey.cutBytes
        }
        return result
    }

    // MARK: Looking

    private struct Inventory {
        /// Nil where there is none that is whole.
        var state: PartitionState?
        /// Those that belong to the log, oldest first.
        var files: [SegmentFile] = []
        /// Names of what purge and truncation left over, oldest first, and of what was made ready for a next segment.
        var leftovers: [String] = []
        var newestIncarnation: UInt64 = 0

        /// A history is the incarnation of whoever began it.
        mutating func note(_ numbers: UInt64...) {
            for number in numbers { newestIncarnation = max(newestIncarnation, number) }
        }
    }

    private func inventory(_ directory: any WalDirectory) throws(WalError) -> Inventory {
        var found = Inventory()
        var names: [(String, UInt64)] = []
        let place = LogPlace(logID: try shared.logID(), partition: id)
        found.state = try PartitionState.read(in: directory, partition: id, logID: place.logID)
        if let state = found.state { found.note(state.incarnation, state.history) }
        for entry in try directory.list() {
            if let lsn = FileFormat.firstLSN(ofSegmentNamed: entry.name) {
                guard entry.kind == .file else {
                    throw WalError(
                        .notALog,
                        "\(entry.name) is not a regular file (a symbolic link?) and is not followed; remove what is in its place",
                        partition: id, segment: LSN(lsn))
                }
                names.append((entry.name, lsn))
            } else if entry.kind == .file, FileFormat.isPreparedName(entry.name) {
                found.leftovers.append(entry.name)
            }
        }
        names.sort { $0.1 < $1.1 }
        for (name, lsn) in names {
            if let state = found.state, lsn < state.firstRetained {
                found.leftovers.append(name)
                continue
            }
            let access: FileAccess = settings.isReadOnly ? .read : .readWrite
            let file = try SegmentFile(
                name: name, firstLSN: lsn, place: place, file: try ReopeningFile(name, access, in: directory))
            if let header = file.header { found.note(header.incarnation, header.history) }
            for mark in file.marks { found.note(mark.history) }
            // There may be more segments than the process may have files open: each use opens it again.
            file.file.close()
            if let state = found.state, state.isLeftover(file.header) {
                found.leftovers.append(name)
                continue
            }
            found.files.append(file)
        }
        return found
    }

    /// That of a new partition, where there is none.
    private func known(_ state: PartitionState?) throws(WalError) -> PartitionState {
        if let state { return state }
        return PartitionState(partition: id, logID: try shared.logID() ?? LogID(high: 0, low: 0))
    }

    /// Only once it is known that there is no damage: an open that is refused changes nothing.
    private func removeLeftovers(_ survey: inout Survey, in directory: any WalDirectory) throws(WalError) {
        guard !survey.leftovers.isEmpty else { return }
        // STATE says that segments are none of the log's; what was made ready never was.
        if survey.leftovers.contains(where: { !FileFormat.isPreparedName($0) }) {
            try survey.state.makeDurable(in: directory)
        }
        for name in survey.leftovers { try directory.remove(name) }
        survey.leftovers = []
    }

    /// For a reader: a writer that is at work changes the files between two reads, so that one look may see a frame that is
    /// half there and the mark that covers it. Damage counts when two looks in a row find it at the same place.
    private func lookBesideWriter(at directory: any WalDirectory) throws(WalError) -> Survey {
        var last: WalError?
        var attempts = 0
        while true {
            do throws(WalError) {
                return try look(at: directory)
            } catch {
                attempts += 1
                let mayBeRace = error.code == .corrupt || error.code == .missing || error.code == .notFound
                let isSettled =
                    error.code != .notFound && last?.code == error.code && last?.segment == error.segment
                    && last?.offset == error.offset && last?.lsn == error.lsn
                guard mayBeRace, !isSettled, attempts < 20 else { throw error }
                last = error
            }
        }
    }

    private func look(at directory: any WalDirectory) throws(WalError) -> Survey {
        let found = try inventory(directory)
        let files = found.files
        let state = try known(found.state)
        var survey = Survey(
            state: state, files: files, leftovers: found.leftovers, nextLSN: state.firstExpected,
            durable: state.durable)
        survey.newestIncarnation = found.newestIncarnation
        for file in files {
            for mark in file.marks { survey.durable = max(survey.durable, state.durable(by: mark)) }
        }
        // Before there was a second segment, STATE was durable.
        if found.state == nil, let first = files.first, first.firstLSN > 1 {
            throw WalError(
                .missing,
                "STATE is missing or damaged, and the log begins with LSN \(first.firstLSN): nobody can tell whether what came before was purged. Nothing was changed: restore STATE from a backup, or open with `onDamage: .quarantine`",
                partition: id, segment: 1, lsn: 1)
        }
        try walk(&survey)
        if survey.durable >= survey.nextLSN {
            throw WalError(
                .missing,
                "records up to LSN \(survey.durable) were durable, but the files end before LSN \(survey.nextLSN); restore the missing segment from a backup",
                partition: id, segment: LSN(survey.nextLSN), lsn: LSN(survey.nextLSN))
        }
        survey.nextLSN = max(survey.nextLSN, state.nextLSNFloor)
        survey.isClean =
            found.state != nil && (state.isClean || state.isRemoved && files.isEmpty) && survey.kept == files.count && survey.durable + 1 == survey.nextLSN
            && (files.isEmpty || survey.endsInFooter) && survey.scanned.isEmpty
        return survey
    }

    /// Steps through the segments in order and ends the log where a frame is not whole.
    private func walk(_ survey: inout Survey) throws(WalError) {
        for (place, file) in survey.files.enumerated() {
            let isLast = place == survey.files.count - 1
            // No crash does that: the segment that held them was removed durably before they were given out again.
            guard file.firstLSN >= survey.nextLSN else {
                throw WalError(
                    .corrupt,
                    "the segment begins with LSN \(file.firstLSN), which an earlier one says that it holds; restore both from a backup, or open with `onDamage: .quarantine`",
                    segment: LSN(file.firstLSN), offset: 0, lsn: LSN(survey.nextLSN))
            }
            guard file.firstLSN == survey.nextLSN else {
                let gap = WalError(
                    .missing,
                    "the segment that begins with LSN \(survey.nextLSN) is missing, and STATE does not say that it was purged; the next there is begins with LSN \(file.firstLSN)",
                    segment: LSN(survey.nextLSN))
                try tear(&survey, at: place, offset: nil, because: gap)
                return
            }
            guard let header = file.header else {
                let error = file.headerError ?? WalError(.corrupt, "the segment has no header")
                try tear(&survey, at: place, offset: 0, because: error)
                return
            }
            // What was cut off and is here again, on a file system that forgot its removal.
            if place > 0, let before = survey.files[place - 1].header, before.incarnation > header.incarnation {
                let ghost = WalError(.corrupt, "the segment's incarnation is older than that of the segment before")
                try tear(&survey, at: place, offset: 0, because: ghost)
                return
            }
            // A sealed segment that was durable as a whole needs no reading.
            let takenBackFrom = survey.state.limit(ofHistory: header.history)
            let durableFooter = file.footer.flatMap {
                $0.recordCount > 0 && $0.lastLSN <= takenBackFrom && isKnownDurable($0, survey) ? $0 : nil
            }
            if settings.check == .tail, let footer = durableFooter {
                survey.nextLSN = footer.lastLSN + 1
                survey.kept = place + 1
                survey.endOffset = footer.dataEnd
                survey.endsInFooter = true
                survey.index = footer.index
                continue
            }
            var from = FileFormat.dataStart
            var expected = header.firstLSN
            if settings.check == .tail,
                let mark = file.marks.max(by: { $0.endOffset < $1.endOffset }),
                mark.endOffset > from, mark.endOffset <= file.size, mark.durable + 1 >= header.firstLSN,
                survey.state.durable(by: mark) == mark.durable
            {
                from = mark.endOffset
                expected = mark.durable + 1
            }
            let scan = try SegmentScan(
                file: file.file, header: header, from: from, nextLSN: expected, limit: file.size,
                state: survey.state, disabled: settings.disabled)
            file.file.close()
            survey.durable = max(survey.durable, scan.greatestMark)
            // What was durable as a whole is read for a full check, but not rewritten.
            if durableFooter == nil { survey.scanned[place] = from }
            survey.nextLSN = scan.nextLSN
            survey.kept = place + 1
            survey.endOffset = scan.offset
            survey.index = scan.index
            survey.endsInFooter = false
            if case .footer = scan.end, let footer = file.footer, footer.dataEnd == scan.offset,
                footer.lastLSN + 1 == scan.nextLSN
            {
                survey.endsInFooter = true
                survey.index = footer.index
                continue
            }
            if case .bad = scan.end {
                try tear(
                    &survey, at: place, offset: scan.offset,
                    because: WalError(.corrupt, "a frame is not what was written: length, checksum or LSN is wrong"))
                return
            }
            if !isLast || file.footer != nil {
                try tear(
                    &survey, at: place, offset: scan.offset,
                    because: WalError(.corrupt, "the frames end before the segment does"))
                return
            }
            // The end of what was written, or zeros where something was: only a mark can tell.
            try tear(
                &survey, at: place, offset: scan.offset,
                because: WalError(.corrupt, "there are zeros where a record was"))
            return
        }
    }

    /// A footer, and a mark before it, are written behind a last record that may have been durable before: only something that is
    /// durable behind them, or an orderly close, says that they are on the disk too.
    private func isKnownDurable(_ footer: SegmentFooter, _ survey: Survey) -> Bool {
        footer.lastLSN < survey.durable || survey.state.isClean && footer.lastLSN <= survey.state.durable
    }

    /// The log can't be read on at `offset` of a segment, or with the segment at all: decides whether a crash did that or damage,
    /// and ends it there. What it keeps is as many files as `survey.kept` says.
    private func tear(
        _ survey: inout Survey, at place: Int, offset: UInt64?, because reason: WalError
    ) throws(WalError) {
        var greatest = survey.durable
        var lost: UInt64 = 0
        for (later, file) in survey.files.enumerated().dropFirst(place) {
            guard let header = file.header else {
                lost += file.size
                continue
            }
            let from = later == place ? max(offset ?? 0, FileFormat.dataStart) : FileFormat.dataStart
            let rest = try SegmentScan.survey(
                file: file.file, header: header, from: from, state: survey.state)
            file.file.close()
            greatest = max(greatest, rest.greatestMark)
            // Behind a terminator is what the file held before.
            if later == place, header.endsAtTerminator, try SegmentScan.isBlank(file.file, at: from) { continue }
            lost += later == place ? rest.contentEnd - from : min(rest.contentEnd, file.size)
        }
        survey.durable = greatest
        if greatest >= survey.nextLSN {
            throw WalError(
                reason.code,
                "\(reason.message). It was durable, for a mark says that everything up to LSN \(greatest) was. Nothing was changed: restore the segment from a backup, or open with `onDamage: .quarantine` to read what is before it",
                partition: id, segment: reason.segment ?? LSN(survey.files[place].firstLSN), offset: offset,
                lsn: LSN(survey.nextLSN))
        }
        survey.cutBytes = lost
    }

    // MARK: Mending

    /// Rewrites and syncs what was recovered above the mark: a page that a failed sync left clean is not on the disk though
    /// it can be read. Then ends the segment, so that nothing is ever appended behind a cut.
    private func mend(_ survey: inout Survey, in directory: any WalDirectory) throws(WalError) {
        // Newest first: whenever this stops, what is left is a log with a torn end.
        for file in survey.files.dropFirst(survey.kept).reversed() {
            file.file.close()
            try directory.remove(file.name)
        }
        survey.files.removeLast(survey.files.count - survey.kept)
        for (place, file) in survey.files.enumerated() {
            guard let from = survey.scanned[place], let header = file.header else { continue }
            let isLast = place == survey.kept - 1
            let end = isLast ? survey.endOffset : file.size
            if !settings.disabled.contains(.rewriting) {
                try rewrite(file.file, from: from == FileFormat.dataStart ? 0 : from, to: end)
            }
            let noMark = [UInt8](repeating: 0, count: FileFormat.markSize)
            for broken in file.brokenMarkPlaces { try file.file.write(noMark, at: broken) }
            if isLast, survey.nextLSN == header.firstLSN {
                // No record in it: the next segment takes its name.
                file.file.close()
                try directory.remove(file.name)
                survey.files.removeLast()
                survey.kept -= 1
                // Another came only behind one that ends in its footer.
                survey.endsInFooter = true
                break
            }
            if isLast {
                let footer = SegmentFooter(
                    recordCount: survey.nextLSN - header.firstLSN, lastLSN: survey.nextLSN - 1,
                    dataEnd: survey.endOffset,
                    sealed: shared.storage.wallClockNow(), index: survey.index)
                let bytes = footer.encoded(salt: header.salt)
                // Shortened first: whatever stood behind the cut is gone before anything new is written there.
                try file.file.truncate(to: survey.endOffset)
                try file.file.write(bytes, at: survey.endOffset)
                survey.files[place] = try SegmentFile(
                    name: file.name, firstLSN: file.firstLSN, place: LogPlace(logID: header.logID, partition: id),
                    file: file.file)
                survey.endsInFooter = true
            }
            try file.file.sync()
            file.file.close()
        }
        if survey.files.isEmpty { survey.endsInFooter = false }
        try directory.sync()
        survey.durable = survey.nextLSN - 1
        let (durable, nextLSN, newest) = (survey.durable, survey.nextLSN, survey.newestIncarnation)
        let headers = survey.files.compactMap(\.header)
        try survey.state.update(in: directory) { next in
            next.durable = durable
            next.nextLSNFloor = max(next.nextLSNFloor, nextLSN)
            next.isClean = true
            next.incarnation = max(next.incarnation, newest)
            for header in headers { next.note(header) }
        }
        try directory.sync()
    }

    private func rewrite(_ file: any WalFile, from: UInt64, to: UInt64) throws(WalError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset = from
        while offset < to {
            let wanted = Int(min(UInt64(buffer.count), to - offset))
            let count = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
            guard count > 0 else { return }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
            offset += UInt64(count)
        }
    }

    // MARK: Quarantine

    /// What of a damaged partition can be read: every segment whose header is whole, up to where the frames break off.
    private func quarantined(_ error: WalError, in directory: any WalDirectory) throws(WalError) -> Result {
        let found = try inventory(directory)
        var result = Result(state: try known(found.state))
        result.newestIncarnation = found.newestIncarnation
        result.failure = error
        result.wasClean = false
        // Without STATE nobody knows where it should begin.
        var next = found.state?.firstExpected
        for file in found.files {
            defer { file.file.close() }
            guard let header = file.header, next == nil || next == file.firstLSN,
                header.incarnation >= result.segments.last?.header.incarnation ?? 0
            else { break }
            let segment = Segment(header: header, capacity: Int(clamping: file.size))
            segment.fileSize = file.size
            segment.syncedEnd = file.size
            if let footer = file.footer {
                segment.setSealed(end: footer.dataEnd, lastLSN: footer.lastLSN)
                next = footer.lastLSN + 1
                result.segments.append(segment)
                continue
            }
            let scan = try SegmentScan(
                file: file.file, header: header, from: FileFormat.dataStart, nextLSN: header.firstLSN, limit: file.size,
                state: found.state)
            segment.setSealed(end: scan.offset, lastLSN: scan.nextLSN - 1)
            result.segments.append(segment)
            next = scan.nextLSN
            break
        }
        result.nextLSN = max(next ?? result.state.firstRetained, 1)
        result.durable = result.nextLSN - 1
        return result
    }

    // MARK: Truncation

    /// Wipes what the log itself wrote and nothing else. STATE goes on, so that no position from before is taken for a new one.
    func truncate(_ directory: any WalDirectory) throws(WalError) -> Result {
        let place = LogPlace(logID: try shared.logID(), partition: id)
        let found = try PartitionState.read(in: directory, partition: id, logID: place.logID)
        var state = try known(found)
        var names: [(String, UInt64)] = []
        var newest = max(found?.incarnation ?? 0, found?.history ?? 0)
        for entry in try directory.list() {
            if let lsn = FileFormat.firstLSN(ofSegmentNamed: entry.name), entry.kind == .file {
                names.append((entry.name, lsn))
            } else if entry.kind == .file, FileFormat.isPreparedName(entry.name) {
                try directory.remove(entry.name)
            }
        }
        for (name, lsn) in names {
            let file = try directory.openFile(name, .read)
            defer { file.close() }
            // A damaged one has no incarnation to respect.
            if let header = try SegmentFile(name: name, firstLSN: lsn, place: place, file: file).header {
                newest = max(newest, header.incarnation, header.history)
            }
        }
        let incarnation = try shared.incarnation(after: newest)
        try state.update(in: directory) { next in
            next = PartitionState(replacing: next)
            next.incarnation = incarnation
            next.oldestIncarnation = incarnation
            next.note(history: incarnation, firstLSN: 1)
            next.isClean = true
        }
        try directory.sync()
        for (name, _) in names.sorted(by: { $0.1 > $1.1 }) { try directory.remove(name) }
        try directory.sync()
        return Result(state: state, newestIncarnation: incarnation)
    }
}
