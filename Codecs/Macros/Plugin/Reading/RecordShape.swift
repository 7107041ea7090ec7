#if Macros
internal import SwiftDiagnostics
internal import SwiftSyntax

/// A declaration as synthesized `Codable` sees it, which is what decides the bytes.
enum RecordShape {
    case structure([RecordField])
    case enumeration([RecordCase])
    /// An enum with raw values, or another type that is written as its raw value.
    case rawValues

    init?(of declaration: some DeclGroupSyntax, at node: AttributeSyntax, _ findings: inout Findings) {
        switch declaration.kind {
        case .structDecl, .enumDecl: break
        case .classDecl, .actorDecl:
            let keyword = declaration.introducer
            let name = keyword.tokenKind == .keyword(.actor) ? "an actor" : "a class"
            findings.add(.notAStructOrEnum(name), at: keyword, fixIts: [.makingStruct(keyword)])
            return nil
        case .protocolDecl:
            findings.add(.notAStructOrEnum("a protocol"), at: declaration.introducer)
            return nil
        default:
            findings.add(.notAStructOrEnum("neither"), at: node)
            return nil
        }
        RecordShape.checkMembers(declaration.memberBlock.members, &findings)
        let raw = RawRepresentation(declaration, &findings)
        if raw == .byConformance {
            self = .rawValues
        } else if let declaration = declaration.as(EnumDeclSyntax.self) {
            self.init(declaration, raw, &findings)
        } else {
            self = .structure(RecordField.all(in: declaration.memberBlock.members, &findings))
        }
    }

    private init?(_ declaration: EnumDeclSyntax, _ raw: RawRepresentation?, _ findings: inout Findings) {
        let members = declaration.memberBlock.members
        let declared = members.compactMap { $0.decl.as(EnumCaseDeclSyntax.self) }
        if declared.isEmpty {
            findings.add(.noCases, at: declaration.name)
            return nil
        }
        guard raw == .byCases else {
            self = .enumeration(RecordCase.all(declared, members, &findings))
            return
        }
        for attribute in declared.flatMap(\.attributes) {
            guard let attribute = attribute.as(AttributeSyntax.self), attribute.lastName == "WalField" else { continue }
            findings.add(.aliasOfRawValue, at: attribute)
        }
        self = .rawValues
    }

    /// Members that make the type's bytes another affair than its properties.
    private static func checkMembers(_ members: MemberBlockItemListSyntax, _ findings: inout Findings) {
        for member in members {
            if let condition = member.decl.as(IfConfigDeclSyntax.self), condition.holdsStorage {
                findings.add(.conditionalMember, at: condition.clauses.first?.poundKeyword ?? .poundToken())
            } else if let function = member.decl.as(FunctionDeclSyntax.self), function.name.text == "encode",
                function.signature.parameterClause.parameters.map(\.firstName.text) == ["to"]
            {
                findings.add(.ownCodable, at: function.name)
            } else if let initializer = member.decl.as(InitializerDeclSyntax.self), initializer.readsDecoder {
                findings.add(.ownDecoding, at: initializer.initKeyword)
            } else if let variable = member.decl.as(VariableDeclSyntax.self),
                let name = variable.bindings.first?.pattern.as(IdentifierPatternSyntax.self)?.identifier.text,
                ["walAliases", "walDefaults"].contains(name), !variable.isInstanceStorage
            {
                findings.add(.ownEvolution, at: variable.bindings)
            }
        }
    }
}

extension InitializerDeclSyntax {
    /// `init(from: any Decoder)`, but not that of direct coding.
    fileprivate var readsDecoder: Bool {
        let parameters = signature.parameterClause.parameters
        guard parameters.count == 1, let only = parameters.first, only.firstName.text == "from" else { return false }
        let type = only.type.as(SomeOrAnyTypeSyntax.self)?.constraint ?? only.type
        return ["Decoder", "Swift.Decoder"].contains(type.trimmedDescription)
    }
}

extension IfConfigDeclSyntax {
    /// Whether any branch has a case or a property that might be stored.
    fileprivate var holdsStorage: Bool {
        clauses.contains { clause in
            guard case .decls(let members) = clause.elements else { return false }
            return members.contains { member in
                if let inner = member.decl.as(IfConfigDeclSyntax.self) { return inner.holdsStorage }
                if member.decl.is(EnumCaseDeclSyntax.self) { return true }
                if let type = member.decl.as(EnumDeclSyntax.self) { return type.name.text.hasSuffix("CodingKeys") }
                guard let variable = member.decl.as(VariableDeclSyntax.self) else { return false }
                return variable.isInstanceStorage && variable.bindings.contains { !$0.isComputed }
            }
        }
    }
}
#endif
