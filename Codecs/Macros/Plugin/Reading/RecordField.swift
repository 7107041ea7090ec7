#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax

/// A stored property that is written.
struct RecordField {
    /// As the declaration has it, with backticks where it needs them.
    var name: TokenSyntax
    var key: String
    var type: FieldType
    /// False for a constant with an initial value.
    var isRead: Bool
    var aliases: [String]
    /// What it is where a record lacks it.
    var defaultValue: ExprSyntax?

    /// All of a struct's, in the order in which they are written: that of CodingKeys, where there are any.
    static func all(in members: MemberBlockItemListSyntax, _ findings: inout Findings) -> [RecordField] {
        var properties: [StoredProperty] = []
        for member in members {
            guard let variable = member.decl.as(VariableDeclSyntax.self), variable.isInstanceStorage else { continue }
            properties += StoredProperty.all(in: variable, &findings)
        }
        let keys = KeyNames("CodingKeys", in: members, &findings)
        keys?.check(against: properties.map(\.name), &findings)
        if let keys {
            for property in properties where keys[property.name] == nil {
                property.checkLeftOut(of: keys, &findings)
            }
            properties = keys.keys.compactMap { key in
                properties.first { $0.name.plainName == key.name.plainName }
            }
        }
        var fields: [RecordField] = []
        var owners: [(name: String, key: String, aliases: [Alias])] = []
        for property in properties {
            let key = keys?[property.name] ?? property.name.plainName
            owners.append((property.name.plainName, key, property.attribute?.aliases ?? []))
            if let field = property.field(key, &findings) { fields.append(field) }
        }
        Alias.check(owners, &findings)
        return fields
    }
}

/// A stored property as it is declared.
private struct StoredProperty {
    var name: TokenSyntax
    var variable: VariableDeclSyntax
    var binding: PatternBindingSyntax
    var annotation: TypeSyntax?
    var attribute: FieldAttribute?

    static func all(in variable: VariableDeclSyntax, _ findings: inout Findings) -> [StoredProperty] {
        let bindings = Array(variable.bindings)
        var properties: [StoredProperty] = []
        for (index, binding) in bindings.enumerated() where !binding.isComputed {
            guard let name = binding.pattern.as(IdentifierPatternSyntax.self)?.identifier else {
                findings.add(.patternUnsupported, at: binding.pattern)
                continue
            }
            var annotation = binding.typeAnnotation?.type
            if annotation == nil, binding.initializer == nil {
                // `var a, b: Int`: the next type is that of all before it.
                annotation =
                    bindings[index...].prefix { $0.initializer == nil || $0.typeAnnotation != nil }
                    .lazy.compactMap(\.typeAnnotation?.type).first
            }
            properties.append(
                StoredProperty(
                    name: name.trimmed, variable: variable, binding: binding, annotation: annotation,
                    attribute: FieldAttribute(variable.attributes, &findings)))
        }
        return properties
    }

    /// Attributes that change nothing about what is stored.
    private static let harmless: Set<String> = [
        "WalField", "available", "usableFromInline", "inlinable", "_spi", "preconcurrency", "_documentation",
    ]

    private var initialValue: ExprSyntax? { binding.initializer?.value.trimmed }

    func field(_ key: String, _ findings: inout Findings) -> RecordField? {
        let plain = name.plainName
        for attribute in variable.attributes {
            guard let attribute = attribute.as(AttributeSyntax.self), !Self.harmless.contains(attribute.lastName)
            else { continue }
            findings.add(.wrapper(attribute.attributeName.trimmedDescription, of: plain), at: attribute)
        }
        guard let written = annotation ?? initialValue.flatMap(FieldType.inferred) else {
            findings.add(.typeNeeded(plain), at: binding.pattern, fixIts: [.annotating(binding)])
            return nil
        }
        let type = FieldType(written)
        if let unsupported = type.unsupported {
            findings.add(.typeUnsupported(unsupported.kind, of: plain), at: unsupported.syntax)
        }
        let isRead = !(variable.isConstant && initialValue != nil)
        if !isRead {
            findings.add(
                .writtenNotRead(plain), at: variable.bindingSpecifier,
                fixIts: [.makingVariable(variable.bindingSpecifier)])
        }
        if let attribute {
            if !isRead {
                findings.add(.fieldNotRead(plain), at: attribute.syntax)
            } else if type.isOptional, attribute.defaultValue != nil {
                findings.add(.defaultOfOptional(plain), at: attribute.syntax)
            }
        }
        return RecordField(
            name: name, key: key, type: type, isRead: isRead, aliases: attribute?.aliases.map(\.name) ?? [],
            defaultValue: isRead && !type.isOptional ? attribute?.defaultValue ?? constantInitialValue : nil)
    }

    /// Nil is nothing in a record, so that an optional has no other default; and one that is made anew at each look is not what
    /// the writer left out.
    private var constantInitialValue: ExprSyntax? {
        guard let initialValue, initialValue.isConstant else { return nil }
        return initialValue.onOneLine
    }

    func checkLeftOut(of keys: KeyNames, _ findings: inout Findings) {
        if let attribute { findings.add(.fieldNotWritten(name.plainName), at: attribute.syntax) }
        // A variable that is spelled as an optional begins as nil.
        let isNil = !variable.isConstant && (annotation.map { FieldType($0).isSugaredOptional } ?? false)
        guard initialValue == nil, !isNil else { return }
        findings.add(
            .propertyWithoutKey(name.plainName), at: binding.pattern,
            fixIts: [.naming(name, in: keys.declaration), .initializing(binding, name.plainName)].compactMap(\.self))
    }
}

extension ExprSyntax {
    /// A literal, or a member such as `.open`: the same at each look.
    fileprivate var isConstant: Bool {
        switch self.as(ExprSyntaxEnum.self) {
        case .integerLiteralExpr, .floatLiteralExpr, .booleanLiteralExpr: true
        case .stringLiteralExpr: literalString != nil
        case .prefixOperatorExpr(let operation): operation.operator.text == "-" && operation.expression.isConstant
        case .arrayExpr(let array): array.elements.allSatisfy { $0.expression.isConstant }
        case .dictionaryExpr(let dictionary):
            switch dictionary.content {
            case .colon: true
            case .elements(let elements): elements.allSatisfy { $0.key.isConstant && $0.value.isConstant }
            }
        // The clock is the one member in common use that is another at each look.
        case .memberAccessExpr(let member): member.base == nil && member.declName.baseName.text != "now"
        default: false
        }
    }
}
#endif
