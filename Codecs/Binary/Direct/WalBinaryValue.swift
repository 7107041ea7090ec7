public import WriteAheadLog

/// A value that writes and reads itself in the binary format, without `Codable`.
///
/// The standard library's numbers, `Bool`, `String`, optionals, arrays, dictionaries and sets are such values, and Foundation's
/// `Data`, `Date`, `Decimal`, `URL` and `UUID`. An enum with raw values needs only to name the protocol. Let your own types
/// conform where a ``WalDirectCodable`` record holds them; the requirements are the same, so one implementation does for both.
///
/// By contract the bytes are those that ``CodableBinaryCodec`` would write. A test that compares the two is a line or two.
public protocol WalBinaryValue {
    /// Appends exactly one value.
    func encode(into encoder: inout WalEncoder)
    /// Reads exactly one value.
    init(from decoder: inout WalDecoder) throws(WalError)
}

extension WalBinaryValue where Self: RawRepresentable, RawValue: WalBinaryValue {
    @inlinable public func encode(into encoder: inout WalEncoder) { rawValue.encode(into: &encoder) }

    @inlinable public init(from decoder: inout WalDecoder) throws(WalError) {
        let start = decoder.offset
        let raw = try RawValue(from: &decoder)
        guard let value = Self(rawValue: raw) else {
            throw WalDecoder.malformed("no \(Self.self) has the raw value \(raw)", at: start)
        }
        self = value
    }
}
