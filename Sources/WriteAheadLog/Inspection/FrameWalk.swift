/// Steps through the frames of a segment file by reading it, and finds its feet again behind a damaged place.
struct FrameWalk {
    enum Event {
        /// A whole frame; `scanner` and `content` have it.
        case frame
        /// Zeros, where nothing was ever written.
        case blank
        case bad
        /// The limit, between two frames.
        case end
    }

    private let window: ReadWindow
    private(set) var scanner: FrameScanner
    private(set) var content = Frame.Content.bad
    let limit: Int
    /// How many bytes of false candidates may still be summed: a bound on what hostile bytes can cost.
    private var budget = 256 << 20

    init(file: any WalFile, salt: UInt64, limit: UInt64) {
        window = ReadWindow(file: file)
        let start = Int(FileFormat.dataStart)
        scanner = FrameScanner(base: window.base, offset: start, limit: start, salt: salt, disabled: [])
        self.limit = Int(clamping: limit)
    }

    /// Where the next frame starts.
    var offset: Int { scanner.offset }

    mutating func next() throws(WalError) -> Event {
        while true {
            switch scanner.step() {
            case .frame:
                content = scanner.content
                // A mark's copy is no frame of the segment, and a batch may not hold what it states.
                if case .bad = content {
                    move(to: scanner.frameOffset)
                    return .bad
                }
                return .frame
            case .blank: return .blank
            case .bad: return .bad
            case .beyondWindow(let wanted):
                let filled = try window.fill(from: scanner.offset, wanted: wanted, limit: limit)
                scanner.base = window.base
                scanner.limit = filled
                let have = filled - scanner.offset
                if have >= wanted { continue }
                if have <= 0 { return .end }
                let rest = UnsafeRawBufferPointer(start: scanner.base + scanner.offset, count: have)
                return rest.allSatisfy { $0 == 0 } ? .blank : .bad
            }
        }
    }

    /// After ``resync(from:)``: the LSN of the frame that was found.
    private(set) var peekedLSN: UInt64 = 0

    private mutating func move(to offset: Int) {
        scanner.offset = offset
        // The window is filled anew.
        scanner.limit = offset
    }

    /// Looks behind a bad place for the next whole frame that can follow LSN `lsn − 1`, and stands before it.
    ///
    /// Frames carry the segment's salt in their checksums, so that bytes of a record can't be taken for one.
    mutating func resync(from lsn: UInt64) throws(WalError) -> Bool {
        let head = FileFormat.frameHeaderSize
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: ReadWindow.size, alignment: 16)
        defer { chunk.deallocate() }
        var start = scanner.offset + 8
        // The shortest record of a batch takes its length's four bytes; of one that was compressed, next to nothing: some 2^17 of
        // them a block of four bytes, if they are empty.
        let farthest = min(LSN.max.rawValue, lsn + UInt64(max(0, limit - scanner.offset)) << 16)
        while start + head <= limit {
            let wanted = min(chunk.count, limit - start)
            let count = try window.file.read(
                into: UnsafeMutableRawBufferPointer(rebasing: chunk[..<wanted]), at: UInt64(start))
            guard count >= head else { return false }
            var at = 0
            while at + head <= count {
                let candidate = start + at
                let length = Int(UInt32(littleEndian: chunk.loadUnaligned(fromByteOffset: at, as: UInt32.self)))
                let word = UInt64(littleEndian: chunk.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
                at += 8
                guard length >= head, length <= FileFormat.largestFrame,
                    FileFormat.padded(length) <= limit - candidate, FrameKind.isKnown(UInt8(word >> 56)),
                    word & LSN.max.rawValue >= lsn, word & LSN.max.rawValue <= farthest
                else { continue }
                move(to: candidate)
                if case .frame = try next() {
                    peekedLSN = scanner.lsn
                    move(to: candidate)
                    return true
                }
                budget -= length
                if budget < 0 { return false }
            }
            // Chunks overlap by a frame's header less one step, so that none is missed between two.
            start += at
        }
        return false
    }
}
