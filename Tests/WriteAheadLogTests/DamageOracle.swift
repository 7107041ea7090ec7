import WriteAheadLog

/// What must come of a damaged log, by the design's promises 4 to 6 and 13 alone.
///
/// D is the greatest LSN that anything whole calls durable. Reading begins at the last place that is known, without reading
/// frames, to be durable, and goes on to the first place that is not what should follow; L is the LSN that should be there.
/// L ≤ D is damage. Above D the log ends before L.
struct DamageOracle {
    struct Place: Equatable {
        var code: WalError.Code
        var segment: UInt64
        /// Nil where a whole file is missing.
        var offset: Int?
        var lsn: UInt64
    }

    enum Outcome: Equatable {
        case refused(Place)
        /// Something belongs to another partition.
        case foreign
        /// The log ends before that LSN; so many bytes are dropped.
        case ends(UInt64, dropping: ClosedRange<Int>)
    }

    let log: DamagedLog
    private let state: LogImage.State?
    private let present: [DamagedLog.Segment]
    /// From STATE and the marks that stand before the frames.
    private let known: UInt64
    /// D.
    let durable: UInt64

    init(_ log: DamagedLog) {
        self.log = log
        let state = log.states.compactMap { $0 }.max { $0.sequence < $1.sequence }
        let first = state?.firstRetained ?? 1
        let oldest = state?.oldestIncarnation ?? 1
        // The others are left over from a purge or a truncation.
        let present = log.segments.filter {
            $0.exists && $0.firstLSN >= first && ($0.image.incarnation >= oldest || $0.isHeaderMoved)
        }
        var known = state?.durable ?? 0
        var durable: UInt64 = 0
        for segment in present {
            for mark in segment.marks { known = max(known, mark?.durable ?? 0) }
            // Without a header nobody can say whose mark it is but by the name in it; damage is never cut on a doubt.
            if !segment.isHeaderWhole { for mark in segment.foreignMarks { known = max(known, mark.durable) } }
            // Mark frames are found by the salt, which a damaged header or a mark may still tell.
            guard
                segment.isHeaderWhole || segment.isSaltThere && !segment.isHeaderMoved
                    || segment.marks.contains(where: { $0 != nil })
            else {
                continue
            }
            for frame in segment.frames where frame.isWhole { durable = max(durable, frame.mark ?? 0) }
        }
        self.state = state
        self.present = present
        self.known = known
        self.durable = max(known, durable)
    }

    /// The first LSN that is there to be read.
    var first: UInt64 { state?.firstRetained ?? 1 }

    /// A log that says that it was closed, and nothing contradicts: opening it writes nothing.
    var isClean: Bool {
        guard let state, state.isClean, case .ends(let end, _) = outcome(readsAll: false) else { return false }
        return present.allSatisfy { $0.isSealed } && durable + 1 == end && known == durable
            && present.last.map { $0.lastLSN + 1 == end } ?? true
    }

    /// Segments that stay when the log ends before `end`.
    func kept(_ end: UInt64) -> [DamagedLog.Segment] { present.filter { $0.firstLSN < end } }

    /// Where a reader can't go on. From `segment` on everything is dropped if this is where a crash tore the log.
    struct Stop {
        var place: Place
        fileprivate var segment: Int
    }

    func stop(readsAll: Bool) -> Stop {
        var next = first
        for (k, segment) in present.enumerated() {
            if segment.firstLSN != next {
                return Stop(place: Place(code: .missing, segment: next, offset: nil, lsn: next), segment: k)
            }
            if !segment.isHeaderWhole {
                return Stop(place: Place(code: .corrupt, segment: next, offset: 0, lsn: next), segment: k)
            }
            // Cut off once, and here again.
            if k > 0, present[k - 1].image.incarnation > segment.image.incarnation {
                return Stop(place: Place(code: .corrupt, segment: next, offset: 0, lsn: next), segment: k)
            }
            // Its footer may have been written behind a last record that was durable before; then it is read.
            let isClosed = state.map { $0.isClean && segment.lastLSN <= $0.durable } ?? false
            if !readsAll, segment.isSealed, segment.lastLSN < known || isClosed {
                next = segment.lastLSN + 1
                continue
            }
            var from = LogImage.dataStart
            let newest = segment.marks.compactMap { $0 }.max { $0.end < $1.end }
            if !readsAll, let newest, newest.end <= log.files[segment.path]?.count ?? 0 { from = newest.end }
            if let bad = segment.frames.first(where: { $0.offset >= from && !$0.isWhole }) {
                return Stop(
                    place: Place(code: .corrupt, segment: segment.firstLSN, offset: bad.offset, lsn: bad.lsn),
                    segment: k)
            }
            next = segment.lastLSN + 1
            if !segment.isSealed {
                return Stop(
                    place: Place(code: .corrupt, segment: segment.firstLSN, offset: segment.dataEnd, lsn: next),
                    segment: k)
            }
        }
        return Stop(place: Place(code: .missing, segment: next, offset: nil, lsn: next), segment: present.count)
    }

    var hasUnknownBeginning: Bool { state == nil && present.first.map { $0.firstLSN > 1 } ?? false }

    /// A header of another segment is foreign where more of that one is in the file, and where something durable should be.
    private var isForeign: Bool {
        log.isForeign
            || log.segments.contains {
                $0.exists && $0.isHeaderMoved
                    && ($0.beginsWithAFrame || $0.endsInTrailer || $0.marks.contains { $0 != nil }
                        || $0.firstLSN <= durable)
            }
    }

    func outcome(readsAll: Bool) -> Outcome {
        if isForeign { return .foreign }
        let stop = stop(readsAll: readsAll)
        let place = stop.place
        if durable >= place.lsn { return .refused(place) }
        // What was closed in order was sealed.
        if let state, state.isClean, stop.segment < present.count, present[stop.segment].firstLSN <= state.durable {
            return .refused(place)
        }
        // What was purged, STATE alone knows: without it nobody can tell whether a beginning is missing.
        if hasUnknownBeginning { return .refused(place) }
        var least = 0
        var most = 0
        for (k, segment) in present.enumerated().dropFirst(stop.segment) {
            let bytes = log.files[segment.path] ?? []
            let end = (bytes.lastIndex { $0 != 0 } ?? -1) + 1
            if k == stop.segment, let offset = place.offset, offset > 0 {
                least += max(0, end - offset)
                most += max(0, end - offset)
            } else {
                least += max(0, end - LogImage.dataStart)
                most += bytes.count
            }
        }
        return .ends(place.lsn, dropping: least...most)
    }
}
