internal import CWalShims

// What a frame is, as values over bytes: nothing else packs one or takes one apart.

/// What a frame holds: the upper byte of its LSN word.
@usableFromInline
package enum FrameKind {
    /// One record.
    package static let record: UInt8 = 0
    /// Several records, all or none.
    @inlinable package static var batch: UInt8 { 1 }
    /// How far the partition was durable when the frame was written. No record.
    package static let mark: UInt8 = 2
    /// The footer of a sealed segment. No record.
    package static let footer: UInt8 = 3
    /// Several records, all or none, which the codec coded as a whole.
    @inlinable package static var codedBatch: UInt8 { 4 }
    /// What a record holds, sealed by the codec.
    package static let sealedRecord: UInt8 = 5
    /// The same of a batch. The count stays in plain.
    package static let sealedBatch: UInt8 = 6
    /// The same of a coded batch.
    package static let sealedCodedBatch: UInt8 = 7
    /// A frame of records within it, and what else is to be said of that.
    package static let wrapper: UInt8 = 8
    /// Records that salvage could not read stood here.
    package static let lostRange: UInt8 = 9
    /// Frames without a record and an LSN, to be passed over where they are not known.
    package static let skippable: ClosedRange<UInt8> = 0x80...0xBF

    /// Whether a reader of this release knows what to do with such a frame.
    package static func isKnown(_ kind: UInt8) -> Bool { kind <= lostRange || skippable.contains(kind) }

    /// Whether such a frame holds records, and nothing around them.
    @inline(__always) package static func hasRecords(_ kind: UInt8) -> Bool {
        kind <= batch || kind >= codedBatch && kind <= sealedCodedBatch
    }

    package static func isSealed(_ kind: UInt8) -> Bool { kind >= sealedRecord && kind <= sealedCodedBatch }
    /// The kind of a frame of records once it is sealed.
    package static func sealed(_ kind: UInt8) -> UInt8 {
        kind == record ? sealedRecord : kind == batch ? sealedBatch : sealedCodedBatch
    }
    /// What such a frame holds once it is opened.
    package static func opened(_ kind: UInt8) -> UInt8 {
        kind == sealedRecord ? record : kind == sealedBatch ? batch : codedBatch
    }
}

/// The checksum of a frame: CRC32C over the payload padded with zeros to a multiple of eight, the length with the kind's byte
/// left to the LSN word, and the LSN word mixed with the segment's salt. Payload first, so that it can be summed before
/// the LSN is known.
@inline(__always)
package func frameChecksum(payload: UInt32, length: UInt32, word: UInt64, salt: UInt64) -> UInt32 {
    wal_crc32c_2(payload, UInt64(length), word ^ salt)
}

@inline(__always)
package func payloadChecksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    wal_crc32c_padded(0, bytes.baseAddress, bytes.count)
}

/// A frame of records without what is around it.
struct RecordFrame {
    /// One that ``FrameKind/hasRecords(_:)``.
    var kind: UInt8
    var payload: UnsafeRawBufferPointer
    /// How many LSNs it takes.
    var records: UInt64
    /// What of a wrapper's payload stands before the frame within; empty without a wrapper. A sealed frame authenticates it.
    var wrapping = UnsafeRawBufferPointer(start: nil, count: 0)
}

package enum Frame {
    /// What a frame whose checksum is right has to say.
    enum Content {
        case records(RecordFrame)
        /// The records up to this LSN, from the frame's own on, are lost.
        case lost(last: UInt64)
        case mark(SegmentMark)
        case footer
        /// No record, and nothing that a reader must know.
        case skipped
        /// No frame of this segment, or not what a writer writes: judged like one that is not whole.
        case bad
        /// Something that this release does not know and may not pass over.
        case newer(String)

        /// It states the LSN that comes next, and has none of its own.
        var isWithoutRecords: Bool {
            switch self {
            case .mark, .footer, .skipped: true
            case .records, .lost, .bad, .newer: false
            }
        }
    }

    /// - Parameter offset: where the frame starts in the file.
    @inline(__always)
    static func content(word: UInt64, payload: UnsafeRawBufferPointer, at offset: Int, salt: UInt64) -> Content {
        // A plain record's kind is 0.
        if word <= LSN.max.rawValue {
            return .records(RecordFrame(kind: FrameKind.record, payload: payload, records: 1))
        }
        return otherContent(word, payload, offset, salt)
    }

    @inline(never)
    private static func otherContent(
        _ word: UInt64, _ payload: UnsafeRawBufferPointer, _ offset: Int, _ salt: UInt64
    ) -> Content {
        let kind = UInt8(truncatingIfNeeded: word >> 56)
        switch kind {
        case FrameKind.mark:
            return SegmentMark(framePayload: payload, at: UInt64(offset), salt: salt).map { .mark($0) } ?? .bad
        case FrameKind.footer: return .footer
        case FrameKind.wrapper: return wrapped(payload)
        case FrameKind.lostRange:
            guard payload.count == 8, let last: UInt64 = ByteReader(payload).integer(0),
                last >= word & LSN.max.rawValue, last < LSN.max.rawValue
            else { return .bad }
            return .lost(last: last)
        case FrameKind.skippable: return .skipped
        case _ where FrameKind.hasRecords(kind):
            guard let records = BatchReader.count(kind: kind, payload: payload) else { return .bad }
            return .records(RecordFrame(kind: kind, payload: payload, records: records))
        default: return .newer("a frame of kind \(kind), which this release does not know; use a newer release")
        }
    }

    private static let wrapperHead = 8
    private static let extraHead = 8
    /// Types from here on may be passed over by a reader that does not know them.
    private static let skippableExtras: UInt16 = 0x8000

    private static func wrapped(_ payload: UnsafeRawBufferPointer) -> Content {
        let reader = ByteReader(payload)
        guard let kind: UInt8 = reader.integer(0), FrameKind.hasRecords(kind),
            payload[1...].prefix(3).allSatisfy({ $0 == 0 }),
            let size: UInt32 = reader.integer(4), size > 0, size % 8 == 0,
            let wrapping = reader.slice(0, wrapperHead + Int(size))
        else { return .bad }
        var types: Set<UInt16> = []
        var unknown: UInt16?
        var offset = wrapperHead
        while offset < wrapping.count {
            guard wrapping.count - offset >= extraHead, let type: UInt16 = reader.integer(offset),
                reader.integer(offset + 2) == 0 as UInt16, let length: UInt32 = reader.integer(offset + 4),
                Int(length) <= wrapping.count - offset - extraHead
            else { return .bad }
            let end = offset + extraHead + Int(length)
            let next = FileFormat.padded(end)
            guard next <= wrapping.count, wrapping[end..<next].allSatisfy({ $0 == 0 }), types.insert(type).inserted
            else { return .bad }
            if type < skippableExtras { unknown = unknown ?? type }
            offset = next
        }
        let inner = UnsafeRawBufferPointer(rebasing: payload[wrapping.count...])
        guard let records = BatchReader.count(kind: kind, payload: inner) else { return .bad }
        if let unknown {
            return .newer(
                "a record with something of type \(unknown) around it, which this release does not know; use a newer release"
            )
        }
        return .records(RecordFrame(kind: kind, payload: inner, records: records, wrapping: wrapping))
    }

    /// A frame with its padding.
    package static func packed(_ kind: UInt8, lsn: UInt64, payload: [UInt8], salt: UInt64) -> [UInt8] {
        let total = FileFormat.padded(FileFormat.frameHeaderSize + payload.count)
        return [UInt8](unsafeUninitializedCapacity: total) { buffer, initialized in
            initialized = total
            guard let frame = UnsafeMutableRawPointer(buffer.baseAddress) else { return }
            payload.withUnsafeBytes {
                store(
                    $0, sum: payloadChecksum($0), total: total, word: lsn | UInt64(kind) << 56, salt: salt, at: frame)
            }
        }
    }

    /// Writes a frame's bytes. The order of the stores does not matter: nobody looks before the end is published.
    @inline(__always)
    static func store(
        _ payload: UnsafeRawBufferPointer, sum: UInt32, total: Int, word: UInt64, salt: UInt64,
        at frame: UnsafeMutableRawPointer
    ) {
        // The padding; in a frame without payload this is overwritten by the word.
        frame.storeBytes(of: 0, toByteOffset: total &- 8, as: UInt64.self)
        let header = header(payloadCount: payload.count, sum: sum, word: word, salt: salt)
        frame.storeBytes(of: header.0, as: UInt64.self)
        frame.storeBytes(of: header.1, toByteOffset: 8, as: UInt64.self)
        if let source = payload.baseAddress {
            WalEncoder.copy(source, to: frame + FileFormat.frameHeaderSize, payload.count)
        }
    }

    /// The two words of a frame's header, as they are stored.
    @inline(__always)
    static func header(payloadCount: Int, sum: UInt32, word: UInt64, salt: UInt64) -> (UInt64, UInt64) {
        let length = UInt32(truncatingIfNeeded: FileFormat.frameHeaderSize &+ payloadCount)
        let checksum = frameChecksum(payload: sum, length: length, word: word, salt: salt)
        return ((UInt64(length) | UInt64(checksum) << 32).littleEndian, word.littleEndian)
    }
}

/// The records of a batch frame's payload: a count, then each record's length and bytes.
struct BatchReader {
    private var bytes: UnsafeRawBufferPointer
    private(set) var remaining: Int

    /// Nil where the payload can't be a batch.
    init?(payload: UnsafeRawBufferPointer) {
        guard payload.count >= 4 else { return nil }
        let count = Int(UInt32(littleEndian: payload.loadUnaligned(as: UInt32.self)))
        // Each record takes at least its length.
        guard count >= 1, count <= (payload.count - 4) / 4 else { return nil }
        bytes = UnsafeRawBufferPointer(rebasing: payload[4...])
        remaining = count
    }

    @inline(__always)
    mutating func next() -> UnsafeRawBufferPointer? {
        guard remaining > 0, bytes.count >= 4 else { return nil }
        let length = Int(UInt32(littleEndian: bytes.loadUnaligned(as: UInt32.self)))
        guard length <= bytes.count &- 4 else { return nil }
        let record = UnsafeRawBufferPointer(rebasing: bytes[4..<(4 &+ length)])
        bytes = UnsafeRawBufferPointer(rebasing: bytes[(4 &+ length)...])
        remaining &-= 1
        return record
    }

    /// How many records a batch frame's payload holds; nil where it is not just as many as it states. Of a coded batch only the
    /// codec can tell, and of a sealed one who has the key: what it states counts. 1 for any other frame of records.
    static func count(kind: UInt8, payload: UnsafeRawBufferPointer) -> UInt64? {
        switch kind {
        case FrameKind.codedBatch, FrameKind.sealedBatch, FrameKind.sealedCodedBatch: return codedCount(payload)
        default: break
        }
        guard kind == FrameKind.batch else { return 1 }
        guard var batch = BatchReader(payload: payload) else { return nil }
        let count = UInt64(batch.remaining)
        while batch.remaining > 0 {
            guard batch.next() != nil else { return nil }
        }
        return batch.bytes.isEmpty ? count : nil
    }

    /// How many records a coded or sealed batch says that it has.
    static func codedCount(_ payload: UnsafeRawBufferPointer) -> UInt64? {
        guard payload.count >= 4 else { return nil }
        let count = UInt64(UInt32(littleEndian: payload.loadUnaligned(as: UInt32.self)))
        return count >= 1 ? count : nil
    }

    /// The records of a coded batch once the codec has expanded them: as many as the frame said.
    init?(records: UnsafeRawBufferPointer, count: UInt64) {
        guard count >= 1, count <= UInt64(records.count / 4) else { return nil }
        bytes = records
        remaining = Int(count)
        var all = self
        while all.remaining > 0 {
            guard all.next() != nil else { return nil }
        }
        guard all.bytes.isEmpty else { return nil }
    }
}
