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
        let start = decoder.offset
        do throws(WalError) {
            let record = try Record(from: &decoder)
            try decoder.expectEnd()
            return record
        } catch {
            throw Self.explained(error, &decoder, start)
        }
    }

    @usableFromInline @inline(never)
    static func explained(_ error: WalError, _ decoder: inout WalDecoder, _ start: Int) -> WalError {
        let stopped = decoder.offset - start
        let bytes = UnsafeRawBufferPointer(
            start: decoder.rest.baseAddress.map { $0 - stopped }, count: stopped + decoder.remaining)
        return WalError.binary(error, Record.self, bytes, stoppedAt: stopped)
    }
}

/// What segments say of this format.
enum BinaryFormat {
    static var id: UInt32 { 1 }
    static var name: String { "binary" }
    /// The format's version.
    static var parameters: [UInt8] { [1] }
}
