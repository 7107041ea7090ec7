/// What a partition's files say of themselves, before a frame is read: STATE, names, headers, footers and marks.
///
/// A writer may be at work meanwhile. What calls something durable is read before what it covers: STATE before the names, the marks
/// of a segment before its size, and all of them before the frames. What calls something removed is read after the names.
struct PartitionEvidence {
    /// Names that are none of the log's any more.
    struct Leftover {
        var name: String
        /// Made ready and never used; else purged or truncated, as STATE says.
        var isPrepared: Bool
    }

    let id: PartitionID
    let directory: any WalDirectory
    let place: LogPlace
    /// Nil where no slot is whole.
    var state: PartitionState?
    /// Those that belong to the log, oldest first.
    var files: [SegmentFile] = []
    var leftovers: [Leftover] = []
    /// The greatest LSN that STATE or one of the marks before the frames calls durable.
    var durable: UInt64 = 0
    /// The greatest incarnation or history that anything states.
    var newest: UInt64 = 0
    /// A file that belongs elsewhere, or is of a newer format.
    var refusal: (finding: Finding, error: WalError)?
    /// Segment files that could not be read, where that is tolerated.
    var unreadable: [(firstLSN: UInt64, error: WalError)] = []

    var isCopy: Bool { state?.isCopy ?? false }

    /// What STATE says, or would say of a new partition.
    var knownState: PartitionState {
        state ?? PartitionState(partition: id, logID: place.logID ?? LogID(high: 0, low: 0))
    }

    /// - Parameters:
    ///   - conflict: said of a partition that names its log, where nobody can tell which log this is.
    ///   - isShared: another process may be writing.
    ///   - toleratesFailures: a segment that the device does not give is left out, and noted.
    ///   - readsAllMarks: also those that can't say more than STATE.
    /// - Throws: what the file system says. `.segmentReplaced` or `.notFound` where a writer changed the files meanwhile: look again.
    static func collect(
        _ id: PartitionID, logID: LogID?, conflict: WalError? = nil, in directory: any WalDirectory, isShared: Bool,
        toleratesFailures: Bool = false, readsAllMarks: Bool = false
    ) throws(WalError) -> PartitionEvidence {
        var found = PartitionEvidence(
            id: id, directory: directory, place: LogPlace(logID: logID, partition: id), state: nil)
        let before = try found.readState()
        let entries = try directory.list()
        found.state = before
        if isShared, found.refusal == nil {
            // What was purged between the two is not missing.
            found.state = try found.readState()
            guard found.state?.oldestIncarnation ?? 0 == before?.oldestIncarnation ?? 0 || before == nil else {
                throw WalError(.segmentReplaced, "the partition was truncated while it was looked at", partition: id)
            }
        }
        found.durable = before?.durable ?? 0
        if let state = found.state { found.newest = max(state.incarnation, state.history) }
        try found.readSegments(entries, toleratesFailures, readsAllMarks)
        if let conflict, found.state != nil || found.files.contains(where: { $0.header != nil }) {
            found.refuse(WalError(conflict.code, conflict.message, partition: id))
        }
        return found
    }

    private mutating func refuse(_ error: WalError) {
        let error = error.at(partition: id)
        // Of several the one that belongs elsewhere is told: what is newer may belong with it.
        if error.code == .unsupportedFormat {
            refusal = refusal ?? (.newer, error)
        } else if refusal?.finding != .foreign {
            refusal = (.foreign, error)
        }
    }

    private mutating func readState() throws(WalError) -> PartitionState? {
        do throws(WalError) {
            return try PartitionState.read(in: directory, partition: id, logID: place.logID)
        } catch {
            guard error.code == .foreign || error.code == .unsupportedFormat else { throw error }
            refuse(error)
            return nil
        }
    }

    private mutating func readSegments(
        _ entries: [(name: String, kind: EntryKind)], _ toleratesFailures: Bool, _ readsAllMarks: Bool
    ) throws(WalError) {
        var names: [(name: String, firstLSN: UInt64)] = []
        for entry in entries {
            if let lsn = FileFormat.firstLSN(ofSegmentNamed: entry.name) {
                guard entry.kind == .file else {
                    refuse(
                        WalError(
                            .notALog,
                            "\(entry.name) is not a regular file (a symbolic link?) and is not followed; remove what is in its place",
                            segment: LSN(lsn), lsn: LSN(lsn)))
                    continue
                }
                names.append((entry.name, lsn))
            } else if entry.kind == .file, FileFormat.isPreparedName(entry.name) {
                leftovers.append(Leftover(name: entry.name, isPrepared: true))
            }
        }
        names.sort { $0.firstLSN < $1.firstLSN }
        files.reserveCapacity(names.count)
        var reader = SegmentFileReader(
            directory: directory, place: place, isDurable: readsAllMarks ? 0 : state?.durable ?? 0)
        for (name, lsn) in names {
            let file: SegmentFile
            do throws(WalError) {
                file = try reader.read(name, firstLSN: lsn)
            } catch {
                let error = error.at(partition: id, segment: LSN(lsn), lsn: LSN(lsn))
                if error.code == .foreign || error.code == .unsupportedFormat {
                    refuse(error.at(offset: 0))
                    continue
                }
                guard toleratesFailures, error.code == .io else { throw error }
                unreadable.append((lsn, error))
                continue
            }
            // What is left over is removed, and a file that names another segment never is.
            if let error = file.strayError, let state, lsn <= state.durable || state.isLeftover(nil) {
                refuse(error)
                continue
            }
            if let state, lsn < state.firstRetained || state.isLeftover(file.header) {
                leftovers.append(Leftover(name: name, isPrepared: false))
                continue
            }
            if let header = file.header ?? file.stray { newest = max(newest, header.incarnation, header.history) }
            for mark in file.marks {
                newest = max(newest, mark.history)
                durable = max(durable, state?.durable(by: mark) ?? mark.durable)
            }
            files.append(file)
        }
        // Its records were durable: no power loss has left that.
        for file in files where file.firstLSN <= durable {
            if let error = file.strayError { refuse(error) }
        }
    }
}
