#if Macros
internal import SwiftSyntax
internal import SwiftSyntaxBuilder
internal import SwiftSyntaxMacros

/// `@WalRecord`: reads a declaration as `Codable` would, and writes it down as direct coding.
struct WalRecordMacro: ExtensionMacro {
    static func expansion(
        of node: AttributeSyntax, attachedTo declaration: some DeclGroupSyntax,
        providingExtensionsOf type: some TypeSyntaxProtocol, conformingTo protocols: [TypeSyntax],
        in context: some MacroExpansionContext
    ) throws -> [ExtensionDeclSyntax] {
        var findings = Findings()
        let hidden = declaration.modifiers.first { $0.name.tokenKind == .keyword(.private) }
        if let hidden, !context.lexicalContext.isEmpty {
            findings.add(.privateWithin, at: hidden, fixIts: [.makingFilePrivate(hidden.name)])
        }
        let shape = RecordShape(of: declaration, at: node, &findings)
        findings.report(in: context)
        // Half of the members would only bring errors of their own.
        guard let shape, !findings.hasErrors else { return [] }
        let scope = RecordScope(declaration, context.lexicalContext)
        let writer = RecordWriter(
            type: type.trimmedDescription, shape: shape, scope: scope,
            conformances: protocols.map { $0.trimmedDescription })
        return try writer.extensions.map { try ExtensionDeclSyntax("\(raw: $0)") }
    }
}
#endif
