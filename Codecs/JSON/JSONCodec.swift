public import WriteAheadLog

/// The one format of the JSON codec, so far: what its segments name.
enum JSONFormat {
    static let id: UInt32 = 2
    static let name = "json"
    static let parameters: [UInt8] = [1]
}

/// Stores `Codable` records as compact JSON text (RFC 8259).
///
/// - `[UInt8]` and `Data` are base64 strings, a `UUID` and a `URL` strings, a `Decimal` is a number, a `Date` the seconds
///   since 2001. Integers of up to 128 bits are exact; a `Double` has the shortest text that reads back the same, and infinity
///   or NaN are errors.
/// - The same record always gives the same bytes: dictionaries and sets are sorted by their encoded keys and elements.
/// - Reading ignores keys that the record does not ask for; of a key that occurs twice the last counts. An integer may be
///   written `1.0`.
/// - Text and records nest at most 512 levels deep.
/// - A nested container must be filled before its parent goes on; a record that goes back is an error.
public struct JSONCodec<Record: WalCodable & Codable>: WalCodec {
    public static var id: UInt32 { JSONFormat.id }
    public var name: String { JSONFormat.name }
    public var parameters: [UInt8] { JSONFormat.parameters }

    public init() {}

    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        try JSONWriter.encode(copy record, into: &encoder)
    }

    public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        try JSONDocument.decode(Record.self, from: decoder.readBuffer(count: decoder.remaining))
    }
}

/// Stores records that write and read their own JSON text.
public struct JSONTextCodec<Record: WalJSONRepresentable>: WalCodec {
    public static var id: UInt32 { JSONFormat.id }
    public var name: String { JSONFormat.name }
    public var parameters: [UInt8] { JSONFormat.parameters }

    public init() {}

    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        try record.encodeJSON(into: &encoder)
    }

    public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        let record = try Record(json: &decoder)
        try decoder.expectEnd()
        return record
    }
}

extension AnyWalCodec where Record: Codable {
    /// JSON text by `Codable`, or the record's own where it is ``WalJSONRepresentable``.
    public static func json() -> Self {
        // Generic code lands here for a record that is both, since overloads are chosen at compile time.
        if let own = Record.self as? any WalJSONRepresentable.Type, let codec = textCodec(own) { return codec }
        return Self(JSONCodec<Record>())
    }

    private static func textCodec<Own: WalJSONRepresentable>(_: Own.Type) -> Self? {
        AnyWalCodec<Own>(JSONTextCodec<Own>()) as? Self
    }
}

extension AnyWalCodec where Record: WalJSONRepresentable {
    /// The record's own JSON text.
    public static func json() -> Self { Self(JSONTextCodec<Record>()) }
}

extension AnyWalCodec where Record: Codable & WalJSONRepresentable {
    /// The record's own JSON text.
    public static func json() -> Self { Self(JSONTextCodec<Record>()) }
}
