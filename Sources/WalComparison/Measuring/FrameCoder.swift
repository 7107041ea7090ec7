public import WriteAheadLog

/// Codes what the log stores in one frame: a record, or a batch as `append(contentsOf:)` has it.
///
/// The loops that are timed are closures that were compiled where the record's type is known, as an app's own loops are; the
/// rest of this module is compiled for every type, and would cost more than a fast codec.
@usableFromInline
struct FrameCoder<Record: WalCodable>: Sendable {
    @usableFromInline typealias Encode = @Sendable ([Record], Range<Int>, inout WalEncoder) throws(WalError) -> Void
    @usableFromInline typealias Decode = @Sendable (UnsafeRawBufferPointer) throws(WalError) -> Int
    @usableFromInline typealias Append =
        @Sendable ([Record], Range<Int>, Wal<Record>.Partition) throws(WalError) -> Receipt
    @usableFromInline typealias Replay = @Sendable (Wal<Record>.Partition) throws(WalError) -> Int

    /// Appends the payload of a frame.
    @usableFromInline let encode: Encode
    /// Decodes all records of a frame and drops them; says how many there were.
    @usableFromInline let decode: Decode
    /// Appends a frame to a log.
    @usableFromInline let append: Append
    /// Reads and decodes a whole partition; says how many records it has.
    @usableFromInline let replay: Replay
    /// Decodes all records of a frame for somebody who looks at them.
    let visit: @Sendable (UnsafeRawBufferPointer, (consuming Record) throws(WalError) -> Void) throws(WalError) -> Void

    @inlinable init(_ codec: AnyWalCodec<Record>, isBatch: Bool) {
        let batches = isBatch ? codec.base as? any WalBatchCodec<Record> : nil
        let encode: Encode = { (records, range, encoder) throws(WalError) in
            guard isBatch else { return try codec.encode(records[range.lowerBound], into: &encoder) }
            try Self.encodeBatch(records, range, codec, batches, into: &encoder)
        }
        let decode: Decode = { (payload) throws(WalError) in
            var decoder = WalDecoder(unsafeBytes: payload)
            guard isBatch else {
                _ = try codec.decode(&decoder)
                try decoder.expectEnd()
                return 1
            }
            return try Self.decodeBatch(&decoder, codec, batches) { _ in }
        }
        let append: Append = { (records, range, partition) throws(WalError) in
            isBatch ? try partition.append(contentsOf: records[range]) : try partition.append(records[range.lowerBound])
        }
        let replay: Replay = { (partition) throws(WalError) in
            var cursor = try partition.entries().makeCursor()
            var count = 0
            while try cursor.next() != nil { count += 1 }
            return count
        }
        self.init(visiting: codec, batches, isBatch, encode, decode, append, replay)
    }

    @usableFromInline
    init(
        visiting codec: AnyWalCodec<Record>, _ batches: (any WalBatchCodec<Record>)?, _ isBatch: Bool,
        _ encode: @escaping Encode, _ decode: @escaping Decode, _ append: @escaping Append,
        _ replay: @escaping Replay
    ) {
        (self.encode, self.decode, self.append, self.replay) = (encode, decode, append, replay)
        visit = { (payload, body) throws(WalError) in
            var decoder = WalDecoder(unsafeBytes: payload)
            if isBatch {
                _ = try Self.decodeBatch(&decoder, codec, batches, body)
            } else {
                let record = try codec.decode(&decoder)
                try decoder.expectEnd()
                try body(record)
            }
        }
    }

    // MARK: Batches

    @inlinable static func encodeBatch(
        _ records: [Record], _ range: Range<Int>, _ codec: AnyWalCodec<Record>,
        _ batches: (any WalBatchCodec<Record>)?, into encoder: inout WalEncoder
    ) throws(WalError) {
        encoder.write(UInt32(truncatingIfNeeded: range.count))
        guard let batches else {
            for index in range {
                let start = encoder.count
                encoder.write(0 as UInt32)
                try codec.encode(records[index], into: &encoder)
                encoder.overwrite(UInt32(truncatingIfNeeded: encoder.count - start - 4), at: start)
            }
            return
        }
        var plain = WalEncoder()
        for index in range {
            let start = plain.count
            plain.write(0 as UInt32)
            try batches.encodeWithinBatch(records[index], into: &plain)
            plain.overwrite(UInt32(truncatingIfNeeded: plain.count - start - 4), at: start)
        }
        try plain.withBytes { (bytes) throws(WalError) in
            var decoder = WalDecoder(unsafeBytes: bytes)
            try batches.encodeBatch(&decoder, into: &encoder)
        }
    }

    @inlinable static func decodeBatch(
        _ decoder: inout WalDecoder, _ codec: AnyWalCodec<Record>, _ batches: (any WalBatchCodec<Record>)?,
        _ body: (consuming Record) throws(WalError) -> Void
    ) throws(WalError) -> Int {
        let count = Int(try decoder.read(UInt32.self))
        guard let batches else {
            try decodeRecords(&decoder, count, codec, body)
            return count
        }
        var plain = WalEncoder()
        try batches.decodeBatch(&decoder, into: &plain)
        try plain.withBytes { (bytes) throws(WalError) in
            var records = WalDecoder(unsafeBytes: bytes)
            try decodeRecords(&records, count, codec, body)
        }
        return count
    }

    @inlinable static func decodeRecords(
        _ decoder: inout WalDecoder, _ count: Int, _ codec: AnyWalCodec<Record>,
        _ body: (consuming Record) throws(WalError) -> Void
    ) throws(WalError) {
        for _ in 0..<count {
            let length = try decoder.read(UInt32.self)
            var bytes = WalDecoder(unsafeBytes: try decoder.readBuffer(count: Int(length)))
            let record = try codec.decode(&bytes)
            try bytes.expectEnd()
            try body(record)
        }
        try decoder.expectEnd()
    }
}
