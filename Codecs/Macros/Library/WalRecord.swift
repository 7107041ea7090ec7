#if Macros
@_exported public import WalBinary
@_exported public import WriteAheadLog

/// Writes a struct's or an enum's direct coding: as fast as code by hand, with the bytes that `Codable` would have written.
///
///     @WalRecord enum Change {
///         case put(key: [UInt8], value: [UInt8])
///         case delete(key: [UInt8])
///     }
///
///     let wal = try await Wal<Change>.open(at: path, configuration: .init(codec: .binary()))
///
/// Put it on a record and on each struct and enum that the record holds. They become `WalCodable`, `WalDirectCodable`,
/// `WalBinaryValue`, `WalSchemaProviding` and `Sendable`, and `WalEvolving` where a property or case had other names or has a
/// default. `Codable` is not written: add it where another codec wants it, or leave it out.
///
/// **The same bytes.** A type may turn from `Codable` to `@WalRecord` and back without a change to its files. So the macro goes
/// by what synthesized `Codable` does:
/// - Stored properties are written in the order of declaration, or of the cases of a nested `CodingKeys`, under the keys' raw
///   values; static, lazy and computed ones are not. For an enum, `CodingKeys` name the cases, and `PutCodingKeys` the values
///   of a case `put`. A payload without a label is `_0`, `_1` and so on by its place.
/// - An optional that is nil is left out. What `CodingKeys` leave out is read as its initial or default value.
/// - A constant with an initial value is written and never read back.
/// - An enum with raw values is written as its raw value, and so are `OptionSet`s and what else names `RawRepresentable`, where
///   the raw value is a number, `Bool` or `String`.
///
/// A macro sees the declaration alone: `CodingKeys` must be nested in it, not in an extension, and a type that encodes itself by
/// its own `encode(to:)` is refused.
///
/// **Records of other builds.** ``WalField(aliases:)`` names what a property or case was called before, and
/// ``WalField(aliases:default:)`` what a property is where a record lacks it. An initial value of a variable is such a default,
/// too, if it is a literal or a member such as `.open`; one that is made by a call, as `UUID()`, would be another at each reading
/// and is not. An optional that a record lacks is nil, whatever its initial value. Fields of cases have neither aliases nor
/// defaults: make a new one optional.
///
/// A generic type asks for `Sendable` of its parameters, and is a record where they are `WalBinaryValue`.
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
