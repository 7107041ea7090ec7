#if Macros
internal import SwiftSyntax

extension RecordWriter {
    func encoding(_ fields: [RecordField]) -> String {
        let body = fields.map { write($0.key, "self.\($0.name)", $0.type) }
        return lines(["encoder.beginMap()"] + body + ["encoder.endMap()"], indent: 8)
    }

    func decoding(_ fields: [RecordField]) -> String {
        let body = fields.filter(\.isRead).map { field in
            let value = read(
                field.key, field.type, aliases: field.aliases,
                default: field.defaultValue.map { _ in "WalDefaultValues.\(field.name)" })
            return "self.\(field.name) = \(value)"
        }
        return lines(
            ["var fields = try decoder.beginFields()"] + body + ["try decoder.endFields(&fields)"], indent: 8)
    }

    func schema(_ fields: [RecordField]) -> String {
        schema(
            [".structure(String(describing: Self.self), ["] + fields.map { "    \(schemaField($0.key, $0.type))," } + [
                "])"
            ])
    }

    func evolution(_ fields: [RecordField]) -> [String] {
        let aliased = fields.filter { $0.isRead && !$0.aliases.isEmpty }.map { (key: $0.key, aliases: $0.aliases) }
        return aliases(aliased) + defaults(fields.filter { $0.defaultValue != nil })
    }

    /// Each default once, under the property's name, for what decodes and for what says of it.
    private func defaults(_ fields: [RecordField]) -> [String] {
        guard !fields.isEmpty else { return [] }
        let entries = fields.map { "\(literal($0.key)): WalDefaultValues.\($0.name)" }.joined(separator: ", ")
        let values = fields.compactMap { field in
            field.defaultValue.map { "    static var \(field.name): \(field.type.syntax) { \($0) }" }
        }
        return [
            "\(scope.access)static var walDefaults: [String: any Swift.Sendable] {\n    [\(entries)]\n}",
            "private enum WalDefaultValues {\n\(values.joined(separator: "\n"))\n}",
        ]
    }
}
#endif
