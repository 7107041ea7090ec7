#if Macros
internal import SwiftSyntax

/// Writes the extensions of a type.
struct RecordWriter {
    let type: String
    let shape: RecordShape
    let scope: RecordScope
    /// The protocols that the type does not conform to already.
    let conformances: [String]

    /// Conformances, and what codes.
    var extensions: [String] {
        let coding: String
        switch shape {
        case .structure(let fields): coding = self.coding(encoding(fields), decoding(fields))
        case .enumeration(let cases): coding = self.coding(encoding(cases), decoding(cases))
        // WalBinaryValue brings the members of an enum with raw values.
        case .rawValues: coding = "extension \(type)\(codingProtocols) {\n}"
        }
        // By itself Sendable, too: a conformance with a where clause does not bring it along.
        let others = inheritance(["WalSchemaProviding", "Sendable"] + (evolution.isEmpty ? [] : ["WalEvolving"]))
        return [coding] + (others.isEmpty ? [] : ["extension \(type)\(others) {\n}"])
    }

    /// What names types, or says what the app wrote.
    var members: [String] {
        switch shape {
        case .structure(let fields): [schema(fields)] + evolution
        case .enumeration(let cases): [schema(cases)] + evolution
        case .rawValues: [schema([".value(String(describing: Self.self))"])]
        }
    }

    private var evolution: [String] {
        switch shape {
        case .structure(let fields): evolution(fields)
        case .enumeration(let cases): evolution(cases)
        case .rawValues: []
        }
    }

    // MARK: Parts

    private var codingProtocols: String { inheritance(["WalCodable", "WalDirectCodable", "WalBinaryValue"]) }

    /// Encoding and decoding, where all that the type is generic of can be encoded and decoded.
    private func coding(_ encoding: String, _ decoding: String) -> String {
        """
        extension \(type)\(codingProtocols)\(requirements) {
            \(scope.access)func encode(into encoder: inout WriteAheadLog.WalEncoder) {
        \(encoding)
            }

            \(scope.access)init(from decoder: inout WriteAheadLog.WalDecoder) throws(WriteAheadLog.WalError) {
        \(decoding)
            }
        }
        """
    }

    func schema(_ body: [String]) -> String {
        """
        \(scope.access)static func walSchema(in scope: inout WriteAheadLog.WalSchemaScope) -> WriteAheadLog.WalSchema {
        \(lines(body, indent: 4))
        }
        """
    }

    func aliases(_ aliases: [(key: String, aliases: [String])]) -> [String] {
        guard !aliases.isEmpty else { return [] }
        let entries = aliases.map { "\(literal($0.key)): \(literals($0.aliases))" }.joined(separator: ", ")
        return ["\(scope.access)static var walAliases: [String: [String]] {\n    [\(entries)]\n}"]
    }

    // MARK: Words

    private static let modules = ["WalBinaryValue": "WalBinary", "Sendable": "Swift"]

    private func inheritance(_ names: [String]) -> String {
        let missing = names.filter { name in conformances.contains { $0.split(separator: ".").last == name[...] } }
        guard !missing.isEmpty else { return "" }
        return ": "
            + missing.map { "\(RecordWriter.modules[$0] ?? "WriteAheadLog").\($0)" }.joined(separator: ", ")
    }

    /// `Sendable` cannot be asked for here: a conformance may not depend on that of a marker protocol.
    private var requirements: String {
        let types: [FieldType] =
            switch shape {
            case .structure(let fields): fields.map(\.type)
            case .enumeration(let cases): cases.flatMap(\.payload).map(\.type)
            case .rawValues: []
            }
        var names: [String] = []
        for name in types.flatMap({ $0.generics(among: scope.generics) }) where !names.contains(name) {
            names.append(name)
        }
        guard !names.isEmpty else { return "" }
        return " where "
            + names.map { "\($0): WalBinary.WalBinaryValue" }.joined(separator: ", ")
    }

    /// Swift source for a string.
    func literal(_ string: String) -> String { string.debugDescription }
    func literals(_ strings: [String]) -> String { "[\(strings.map(literal).joined(separator: ", "))]" }

    /// `encoder.field("name", value)` as the type asks for it.
    func write(_ key: String, _ value: String, _ type: FieldType) -> String {
        let call = type.isOptional ? "fieldIfPresent" : type.mayHideOptional(scope.generics) ? "property" : "field"
        return "encoder.\(call)(\(literal(key)), \(value))"
    }

    /// `try decoder.field("name", in: &fields)` as the type asks for it.
    func read(_ key: String, _ type: FieldType, aliases: [String] = [], default value: String? = nil) -> String {
        var arguments = [literal(key)]
        if !aliases.isEmpty || value != nil { arguments.append("aliases: \(literals(aliases))") }
        if let value { arguments.append("default: \(value)") }
        arguments.append("in: &fields")
        let call = type.isOptional ? "fieldIfPresent" : type.mayHideOptional(scope.generics) ? "property" : "field"
        return "try decoder.\(call)(\(arguments.joined(separator: ", ")))"
    }

    /// `WalSchema.Field("name", …)`.
    func schemaField(_ key: String, _ type: FieldType) -> String {
        "WriteAheadLog.WalSchema.Field(\(literal(key)), scope.schema(of: \(type.expression)))"
    }

    func lines(_ lines: [String], indent: Int) -> String {
        lines.map { String(repeating: " ", count: indent) + $0 }.joined(separator: "\n")
    }
}
#endif
