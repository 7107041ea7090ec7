#if Macros
@_exported public import WalBinary
@_exported public import WriteAheadLog

/// Writes a struct's or an enum's direct coding: fast, and with the bytes that `Codable` would have written.
@attached(
    member, names: named(walSchema(in:)), named(walAliases), named(walDefaults), named(WalDefaultValues))
@attached(
    extension, conformances: WalCodable, WalDirectCodable, WalBinaryValue, WalSchemaProviding, WalEvolving,
    Sendable,
    names: named(encode(into:)), named(init(from:)))
public macro WalRecord() = #externalMacro(module: "WalMacrosPlugin", type: "WalRecordMacro")
#else
/// Says what is missing where the attribute is written. Of all that may be written as an attribute on a type, a global actor
/// brings no other errors along.
@available(*, unavailable, message: "turn on swift-wal's trait: .package(…, traits: [.defaults, \"Macros\"])")
@globalActor public actor WalRecord {
    public static let shared = WalRecord()
}
#endif
