/// A type that reads what earlier builds of it wrote under other names, or without some fields.
///
/// The codecs of this project ask for it by `Codable`, on each type of a record, nested ones too; `@WalRecord` writes it, and
/// direct coding by hand states the same in its calls of `field`. Names are those that are written: of `CodingKeys`, where a
/// type has them.
///
///     struct Order: Codable, WalCodable, WalEvolving {
///         var amount: Int64
///         var currency: String
///         static var walAliases: [String: [String]] { ["amount": ["total"]] }
///         static var walDefaults: [String: any Sendable] { ["currency": "EUR"] }
///     }
public protocol WalEvolving {
    /// By the name of a field or case of today, those that it had before; the first that a record has counts.
    static var walAliases: [String: [String]] { get }
    /// By the name of a field, what it is where a record lacks it. The value must be of the field's type.
    static var walDefaults: [String: any Sendable] { get }
}

extension WalEvolving {
    public static var walAliases: [String: [String]] { [:] }
    public static var walDefaults: [String: any Sendable] { [:] }
}
