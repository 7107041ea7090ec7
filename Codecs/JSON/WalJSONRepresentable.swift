public import WriteAheadLog

/// A record that writes and reads its own JSON text; `.json()` prefers it to `Codable`.
public protocol WalJSONRepresentable: WalCodable {
    /// Appends one JSON value as UTF-8.
    func encodeJSON(into encoder: inout WalEncoder) throws(WalError)
    /// Reads one JSON value from all the bytes that are left. They are hostile.
    init(json decoder: inout WalDecoder) throws(WalError)
}
