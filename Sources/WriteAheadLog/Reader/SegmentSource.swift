/// A partition as a reader needs it: which segments there are, and where to find them.
extension PartitionLog {
    enum Located {
        case segment(Segment)
        /// Nothing is there yet.
        case end
    }

    /// The segment that holds `lsn`, or will once it is appended.
    func segment(holding lsn: UInt64) throws(WalError) -> Located {
        try withLock { () throws(WalError) in
            guard let first = segments.first else {
                // What belongs elsewhere is not read as this partition's.
                if let failure,
                    failure.code == .foreign || failure.code == .unsupportedFormat || failure.code == .notALog
                {
                    throw failure
                }
                guard lsn <= hot.pointee.nextLSN else { throw beyondEnd(lsn) }
                guard lsn == hot.pointee.nextLSN else {
                    throw WalError(
                        .purged,
                        "LSN \(lsn) was purged, and nothing is kept; the next record will be \(hot.pointee.nextLSN)",
                        partition: id, lsn: LSN(hot.pointee.nextLSN))
                }
                return .end
            }
            let oldest = max(first.firstLSN, firstVisible)
            guard lsn >= oldest else {
                throw WalError(
                    .purged, "LSN \(lsn) was purged; the oldest that is kept is \(oldest)", partition: id,
                    lsn: LSN(oldest))
            }
            guard lsn <= hot.pointee.nextLSN else { throw beyondEnd(lsn) }
            // The last whose first LSN is not above it.
            var low = 0
            var high = segments.count
            while low < high {
                let middle = (low + high) / 2
                if segments[middle].firstLSN <= lsn { low = middle + 1 } else { high = middle }
            }
            let found = segments[low - 1]
            // One past a sealed end: the next segment is not there yet.
            if found.isSealed, lsn > found.lastLSN { return .end }
            return .segment(found)
        }
    }

    /// A segment's codec, key or dictionary is missing: says how to read on after it.
    func unreadable(_ error: WalError, _ segment: Segment) -> WalError {
        let error = error.at(partition: id, segment: LSN(segment.firstLSN))
        guard segment.isSealed, segment.lastLSN >= segment.firstLSN else { return error }
        return error.adding(
            "; the segment holds LSN \(segment.firstLSN) … \(segment.lastLSN), and `.lsn(\(segment.lastLSN + 1))` reads on after it"
        )
    }

    private func beyondEnd(_ lsn: UInt64) -> WalError {
        WalError(
            .outOfRange, "LSN \(lsn) is beyond the end of the partition, which is \(hot.pointee.nextLSN - 1)",
            partition: id, lsn: LSN(hot.pointee.nextLSN - 1))
    }

    var firstRetained: UInt64 {
        withLock { segments.first.map { max($0.firstLSN, firstVisible) } ?? hot.pointee.nextLSN }
    }

    /// Throws where the record before `position` did not survive: the last LSN that its history and the log have in common.
    func check(_ position: Position) throws(WalError) {
        let starts = state.withLock { $0.histories.map { (history: $0.history, first: $0.firstLSN) } }
        let known = withLock { segments.map { (history: $0.header.history, first: $0.firstLSN) } }
        let historyNow = withLock { hot.pointee.history }
        let nextLSN = withLock { hot.pointee.nextLSN }
        let oldestIncarnation = state.withLock { $0.oldestIncarnation }
        if position.history < oldestIncarnation {
            throw WalError(
                .positionLost, "the log was truncated after this position was given out; begin again with `.first`",
                partition: id, lsn: LSN(0))
        }
        // STATE forgets the oldest histories, and purge takes their segments: then nobody can tell whether the last record before
        // what is kept is the one that this position counts.
        let oldestKnown =
            starts.count < PartitionState.historyLimit ? 0 : min(starts[0].history, known.first?.history ?? .max)
        if position.history < oldestKnown, position.lsn.rawValue == known.first?.first ?? nextLSN {
            throw WalError(
                .positionLost,
                "the position is from so many openings ago that it can't be verified; begin again with `.first`",
                partition: id, segment: position.segment, offset: position.offset)
        }
        // The first LSN that was written in a later history: what the position's history had from there on was cut.
        var firstOfLater: UInt64?
        for start in starts + known where start.history > position.history {
            firstOfLater = min(firstOfLater ?? start.first, start.first)
        }
        if firstOfLater == nil, position.history < historyNow { firstOfLater = nextLSN }
        if let firstOfLater, position.lsn.rawValue > firstOfLater {
            throw WalError(
                .positionLost,
                "the records behind LSN \(firstOfLater - 1) that this position counts did not survive a crash; go on from `.after(LSN(\(firstOfLater - 1)))`",
                partition: id, segment: position.segment, offset: position.offset, lsn: LSN(firstOfLater - 1))
        }
        if position.history > historyNow || position.lsn.rawValue < 1 || position.lsn.rawValue > nextLSN {
            throw WalError(
                .positionLost, "the position is not of this partition", partition: id, segment: position.segment,
                offset: position.offset, lsn: LSN(min(nextLSN - 1, position.lsn.rawValue)))
        }
    }
}
