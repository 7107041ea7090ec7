public import WriteAheadLog

/// The binary codec for `Codable` records.
///
/// The bytes are CBOR (RFC 8949), in a profile that is deterministic: equal records have equal bytes.
///
/// | Swift | bytes |
/// | --- | --- |
/// | struct, class, enum | `BF`, then text keys and values in the order written, then `FF` |
/// | array and other sequences | `9F`, elements, `FF` |
/// | integers | major type 0 or 1, shortest form; beyond 64 bits tag 2 or 3 and a byte string |
/// | `Bool`, nil | `F5`, `F4`; `F6`, or no key at all for an optional property |
/// | `Float`, `Double` | `FA` and 4 bytes, `FB` and 8 bytes: the bit pattern |
/// | `String`, `URL` | text string |
/// | `[UInt8]`, `ContiguousArray<UInt8>`, `Data` | byte string |
/// | `UUID` | tag 37, byte string of 16 |
/// | `Date` | `FB`, seconds since 2001-01-01 |
/// | `Decimal` | tag 4, `82`, exponent, mantissa |
/// | dictionary with `String`, `Int` or `CodingKeyRepresentable` keys | map sorted by the keys' UTF-8 |
/// | other dictionary | array of keys and values by turns, sorted by the keys' bytes |
/// | `Set` | array sorted by the elements' bytes |
///
/// A reader passes over keys that it does not know, takes fields in any order, and any integer type that can hold the value;
/// an optional property may be missing. Containers of definite length are read too. A record nests at most 128 deep.
///
/// Three things are beyond `Codable` itself: nil within an optional within an optional reads back as the outer nil; a type that
/// calls `set.encode(to: encoder)` on its own encoder, rather than on a container, writes the set in hash order; and a
/// container may not be written to after the value it belongs to has ended.
public struct CodableBinaryCodec<Record: WalCodable & Codable>: WalCodec {
    public static var id: UInt32 { BinaryFormat.id }
    public var name: String { BinaryFormat.name }
    public var parameters: [UInt8] { BinaryFormat.parameters }

    @inlinable public init() {}

    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        try EncodingSession.encode(copy record, into: &encoder)
    }

    public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        let record = decoder.rest
        do throws(WalError) {
            return try DecodingSession.decode(Record.self, from: &decoder)
        } catch {
            throw WalError.binary(error, Record.self, record, stoppedAt: nil)
        }
    }
}
