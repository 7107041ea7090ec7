/// A partition's files, byte by byte as the `FileFormat` article has them and with nothing of the code under test, so that a
/// mistake in an encoder can't hide the same mistake in the decoder.
struct LogImage: Sendable {
    /// What of a partition was durable, as a mark says it.
    struct Mark: Sendable {
        var durable: UInt64
        /// Where that was in the segment; the first frame's place where it was in none before it.
        var end: Int
    }

    enum Frame: Sendable {
        case record
        case batch(Int)
        /// States the durable LSN, and where that ended in this segment.
        case mark(UInt64, end: Int)
        /// Any other, with its payload and how many LSNs it takes.
        case other(UInt8, [UInt8], takes: UInt64)

        /// A frame of another kind with extras around it.
        static func wrapper(_ kind: UInt8, _ payload: [UInt8], extras: [(UInt16, [UInt8])], takes: UInt64) -> Frame {
            var bytes = LittleEndian()
            for (type, content) in extras {
                bytes.append(type)
                bytes.append(UInt16(0))
                bytes.append(UInt32(content.count))
                bytes.append(content)
                bytes.zeros(upTo: (bytes.count + 7) / 8 * 8)
            }
            var whole = LittleEndian()
            whole.append([kind, 0, 0, 0])
            whole.append(UInt32(bytes.count))
            whole.append(bytes.bytes)
            whole.append(payload)
            return .other(8, whole.bytes, takes: takes)
        }

        /// Of records that salvage could not read.
        static func lost(_ first: UInt64, _ last: UInt64) -> Frame {
            var bytes = LittleEndian()
            bytes.append(last)
            return .other(9, bytes.bytes, takes: last + 1 - first)
        }
    }

    struct Segment: Sendable {
        var firstLSN: UInt64
        var salt: UInt64
        /// The history too, where that is not another one.
        var incarnation: UInt64
        var history: UInt64?
        var frames: [Frame]
        /// In the two places, the even sequence first.
        var marks: [Mark?] = [nil, nil]
        /// 1: the frames end at a terminator.
        var flags: UInt32 = 0
        /// What stands after the frames, and a terminator, of a segment that is not sealed.
        var rest: [UInt8] = []
        /// With a footer; else followed by space that was allocated and is zero.
        var isSealed = true
    }

    struct State: Sendable {
        var sequence: UInt64
        var durable: UInt64
        var isClean = false
        var firstRetained: UInt64 = 1
        var oldestIncarnation: UInt64 = 1
        var incarnation: UInt64 = 1
        var history: UInt64?
        var firstVisible: UInt64?
        var floor: UInt64?
        var isRemoved = false
        var histories: [(UInt64, UInt64)] = []
    }

    static let partition: UInt32 = 1
    static let logID: [UInt8] = (0..<16).map { 0xA0 + $0 }
    static let folder = "partition-00001"
    static let statePath = "\(folder)/STATE"
    /// Where frames begin, and the two marks and STATE's two slots stand.
    static let dataStart = 12_288
    static let markPlaces = [4_096, 8_192]
    static let statePlaces = [0, 4_096]
    static let allocation = 512

    var segments: [Segment]
    /// In the two slots, the even sequence first.
    var states: [State?] = [nil, nil]

    static func path(_ firstLSN: UInt64) -> String { "\(folder)/\(name(firstLSN))" }
    static func name(_ firstLSN: UInt64) -> String {
        let digits = String(firstLSN)
        return String(repeating: "0", count: 20 - digits.count) + digits + ".wal"
    }

    /// A record of 32 bytes, none of them zero: its frame has as many as a mark's.
    static func payload(_ lsn: UInt64) -> [UInt8] {
        let text = Array("record \(lsn) of the image ".utf8)
        return text + [UInt8](repeating: UInt8(truncatingIfNeeded: lsn) | 0x80, count: 32 - text.count)
    }

    // MARK: Bytes

    /// By path within the log.
    func files() -> [String: [UInt8]] {
        var files: [String: [UInt8]] = ["LOG": Self.log]
        for segment in segments { files[Self.path(segment.firstLSN)] = Self.bytes(of: segment) }
        if states.contains(where: { $0 != nil }) {
            var bytes = LittleEndian()
            for (state, place) in zip(states, Self.statePlaces) {
                bytes.zeros(upTo: place)
                if let state { bytes.append(Self.bytes(of: state)) }
            }
            files[Self.statePath] = bytes.bytes
        }
        return files
    }

    static var log: [UInt8] {
        var bytes = LittleEndian()
        bytes.append(Array("WALLOGID".utf8))
        bytes.append(UInt32(2))
        bytes.append(UInt32(0))
        bytes.append(logID)
        bytes.append(UInt64(1_700_000_000_000_000_000))
        bytes.zeros(upTo: 60)
        bytes.append(Castagnoli.sum(bytes.bytes))
        return bytes.bytes
    }

    static func bytes(of segment: Segment) -> [UInt8] {
        var file = LittleEndian()
        file.append(header(of: segment))
        for (k, mark) in segment.marks.enumerated() {
            file.zeros(upTo: markPlaces[k])
            if let mark { file.append(bytes(of: mark, segment, sequence: UInt64(2 + k))) }
        }
        file.zeros(upTo: dataStart)
        var lsn = segment.firstLSN
        for kind in segment.frames {
            file.append(frame(kind, lsn: lsn, at: file.count, segment.salt, segment.history ?? segment.incarnation))
            lsn += records(in: kind)
        }
        if segment.isSealed {
            file.append(footer(count: lsn - segment.firstLSN, last: lsn - 1, at: file.count, segment.salt))
        } else {
            file.zeros(upTo: file.count + (segment.rest.isEmpty ? allocation : 16))
            file.append(segment.rest)
        }
        return file.bytes
    }

    static func records(in frame: Frame) -> UInt64 {
        switch frame {
        case .record: 1
        case .batch(let count): UInt64(count)
        case .mark: 0
        case .other(_, _, let count): count
        }
    }

    static func header(of segment: Segment) -> [UInt8] {
        var items = LittleEndian()
        for (tag, content) in [(1, "bytes"), (2, ""), (3, "bytes")] as [(UInt16, String)] {
            items.append(tag)
            items.append(UInt16(content.utf8.count))
            items.append(Array(content.utf8))
        }
        var header = LittleEndian()
        header.append(Array("SWIFTWAL".utf8))
        header.append(UInt32(2))
        header.append(UInt32(dataStart))
        header.append(segment.flags)
        header.append(partition)
        header.append(segment.firstLSN)
        header.append(segment.history ?? segment.incarnation)
        header.append(segment.incarnation)
        header.append(segment.salt)
        header.append(UInt64(1_700_000_000_000_000_000))
        header.append(logID)
        header.append(UInt32(0))
        header.append(UInt32(items.count))
        header.append(items.bytes)
        header.append(Castagnoli.sum(header.bytes))
        return header.bytes
    }

    static func bytes(of mark: Mark, _ segment: Segment, sequence: UInt64) -> [UInt8] {
        var bytes = LittleEndian()
        bytes.append(Array("WALMARK2".utf8))
        for value in [
            segment.salt, segment.history ?? segment.incarnation, mark.durable, UInt64(mark.end), sequence,
            segment.firstLSN,
        ] { bytes.append(value) }
        bytes.append(logID)
        bytes.append(partition)
        bytes.append(Castagnoli.sum(bytes.bytes))
        return bytes.bytes
    }

    /// A frame with its padding.
    static func frame(_ kind: UInt8, lsn: UInt64, payload: [UInt8], salt: UInt64) -> [UInt8] {
        let word = lsn | UInt64(kind) << 56
        let padded = payload + [UInt8](repeating: 0, count: -payload.count & 7)
        var summed = LittleEndian()
        summed.append(padded)
        summed.append(UInt64(16 + payload.count))
        summed.append(word ^ salt)
        var frame = LittleEndian()
        frame.append(UInt32(16 + payload.count))
        frame.append(Castagnoli.sum(summed.bytes))
        frame.append(word)
        frame.append(padded)
        return frame.bytes
    }

    static func frame(_ kind: Frame, lsn: UInt64, at offset: Int, _ salt: UInt64, _ history: UInt64) -> [UInt8] {
        switch kind {
        case .record: return frame(0, lsn: lsn, payload: payload(lsn), salt: salt)
        case .batch(let count):
            return frame(1, lsn: lsn, payload: Self.batch(lsn, count), salt: salt)
        case .other(let kind, let payload, _): return frame(kind, lsn: lsn, payload: payload, salt: salt)
        case .mark(let durable, let end):
            var mark = LittleEndian()
            for value in [durable, UInt64(end), history, UInt64(offset)] { mark.append(value) }
            return frame(2, lsn: lsn, payload: mark.bytes, salt: salt)
        }
    }

    /// The payload of a batch.
    static func batch(_ lsn: UInt64, _ count: Int) -> [UInt8] {
        var records = LittleEndian()
        records.append(UInt32(count))
        for k in 0..<UInt64(count) {
            let record = payload(lsn + k)
            records.append(UInt32(record.count))
            records.append(record)
        }
        return records.bytes
    }

    static func footer(count: UInt64, last: UInt64, at offset: Int, _ salt: UInt64) -> [UInt8] {
        var payload = LittleEndian()
        for value in [count, last, UInt64(offset), 1_700_000_000_000_000_001] { payload.append(value) }
        payload.append(UInt32(0))
        payload.append(UInt32(0))
        var trailer = LittleEndian()
        trailer.append(Array("WALSEAL2".utf8))
        trailer.append(UInt64(offset))
        trailer.append(salt)
        trailer.append(UInt32(0))
        trailer.append(Castagnoli.sum(trailer.bytes))
        return frame(3, lsn: last + 1, payload: payload.bytes, salt: salt) + trailer.bytes
    }

    static func bytes(of state: State, partition: UInt32 = partition) -> [UInt8] {
        var bytes = LittleEndian()
        bytes.append(Array("WALSTATE".utf8))
        bytes.append(UInt32(2))
        bytes.append(partition)
        // What is clean will give out the next LSN and no other.
        let floor = state.floor ?? (state.isClean ? state.durable + 1 : state.firstRetained)
        bytes.append(state.sequence)
        bytes.append(logID)
        let flags: UInt64 = (state.isClean ? 1 : 0) | (state.isRemoved ? 2 : 0)
        for value in [
            0, 0, state.history ?? state.incarnation, state.incarnation, state.oldestIncarnation, state.firstRetained,
            state.firstVisible ?? state.firstRetained, floor, state.durable,
            flags, UInt64(state.histories.count),
        ] as [UInt64] { bytes.append(value) }
        bytes.zeros(upTo: 256)
        for (history, first) in state.histories {
            bytes.append(history)
            bytes.append(first)
        }
        bytes.zeros(upTo: 4_092)
        bytes.append(Castagnoli.sum(bytes.bytes))
        return bytes.bytes
    }
}

/// Bytes in the order of the article's tables.
struct LittleEndian {
    private(set) var bytes: [UInt8] = []
    var count: Int { bytes.count }

    mutating func append(_ more: [UInt8]) { bytes += more }
    mutating func append(_ value: some FixedWidthInteger & UnsignedInteger) {
        for k in 0..<(value.bitWidth / 8) { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * k))) }
    }
    mutating func zeros(upTo end: Int) { bytes += [UInt8](repeating: 0, count: max(0, end - bytes.count)) }
}

/// CRC32C as RFC 3720 defines it, by a table of its own.
enum Castagnoli {
    private static let table: [UInt32] = (0..<256).map { byte in
        var sum = UInt32(byte)
        for _ in 0..<8 { sum = sum & 1 == 0 ? sum >> 1 : (sum >> 1) ^ 0x82F6_3B78 }
        return sum
    }

    static func sum(_ bytes: [UInt8]) -> UInt32 {
        var sum = UInt32.max
        for byte in bytes { sum = (sum >> 8) ^ table[Int(UInt8(truncatingIfNeeded: sum) ^ byte)] }
        return ~sum
    }
}
