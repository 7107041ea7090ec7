#if Macros
internal import SwiftSyntax
internal import SwiftSyntaxBuilder
internal import SwiftSyntaxMacros

/// `@WalRecord`: reads a declaration as `Codable` would, and writes it down as direct coding.
///
/// What names types or holds an app's expressions goes into the type itself: in an extension of `Outer.Inner` the names that
/// `Outer` declares are out of sight. What codes goes into extensions, where an initializer leaves a struct its own one and what
/// a type is generic of can be constrained.
struct WalRecordMacro {
    private static func writer(
        _ type: String, _ declaration: some DeclGroupSyntax, _ node: AttributeSyntax, _ protocols: [TypeSyntax],
        _ context: some MacroExpansionContext, _ findings: inout Findings
    ) -> RecordWriter? {
        let hidden = declaration.modifiers.first { $0.name.tokenKind == .keyword(.private) }
        if let hidden, !context.lexicalContext.isEmpty {
            findings.add(.privateWithin, at: hidden, fixIts: [.makingFilePrivate(hidden.name)])
        }
        // Half of the members would only bring errors of their own.
        guard let shape = RecordShape(of: declaration, at: node, &findings), !findings.hasErrors else { return nil }
        return RecordWriter(
            type: type, shape: shape, scope: RecordScope(declaration, context.lexicalContext),
            conformances: protocols.map { $0.trimmedDescription })
    }
}

extension WalRecordMacro: ExtensionMacro {
    static func expansion(
        of node: AttributeSyntax, attachedTo declaration: some DeclGroupSyntax,
        providingExtensionsOf type: some TypeSyntaxProtocol, conformingTo protocols: [TypeSyntax],
        in context: some MacroExpansionContext
    ) throws -> [ExtensionDeclSyntax] {
        var findings = Findings()
        let writer = writer(type.trimmedDescription, declaration, node, protocols, context, &findings)
        findings.report(in: context)
        return try writer?.extensions.map { try ExtensionDeclSyntax("\(raw: $0)") } ?? []
    }
}

extension WalRecordMacro: MemberMacro {
    static func expansion(
        of node: AttributeSyntax, providingMembersOf declaration: some DeclGroupSyntax,
        conformingTo protocols: [TypeSyntax], in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
        // The other role has reported them.
        var findings = Findings()
        let writer = writer("", declaration, node, protocols, context, &findings)
        return writer?.members.map { "\(raw: $0)" } ?? []
    }
}
#endif
