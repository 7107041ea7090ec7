/// What stands in plain before a sealed frame's content, and is to be authenticated with it.
public struct WalSealedFrame: Hashable, Sendable {
    /// Of its first record.
    public let lsn: LSN
    /// What it holds, as the file says: the upper byte of the LSN's word.
    public let kind: UInt8
    public let recordCount: UInt32
    /// What stands around the frame, where something does: a consumer's commit, a key.
    public let wrapping: [UInt8]

    public init(lsn: LSN, kind: UInt8, recordCount: UInt32, wrapping: [UInt8] = []) {
        (self.lsn, self.kind, self.recordCount, self.wrapping) = (lsn, kind, recordCount, wrapping)
    }

    /// All of it: two little-endian words, LSN and kind as they are in the frame and the number of records, and what stands around
    /// the frame.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let words = (
            (lsn.rawValue & LSN.max.rawValue | UInt64(kind) << 56).littleEndian, UInt64(recordCount).littleEndian
        )
        if wrapping.isEmpty { return try Swift.withUnsafeBytes(of: words, body) }
        let all = Swift.withUnsafeBytes(of: words) { Array($0) } + wrapping
        return try all.withUnsafeBufferPointer { (all) throws(E) in try body(UnsafeRawBufferPointer(all)) }
    }
}
