/// A place in a segment to begin reading from.
package struct IndexEntry: Equatable, Sendable {
    /// The frame that starts at `offset` begins with this LSN.
    package var lsn: UInt64
    package var offset: UInt64
    /// Nanoseconds since 1970 when the entry was made.
    package var time: UInt64

    package init(lsn: UInt64, offset: UInt64, time: UInt64) {
        self.lsn = lsn
        self.offset = offset
        self.time = time
    }
}

/// The end of a sealed segment: how many records it holds, and where to find them. A frame, and behind it a trailer that is
/// found from the end of the file.
package struct SegmentFooter: Equatable, Sendable {
    package var recordCount: UInt64
    package var lastLSN: UInt64
    /// Where the frames end and the footer starts.
    package var dataEnd: UInt64
    /// Nanoseconds since 1970.
    package var sealed: UInt64
    package var index: [IndexEntry]

    package init(recordCount: UInt64, lastLSN: UInt64, dataEnd: UInt64, sealed: UInt64, index: [IndexEntry]) {
        self.recordCount = recordCount
        self.lastLSN = lastLSN
        self.dataEnd = dataEnd
        self.sealed = sealed
        self.index = index
    }

    package static func size(indexCount: Int) -> Int {
        FileFormat.padded(
            FileFormat.frameHeaderSize + FileFormat.footerFixedSize + indexCount * FileFormat.indexEntrySize)
            + FileFormat.trailerSize
    }

    /// Footer frame and trailer, to be written at `dataEnd`, where the file ends with them.
    package func encoded(salt: UInt64) -> [UInt8] {
        var payload: [UInt8] = []
        payload.reserveCapacity(FileFormat.footerFixedSize + index.count * FileFormat.indexEntrySize)
        for value in [recordCount, lastLSN, dataEnd, sealed] { payload.append(integer: value) }
        payload.append(integer: UInt32(index.count))
        payload.append(integer: UInt32(0))
        for entry in index {
            payload.append(integer: entry.lsn)
            payload.append(integer: entry.offset)
            payload.append(integer: entry.time)
        }
        var bytes = Frame.packed(FrameKind.footer, lsn: lastLSN + 1, payload: payload, salt: salt)
        let trailer = bytes.count
        bytes.append(integer: FileFormat.trailerMagic)
        bytes.append(integer: dataEnd)
        bytes.append(integer: salt)
        bytes.append(integer: UInt32(0))
        bytes.append(integer: bytes.crc32c(trailer..<(trailer + 28)))
        return bytes
    }

    /// Where the footer starts, from the last bytes of a file; nil where they are no trailer of that segment.
    package static func footerOffset(trailer bytes: UnsafeRawBufferPointer, salt: UInt64) -> UInt64? {
        let reader = ByteReader(bytes)
        guard bytes.count == FileFormat.trailerSize, let summed = reader.slice(0, 28),
            reader.integer(28) == crc32c(summed), reader.integer(0) == FileFormat.trailerMagic,
            reader.integer(16) == salt, let offset: UInt64 = reader.integer(8)
        else { return nil }
        return offset
    }

    /// The footer frame alone, from `dataEnd` up to the trailer; nil where it is not whole.
    package init?(frame bytes: UnsafeRawBufferPointer, at offset: UInt64, salt: UInt64) {
        let reader = ByteReader(bytes)
        let head = FileFormat.frameHeaderSize
        let fixed = head + FileFormat.footerFixedSize
        guard let length: UInt32 = reader.integer(0), Int(length) >= fixed, Int(length) <= bytes.count,
            let sum: UInt32 = reader.integer(4), let word: UInt64 = reader.integer(8),
            let payload = reader.slice(head, Int(length) - head),
            frameChecksum(payload: payloadChecksum(payload), length: length, word: word, salt: salt) == sum,
            UInt8(word >> 56) == FrameKind.footer,
            let recordCount: UInt64 = reader.integer(head), let lastLSN: UInt64 = reader.integer(head + 8),
            let dataEnd: UInt64 = reader.integer(head + 16), dataEnd == offset,
            let sealed: UInt64 = reader.integer(head + 24), let count: UInt32 = reader.integer(head + 32),
            Int(count) == (Int(length) - fixed) / FileFormat.indexEntrySize
        else { return nil }
        var index: [IndexEntry] = []
        index.reserveCapacity(Int(count))
        for k in 0..<Int(count) {
            let at = fixed + k * FileFormat.indexEntrySize
            guard let lsn: UInt64 = reader.integer(at), let place: UInt64 = reader.integer(at + 8),
                let time: UInt64 = reader.integer(at + 16), place >= FileFormat.dataStart, place < dataEnd
            else { return nil }
            index.append(IndexEntry(lsn: lsn, offset: place, time: time))
        }
        self.init(recordCount: recordCount, lastLSN: lastLSN, dataEnd: dataEnd, sealed: sealed, index: index)
    }
}
