#if Crypto
internal import WriteAheadLog

/// What a segment keeps of the codec: the byte 1; the key id's length (1 byte) and the id; 32 bytes of salt; 16 that tell a
/// wrong key; the inner codec's id (4 bytes, little endian) and parameters.
struct SealedParameters: Equatable {
    static let keyIDSizes = 1...64
    static let saltSize = 32
    static let checkSize = 16
    private static let version: UInt8 = 1

    let keyID: String
    let salt: [UInt8]
    let check: [UInt8]
    let innerID: UInt32
    let inner: [UInt8]

    init(keyID: String, salt: [UInt8], check: [UInt8], innerID: UInt32, inner: [UInt8]) {
        (self.keyID, self.salt, self.check) = (keyID, salt, check)
        (self.innerID, self.inner) = (innerID, inner)
    }

    /// Nil where they are of another version, or make no sense.
    init?(_ bytes: [UInt8]) {
        let parsed = bytes.withUnsafeBytes { bytes -> Self? in
            do throws(WalError) {
                var decoder = WalDecoder(unsafeBytes: bytes)
                guard try decoder.read(UInt8.self) == Self.version else { return nil }
                let size = Int(try decoder.read(UInt8.self))
                guard Self.keyIDSizes.contains(size) else { return nil }
                return Self(
                    keyID: try decoder.readString(utf8Count: size), salt: try decoder.readBytes(count: Self.saltSize),
                    check: try decoder.readBytes(count: Self.checkSize), innerID: try decoder.read(UInt32.self),
                    inner: try decoder.readBytes(count: decoder.remaining))
            } catch {
                return nil
            }
        }
        guard let parsed else { return nil }
        self = parsed
    }

    var bytes: [UInt8] {
        [Self.version, UInt8(truncatingIfNeeded: keyID.utf8.count)] + Array(keyID.utf8) + salt + check
            + withUnsafeBytes(of: innerID.littleEndian) { Array($0) } + inner
    }
}
#endif
