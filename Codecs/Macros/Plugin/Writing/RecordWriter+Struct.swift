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
                field.key, field.type, aliases: field.aliases, default: field.defaultValue?.description)
            return "self.\(field.name) = \(value)"
        }
        return lines(
            ["var fields = try decoder.beginFields()"] + body + ["try decoder.endFields(&fields)"], indent: 8)
    }

    func schema(_ fields: [RecordField]) -> String {
        let body = fields.map { schemaField($0.key, $0.type) + "," }
        return schema(
            lines([".structure(String(describing: Self.self), ["], indent: 8) + "\n"
                + lines(body, indent: 12) + "\n" + lines(["])"], indent: 8))
    }

    func evolution(_ fields: [RecordField]) -> String? {
        evolution(
            aliases: fields.filter { $0.isRead && !$0.aliases.isEmpty }.map { ($0.key, $0.aliases) },
            defaults: fields.compactMap { field in
                field.defaultValue.map { (field.key, "(\($0)) as \(field.type.syntax)") }
            })
    }
}
#endif
