internal import CWalShims

/// The one reader of frames: cursors, recovery and verification all step through a segment with it.
///
/// It looks at a window of the file, mapped or read, in which the byte at file offset `o` is at `base + o`. It trusts no length
/// before it lies within the window, and nothing of a frame before its checksum is right.
struct FrameScanner {
    /// What stands at `offset`.
    enum Step {
        /// A whole frame: see `kind`, `payload`, `word`. `offset` is behind it now.
        case frame
        /// The frame goes on beyond the window; `wanted` bytes from `offset` are needed.
        case beyondWindow(wanted: Int)
        /// Zeros: nothing was ever written here.
        case blank
        /// Something that is no frame of this segment.
        case bad
    }

    var base: UnsafeRawPointer
    /// File offset of the next frame.
    var offset: Int
    /// The window ends here.
    var limit: Int
    let salt: UInt64
    /// See ``SafetyMeasures``.
    private let trustsAnything: Bool

    /// Of the last frame.
    var payload = UnsafeRawBufferPointer(start: nil, count: 0)
    var word: UInt64 = 0
    var frameOffset = 0

    var kind: UInt8 { UInt8(truncatingIfNeeded: word >> 56) }
    var lsn: UInt64 { word & LSN.max.rawValue }
    var content: Frame.Content { Frame.content(word: word, payload: payload, at: frameOffset, salt: salt) }

    init(base: UnsafeRawPointer, offset: Int, limit: Int, salt: UInt64, disabled: SafetyMeasures) {
        trustsAnything = disabled.contains(.checksum)
        self.base = base
        self.offset = offset
        self.limit = limit
        self.salt = salt
    }

    @inline(__always)
    mutating func step() -> Step {
        let left = limit &- offset
        guard left >= FileFormat.frameHeaderSize else { return .beyondWindow(wanted: FileFormat.frameHeaderSize) }
        let frame = base + offset
        let length = UInt32(littleEndian: frame.loadUnaligned(as: UInt32.self))
        let total = FileFormat.padded(Int(length))
        guard length >= FileFormat.frameHeaderSize, length <= FileFormat.largestFrame else {
            return blankOrBad(frame, length)
        }
        guard total <= left else { return .beyondWindow(wanted: total) }
        let sum = UInt32(littleEndian: frame.loadUnaligned(fromByteOffset: 4, as: UInt32.self))
        let word = UInt64(littleEndian: frame.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        let body = frame + FileFormat.frameHeaderSize
        // What a small frame some frames ahead takes; the processor's own prefetching ends with each page.
        wal_prefetch_read(frame + 1024)
        wal_prefetch_read(frame + 1088)
        // The padding is within the sum. See `frameChecksum`; here in one call.
        let words = (total &- FileFormat.frameHeaderSize) &>> 3
        guard wal_crc32c_frame(body, words, UInt64(length), word ^ salt) == sum || trustsAnything else { return .bad }
        payload = UnsafeRawBufferPointer(start: body, count: Int(length) &- FileFormat.frameHeaderSize)
        self.word = word
        frameOffset = offset
        offset = offset &+ total
        return .frame
    }

    @inline(never)
    private func blankOrBad(_ frame: UnsafeRawPointer, _ length: UInt32) -> Step {
        length == 0 && frame.loadUnaligned(fromByteOffset: 4, as: UInt32.self) == 0
            && frame.loadUnaligned(fromByteOffset: 8, as: UInt64.self) == 0 ? .blank : .bad
    }
}

/// A window that is filled by reading the file, for those who do not map it.
final class ReadWindow {
    let file: any WalFile
    private(set) var memory: UnsafeMutableRawBufferPointer
    private(set) var start = 0
    private(set) var end = 0

    static let size = 256 << 10

    init(file: any WalFile) {
        self.file = file
        memory = .allocate(byteCount: Self.size, alignment: 16)
    }

    deinit { memory.deallocate() }

    /// `base + o` is the byte at file offset `o`, for `o` in the window.
    var base: UnsafeRawPointer {
        // The memory is never empty, so that it has an address.
        UnsafeRawPointer(memory.baseAddress.unsafelyUnwrapped) - start
    }

    /// Fills the window from `offset`, with at least `wanted` bytes where the file, whose size bounds what is allocated, has
    /// them below `limit`. Returns where the window ends.
    func fill(from offset: Int, wanted: Int, limit: Int) throws(WalError) -> Int {
        let available = max(0, min(limit, Int(clamping: try file.size())) - offset)
        let count = min(available, max(wanted, Self.size))
        if count > memory.count {
            memory.deallocate()
            memory = .allocate(byteCount: count, alignment: 16)
        }
        start = offset
        end = offset
        let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: memory[..<count]), at: UInt64(offset))
        end = offset + read
        return end
    }
}
