import Testing

/// A log of two sealed segments and one that is written to, and where its marks are. Thirteen LSNs:
///
/// | segment | frames |
/// | --- | --- |
/// | 1 | 1, 2, a batch of 3 and 4 |
/// | 5 | 5, a mark, 6, a batch of 7 and 8 |
/// | 9 | 9, a mark, 10, a batch of 11 and 12, 13 |
struct MarkedLog: Sendable, CustomTestStringConvertible {
    let name: String
    var image: LogImage
    var testDescription: String { name }

    static let segments: [(first: UInt64, last: UInt64)] = [(1, 4), (5, 8), (9, 13)]
    /// LSNs that a sync may have ended with.
    static let boundaries: [UInt64] = [1, 2, 4, 5, 6, 8, 9, 10, 12, 13]

    /// The segment that holds an LSN.
    static func place(_ lsn: UInt64) -> Int { segments.firstIndex { $0.last >= lsn } ?? 0 }

    /// Where the frame of an LSN ends in its segment.
    static func end(_ lsn: UInt64) -> Int {
        let ends: [UInt64: Int] = [
            1: 48, 2: 96, 4: 192, 5: 48, 6: 144, 8: 240, 9: 48, 10: 144, 12: 240, 13: 288,
        ]
        return LogImage.dataStart + (ends[lsn] ?? 0)
    }

    /// - Parameter frames: what the mark frames of the second and the third segment state.
    init(_ name: String, frames: (UInt64, UInt64) = (0, 0)) {
        self.name = name
        func mark(_ durable: UInt64, in place: Int) -> LogImage.Frame {
            .mark(durable, end: durable >= Self.segments[place].first ? Self.end(durable) : LogImage.dataStart)
        }
        image = LogImage(segments: [
            .init(firstLSN: 1, salt: 0x1111_2222_3333_4444, incarnation: 10, frames: [.record, .record, .batch(2)]),
            .init(
                firstLSN: 5, salt: 0x5555_6666_7777_8888, incarnation: 10,
                frames: [.record, mark(frames.0, in: 1), .record, .batch(2)]),
            .init(
                firstLSN: 9, salt: 0x9999_AAAA_BBBB_CCCC, incarnation: 20,
                frames: [.record, mark(frames.1, in: 2), .record, .batch(2), .record], isSealed: false),
        ])
    }

    /// STATE says so, and in its other slot what it said before.
    mutating func state(_ durable: UInt64, isClean: Bool = false) {
        let before = Self.boundaries.last { $0 < durable } ?? 0
        image.states = [
            .init(sequence: 6, durable: durable, isClean: isClean, incarnation: 10),
            .init(sequence: 5, durable: before, incarnation: 10),
        ]
    }

    /// A mark in one of a segment's two places, and in the other the one before it.
    mutating func mark(_ durable: UInt64, in place: Int) {
        let first = Self.segments[place].first
        func mark(_ durable: UInt64) -> LogImage.Mark {
            .init(durable: durable, end: durable >= first ? Self.end(durable) : LogImage.dataStart)
        }
        let before = Self.boundaries.last { $0 < durable && $0 + 1 >= first }
        image.segments[place].marks = [before.map(mark), mark(durable)]
    }

    /// The mark everywhere that it can be, one place at a time.
    static let all: [MarkedLog] = {
        var all = [MarkedLog("no mark")]
        for lsn in boundaries {
            var log = MarkedLog("STATE \(lsn)")
            log.state(lsn)
            all.append(log)
            log = MarkedLog("mark \(lsn)")
            log.mark(lsn, in: place(lsn))
            all.append(log)
        }
        for (place, lsn) in [(1, 4), (2, 8), (2, 4)] as [(Int, UInt64)] {
            var log = MarkedLog("mark \(lsn) in segment \(segments[place].first)")
            log.mark(lsn, in: place)
            all.append(log)
        }
        for frames in [(4, 0), (5, 0), (4, 5), (0, 8), (5, 9)] as [(UInt64, UInt64)] {
            all.append(MarkedLog("mark frames \(frames)", frames: frames))
        }
        // As it is made with the first segment, and never synced.
        var log = MarkedLog("STATE 0")
        log.image.states[1] = .init(sequence: 1, durable: 0)
        all.append(log)
        log = MarkedLog("purged", frames: (4, 8))
        log.state(8)
        for slot in 0..<2 { log.image.states[slot]?.firstRetained = 5 }
        all.append(log)
        log = MarkedLog("reopened", frames: (5, 0))
        log.state(8, isClean: true)
        all.append(log)
        log = MarkedLog("closed", frames: (5, 9))
        log.state(13, isClean: true)
        log.image.segments[2].isSealed = true
        all.append(log)
        log = MarkedLog("a segment that was cut off, again")
        log.state(6)
        log.image.segments[1].incarnation = 30
        all.append(log)
        log = MarkedLog("everywhere", frames: (5, 9))
        log.state(8)
        log.mark(6, in: 1)
        log.mark(10, in: 2)
        all.append(log)
        return all
    }()

    /// Its place in the list.
    var number: Int { Self.all.firstIndex { $0.name == name } ?? 0 }

    var frames: [(Int, Int)] {
        image.segments.indices.flatMap { s in image.segments[s].frames.indices.map { (s, $0) } }
    }

    /// Every single thing that can be wrong but for marks.
    var singles: [Damage] {
        var all: [Damage] = []
        for (s, k) in frames { all += Damage.ToFrame.allCases.map { .frame(s, k, $0) } }
        for s in image.segments.indices {
            if image.segments[s].isSealed { all += Damage.ToFooter.allCases.map { .footer(s, $0) } }
            all += Damage.ToHeader.allCases.map { .header(s, $0) }
            all.append(.missing(s))
        }
        return all
    }

    /// Every single thing that can be wrong with marks and STATE.
    var markSingles: [Damage] {
        var all: [Damage] = []
        for s in image.segments.indices {
            for place in 0..<2 where image.segments[s].marks[place] != nil {
                all += Damage.ToMark.allCases.map { .mark(s, place, $0) }
            }
        }
        for slot in 0..<2 where image.states[slot] != nil { all += Damage.ToMark.allCases.map { .state(slot, $0) } }
        return all
    }
}
