/// A type that can be recorded.
///
/// It asks only for an identity, which each segment file names. How a record becomes bytes is a ``WalCodec``'s affair.
public protocol WalCodable: Sendable {
    /// Written in each segment header; a log with another name in it is refused with
    /// ``WalError/Code/recordTypeMismatch``.
    ///
    /// By default the type's full name, module included. Pin it (`static var walTypeName: String { "orders.Change" }`) before
    /// you rename the type or its module. At most 256 bytes of UTF-8.
    static var walTypeName: String { get }
}

extension WalCodable {
    public static var walTypeName: String { String(reflecting: Self.self) }
}

/// A record that writes and reads itself, without `Codable`'s cost.
///
/// The binary codec uses it where it is there. By contract the bytes are those that the codec would write by `Codable`, so that
/// a type can turn to direct coding without a change to its files; `WalBinary` has the helpers for that.
public protocol WalDirectCodable: WalCodable {
    /// Appends the record's bytes.
    func encode(into encoder: inout WalEncoder)
    /// Reads a record back.
    init(from decoder: inout WalDecoder) throws(WalError)
}

/// How records become bytes and come back: the plug-in.
///
/// A codec is a value without mutable state; calls come from many threads at once. Each call sees one record. The bytes need
/// no length, checksum or alignment: the log frames them. `WalTesting` has a suite that a codec should pass.
public protocol WalCodec<Record>: Sendable {
    associatedtype Record: Sendable

    /// Persisted in each segment. Below 0x8000_0000 ids belong to this project; take yours from there up.
    static var id: UInt32 { get }
    /// For people: shown by tools, persisted beside the id. At most 64 bytes of UTF-8.
    var name: String { get }
    /// Persisted in each segment, and handed to ``reader(id:parameters:)`` of the codecs that may read it. At most 1,024
    /// bytes.
    var parameters: [UInt8] { get }

    /// Appends the record's bytes. What the encoder already holds must stay.
    func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError)
    /// Reads one record. The decoder holds exactly the bytes that ``encode(_:into:)`` appended, but treat them as hostile.
    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record

    /// The codec that reads what a codec with this id and these parameters wrote, or nil where this one can't.
    ///
    /// By default it is this codec where both are the same as its own.
    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Record>)?
}

extension WalCodec {
    public func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Record>)? {
        id == Self.id && parameters == self.parameters ? self : nil
    }
}

/// A codec that also codes a batch as a whole, as one that compresses records together does.
///
/// A batch that is appended by it is one frame, of which the log knows how many records there are and nothing else.
public protocol WalBatchCodec<Record>: WalCodec {
    /// Appends a record as it stands in a batch that is yet to be coded. ``WalCodec/decode(_:)`` must read it, as
    /// ``decodeBatch(_:into:)`` gives it back.
    func encodeWithinBatch(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError)
    /// Appends what is stored for a batch.
    ///
    /// - Parameter records: each record's length in 4 bytes, little endian, and its bytes.
    func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError)
    /// Appends what ``encodeBatch(_:into:)`` was given, byte for byte. The stored bytes passed the checksum; treat them as hostile
    /// all the same, and bound what they can make you allocate.
    func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError)
    /// What appends a record that the codec of that id and those parameters stored, as it stands in a batch of this codec that is
    /// yet to be coded. It must not decode the record, so that nothing is lost of what this build does not know; nil where that
    /// can't be done.
    func repacking(id: UInt32, parameters: [UInt8]) throws(WalError) -> WalRepacking?
}

/// See ``WalBatchCodec/repacking(id:parameters:)``.
public typealias WalRepacking = @Sendable (inout WalDecoder, inout WalEncoder) throws(WalError) -> Void

/// A record where it is: what cannot be copied is not copied on its way to a codec, and nothing that it holds is retained.
@frozen @usableFromInline
struct Lent<Record: Sendable>: ~Copyable {
    @usableFromInline let record: Record

    @inlinable @inline(__always)
    borrowing func encode<Codec: WalCodec<Record>>(by codec: Codec, into encoder: inout WalEncoder) throws(WalError) {
        try codec.encode(record, into: &encoder)
    }

    @usableFromInline
    borrowing func encode(
        withinBatchOf codec: any WalBatchCodec<Record>, into encoder: inout WalEncoder
    ) throws(WalError) {
        try codec.encodeWithinBatch(record, into: &encoder)
    }
}

/// A codec as an app names it: `.binary()`, `.zstd(.json())`.
///
/// Codec modules add static members to this type.
public struct AnyWalCodec<Record: WalCodable>: Sendable {
    @usableFromInline typealias Encoding = @Sendable (borrowing Record, inout WalEncoder) throws(WalError) -> Void
    @usableFromInline typealias BatchEncoding =
        @Sendable (UnsafeBufferPointer<Record>, _ maximum: Int, inout WalEncoder) throws(WalError) -> Bool
    @usableFromInline typealias Decoding = @Sendable (inout WalDecoder) throws(WalError) -> Record

    /// The codec itself.
    public let base: any WalCodec<Record>
    /// The id that segments written by it name.
    public let id: UInt32

    // A call of `base` goes through code that was compiled for every record type; these were compiled, by `init`, where
    // the types are known.
    @usableFromInline let encoding: Encoding
    /// Each record with its length before it, as a batch has them; false once they take more than the maximum.
    @usableFromInline let batchEncoding: BatchEncoding
    @usableFromInline let decoding: Decoding
    /// The codec again, where it codes batches as a whole.
    @usableFromInline let batches: (any WalBatchCodec<Record>)?
    /// The codec again, where it seals frames.
    @usableFromInline let sealing: (any WalSealingCodec<Record>)?

    @inlinable public init<Codec: WalCodec<Record>>(_ base: Codec) {
        self.base = base
        sealing = base as? any WalSealingCodec<Record>
        let batches = base as? any WalBatchCodec<Record>
        self.batches = batches
        id = Codec.id
        encoding = { (record, encoder) throws(WalError) in try base.encode(record, into: &encoder) }
        batchEncoding = { (records, maximum, encoder) throws(WalError) in
            guard let first = records.baseAddress else { return true }
            precondition(
                MemoryLayout<Lent<Record>>.stride == MemoryLayout<Record>.stride, "a struct of one field is that field")
            let lent = UnsafeRawPointer(first).assumingMemoryBound(to: Lent<Record>.self)
            for index in 0..<records.count {
                // Its length, once that is known.
                encoder.reserve(4)
                let start = encoder.used
                encoder.used = start &+ 4
                if let batches {
                    try lent[index].encode(withinBatchOf: batches, into: &encoder)
                } else {
                    try lent[index].encode(by: base, into: &encoder)
                }
                if _slowPath(encoder.count > maximum) { return false }
                encoder.overwrite(UInt32(truncatingIfNeeded: encoder.count &- start &- 4), at: start)
            }
            return true
        }
        decoding = { (decoder) throws(WalError) in try base.decode(&decoder) }
    }

    /// What ``WalCodec/encode(_:into:)`` of the codec does.
    @inlinable @inline(__always)
    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        try encoding(record, &encoder)
    }

    /// What ``WalCodec/decode(_:)`` of the codec does.
    @inlinable @inline(__always) public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        try decoding(&decoder)
    }

    public var name: String { base.name }
    public var parameters: [UInt8] { base.parameters }

    /// What writes and reads records, whether the log seals them or not.
    var plain: AnyWalCodec { sealing?.inner ?? self }
}
