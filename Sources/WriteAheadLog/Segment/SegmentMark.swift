/// How far a partition was durable when this was written: always after the sync that made it so had returned.
///
/// It stands in two places of the segment file, written in turn, and in mark frames between the records.
package struct SegmentMark: Equatable, Sendable {
    package var salt: UInt64
    package var history: UInt64
    /// The last durable LSN of the partition.
    package var durable: UInt64
    /// Up to where this segment was durable: the end of a frame, or where the first will start.
    package var endOffset: UInt64
    /// Grows with each mark of the segment; the parity chooses the place.
    package var sequence: UInt64
    /// The segment's, for a mark in one of the two places.
    package var partition: PartitionID = 0
    package var firstLSN: UInt64 = 0
    package var logID = LogID(high: 0, low: 0)

    package init(salt: UInt64, history: UInt64, durable: UInt64, endOffset: UInt64, sequence: UInt64) {
        self.salt = salt
        self.history = history
        self.durable = durable
        self.endOffset = endOffset
        self.sequence = sequence
    }

    package var place: UInt64 { FileFormat.markOffsets[Int(sequence & 1)] }

    private static let sumOffset = 76

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(integer: FileFormat.markMagic)
        bytes.append(integer: salt)
        bytes.append(integer: history)
        bytes.append(integer: durable)
        bytes.append(integer: endOffset)
        bytes.append(integer: sequence)
        bytes.append(integer: firstLSN)
        bytes.append(logID)
        bytes.append(integer: UInt32(partition.rawValue))
        bytes.append(integer: bytes.crc32c(0..<Self.sumOffset))
        return bytes
    }

    /// Nil where it is not a whole mark of the segment with that salt. Where the segment's header can't be read, and so its salt is
    /// not known, it must name the file that it stands in, and its log where that is known: blocks may hold what they held in another.
    package init?(
        decoding bytes: UnsafeRawBufferPointer, salt expected: UInt64?, logID log: LogID?, partition: PartitionID,
        firstLSN: UInt64
    ) {
        let reader = ByteReader(bytes)
        guard let summed = reader.slice(0, Self.sumOffset), reader.integer(Self.sumOffset) == crc32c(summed),
            reader.integer(0) == FileFormat.markMagic, let salt: UInt64 = reader.integer(8), salt == expected ?? salt,
            let namedLSN: UInt64 = reader.integer(48), let namedLog = reader.logID(56),
            let namedPartition: UInt32 = reader.integer(72),
            expected != nil
                || namedLSN == firstLSN && namedPartition == UInt32(partition.rawValue) && namedLog == log ?? namedLog,
            let history: UInt64 = reader.integer(16), let durable: UInt64 = reader.integer(24),
            let endOffset: UInt64 = reader.integer(32), let sequence: UInt64 = reader.integer(40),
            durable < LSN.max.rawValue, FileFormat.isCounter(history), sequence <= FileFormat.largestCounter
        else { return nil }
        self.init(salt: salt, history: history, durable: durable, endOffset: endOffset, sequence: sequence)
        self.firstLSN = namedLSN
        self.logID = namedLog
        self.partition = PartitionID(exactly: namedPartition) ?? partition
    }

    /// As a frame between the records, to be stored at `offset`.
    package func frame(at offset: UInt64, nextLSN: UInt64) -> [UInt8] {
        var payload: [UInt8] = []
        for value in [durable, endOffset, history, offset] { payload.append(integer: value) }
        return Frame.packed(FrameKind.mark, lsn: nextLSN, payload: payload, salt: salt)
    }

    /// Reads the payload of a mark frame that stands at `offset`; nil where it is none, or a copy from elsewhere.
    package init?(framePayload bytes: UnsafeRawBufferPointer, at offset: UInt64, salt: UInt64) {
        let reader = ByteReader(bytes)
        guard bytes.count == 32, let durable: UInt64 = reader.integer(0), let endOffset: UInt64 = reader.integer(8),
            let history: UInt64 = reader.integer(16), reader.integer(24) == offset,
            durable < LSN.max.rawValue, FileFormat.isCounter(history)
        else { return nil }
        self.init(salt: salt, history: history, durable: durable, endOffset: endOffset, sequence: 0)
    }
}
