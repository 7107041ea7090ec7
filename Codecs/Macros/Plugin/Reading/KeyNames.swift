#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax

/// An enum of coding keys that is nested in a type: what is written, by what name, in what order.
struct KeyNames {
    struct Key {
        var name: TokenSyntax
        var string: String
    }

    let declaration: EnumDeclSyntax
    let keys: [Key]

    var name: String { declaration.name.plainName }

    subscript(_ name: TokenSyntax) -> String? { keys.first { $0.name.plainName == name.plainName }?.string }

    /// - Returns: nil where the type declares none, and each name is its own key.
    init?(_ name: String, in members: MemberBlockItemListSyntax, _ findings: inout Findings) {
        for member in members {
            if let other = member.decl.asProtocol((any NamedDeclSyntax).self), other.name.plainName == name,
                !member.decl.is(EnumDeclSyntax.self)
            {
                findings.add(.keysAreNoEnum(name), at: other.name)
                return nil
            }
        }
        let declarations = members.compactMap { $0.decl.as(EnumDeclSyntax.self) }
        guard let declaration = declarations.first(where: { $0.name.plainName == name }) else { return nil }
        self.declaration = declaration
        let inner = declaration.memberBlock.members
        let own = inner.compactMap { $0.decl.as(VariableDeclSyntax.self) }.first { variable in
            variable.bindings.contains { $0.pattern.trimmedDescription == "stringValue" }
        }
        if let own { findings.add(.keysHaveOwnStrings(name), at: own.bindings) }
        let elements = inner.compactMap { $0.decl.as(EnumCaseDeclSyntax.self) }.flatMap(\.elements)
        // Raw values that are no strings are the keys' int values, which this format does not use.
        keys = elements.map { element in
            Key(name: element.name, string: element.rawValue?.value.literalString ?? element.name.plainName)
        }
    }

    /// Finds fault with keys of nothing.
    func check(against names: [TokenSyntax], _ findings: inout Findings) {
        let known = Set(names.map(\.plainName))
        for key in keys where !known.contains(key.name.plainName) {
            findings.add(.keyOfNothing(key.name.plainName, in: name), at: key.name)
        }
    }
}
#endif
