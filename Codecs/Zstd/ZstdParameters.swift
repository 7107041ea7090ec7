#if Zstd
internal import WriteAheadLog

/// What a segment keeps of the codec: version 1, level, inner id (4 bytes, little endian), the inner codec's parameters.
struct ZstdParameters {
    static let innerLimit = 1_000
    let level: Int
    let innerID: UInt32
    let inner: [UInt8]

    init(level: Int, innerID: UInt32, inner: [UInt8]) {
        (self.level, self.innerID, self.inner) = (level, innerID, inner)
    }

    /// Nil where they are of another version, or too short or long.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= 6, bytes.count <= 6 + Self.innerLimit, bytes[0] == 1 else { return nil }
        level = Int(Int8(bitPattern: bytes[1]))
        innerID = (2..<6).reduce(0) { $0 | UInt32(bytes[$1]) << UInt32(8 * ($1 - 2)) }
        inner = Array(bytes[6...])
    }

    var bytes: [UInt8] {
        [1, UInt8(bitPattern: Int8(clamping: level))]
            + (0..<4).map { UInt8(truncatingIfNeeded: innerID >> UInt32(8 * $0)) } + inner
    }
}
#endif
