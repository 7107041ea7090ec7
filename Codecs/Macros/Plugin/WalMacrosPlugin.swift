#if Macros
internal import SwiftCompilerPlugin
internal import SwiftSyntaxMacros

@main struct WalMacrosPlugin: CompilerPlugin {
    let providingMacros: [any Macro.Type] = [WalRecordMacro.self, WalFieldMacro.self]
}
#else
/// Without the trait there is nothing to expand, but an executable has to begin somewhere.
@main struct WalMacrosPlugin {
    static func main() {}
}
#endif
