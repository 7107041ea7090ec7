#if Crypto
internal import Crypto
public import WriteAheadLog

/// Encrypts and authenticates what another codec writes, each frame of the log by itself.
///
/// Who has the files and no key learns how many records there are, their sizes and times, the names of key, codec and type.
/// Who changes a byte of a record, its LSN or the segment's header, or moves a record elsewhere, is found out when it is read.
public struct SealedCodec<Record: WalCodable>: WalSealingCodec {
    public static var id: UInt32 { 4 }
    public let name: String
    /// As each segment has them, but with zeros for what is its own.
    public let parameters: [UInt8]
    public let inner: AnyWalCodec<Record>
    private let keys: WalKeyring

    /// - Parameters:
    ///   - inner: what is sealed; its parameters may have at most 900 bytes. One that compresses does so before it is sealed.
    ///   - keys: of which the current one seals new segments.
    public init(_ inner: AnyWalCodec<Record>, keys: WalKeyring) {
        self.inner = inner
        self.keys = keys
        parameters =
            SealedParameters(
                keyID: keys.current, salt: [UInt8](repeating: 0, count: SealedParameters.saltSize),
                check: [UInt8](repeating: 0, count: SealedParameters.checkSize), innerID: inner.id,
                inner: inner.parameters
            ).bytes
        let full = "sealed(\(inner.name))"
        name = full.utf8.count <= 64 ? full : "sealed"
    }

    public var sealOverhead: Int { SegmentCipher.overhead }

    public func makeSealer(header: (_ parameters: [UInt8]) -> [UInt8]) throws(WalError) -> any WalFrameSealer {
        let salt = SegmentSecret.freshSalt()
        let secret = SegmentSecret(try keys.key(keys.current), salt: salt)
        let parameters = SealedParameters(
            keyID: keys.current, salt: salt, check: secret.check(keyID: keys.current), innerID: inner.id,
            inner: inner.parameters)
        return SegmentCipher(key: secret.frameKey(header: header(parameters.bytes)))
    }

    public func makeOpener(parameters: [UInt8], header: [UInt8]) throws(WalError) -> any WalFrameOpener {
        guard let parsed = SealedParameters(parameters) else {
            throw WalError(.unsupportedFormat, "the segment was sealed in a way that this release does not know")
        }
        return SegmentCipher(key: try secret(for: parsed).frameKey(header: header))
    }

    /// Segments of the inner codec by itself are no sealed ones: an app that has such says so in `readableCodecs`.
    ///
    /// - Throws: `.unknownKey`, `.wrongKey`.
    public func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Record>)? {
        guard id == Self.id, let parsed = SealedParameters(parameters),
            let found = try inner.base.reader(id: parsed.innerID, parameters: parsed.inner)
        else { return nil }
        _ = try secret(for: parsed)
        return Self(Self.named(found), keys: keys)
    }

    private func secret(for parameters: SealedParameters) throws(WalError) -> SegmentSecret {
        let secret = SegmentSecret(try keys.key(parameters.keyID), salt: parameters.salt)
        guard secret.check(keyID: parameters.keyID) == parameters.check else {
            throw WalError(
                .wrongKey,
                "the segment was sealed with another key than the one that the keyring has as \"\(parameters.keyID)\"; give the right one"
            )
        }
        return secret
    }

    private static func named(_ codec: some WalCodec<Record>) -> AnyWalCodec<Record> { AnyWalCodec(codec) }
}

extension AnyWalCodec {
    /// Encrypts and authenticates what `inner` writes: see ``SealedCodec``.
    public static func sealed(_ inner: AnyWalCodec<Record>, keys: WalKeyring) -> Self {
        Self(SealedCodec(inner, keys: keys))
    }
}
#endif
