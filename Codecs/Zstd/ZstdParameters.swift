#if Zstd
internal import WriteAheadLog

/// What a segment keeps of the codec: version 2, level, the inner codec's id (4 bytes, little endian), the dictionary's id (4)
/// and hash (8), both 0 where there is none, and the inner codec's parameters.
struct ZstdParameters: Equatable {
    static let innerLimit = 1_000
    private static let version: UInt8 = 2
    private static let fixedSize = 18

    let level: Int
    let innerID: UInt32
    let dictionary: ZstdDictionary.Name?
    let inner: [UInt8]

    init(level: Int, innerID: UInt32, dictionary: ZstdDictionary.Name?, inner: [UInt8]) {
        (self.level, self.innerID, self.dictionary, self.inner) = (level, innerID, dictionary, inner)
    }

    /// Nil where they are of another version, or too short or long.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.fixedSize, bytes.count <= Self.fixedSize + Self.innerLimit, bytes[0] == Self.version
        else { return nil }
        func number(_ range: Range<Int>) -> UInt64 { range.reversed().reduce(0) { $0 << 8 | UInt64(bytes[$1]) } }
        level = Int(Int8(bitPattern: bytes[1]))
        innerID = UInt32(truncatingIfNeeded: number(2..<6))
        let name = ZstdDictionary.Name(id: UInt32(truncatingIfNeeded: number(6..<10)), hash: number(10..<18))
        dictionary = name == ZstdDictionary.Name(id: 0, hash: 0) ? nil : name
        inner = Array(bytes[Self.fixedSize...])
    }

    var bytes: [UInt8] {
        func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
            withUnsafeBytes(of: value.littleEndian) { Array($0) }
        }
        return [Self.version, UInt8(bitPattern: Int8(clamping: level))] + bytes(innerID) + bytes(dictionary?.id ?? 0)
            + bytes(dictionary?.hash ?? 0) + inner
    }
}
#endif
