/// Opens a partition's files: looks at them, and, for a writer, makes durable what was found.
///
/// Looking changes nothing; an opening that is refused because of one partition has touched none.
struct PartitionRecovery {
    let id: PartitionID
    let shared: LogShared
    let directory: any WalDirectory
    var settings: LogSettings { shared.settings }

    struct Result {
        var state: PartitionState
        var segments: [Segment] = []
        var nextLSN: UInt64 = 1
        /// The last LSN known to be on stable storage.
        var durable: UInt64 = 0
        /// False once the partition was removed and nothing was appended since.
        var exists: Bool { !state.isRemoved || !segments.isEmpty }
        /// Why the partition is set aside, with `.quarantine`.
        var failure: WalError?
        var wasClean = true
        /// The greatest incarnation that anything in the partition states.
        var newestIncarnation: UInt64 = 0
        var cutFrom: UInt64?
        var cutBytes: UInt64 = 0
        /// A copy whose files are of different moments: names of the files that hold what comes after its end.
        var setAside: [String]?

        /// What the observer is told, if something happened.
        func event(_ id: PartitionID, isReadOnly: Bool) -> WalEvent? {
            if let failure { return .quarantined(id, failure) }
            if let setAside { return .copied(id, lastLSN: LSN(nextLSN - 1), setAside: setAside) }
            guard !wasClean, !isReadOnly else { return nil }
            return .recovered(
                id, lastLSN: LSN(nextLSN - 1), cutFrom: cutFrom.map { LSN($0) }, cutBytes: cutBytes)
        }
    }

    init(id: PartitionID, shared: LogShared, directory: any WalDirectory) {
        self.id = id
        self.shared = shared
        self.directory = directory
    }

    // MARK: Planning

    /// What is to be done, found without changing anything.
    enum Plan {
        case open(PartitionLook)
        case truncate(PartitionEvidence)

        /// Of the segments whose records will be there.
        var headers: [SegmentHeader] {
            switch self {
            case .open(let look): look.files.prefix(look.isRefused ? look.files.count : look.kept).compactMap(\.header)
            case .truncate: []
            }
        }
    }

    /// - Throws: where the partition is refused and damage is not tolerated; what the file system says.
    func plan() throws(WalError) -> Plan {
        guard settings.truncate else { return .open(try look()) }
        let evidence = try PartitionEvidence.collect(
            id, logID: try shared.logID(), conflict: shared.identityProblem, in: directory, isShared: false)
        guard let refusal = evidence.refusal else { return .truncate(evidence) }
        // What belongs elsewhere is not wiped.
        guard settings.onDamage == .quarantine else { throw refusal.error }
        return .open(try look())
    }

    func carryOut(_ plan: Plan) throws(WalError) -> Result {
        switch plan {
        case .truncate(let evidence): return try truncate(evidence)
        case .open(let look):
            if let error = look.error { return try setAside(look, error) }
            return settings.isReadOnly ? result(look, look.files) : try mended(look)
        }
    }

    /// For a reader who looks again.
    func show() throws(WalError) -> Result { try carryOut(.open(try look())) }

    /// - Throws: where the partition is refused and damage is not tolerated; what the file system says.
    private func look() throws(WalError) -> PartitionLook {
        let logID = try shared.logID()
        func collect() throws(WalError) -> PartitionEvidence {
            try PartitionEvidence.collect(
                id, logID: logID, conflict: shared.identityProblem, in: directory, isShared: settings.isReadOnly)
        }
        let look: PartitionLook
        do throws(WalError) {
            look =
                settings.isReadOnly
                ? try PartitionLook.besideWriter(
                    check: settings.check, disabled: settings.disabled, collecting: collect)
                : try PartitionLook.alone(try collect(), check: settings.check, disabled: settings.disabled)
        } catch {
            throw error.at(partition: id)
        }
        if let error = look.error, settings.onDamage == .throw { throw error }
        return look
    }

    // MARK: Opening

    /// For a writer: removes what is left over, cuts or sets aside what comes after the end, and makes the rest durable.
    private func mended(_ look: PartitionLook) throws(WalError) -> Result {
        do throws(WalError) {
            var mending = PartitionMending(look, self)
            try mending.run()
            var result = result(look, mending.files)
            result.state = mending.state
            result.durable = look.nextLSN - 1
            result.newestIncarnation = max(result.newestIncarnation, mending.state.incarnation)
            if look.verdict == .prefix || !mending.setAside.isEmpty { result.setAside = mending.setAside }
            return result
        } catch {
            // What part of a footer was written, the next opening finds torn, and writes again.
            throw error.at(partition: id).retryable
        }
    }

    /// - Parameter files: those that were kept, as they are now.
    private func result(_ look: PartitionLook, _ files: [SegmentFile]) -> Result {
        var result = Result(state: look.state)
        result.segments.reserveCapacity(look.kept)
        let kept = files.prefix(look.kept)
        for (place, file) in kept.enumerated() {
            guard let header = file.header else { continue }
            let isLast = place == kept.count - 1
            // Mending seals the last one.
            let isSealed = !isLast || look.endsInFooter || !settings.isReadOnly
            let segment = Segment(header: header, capacity: Int(clamping: file.size))
            if isSealed, let footer = file.footer {
                segment.fileSize = file.size
                segment.syncedEnd = file.size
                segment.setSealed(end: footer.dataEnd, lastLSN: footer.lastLSN)
            } else {
                segment.lastLSN = look.stopLSN - 1
                segment.publish(look.endOffset)
            }
            result.segments.append(segment)
        }
        result.nextLSN = look.nextLSN
        result.durable = min(look.durable, look.nextLSN - 1)
        result.wasClean = look.wasOrderly
        result.newestIncarnation = look.evidence.newest
        if look.lostBytes > 0 {
            result.cutFrom = look.nextLSN
            result.cutBytes = look.lostBytes
        }
        if look.verdict == .prefix { result.setAside = [] }
        return result
    }

    // MARK: Quarantine

    /// What of a damaged partition can be read: every segment whose header is whole, up to where they no longer follow each other.
    /// What belongs elsewhere, or is newer, is not read as this partition's.
    private func setAside(_ look: PartitionLook, _ error: WalError) throws(WalError) -> Result {
        var result = Result(state: look.state)
        result.newestIncarnation = look.evidence.newest
        result.failure = error
        result.wasClean = false
        // Without STATE nobody knows where it should begin.
        var next = look.evidence.state?.firstExpected
        for file in look.verdict == .damaged ? look.files : [] {
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
            let opened: any WalFile
            do throws(WalError) {
                opened = try file.open(in: directory)
            } catch {
                // Purged or replaced by a writer: what comes before it can be read.
                guard error.code == .notFound || error.code == .segmentReplaced else { throw error }
                break
            }
            defer { opened.close() }
            let scan = try SegmentScan(
                file: opened, header: header, from: FileFormat.dataStart, nextLSN: header.firstLSN, limit: file.size,
                state: look.evidence.state)
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
    private func truncate(_ evidence: PartitionEvidence) throws(WalError) -> Result {
        var state = evidence.knownState
        for leftover in evidence.leftovers where leftover.isPrepared { try directory.remove(leftover.name) }
        let names =
            evidence.files.map(\.name) + evidence.leftovers.filter { !$0.isPrepared }.map(\.name)
        let strays = Set(evidence.files.lazy.filter { $0.stray != nil }.map(\.name))
        let incarnation = try shared.incarnation(after: evidence.newest)
        try state.update(in: directory) { next in
            next = PartitionState(replacing: next)
            next.incarnation = incarnation
            next.oldestIncarnation = incarnation
            next.note(history: incarnation, firstLSN: 1)
            next.isClean = true
        }
        try directory.sync()
        // Names have their LSNs in twenty digits.
        for name in names.sorted(by: >) {
            if strays.contains(name) {
                try directory.rename(name, to: try directory.asideName(of: name))
            } else {
                try directory.remove(name)
            }
        }
        try directory.sync()
        return Result(state: state, newestIncarnation: incarnation)
    }
}
