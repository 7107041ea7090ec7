#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax

/// A name that a field or a case had before.
struct Alias {
    var name: String
    var syntax: LabeledExprSyntax

    /// Finds fault with aliases that are taken. Of what has no alias only the name counts.
    static func check(_ owners: [(name: String, key: String, aliases: [Alias])], _ findings: inout Findings) {
        var taken: [String: String] = [:]
        for owner in owners { taken[owner.key] = owner.name }
        for owner in owners {
            for alias in owner.aliases {
                if let other = taken[alias.name] {
                    findings.add(
                        .aliasTaken(alias.name, by: other), at: alias.syntax.expression,
                        fixIts: [.removing(alias.syntax)].compactMap(\.self))
                } else {
                    taken[alias.name] = owner.name
                }
            }
        }
    }
}

/// What `@WalField(aliases:default:)` says of a property or a case.
struct FieldAttribute {
    let syntax: AttributeSyntax
    private(set) var aliases: [Alias] = []
    private(set) var defaultValue: ExprSyntax?

    init?(_ attributes: AttributeListSyntax, _ findings: inout Findings) {
        let found = attributes.compactMap { $0.as(AttributeSyntax.self) }.first { $0.lastName == "WalField" }
        guard let found else { return nil }
        syntax = found
        guard case .argumentList(let arguments) = found.arguments else { return }
        for argument in arguments {
            if argument.label?.plainName == "default" {
                defaultValue = argument.expression.onOneLine
            } else if let name = argument.expression.literalString {
                aliases.append(Alias(name: name, syntax: argument))
            } else {
                findings.add(.aliasIsNoLiteral, at: argument.expression)
            }
        }
    }
}
#endif
