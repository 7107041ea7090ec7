#if Macros
/// What a property or a case of a ``WalRecord()`` type was called before: the first of the names that a record has counts.
///
///     @WalField(aliases: "total", "sum") var amount: Int64
///
/// Names are those that are written: of `CodingKeys`, where the type had them.
@attached(peer)
public macro WalField(aliases: String...) = #externalMacro(module: "WalMacrosPlugin", type: "WalFieldMacro")

/// What a property of a ``WalRecord()`` type was called before, and what it is where a record has none of its names.
///
///     @WalField(aliases: "curr", default: "EUR") var currency: String
///
/// The default is an expression that is looked at anew for each record that lacks the field. It must be complete in itself:
/// `State.open`, not `.open`, which an initial value may be. An optional has no default, for its nil is recorded as nothing.
@attached(peer)
public macro WalField<Value: Sendable>(aliases: String..., default: Value) =
    #externalMacro(module: "WalMacrosPlugin", type: "WalFieldMacro")
#endif
