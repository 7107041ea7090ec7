#if Macros
internal import SwiftSyntax

extension RecordWriter {
    func encoding(_ cases: [RecordCase]) -> String {
        var body = ["switch self {"]
        for one in cases {
            // By place, for a label may be a keyword or the name of something that is used below.
            let names = one.payload.enumerated().map { index, payload in
                payload.key == nil ? "_" : "let _\(index)"
            }
            body.append("case .\(one.name)\(names.isEmpty ? "" : "(\(names.joined(separator: ", ")))"):")
            body.append("    encoder.beginCase(\(literal(one.key)))")
            for (index, payload) in one.payload.enumerated() {
                if let key = payload.key { body.append("    \(write(key, "_\(index)", payload.type))") }
            }
        }
        return lines(body + ["}", "encoder.endCase()"], indent: 8)
    }

    func decoding(_ cases: [RecordCase]) -> String {
        var body = ["var fields = try decoder.beginCase()"]
        for (index, one) in cases.enumerated() {
            let test = ([one.key] + one.aliases).map { "fields.isCase(\(literal($0)))" }.joined(separator: " || ")
            body.append("\(index == 0 ? "" : "} else ")if \(test) {")
            // What is left out has a default value, which the call without it gives.
            let arguments = one.payload.compactMap { payload in
                payload.key.map { key in (payload.label.map { "\($0.argumentLabel): " } ?? "") + read(key, payload.type)
                }
            }
            let isCall = !one.payload.isEmpty
            body.append("    self = .\(one.name)\(isCall ? "(" : "")\(arguments.isEmpty && isCall ? ")" : "")")
            for (index, argument) in arguments.enumerated() {
                body.append("        \(argument)\(index == arguments.count - 1 ? ")" : ",")")
            }
        }
        return lines(
            body + ["} else {", "    throw decoder.unknownCase(fields)", "}", "try decoder.endCase(&fields)"],
            indent: 8)
    }

    func schema(_ cases: [RecordCase]) -> String {
        let body = cases.map { one in
            let fields = one.payload.compactMap { payload in payload.key.map { schemaField($0, payload.type) } }
            return "    WriteAheadLog.WalSchema.Case(\(literal(one.key)), [\(fields.joined(separator: ", "))]),"
        }
        return schema([".enumeration(String(describing: Self.self), ["] + body + ["])"])
    }

    func evolution(_ cases: [RecordCase]) -> [String] {
        aliases(cases.filter { !$0.aliases.isEmpty }.map { ($0.key, $0.aliases) })
    }
}
#endif
