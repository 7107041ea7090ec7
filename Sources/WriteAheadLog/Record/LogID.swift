/// The random number that tells one log from every other: 128 bits, chosen when the log is created.
///
/// It stands in the log's own file, in each segment's header and in each partition's STATE. A copy of a log has the same one.
public struct LogID: Hashable, Sendable, CustomStringConvertible {
    /// Its bytes in the order in which files hold them.
    package var high: UInt64
    package var low: UInt64

    package static let size = 16

    /// - Parameters:
    ///   - high: the first eight bytes, big endian.
    ///   - low: the last eight.
    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 hexadecimal digits.
    public var description: String {
        func digits(_ value: UInt64) -> String {
            let text = String(value, radix: 16)
            return String(repeating: "0", count: 16 - text.utf8.count) + text
        }
        return digits(high) + digits(low)
    }
}

extension ByteReader {
    package func logID(_ offset: Int) -> LogID? {
        guard let high: UInt64 = integer(offset), let low: UInt64 = integer(offset + 8) else { return nil }
        return LogID(high: UInt64(bigEndian: high.littleEndian), low: UInt64(bigEndian: low.littleEndian))
    }
}

extension Array where Element == UInt8 {
    package mutating func append(_ id: LogID) {
        Swift.withUnsafeBytes(of: id.high.bigEndian) { append(contentsOf: $0) }
        Swift.withUnsafeBytes(of: id.low.bigEndian) { append(contentsOf: $0) }
    }
}
