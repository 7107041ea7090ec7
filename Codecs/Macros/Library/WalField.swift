#if Macros
/// Names.
@attached(peer)
public macro WalField(aliases: String...) = #externalMacro(module: "WalMacrosPlugin", type: "WalFieldMacro")

/// Names.
@attached(peer)
public macro WalField<Value: Sendable>(aliases: String..., default: Value) =
    #externalMacro(module: "WalMacrosPlugin", type: "WalFieldMacro")
#endif
