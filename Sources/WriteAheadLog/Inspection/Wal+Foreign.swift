extension Wal.Partition.Cursor {
    /// The header of the segment that holds the record just read: for tools that read logs of any type as ``Payload``.
    package var segmentHeader: SegmentHeader? { records.segment?.header }

    /// The next record's bytes where they are, valid until the next call; nil at the end.
    package mutating func nextBytes() throws(WalError) -> (lsn: LSN, bytes: UnsafeRawBufferPointer)? {
        guard try records.advance() else { return nil }
        return (LSN(records.lsn), records.payload)
    }
}
