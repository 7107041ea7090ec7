#if Macros
internal import SwiftParser
internal import SwiftSyntax
internal import SwiftSyntaxBuilder

extension TokenSyntax {
    /// The name without the backticks that a keyword needs.
    var plainName: String {
        let text = trimmed.text
        guard text.count > 2, text.hasPrefix("`"), text.hasSuffix("`") else { return text }
        return String(text.dropFirst().dropLast())
    }

    /// The name as a label in a call, where one keyword needs backticks and the compiler warns of any other in them.
    var argumentLabel: String {
        let name = plainName
        let isWord = name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
        return isWord && name != "inout" ? name : trimmed.text
    }
}

extension AttributeSyntax {
    /// The name without its module.
    var lastName: String {
        if let member = attributeName.as(MemberTypeSyntax.self) { return member.name.plainName }
        if let identifier = attributeName.as(IdentifierTypeSyntax.self) { return identifier.name.plainName }
        return attributeName.trimmedDescription
    }
}

extension ExprSyntax {
    /// What a string literal says, where nothing in it has to be run.
    var literalString: String? { self.as(StringLiteralExprSyntax.self)?.representedLiteralValue }

    /// The expression without what is round it; a string of many lines, which no longer stands where it was indented for, in one.
    var onOneLine: ExprSyntax {
        literalString.map { ExprSyntax(stringLiteral: $0.debugDescription) } ?? trimmed
    }
}

extension VariableDeclSyntax {
    /// Whether each value of the type has this. `Codable` passes over lazy properties, too.
    var isInstanceStorage: Bool {
        !modifiers.contains { [.keyword(.static), .keyword(.class), .keyword(.lazy)].contains($0.name.tokenKind) }
    }

    var isConstant: Bool { bindingSpecifier.tokenKind == .keyword(.let) }
}

extension PatternBindingSyntax {
    /// Observers are all that a stored property has.
    var isComputed: Bool {
        switch accessorBlock?.accessors {
        case nil: false
        case .getter: true
        case .accessors(let accessors):
            accessors.contains {
                ![.keyword(.willSet), .keyword(.didSet)].contains($0.accessorSpecifier.tokenKind)
            }
        }
    }
}
#endif
