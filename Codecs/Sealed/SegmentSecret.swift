#if Crypto
internal import Crypto
internal import WriteAheadLog

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// What comes of a key and a segment's salt, by HKDF with SHA-256 (RFC 5869): a key for the frames of that one segment, and
/// bytes that tell whether it is the right key.
struct SegmentSecret {
    private let key: SymmetricKey
    private let salt: [UInt8]

    init(_ key: SymmetricKey, salt: [UInt8]) { (self.key, self.salt) = (key, salt) }

    /// From the system's source of random numbers for cryptography.
    static func freshSalt() -> [UInt8] {
        SymmetricKey(size: SymmetricKeySize(bitCount: 8 * SealedParameters.saltSize)).withUnsafeBytes { Array($0) }
    }

    private func derived(_ label: String, _ context: [UInt8], byteCount: Int) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: key, salt: salt, info: Array("swift-wal sealed 1 \(label) ".utf8) + context,
            outputByteCount: byteCount)
    }

    /// Stands in the segment's header; says nothing of the key for the frames.
    func check(keyID: String) -> [UInt8] {
        derived("check", Array(keyID.utf8), byteCount: SealedParameters.checkSize).withUnsafeBytes { Array($0) }
    }

    /// Whoever changes a byte of the header, or moves a frame into another segment, gets another key.
    func frameKey(header: [UInt8]) -> SymmetricKey {
        derived("frames", Array(SHA256.hash(data: header)), byteCount: 32)
    }
}
#endif
