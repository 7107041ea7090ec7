#if Macros
internal import SwiftDiagnostics

/// What the macros object to, and what to do about it.
enum Problem: DiagnosticMessage {
    case notAStructOrEnum(String)
    case noCases
    case mayBeRawType(String)
    case privateWithin
    case sameCaseTwice(String)
    case conditionalMember
    case ownCodable
    case ownDecoding
    case ownEvolution

    case typeNeeded(String)
    case patternUnsupported
    case wrapper(String, of: String)
    case typeUnsupported(String, of: String)
    case writtenNotRead(String)

    case keysAreNoEnum(String)
    case keysHaveOwnStrings(String)
    case keyOfNothing(String, in: String)
    case propertyWithoutKey(String)
    case caseWithoutKey(String)
    case payloadWithoutKey(String, of: String, in: String)

    case aliasIsNoLiteral
    case aliasTaken(String, by: String)
    case aliasesOfManyCases
    case aliasOfRawValue
    case defaultOfCase
    case defaultOfOptional(String)
    case fieldNotRead(String)
    case fieldNotWritten(String)

    case fieldOnOther
    case fieldOutsideRecord

    var message: String {
        switch self {
        case .notAStructOrEnum(let kind):
            "@WalRecord writes the coding of structs and enums; a record that is \(kind) has no value of its own"
        case .mayBeRawType(let name):
            "'\(name)' may be a raw type or a protocol, which a macro cannot tell apart; spell the raw type out, or name Sendable first"
        case .privateWithin:
            "an extension cannot name a type that is private within another; what @WalRecord writes is one"
        case .noCases: "an enum without cases has no value that could be recorded"
        case .sameCaseTwice(let name):
            "two cases are named '\(name)', and their names are all that records tell them apart by"
        case .conditionalMember:
            "@WalRecord cannot see which branch of #if is built; move the condition round the whole type"
        case .ownCodable:
            "this type encodes itself by its own encode(to:), which @WalRecord cannot follow; write encode(into:) and init(from:) by hand too, or neither"
        case .ownDecoding:
            "@WalRecord reads fields as synthesized Codable does, and does not call this init(from:)"
        case .ownEvolution:
            "@WalRecord writes walAliases and walDefaults; say the same by @WalField(aliases:default:) on the property or case"
        case .typeNeeded(let name): "the type of '\(name)' must be written out, for a macro sees no inferred types"
        case .patternUnsupported: "a record's properties must be declared one by one"
        case .wrapper(let name, let property):
            "'\(property)' has the attribute @\(name); @WalRecord cannot tell what a property wrapper or macro stores"
        case .typeUnsupported(let kind, let name): "'\(name)' holds \(kind), which has no form in a record"
        case .writtenNotRead(let name):
            "'\(name)' is written and never read back, for a constant with an initial value cannot be set"
        case .keysAreNoEnum(let name): "@WalRecord reads names from an enum \(name) nested in the type itself"
        case .keysHaveOwnStrings(let name):
            "\(name) makes its own string values, which a macro cannot see; give the cases raw values"
        case .keyOfNothing(let name, let keys): "\(keys) has a case '\(name)' that names nothing"
        case .propertyWithoutKey(let name):
            "'\(name)' is not in CodingKeys, so that it is not recorded, and has no initial value to be read as"
        case .caseWithoutKey(let name): "case '\(name)' is not in CodingKeys, so that it could not be recorded"
        case .payloadWithoutKey(let label, let name, let keys):
            "'\(label)' of case '\(name)' is not in \(keys), so that it is not recorded, and has no default value to be read as"
        case .aliasIsNoLiteral: "an alias must be a string literal without interpolation"
        case .aliasTaken(let alias, let owner): "\"\(alias)\" already names '\(owner)'"
        case .aliasesOfManyCases: "declare a case with aliases by itself"
        case .aliasOfRawValue:
            "the cases of an enum with raw values are recorded as their raw values, which have no aliases"
        case .defaultOfCase: "a case has no default; one that a record names is there, and no other can stand for it"
        case .defaultOfOptional(let name):
            "a default for the optional '\(name)' would turn nil, which is recorded as nothing, into another value"
        case .fieldNotRead(let name): "'\(name)' is never read, so that @WalField says nothing"
        case .fieldNotWritten(let name): "'\(name)' is not in CodingKeys, so that @WalField says nothing"
        case .fieldOnOther: "@WalField belongs on a stored property or an enum's case"
        case .fieldOutsideRecord: "@WalField says nothing outside a type with @WalRecord"
        }
    }

    var severity: DiagnosticSeverity {
        switch self {
        case .ownDecoding, .writtenNotRead, .fieldOutsideRecord, .fieldNotWritten, .fieldNotRead: .warning
        default: .error
        }
    }

    var diagnosticID: MessageID {
        // A case with values is described as `name(…)`.
        MessageID(domain: "WalMacros", id: String("\(self)".prefix { $0 != "(" }))
    }
}

/// What a fix-it would do.
struct Remedy: FixItMessage {
    let message: String
    var fixItID: MessageID { MessageID(domain: "WalMacros", id: message) }
    init(_ message: String) { self.message = message }
}
#endif
