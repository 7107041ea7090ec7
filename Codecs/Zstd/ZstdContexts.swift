#if Zstd
internal import CZstd
internal import Synchronization
internal import WriteAheadLog

/// A few contexts kept for reuse, for making one costs more than compressing a small record.
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

    private let compressors = Slots()
    private let decompressors = Slots()

    deinit {
        while let context = compressors.take() { ZSTD_freeCCtx(context) }
        while let context = decompressors.take() { ZSTD_freeDCtx(context) }
    }

    private func check(_ result: Int, _ code: WalError.Code) throws(WalError) {
        guard ZSTD_isError(result) == 0 else {
            throw WalError(code, "zstd: \(String(cString: ZSTD_getErrorName(result)))")
        }
    }

    func compress(_ plain: borrowing WalEncoder, _ level: Int, into encoder: inout WalEncoder) throws(WalError) {
        guard let context = compressors.take() ?? ZSTD_createCCtx() else {
            throw WalError(.encoding, "zstd: no memory for a compression context")
        }
        defer { if !compressors.give(context) { ZSTD_freeCCtx(context) } }
        // The log has a checksum of its own, and the size is stored before the frame.
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level)), .encoding)
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0), .encoding)
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 0), .encoding)
        try check(ZSTD_CCtx_setParameter(context, ZSTD_c_dictIDFlag, 0), .encoding)
        let bound = ZSTD_compressBound(plain.count)
        try check(bound, .encoding)
        var result = 0
        plain.withBytes { bytes in
            encoder.write(upTo: bound) { room in
                result = ZSTD_compress2(context, room.baseAddress, room.count, bytes.baseAddress, bytes.count)
                return ZSTD_isError(result) == 0 ? result : 0
            }
        }
        try check(result, .encoding)
    }

    /// Appends exactly `size` bytes, or throws.
    func decompress(_ frame: UnsafeRawBufferPointer, _ size: Int, into encoder: inout WalEncoder) throws(WalError) {
        guard let context = decompressors.take() ?? ZSTD_createDCtx() else {
            throw WalError(.decoding, "zstd: no memory for a decompression context")
        }
        defer { if !decompressors.give(context) { ZSTD_freeDCtx(context) } }
        var result = 0
        encoder.write(upTo: size) { room in
            result = ZSTD_decompressDCtx(context, room.baseAddress, room.count, frame.baseAddress, frame.count)
            return ZSTD_isError(result) == 0 ? result : 0
        }
        try check(result, .decoding)
        guard result == size else {
            throw WalError(.decoding, "a zstd frame that holds \(result) bytes and should hold \(size)")
        }
    }
}
#endif
