#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax
internal import SwiftSyntaxMacros

/// `@WalField`: writes nothing itself, `@WalRecord` reads it. Here it only says where it can't be read.
struct WalFieldMacro: PeerMacro {
    static func expansion(
        of node: AttributeSyntax, providingPeersOf declaration: some DeclSyntaxProtocol,
        in context: some MacroExpansionContext
    ) throws -> [DeclSyntax] {
        var findings = Findings()
        if !isWritten(declaration) {
            findings.add(.fieldOnOther, at: node, fixIts: [.removing(node, from: declaration)].compactMap(\.self))
        } else if !isInRecord(context.lexicalContext) {
            findings.add(.fieldOutsideRecord, at: node)
        }
        findings.report(in: context)
        return []
    }

    private static func isWritten(_ declaration: some DeclSyntaxProtocol) -> Bool {
        if declaration.is(EnumCaseDeclSyntax.self) { return true }
        guard let variable = declaration.as(VariableDeclSyntax.self) else { return false }
        return variable.isInstanceStorage && !variable.bindings.contains { $0.isComputed }
    }

    private static func isInRecord(_ lexicalContext: [Syntax]) -> Bool {
        guard let around = lexicalContext.first?.asProtocol((any WithAttributesSyntax).self) else { return false }
        return around.attributes.contains { $0.as(AttributeSyntax.self)?.lastName == "WalRecord" }
    }
}
#endif
