#if Crypto
internal import Crypto
internal import Synchronization
internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Seals or opens the frames of one segment with AES-256-GCM (NIST SP 800-38D).
///
/// Stored are the frame's number in 6 bytes, little endian, the ciphertext, and a tag of 16 bytes. The nonce is that number,
/// and zeros up to 12 bytes. It counts what was sealed under this key, also what then did not reach the disk: as the key is of
/// this one object and of no segment before, no nonce comes twice, whatever becomes of the file.
final class SegmentCipher: WalFrameSealer, WalFrameOpener {
    private static let numberSize = 6
    private static let tagSize = 16
    private static let nonceSize = 12
    static let overhead = numberSize + tagSize

    private let key: SymmetricKey
    private let sealed = Atomic<UInt64>(0)

    init(key: SymmetricKey) { self.key = key }

    func seal(
        _ plain: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
    ) throws(WalError) {
        let number = sealed.wrappingAdd(1, ordering: .relaxed).oldValue
        guard number < 1 << (8 * Self.numberSize) else {
            throw WalError(.outOfRange, "the segment's key has sealed 2^48 frames; close and reopen the log")
        }
        let nonce: [UInt8] = withUnsafeBytes(of: number.littleEndian) { Array($0) } + [0, 0, 0, 0]
        do {
            let box = try frame.withUnsafeBytes {
                try AES.GCM.seal(plain, using: key, nonce: try AES.GCM.Nonce(data: nonce), authenticating: $0)
            }
            encoder.write(bytes: Array(nonce[..<Self.numberSize]))
            // Nonce, ciphertext and tag in a row.
            guard let combined = box.combined else { throw CryptoKitError.incorrectParameterSize }
            combined.withUnsafeBytes { encoder.write(bytes: UnsafeRawBufferPointer(rebasing: $0[Self.nonceSize...])) }
        } catch {
            throw WalError(.encoding, "the frame could not be sealed", underlying: error)
        }
    }

    func open(
        _ sealed: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
    ) throws(WalError) {
        do {
            guard sealed.count >= Self.overhead else { throw CryptoKitError.incorrectParameterSize }
            let number = Array(sealed[..<Self.numberSize])
            let end = sealed.count - Self.tagSize
            let box = try AES.GCM.SealedBox(
                nonce: try AES.GCM.Nonce(
                    data: number + repeatElement(0, count: Self.nonceSize - Self.numberSize)),
                ciphertext: UnsafeRawBufferPointer(rebasing: sealed[Self.numberSize..<end]),
                tag: UnsafeRawBufferPointer(rebasing: sealed[end...]))
            let plain = try frame.withUnsafeBytes { try AES.GCM.open(box, using: key, authenticating: $0) }
            plain.withUnsafeBytes { encoder.write(bytes: $0) }
        } catch {
            throw WalError(
                .notAuthentic,
                "the checksum is right, but this is not what was sealed here: somebody changed the file, or moved a part of it. Restore the segment from a backup",
                underlying: error)
        }
    }
}
#endif
