#if Zstd
internal import CZstd
internal import Synchronization
internal import WriteAheadLog

/// Compresses and expands by one level, window and dictionary. Keeps a few contexts for reuse, for making one costs more than
/// compressing a small record.
///
/// A slot is taken by exchanging its word for zero, and given back by exchanging zero for the word: whoever holds a context
/// holds it alone, and no lock is needed.
final class ZstdContexts: Sendable {
    private struct Slots: ~Copyable, Sendable {
        let first = Atomic<UInt>(0)
        let second = Atomic<UInt>(0)
        let third = Atomic<UInt>(0)
        let fourth = Atomic<UInt>(0)

        func take() -> OpaquePointer? {
            if let found = OpaquePointer(bitPattern: first.exchange(0, ordering: .acquiring)) { return found }
            if let found = OpaquePointer(bitPattern: second.exchange(0, ordering: .acquiring)) { return found }
            if let found = OpaquePointer(bitPattern: third.exchange(0, ordering: .acquiring)) { return found }
            return OpaquePointer(bitPattern: fourth.exchange(0, ordering: .acquiring))
        }

        /// False where all slots are full.
        func give(_ context: OpaquePointer) -> Bool {
            let word = UInt(bitPattern: context)
            return first.compareExchange(expected: 0, desired: word, ordering: .releasing).exchanged
                || second.compareExchange(expected: 0, desired: word, ordering: .releasing).exchanged
                || third.compareExchange(expected: 0, desired: word, ordering: .releasing).exchanged
                || fourth.compareExchange(expected: 0, desired: word, ordering: .releasing).exchanged
        }
    }

    private let level: Int
    private let windowLog: Int?
    private let dictionary: ZstdDictionary?
    /// The dictionary made ready for either use, with the first that comes: a codec that only reads old segments, one for each,
    /// makes no tables to compress by, which at a high level take milliseconds. zstd never changes them again. 0 until then.
    private let compressing = Atomic<UInt>(0)
    private let expanding = Atomic<UInt>(0)
    private let compressors = Slots()
    private let decompressors = Slots()

    init(level: Int, windowLog: Int?, dictionary: ZstdDictionary?) {
        self.level = level
        self.windowLog = windowLog
        self.dictionary = dictionary
    }

    deinit {
        while let context = compressors.take() { ZSTD_freeCCtx(context) }
        while let context = decompressors.take() { ZSTD_freeDCtx(context) }
        if let made = OpaquePointer(bitPattern: compressing.load(ordering: .acquiring)) { ZSTD_freeCDict(made) }
        if let made = OpaquePointer(bitPattern: expanding.load(ordering: .acquiring)) { ZSTD_freeDDict(made) }
    }

    /// Nil without a dictionary.
    private func compressingDictionary() throws(WalError) -> OpaquePointer? {
        guard let dictionary else { return nil }
        if let made = OpaquePointer(bitPattern: compressing.load(ordering: .acquiring)) { return made }
        guard let fresh = dictionary.bytes.withUnsafeBytes({ ZSTD_createCDict($0.baseAddress, $0.count, Int32(level)) })
        else { throw WalError(.encoding, "zstd: no memory for a dictionary to compress by") }
        let (isFirst, made) = compressing.compareExchange(
            expected: 0, desired: UInt(bitPattern: fresh), ordering: .acquiringAndReleasing)
        if isFirst { return fresh }
        // Another thread was faster.
        ZSTD_freeCDict(fresh)
        return OpaquePointer(bitPattern: made)
    }

    /// Nil without a dictionary.
    private func expandingDictionary() throws(WalError) -> OpaquePointer? {
        guard let dictionary else { return nil }
        if let made = OpaquePointer(bitPattern: expanding.load(ordering: .acquiring)) { return made }
        guard let fresh = dictionary.bytes.withUnsafeBytes({ ZSTD_createDDict($0.baseAddress, $0.count) }) else {
            throw WalError(.decoding, "zstd: no memory for a dictionary to expand by")
        }
        let (isFirst, made) = expanding.compareExchange(
            expected: 0, desired: UInt(bitPattern: fresh), ordering: .acquiringAndReleasing)
        if isFirst { return fresh }
        ZSTD_freeDDict(fresh)
        return OpaquePointer(bitPattern: made)
    }

    private func check(_ result: Int, _ code: WalError.Code) throws(WalError) {
        guard ZSTD_isError(result) == 0 else {
            throw WalError(code, "zstd: \(String(cString: ZSTD_getErrorName(result)))")
        }
    }

    private func makeCompressor() throws(WalError) -> OpaquePointer {
        let dictionary = try compressingDictionary()
        guard let context = ZSTD_createCCtx() else {
            throw WalError(.encoding, "zstd: no memory for a compression context")
        }
        do throws(WalError) {
            try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)), .encoding)
            if let windowLog {
                try check(ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, Int32(windowLog)), .encoding)
            }
            // The log has a checksum of its own, and the segment names the dictionary.
            try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0), .encoding)
            try check(ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0), .encoding)
            if let dictionary { try check(ZSTD_CCtx_refCDict(context, dictionary), .encoding) }
        } catch {
            ZSTD_freeCCtx(context)
            throw error
        }
        return context
    }

    /// A frame's first bytes, which are always the same (RFC 8878) and are not stored.
    private static var magic: UInt32 { 0xFD2F_B528 }

    /// Appends a frame without its magic number; at most `limit` bytes, or false with nothing appended.
    func compress(
        _ plain: UnsafeRawBufferPointer, limit: Int, into encoder: inout WalEncoder
    ) throws(WalError) -> Bool {
        let context = if let kept = compressors.take() { kept } else { try makeCompressor() }
        defer { if !compressors.give(context) { ZSTD_freeCCtx(context) } }
        let bound = ZSTD_compressBound(plain.count)
        try check(bound, .encoding)
        var frame = WalEncoder(minimumCapacity: bound)
        var result = 0
        frame.write(upTo: bound) { room in
            result = ZSTD_compress2(context, room.baseAddress, room.count, plain.baseAddress, plain.count)
            return ZSTD_isError(result) == 0 ? result : 0
        }
        try check(result, .encoding)
        guard result >= 4, result - 4 <= limit else { return false }
        frame.withBytes { encoder.write(bytes: UnsafeRawBufferPointer(rebasing: $0[4...])) }
        return true
    }

    /// Appends what a frame without its magic number holds: at most `maximum` bytes, of which no more than stated are
    /// allocated.
    func expand(
        _ stored: UnsafeRawBufferPointer, maximum: Int, into encoder: inout WalEncoder
    ) throws(WalError) {
        var frame = WalEncoder(minimumCapacity: stored.count + 4)
        frame.write(Self.magic)
        frame.write(bytes: stored)
        let claimed = frame.withBytes { ZSTD_getFrameContentSize($0.baseAddress, $0.count) }
        guard claimed < UInt64.max - 1 else { throw WalError(.decoding, "a zstd frame that does not state its size") }
        guard let size = Int(exactly: claimed), size <= maximum else {
            throw WalError(
                .decoding,
                "a record or batch of \(claimed) bytes, over the limit of \(maximum); raise maximumDecompressedSize if it is yours"
            )
        }
        // Each block takes at least four bytes and gives at most 128 KiB, so a short frame cannot hold much.
        guard size / (128 << 10) <= stored.count / 4 else {
            throw WalError(.decoding, "a zstd frame of \(stored.count) bytes that claims to hold \(size)")
        }
        let dictionary = try expandingDictionary()
        guard let context = decompressors.take() ?? ZSTD_createDCtx() else {
            throw WalError(.decoding, "zstd: no memory for a decompression context")
        }
        defer { if !decompressors.give(context) { ZSTD_freeDCtx(context) } }
        var result = 0
        encoder.write(upTo: size) { room in
            frame.withBytes { frame in
                result = ZSTD_decompress_usingDDict(
                    context, room.baseAddress, room.count, frame.baseAddress, frame.count, dictionary)
            }
            return ZSTD_isError(result) == 0 ? result : 0
        }
        try check(result, .decoding)
        guard result == size else {
            throw WalError(.decoding, "a zstd frame that holds \(result) bytes and should hold \(size)")
        }
    }
}
#endif
