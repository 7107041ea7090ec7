#if Macros
internal import SwiftSyntax

/// That `Codable` writes a type as its raw value, and not by its cases or properties.
enum RawRepresentation {
    /// `enum Colour: String`.
    case byCases
    /// `struct Flags: OptionSet`, and what else says itself that it is raw representable.
    case byConformance

    /// - Returns: nil where it does not.
    init?(_ declaration: some DeclGroupSyntax, _ findings: inout Findings) {
        let inherited = (declaration.inheritanceClause?.inheritedTypes ?? []).map { inherited in
            (type: inherited.type, name: RawRepresentation.bare(inherited.type))
        }
        if inherited.contains(where: { $0.name == "RawRepresentable" || $0.name == "OptionSet" }),
            let type = RawRepresentation.rawValueType(declaration.memberBlock.members)
        {
            // Of other raw values Codable knows nothing, and writes the type as any other.
            guard RawRepresentation.codable.contains(RawRepresentation.bare(type)) else { return nil }
            self = .byConformance
            return
        }
        guard declaration.is(EnumDeclSyntax.self) else { return nil }
        let cases = declaration.memberBlock.members.compactMap { $0.decl.as(EnumCaseDeclSyntax.self) }
            .flatMap(\.elements)
        if cases.contains(where: { $0.rawValue != nil }) {
            self = .byCases
            return
        }
        guard let first = inherited.first, !cases.contains(where: { $0.parameterClause != nil }) else { return nil }
        if RawRepresentation.codable.contains(first.name) {
            self = .byCases
            return
        }
        // A raw type comes first, and under another name it looks like a protocol.
        if !RawRepresentation.protocols.contains(first.name) {
            findings.add(.mayBeRawType(first.name), at: first.type)
        }
        return nil
    }

    /// The raw values that the standard library codes as themselves.
    private static let codable: Set<String> = [
        "String", "Bool", "Double", "Float", "Int", "Int8", "Int16", "Int32", "Int64", "UInt", "UInt8", "UInt16",
        "UInt32",
        "UInt64", "Int128", "UInt128",
    ]

    private static let protocols: Set<String> = [
        "Sendable", "Codable", "Encodable", "Decodable", "Hashable", "Equatable", "Comparable", "CaseIterable", "Error",
        "Identifiable", "CustomStringConvertible", "CustomDebugStringConvertible", "RawRepresentable",
        "BitwiseCopyable",
        "WalCodable", "WalDirectCodable", "WalBinaryValue", "WalSchemaProviding", "WalEvolving",
    ]

    private static func bare(_ type: TypeSyntax) -> String {
        let text = type.trimmedDescription
        return text.hasPrefix("Swift.") ? String(text.dropFirst("Swift.".count)) : text
    }

    private static func rawValueType(_ members: MemberBlockItemListSyntax) -> TypeSyntax? {
        for variable in members.compactMap({ $0.decl.as(VariableDeclSyntax.self) }) where variable.isInstanceStorage {
            for binding in variable.bindings where binding.pattern.trimmedDescription == "rawValue" {
                return binding.typeAnnotation?.type
            }
        }
        return nil
    }
}
#endif
