#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax

/// A case of an enum without raw values.
struct RecordCase {
    /// One of the values that a case holds.
    struct Payload {
        /// As the declaration has it; nil where it is called without one.
        var label: TokenSyntax?
        /// Nil where CodingKeys leave it out, and its default value stands for it.
        var key: String?
        var type: FieldType
    }

    var name: TokenSyntax
    var key: String
    var payload: [Payload]
    var aliases: [String]

    static func all(
        _ declared: [EnumCaseDeclSyntax], _ members: MemberBlockItemListSyntax, _ findings: inout Findings
    ) -> [RecordCase] {
        let keys = KeyNames("CodingKeys", in: members, &findings)
        var cases: [RecordCase] = []
        var owners: [(name: String, key: String, aliases: [Alias])] = []
        for declaration in declared {
            let attribute = FieldAttribute(declaration.attributes, &findings)
            if let attribute {
                if attribute.defaultValue != nil { findings.add(.defaultOfCase, at: attribute.syntax) }
                if declaration.elements.count > 1, !attribute.aliases.isEmpty {
                    findings.add(.aliasesOfManyCases, at: attribute.syntax)
                }
            }
            let aliases = declaration.elements.count > 1 ? [] : attribute?.aliases ?? []
            for element in declaration.elements {
                let name = element.name.plainName
                if cases.contains(where: { $0.name.plainName == name }) {
                    findings.add(.sameCaseTwice(name), at: element.name)
                    continue
                }
                guard let key = keys.map({ $0[element.name] }) ?? name else {
                    let fixIt = keys.flatMap { FixIt.naming(element.name, in: $0.declaration) }
                    findings.add(.caseWithoutKey(name), at: element.name, fixIts: [fixIt].compactMap(\.self))
                    continue
                }
                owners.append((name, key, aliases))
                cases.append(
                    RecordCase(
                        name: element.name.trimmed, key: key, payload: payload(of: element, members, &findings),
                        aliases: aliases.map(\.name)))
            }
        }
        keys?.check(against: declared.flatMap(\.elements).map(\.name), &findings)
        Alias.check(owners, &findings)
        return cases
    }

    /// In the order of declaration, whatever the order of the keys.
    private static func payload(
        of element: EnumCaseElementSyntax, _ members: MemberBlockItemListSyntax, _ findings: inout Findings
    ) -> [Payload] {
        let name = element.name.plainName
        let keys = KeyNames(name.prefix(1).uppercased() + name.dropFirst() + "CodingKeys", in: members, &findings)
        var payload: [Payload] = []
        var names: [TokenSyntax] = []
        for (index, parameter) in (element.parameterClause?.parameters ?? []).enumerated() {
            let label = parameter.firstName.flatMap { $0.tokenKind == .wildcard ? nil : $0.trimmed }
            let coded = label ?? .identifier("_\(index)")
            names.append(coded)
            let type = FieldType(parameter.type)
            if let unsupported = type.unsupported {
                findings.add(.typeUnsupported(unsupported.kind, of: coded.plainName), at: unsupported.syntax)
            }
            let key = keys.map { $0[coded] } ?? coded.plainName
            if key == nil, parameter.defaultValue == nil, let keys {
                findings.add(
                    .payloadWithoutKey(coded.plainName, of: name, in: keys.name), at: parameter.type,
                    fixIts: [.naming(coded, in: keys.declaration)].compactMap(\.self))
            }
            payload.append(Payload(label: label, key: key, type: type))
        }
        keys?.check(against: names, &findings)
        return payload
    }
}
#endif
