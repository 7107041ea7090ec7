public import WriteAheadLog

/// The binary codec for records that write and read themselves: the same bytes as ``CodableBinaryCodec``, many times faster.
///
/// `.binary()` chooses it wherever the record is `WalDirectCodable`.
public struct DirectBinaryCodec<Record: WalDirectCodable>: WalCodec {
    public static var id: UInt32 { BinaryFormat.id }
    public var name: String { BinaryFormat.name }
    public var parameters: [UInt8] { BinaryFormat.parameters }

    @inlinable public init() {}

    @inlinable public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        record.encode(into: &encoder)
    }

    @inlinable public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        let record = try Record(from: &decoder)
        try decoder.expectEnd()
        return record
    }
}

/// What segments say of this format.
enum BinaryFormat {
    static var id: UInt32 { 1 }
    static var name: String { "binary" }
    /// The format's version.
    static var parameters: [UInt8] { [1] }
}
