#if Macros
internal import SwiftSyntax
internal import SwiftSyntaxBuilder

/// The type of a property or a payload, as far as it can be told from how it is spelled.
struct FieldType {
    let syntax: TypeSyntax
    /// Where it is written, for messages.
    private let place: TypeSyntax

    init(_ syntax: TypeSyntax) {
        place = syntax
        var syntax = syntax.trimmed
        while let tuple = syntax.as(TupleTypeSyntax.self), tuple.elements.count == 1, let only = tuple.elements.first,
            only.firstName == nil
        {
            syntax = only.type.trimmed
        }
        self.syntax = syntax
    }

    /// The type of a literal; other initial values would have to be compiled to tell.
    static func inferred(from value: ExprSyntax) -> TypeSyntax? {
        switch value.as(ExprSyntaxEnum.self) {
        case .integerLiteralExpr: "Int"
        case .floatLiteralExpr: "Double"
        case .booleanLiteralExpr: "Bool"
        case .stringLiteralExpr: "String"
        case .prefixOperatorExpr(let operation) where operation.operator.text == "-":
            switch operation.expression.as(ExprSyntaxEnum.self) {
            case .integerLiteralExpr, .floatLiteralExpr: inferred(from: operation.expression)
            default: nil
            }
        default: nil
        }
    }

    // MARK: Optionals

    /// An optional by its spelling, of which nil is recorded as nothing.
    var isOptional: Bool {
        isSugaredOptional || (names?.last == "Optional" && (names?.count == 1 || names?.first == "Swift"))
    }

    /// The spellings with which a variable begins as nil.
    var isSugaredOptional: Bool {
        syntax.is(OptionalTypeSyntax.self) || syntax.is(ImplicitlyUnwrappedOptionalTypeSyntax.self)
    }

    /// Whether it may be an optional behind another name, so that the compiler has to choose.
    func mayHideOptional(_ generics: Set<String>) -> Bool {
        guard !isOptional, let names else { return false }
        if names.count == 1, generics.contains(names[0]) { return false }
        if names.count == 2, names[0] != "Swift", names[0] != "Foundation" { return true }
        return names.count > 2 || !FieldType.plain.contains(names.last ?? "")
    }

    private static let plain: Set<String> = [
        "Int", "Int8", "Int16", "Int32", "Int64", "Int128", "UInt", "UInt8", "UInt16", "UInt32", "UInt64", "UInt128",
        "Bool", "String", "Double", "Float", "Array", "Set", "Dictionary", "Data", "Date", "UUID", "URL", "Decimal",
    ]

    /// `A.B` as its parts; nil for what has no name.
    private var names: [String]? {
        func parts(_ type: TypeSyntax) -> [String]? {
            if let identifier = type.as(IdentifierTypeSyntax.self) { return [identifier.name.plainName] }
            guard let member = type.as(MemberTypeSyntax.self) else { return nil }
            return parts(member.baseType).map { $0 + [member.name.plainName] }
        }
        return parts(syntax)
    }

    // MARK: Writing

    /// As an expression: `??` would be an operator there.
    var expression: String { Desugaring().rewrite(syntax).trimmedDescription + ".self" }

    private final class Desugaring: SyntaxRewriter {
        override func visit(_ node: OptionalTypeSyntax) -> TypeSyntax {
            let wrapped = visit(node.wrappedType)
            return "Swift.Optional<\(wrapped.trimmed)>"
        }
        override func visit(_ node: ImplicitlyUnwrappedOptionalTypeSyntax) -> TypeSyntax {
            let wrapped = visit(node.wrappedType)
            return "Swift.Optional<\(wrapped.trimmed)>"
        }
    }

    // MARK: What it is made of

    /// A part without a form in a record.
    var unsupported: (kind: String, syntax: TypeSyntax)? { FieldType.unsupported(in: Syntax(place)) }

    private static func unsupported(in node: Syntax) -> (kind: String, syntax: TypeSyntax)? {
        if let type = node.as(TypeSyntax.self) {
            switch type.as(TypeSyntaxEnum.self) {
            case .functionType: return ("a function", type)
            case .tupleType(let tuple) where tuple.elements.count != 1: return ("a tuple", type)
            case .someOrAnyType, .compositionType: return ("a value of any type", type)
            case .metatypeType: return ("a type", type)
            default: break
            }
        }
        for child in node.children(viewMode: .sourceAccurate) {
            if let found = unsupported(in: child) { return found }
        }
        return nil
    }

    /// The generic parameters, and their associated types, of which it is made.
    func generics(among parameters: Set<String>) -> [String] {
        FieldType.generics(in: Syntax(syntax), among: parameters)
    }

    private static func generics(in node: Syntax, among parameters: Set<String>) -> [String] {
        if let identifier = node.as(IdentifierTypeSyntax.self), parameters.contains(identifier.name.plainName) {
            return [identifier.name.text]
        }
        if let member = node.as(MemberTypeSyntax.self) {
            var base = member.baseType
            while let inner = base.as(MemberTypeSyntax.self) { base = inner.baseType }
            if let root = base.as(IdentifierTypeSyntax.self), parameters.contains(root.name.plainName) {
                return [member.trimmedDescription]
            }
        }
        return node.children(viewMode: .sourceAccurate).flatMap { generics(in: $0, among: parameters) }
    }
}
#endif
