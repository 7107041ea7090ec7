#if Macros
internal import SwiftSyntax

/// What is said round a declaration: who may see it, and of what it is generic.
struct RecordScope {
    /// `public ` or `package `, or nothing.
    let access: String
    let generics: Set<String>

    init(_ declaration: some DeclGroupSyntax, _ lexicalContext: [Syntax]) {
        var access = RecordScope.access(declaration.modifiers)
        if access == nil, let around = lexicalContext.first?.as(ExtensionDeclSyntax.self) {
            access = RecordScope.access(around.modifiers)
        }
        self.access = access ?? ""
        var generics: Set<String> = []
        for node in [Syntax(declaration)] + lexicalContext {
            let clause = node.asProtocol((any WithGenericParametersSyntax).self)?.genericParameterClause
            for parameter in clause?.parameters ?? [] { generics.insert(parameter.name.plainName) }
        }
        self.generics = generics
    }

    /// Nil where none is named.
    private static func access(_ modifiers: DeclModifierListSyntax) -> String? {
        for modifier in modifiers {
            switch modifier.name.tokenKind {
            case .keyword(.public), .keyword(.open): return "public "
            case .keyword(.package): return "package "
            case .keyword(.internal), .keyword(.fileprivate), .keyword(.private): return ""
            default: break
            }
        }
        return nil
    }
}
#endif
