/// A record that is bytes and nothing else: for logs of records that something else encoded.
public struct Payload: WalCodable, Hashable {
    public var bytes: [UInt8]

    @inlinable public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public static var walTypeName: String { "bytes" }
}

/// Stores a ``Payload``'s bytes as they are.
public struct PayloadCodec: WalCodec {
    public static var id: UInt32 { 0 }
    public var name: String { "bytes" }
    public var parameters: [UInt8] { [] }

    @inlinable public init() {}

    @inlinable @inline(__always)
    public func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: record.bytes)
    }

    @inlinable public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        Payload(try decoder.readBytes(count: decoder.remaining))
    }
}

extension AnyWalCodec where Record == Payload {
    /// Bytes as they are.
    @inlinable public static func bytes() -> Self { Self(PayloadCodec()) }
}
