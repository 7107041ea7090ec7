extension SegmentHeader {
    static let largestSchema = 1_024

    /// A record type's schema as headers hold it: empty where the type says none, or has too much to say for a header.
    package static func schema<Record>(of type: Record.Type) -> String {
        guard type is any WalSchemaProviding.Type else { return "" }
        var scope = WalSchemaScope()
        let text = scope.schema(of: type).description
        // Names of fields are an app's affair, and one with a line break in it would pass for two lines in a tool's output.
        guard text.utf8.count <= largestSchema,
            text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7F })
        else { return "" }
        return text
    }
}
