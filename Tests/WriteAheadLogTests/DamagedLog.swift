/// One thing that is wrong with a log's files. Segments, frames and slots by their place in the image.
enum Damage: Sendable, Hashable {
    enum ToFrame: CaseIterable, Sendable {
        case payloadBit, lengthBit, lsnBit, kindBit, sumBit
        case zeroed
        /// The last words never got to the disk.
        case tornEnd
        /// The file ends within it.
        case cutOff
        /// The same frame as it would be with the salt of an earlier segment.
        case oldSalt
        /// Another whole frame of the segment stands in its place.
        case duplicate
    }

    enum ToFooter: CaseIterable, Sendable {
        case frameBit, frameZeroed, trailerBit, trailerCut, cutOff, zerosBehind, oldSalt
    }

    enum ToHeader: CaseIterable, Sendable {
        case bit, zeroed
        /// Whole, but of a segment that begins with another LSN.
        case moved
        case empty
        /// The file ends behind it: all the rest is gone.
        case alone
    }

    enum ToMark: CaseIterable, Sendable {
        case bit, torn, zeroed
        /// Whole, but with another salt: of a segment of the same name, that was here before. Of STATE, another partition's.
        case foreign
        /// The same, and of a segment with another name: a block that belonged to another file.
        case strayed
    }

    case frame(Int, Int, ToFrame)
    case footer(Int, ToFooter)
    case header(Int, ToHeader)
    case missing(Int)
    case mark(Int, Int, ToMark)
    case state(Int, ToMark)
}

/// A log image with damage, and beside the bytes what of it is still whole: the oracle looks at that.
struct DamagedLog: Sendable {
    struct Frame: Sendable {
        let offset: Int
        let size: Int
        /// The first in it; of a mark, the one that comes next.
        let lsn: UInt64
        let records: UInt64
        let mark: UInt64?
        var isWhole = true
        var end: Int { offset + size }
    }

    struct Segment: Sendable {
        let image: LogImage.Segment
        let lastLSN: UInt64
        let dataEnd: Int
        var exists = true
        var isHeaderWhole = true
        /// The header's bytes that are the salt are what was written.
        var isSaltThere = true
        /// The header is whole and another segment's, with this one's salt.
        var isHeaderMoved = false
        /// Footer and trailer are where they should be.
        var isSealed: Bool
        var frames: [Frame]
        /// In its two places, where they are whole.
        var marks: [LogImage.Mark?]
        /// A whole frame stands where the first one should, be it another one.
        var beginsWithAFrame = true
        /// The file ends in the trailer.
        var endsInTrailer = false
        /// Those that are whole but have another's salt.
        var foreignMarks: [LogImage.Mark] = []
        var firstLSN: UInt64 { image.firstLSN }
        var path: String { LogImage.path(firstLSN) }
    }

    private(set) var segments: [Segment] = []
    /// Where they are whole.
    private(set) var states: [LogImage.State?]
    private(set) var files: [String: [UInt8]]
    /// A whole slot of STATE is another partition's.
    private(set) var isForeign = false
    private(set) var damage: [Damage] = []
    private let original: [String: [UInt8]]
    private let image: LogImage

    init(_ image: LogImage) {
        self.image = image
        original = image.files()
        files = original
        states = image.states
        for segment in image.segments {
            var frames: [Frame] = []
            var offset = LogImage.dataStart
            var lsn = segment.firstLSN
            for kind in segment.frames {
                var mark: UInt64?
                if case .mark(let durable, _) = kind { mark = durable }
                let size = LogImage.frame(kind, lsn: lsn, at: offset, segment.salt, segment.incarnation).count
                let records = LogImage.records(in: kind)
                frames.append(Frame(offset: offset, size: size, lsn: lsn, records: records, mark: mark))
                offset += size
                lsn += records
            }
            segments.append(
                Segment(
                    image: segment, lastLSN: lsn - 1, dataEnd: offset, isSealed: segment.isSealed, frames: frames,
                    marks: segment.marks))
        }
    }

    func damaged(by more: [Damage]) -> DamagedLog {
        var copy = self
        for damage in more { copy.apply(damage) }
        return copy
    }

    // MARK: Damage

    private mutating func apply(_ damage: Damage) {
        self.damage.append(damage)
        switch damage {
        case .frame(let s, let k, let kind): damageFrame(s, k, kind)
        case .footer(let s, let kind): damageFooter(s, kind)
        case .header(let s, let kind): damageHeader(s, kind)
        case .missing(let s):
            files[segments[s].path] = nil
            segments[s].exists = false
        case .mark(let s, let place, let kind):
            guard let mark = segments[s].marks[place] else { return }
            var other = segments[s].image
            other.salt ^= 0x5A5A
            if kind == .strayed { other.firstLSN += 1 }
            let foreign = LogImage.bytes(of: mark, other, sequence: UInt64(2 + place))
            change(segments[s].path, LogImage.markPlaces[place], 80, kind, foreign)
            segments[s].marks[place] = nil
            if kind == .foreign { segments[s].foreignMarks.append(mark) }
        case .state(let slot, let kind):
            guard let state = states[slot] else { return }
            let foreign = LogImage.bytes(of: state, partition: LogImage.partition + 1)
            change(LogImage.statePath, LogImage.statePlaces[slot], 4_096, kind, foreign)
            states[slot] = nil
            if kind == .foreign || kind == .strayed { isForeign = true }
        }
        settle()
    }

    private mutating func damageFrame(_ s: Int, _ k: Int, _ kind: Damage.ToFrame) {
        let frame = segments[s].frames[k]
        let path = segments[s].path
        // Another bit in each frame, so that all fields and all sizes have their turn.
        let draw = 7 * s + 5 * k + 3
        switch kind {
        case .lengthBit: flip(path, frame.offset, bit: draw % 32)
        case .sumBit: flip(path, frame.offset + 4, bit: draw % 32)
        case .lsnBit: flip(path, frame.offset + 8, bit: draw % 56)
        case .kindBit: flip(path, frame.offset + 15, bit: draw % 8)
        case .payloadBit: flip(path, frame.offset + 16, bit: draw * 13 % (8 * (frame.size - 24)))
        case .zeroed: put([UInt8](repeating: 0, count: frame.size), path, frame.offset)
        case .tornEnd: put([UInt8](repeating: 0, count: 8), path, frame.end - 8)
        case .cutOff: shorten(path, frame.offset + frame.size / 2)
        case .oldSalt:
            let segment = segments[s].image
            let old = LogImage.frame(
                segment.frames[k], lsn: frame.lsn, at: frame.offset, segment.salt ^ 0xBAD, segment.incarnation)
            put(old, path, frame.offset)
        case .duplicate:
            // Of the same size: what follows stands where it would follow.
            let others = segments[s].frames.indices.filter { $0 != k && segments[s].frames[$0].size == frame.size }
            guard let other = others.last(where: { $0 < k }) ?? others.first, let bytes = original[path] else {
                flip(path, frame.offset + 20, bit: 1)
                break
            }
            let source = segments[s].frames[other]
            put(Array(bytes[source.offset..<source.end]), path, frame.offset)
            segments[s].frames[k].isWhole = false
            // A mark frame is none in another place.
            if k == 0 { segments[s].beginsWithAFrame = source.mark == nil }
            return
        }
        if k == 0 { segments[s].beginsWithAFrame = false }
        segments[s].frames[k].isWhole = false
    }

    private mutating func damageFooter(_ s: Int, _ kind: Damage.ToFooter) {
        let path = segments[s].path
        let end = segments[s].dataEnd
        guard segments[s].image.isSealed, let size = original[path]?.count else { return }
        switch kind {
        case .frameBit: flip(path, end, bit: 8 * 17 + s)
        case .frameZeroed: put([UInt8](repeating: 0, count: size - 32 - end), path, end)
        case .trailerBit: flip(path, size - 32, bit: 70 + s)
        case .trailerCut: shorten(path, size - 8)
        case .cutOff: shorten(path, end)
        case .zerosBehind: if files[path]?.count == size { files[path]? += [UInt8](repeating: 0, count: 4_096) }
        case .oldSalt:
            let segment = segments[s].image
            let count = segments[s].lastLSN + 1 - segment.firstLSN
            put(
                LogImage.footer(count: count, last: segments[s].lastLSN, at: end, segment.salt ^ 0xBAD), path, end)
        }
        segments[s].isSealed = false
    }

    private mutating func damageHeader(_ s: Int, _ kind: Damage.ToHeader) {
        let path = segments[s].path
        segments[s].isHeaderMoved = kind == .moved || kind == .alone && segments[s].isHeaderMoved
        switch kind {
        case .bit: flip(path, 0, bit: (37 * s + 190) % (8 * 110))
        case .zeroed:
            put([UInt8](repeating: 0, count: 4_096), path, 0)
            segments[s].isSaltThere = false
        case .moved:
            var other = segments[s].image
            other.firstLSN += 1
            put(LogImage.header(of: other), path, 0)
        case .empty:
            shorten(path, 0)
            segments[s].isSaltThere = false
        case .alone:
            shorten(path, 2_048)
            return
        }
        segments[s].isHeaderWhole = false
    }

    /// What the end of a file took with it.
    private mutating func settle() {
        for s in segments.indices {
            let size = files[segments[s].path]?.count ?? 0
            for k in segments[s].frames.indices where segments[s].frames[k].end > size {
                segments[s].frames[k].isWhole = false
            }
            if size < original[segments[s].path]?.count ?? 0 { segments[s].isSealed = false }
            if segments[s].frames.first?.end ?? .max > size { segments[s].beginsWithAFrame = false }
            segments[s].endsInTrailer =
                segments[s].image.isSealed
                && files[segments[s].path]?.suffix(32) == original[segments[s].path]?.suffix(32)
            if size < LogImage.dataStart {
                segments[s].marks = [nil, nil]
                segments[s].foreignMarks = []
            }
        }
    }

    // MARK: Bytes

    private mutating func put(_ bytes: [UInt8], _ path: String, _ offset: Int) {
        guard let size = files[path]?.count, offset < size else { return }
        let end = min(size, offset + bytes.count)
        files[path]?.replaceSubrange(offset..<end, with: bytes[..<(end - offset)])
    }

    private mutating func flip(_ path: String, _ offset: Int, bit: Int) {
        guard let size = files[path]?.count, offset + bit / 8 < size else { return }
        files[path]?[offset + bit / 8] ^= 1 << UInt8(bit % 8)
    }

    private mutating func shorten(_ path: String, _ size: Int) {
        guard let now = files[path]?.count, size < now else { return }
        files[path]?.removeLast(now - size)
    }

    private mutating func change(_ path: String, _ offset: Int, _ count: Int, _ kind: Damage.ToMark, _ foreign: [UInt8])
    {
        switch kind {
        case .bit: flip(path, offset, bit: 8 * 25 + offset / 4_096)
        case .torn: put([UInt8](repeating: 0, count: count / 2), path, offset + count / 2)
        case .zeroed: put([UInt8](repeating: 0, count: count), path, offset)
        case .foreign, .strayed: put(foreign, path, offset)
        }
    }
}
