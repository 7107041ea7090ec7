/// What stands in plain before a sealed frame's content, and is to be authenticated with it.
public struct WalSealedFrame: Hashable, Sendable {
    /// Of its first record.
    public let lsn: LSN
    /// What it holds, as the file says: the upper byte of the LSN's word.
    public let kind: UInt8
    public let recordCount: UInt32

    public init(lsn: LSN, kind: UInt8, recordCount: UInt32) {
        (self.lsn, self.kind, self.recordCount) = (lsn, kind, recordCount)
    }

    /// All of it in 16 bytes, as two little-endian words: LSN and kind as they are in the frame, and the number of records.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let words = (
            (lsn.rawValue & LSN.max.rawValue | UInt64(kind) << 56).littleEndian, UInt64(recordCount).littleEndian
        )
        return try Swift.withUnsafeBytes(of: words, body)
    }
}
