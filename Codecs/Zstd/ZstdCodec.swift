#if Zstd
public import WriteAheadLog

/// Compresses what another codec writes.
///
/// A record that does not shrink is stored as it is, at the cost of one byte; so is one that is larger than the reading
/// limit. Segments that the inner codec wrote by itself are read as well.
public struct ZstdCodec<Record: WalCodable>: WalCodec {
    /// The levels that may be chosen. Check one that comes from outside against it: another is a programmer's error.
    public static var levels: ClosedRange<Int> { -5...22 }
    /// 64 MiB.
    public static var defaultMaximumDecompressedSize: Int { 64 << 20 }

    public static var id: UInt32 { 3 }
    public let name: String
    public let parameters: [UInt8]

    private let inner: AnyWalCodec<Record>
    private let level: Int
    private let maximumDecompressedSize: Int
    private let contexts: ZstdContexts

    /// - Parameters:
    ///   - inner: writes the records; its parameters may have at most 1,000 bytes.
    ///   - level: one of ``levels``.
    ///   - maximumDecompressedSize: in bytes; a record that claims more is refused before anything is allocated.
    public init(
        _ inner: AnyWalCodec<Record>, level: Int = 1,
        maximumDecompressedSize: Int = Self.defaultMaximumDecompressedSize
    ) {
        self.init(inner, level, maximumDecompressedSize, ZstdContexts())
    }

    private init(_ inner: AnyWalCodec<Record>, _ level: Int, _ maximum: Int, _ contexts: ZstdContexts) {
        precondition(Self.levels.contains(level), "zstd level \(level) is not in \(Self.levels)")
        precondition(maximum >= 0, "a maximum size of \(maximum) bytes")
        let parameters = ZstdParameters(level: level, innerID: inner.id, inner: inner.parameters)
        precondition(
            parameters.inner.count <= ZstdParameters.innerLimit,
            "the inner codec has parameters of \(parameters.inner.count) bytes, over \(ZstdParameters.innerLimit)")
        self.inner = inner
        self.level = level
        maximumDecompressedSize = maximum
        self.contexts = contexts
        self.parameters = parameters.bytes
        // A nest of codecs may have a longer name than a segment header holds.
        let full = "zstd(\(inner.name))"
        name = full.utf8.count <= 64 ? full : "zstd"
    }

    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        var plain = WalEncoder()
        try inner.encode(record, into: &plain)
        let start = encoder.count
        if plain.count <= maximumDecompressedSize {
            encoder.write(1 as UInt8)
            encoder.write(varint: UInt64(plain.count))
            try contexts.compress(plain, level, into: &encoder)
            if encoder.count - start <= plain.count { return }
            encoder.truncate(to: start)
        }
        encoder.write(0 as UInt8)
        plain.withBytes { encoder.write(bytes: $0) }
    }

    public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        let kind = try decoder.read(UInt8.self)
        switch kind {
        case 0:
            let record = try inner.decode(&decoder)
            try decoder.expectEnd()
            return record
        case 1:
            let claimed = try decoder.readVarint()
            let frame = try decoder.readBuffer(count: decoder.remaining)
            guard let size = Int(exactly: claimed), size <= maximumDecompressedSize else {
                throw WalError(
                    .decoding,
                    "a record of \(claimed) bytes, over the limit of \(maximumDecompressedSize); raise "
                        + "maximumDecompressedSize if it is yours")
            }
            // Each block takes at least four bytes and gives at most 128 KiB, so a short frame cannot hold much.
            guard size / (128 << 10) <= frame.count / 4 else {
                throw WalError(.decoding, "a zstd frame of \(frame.count) bytes that claims to hold \(size)")
            }
            var plain = WalEncoder(minimumCapacity: size)
            try contexts.decompress(frame, size, into: &plain)
            return try plain.withBytes { (bytes) throws(WalError) in
                var plainDecoder = WalDecoder(unsafeBytes: bytes)
                let record = try inner.decode(&plainDecoder)
                try plainDecoder.expectEnd()
                return record
            }
        default: throw WalError(.decoding, "\(kind) is neither a plain nor a compressed record")
        }
    }

    public func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Record>)? {
        guard id == Self.id else { return try inner.base.reader(id: id, parameters: parameters) }
        guard let parsed = ZstdParameters(parameters), Self.levels.contains(parsed.level),
            let found = try inner.base.reader(id: parsed.innerID, parameters: parsed.inner)
        else { return nil }
        return Self(Self.named(found), parsed.level, maximumDecompressedSize, contexts)
    }

    private static func named(_ codec: some WalCodec<Record>) -> AnyWalCodec<Record> { AnyWalCodec(codec) }
}

extension AnyWalCodec {
    /// Compresses what `inner` writes; see ``ZstdCodec``. A level outside −5…22 is a programmer's error and traps.
    public static func zstd(
        _ inner: Self, level: Int = 1,
        maximumDecompressedSize: Int = ZstdCodec<Record>.defaultMaximumDecompressedSize
    ) -> Self {
        Self(ZstdCodec(inner, level: level, maximumDecompressedSize: maximumDecompressedSize))
    }
}
#endif
