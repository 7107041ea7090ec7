/// What each byte of a whole log is, read by this file's own reader of the format (see the `FileFormat` article): what damage to it
/// must lead to is worked out from here, not from the code under test.
struct LogLayout {
    struct Unit {
        enum Kind: Equatable {
            /// A record or batch, a mark frame, a segment's header, a footer with its trailer.
            case frame, markFrame, header, footer
            /// Read by nobody, or not needed while the rest is whole.
            case slack
        }
        var path: String
        var range: Range<Int>
        var kind: Kind
        /// The first LSN that can't be read any more without it.
        var lsn: Int
        /// Mark frames and marks: what they call durable.
        var durable = 0
        var isLastSegment = false
    }

    private(set) var units: [Unit] = []
    private(set) var last = 0
    /// What STATE's newer and older slot call durable.
    private var states: [(range: Range<Int>, durable: Int)] = []
    private var marks: [(path: String, range: Range<Int>, durable: Int)] = []
    private(set) var files: [String: [UInt8]]

    /// - Parameter files: of a log with one partition.
    init(_ files: [String: [UInt8]]) {
        self.files = files
        let segments = files.keys.filter { $0.hasSuffix(".wal") }.sorted()
        for (place, path) in segments.enumerated() {
            addSegment(path, files[path] ?? [], isLast: place == segments.count - 1)
        }
        for (path, bytes) in files where path.hasSuffix("STATE") {
            for slot in [0, 4096] where bytes.count >= slot + 4096 && Self.u64(bytes, slot) != 0 {
                marks.append((path, slot..<(slot + 4096), Int(Self.u64(bytes, slot + 104))))
            }
            units.append(Unit(path: path, range: 0..<bytes.count, kind: .slack, lsn: 1))
        }
    }

    private static func u32(_ bytes: [UInt8], _ at: Int) -> UInt32 {
        (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
    }
    private static func u64(_ bytes: [UInt8], _ at: Int) -> UInt64 {
        UInt64(u32(bytes, at)) | UInt64(u32(bytes, at + 4)) << 32
    }

    private mutating func addSegment(_ path: String, _ bytes: [UInt8], isLast: Bool) {
        let first = Int(Self.u64(bytes, 24))
        let headerEnd = 88 + Int(Self.u32(bytes, 84)) + 4
        func add(_ range: Range<Int>, _ kind: Unit.Kind, _ lsn: Int) {
            if !range.isEmpty {
                units.append(Unit(path: path, range: range, kind: kind, lsn: lsn, isLastSegment: isLast))
            }
        }
        add(0..<headerEnd, .header, first)
        add(headerEnd..<12_288, .slack, first)
        for slot in [4096, 8192] where Self.u64(bytes, slot) != 0 {
            marks.append((path, slot..<(slot + 80), Int(Self.u64(bytes, slot + 24))))
        }
        var at = 12_288
        var next = first
        while at + 16 <= bytes.count, Self.u32(bytes, at) != 0 {
            let length = Int(Self.u32(bytes, at))
            let end = (at + length + 7) / 8 * 8
            switch bytes[at + 15] {
            case 0:
                add(at..<end, .frame, next)
                next += 1
            case 1:
                add(at..<end, .frame, next)
                next += Int(Self.u32(bytes, at + 16))
            case 2:
                add(at..<end, .markFrame, next)
                marks.append((path, at..<end, Int(Self.u64(bytes, at + 16))))
            default:
                add(at..<bytes.count, .footer, next)
                at = bytes.count
                continue
            }
            at = end
        }
        if at < bytes.count { add(at..<bytes.count, .slack, next) }
        last = next - 1
    }

    // MARK: What must be

    /// What damage leads to.
    enum Outcome: Equatable {
        /// Every record can be read.
        case whole
        /// Every record can be read, or it is called damage behind the last: a footer that was there is gone.
        case wholeOrDamage
        /// It is found, at the latest when that LSN is read, and everything before can be read.
        case damage(Int)
        /// The log ends before that LSN, and goes on from there.
        case cut(Int)
    }

    /// With the bytes in `broken` of a file not being what they were; `isCut`: gone.
    func outcome(_ path: String, _ broken: Range<Int>, isCut: Bool = false) -> Outcome {
        func overlaps(_ range: Range<Int>) -> Bool { range.overlaps(broken) }
        var durable = 0
        for mark in marks where mark.path != path || !overlaps(mark.range) { durable = max(durable, mark.durable) }
        let hit = units.filter { $0.path == path && $0.kind != .slack && overlaps($0.range) }
        guard let first = hit.min(by: { $0.lsn < $1.lsn }) else {
            return .whole
        }
        let lsn = first.lsn
        if lsn <= durable { return .damage(lsn) }
        // Behind the last record there is nothing to lose.
        if lsn > last { return first.kind == .footer ? .wholeOrDamage : .whole }
        return .cut(lsn)
    }
}
