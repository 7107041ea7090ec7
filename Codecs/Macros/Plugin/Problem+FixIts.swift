#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax

extension FixIt {
    static func makingStruct(_ keyword: TokenSyntax) -> FixIt {
        replacing(keyword, by: keyword.with(\.tokenKind, .keyword(.struct)), "make it a struct")
    }

    static func makingFilePrivate(_ keyword: TokenSyntax) -> FixIt {
        replacing(keyword, by: keyword.with(\.tokenKind, .keyword(.fileprivate)), "make it fileprivate")
    }

    static func annotating(_ binding: PatternBindingSyntax) -> FixIt {
        let name = binding.pattern.trimmed
        var annotated = binding
        annotated.pattern = name.with(\.leadingTrivia, binding.pattern.leadingTrivia)
        annotated.typeAnnotation = TypeAnnotationSyntax(
            colon: .colonToken(trailingTrivia: .space), type: MissingTypeSyntax(placeholder: .identifier("<#Type#>")),
            trailingTrivia: binding.pattern.trailingTrivia)
        return replacing(binding, by: annotated, "write the type of '\(name)'")
    }

    static func makingVariable(_ specifier: TokenSyntax) -> FixIt {
        replacing(specifier, by: specifier.with(\.tokenKind, .keyword(.var)), "make it a var")
    }

    static func initializing(_ binding: PatternBindingSyntax, _ name: String) -> FixIt {
        var initialized = binding
        let behind = binding.trailingTrivia
        initialized.trailingTrivia = []
        initialized.initializer = InitializerClauseSyntax(
            equal: .equalToken(leadingTrivia: .space, trailingTrivia: .space),
            value: EditorPlaceholderExprSyntax(placeholder: .identifier("<#value#>")), trailingTrivia: behind)
        return replacing(binding, by: initialized, "give '\(name)' an initial value")
    }

    /// Adds a case behind the last one of a CodingKeys enum.
    static func naming(_ name: TokenSyntax, in keys: EnumDeclSyntax) -> FixIt? {
        guard let last = keys.memberBlock.members.last(where: { $0.decl.is(EnumCaseDeclSyntax.self) }),
            let decl = last.decl.as(EnumCaseDeclSyntax.self), let element = decl.elements.last
        else { return nil }
        var named = element
        named.trailingTrivia = []
        named.trailingComma = .commaToken(trailingTrivia: .space)
        let added = EnumCaseElementSyntax(name: name.trimmed, trailingTrivia: element.trailingTrivia)
        var elements = Array(decl.elements.dropLast())
        elements += [named, added]
        return replacing(
            decl, by: decl.with(\.elements, EnumCaseElementListSyntax(elements)),
            "add '\(name.trimmedDescription)' to \(keys.name.trimmedDescription)")
    }

    /// Takes an alias out of an attribute's arguments; the next one inherits its label.
    static func removing(_ alias: LabeledExprSyntax) -> FixIt? {
        guard let list = alias.parent?.as(LabeledExprListSyntax.self) else { return nil }
        var rest: [LabeledExprSyntax] = []
        var label = alias.label
        var isBehind = false
        for argument in list {
            if argument.id == alias.id {
                isBehind = true
                continue
            }
            var argument = argument
            if isBehind, argument.label == nil, let inherited = label {
                argument.label = inherited
                argument.colon = alias.colon
            }
            if isBehind { label = nil }
            rest.append(argument)
        }
        if let last = rest.indices.last { rest[last].trailingComma = nil }
        return replacing(list, by: LabeledExprListSyntax(rest), "remove the alias")
    }

    static func removing(_ attribute: AttributeSyntax, from declaration: some DeclSyntaxProtocol) -> FixIt? {
        func removing(from declaration: some WithAttributesSyntax) -> FixIt? {
            var bare = declaration
            // The nodes of a macro's declaration are detached from those of its attribute.
            bare.attributes = bare.attributes.filter { $0.trimmedDescription != attribute.trimmedDescription }
            guard bare.attributes.count < declaration.attributes.count else { return nil }
            bare.leadingTrivia = declaration.leadingTrivia
            return replacing(declaration, by: bare, "remove @WalField")
        }
        return declaration.asProtocol((any WithAttributesSyntax).self).flatMap { removing(from: $0) }
    }

    private static func replacing(_ old: some SyntaxProtocol, by new: some SyntaxProtocol, _ message: String) -> FixIt {
        FixIt(message: Remedy(message), changes: [.replace(oldNode: Syntax(old), newNode: Syntax(new))])
    }
}
#endif
