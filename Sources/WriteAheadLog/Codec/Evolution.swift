/// What a type says of its own past, for codecs that look fields up by name. Asked only where a name was not found.
package struct Evolution {
    private let type: (any WalEvolving.Type)?

    /// - Parameter owner: the type whose fields are looked up.
    package init(_ owner: Any.Type) { type = owner as? any WalEvolving.Type }

    /// Whether it says anything.
    package var exists: Bool { type != nil }

    /// The names that a field or case had before.
    package func aliases(of name: String) -> [String] { type?.walAliases[name] ?? [] }

    /// The key of today of a field or case that was written under another name. A case and what one carries may have had the same,
    /// of which only one is a key here; among several the order does not depend on the dictionary's.
    package func keyOfToday<Key: CodingKey>(_ written: String) -> Key? {
        guard let type else { return nil }
        return type.walAliases.filter { $0.value.contains(written) }.keys.sorted().lazy
            .compactMap { Key(stringValue: $0) }.first
    }

    /// What a field is that a record lacks; nil where its type does not say.
    ///
    /// - Throws: ``WalError/Code/decoding`` where the default is of another type than the field.
    package func defaultValue<T>(of name: String, as: T.Type = T.self) throws(WalError) -> T? {
        guard let value = type?.walDefaults[name] else { return nil }
        guard let fitting = value as? T else {
            throw WalError(
                .decoding,
                "walDefaults of \(type.map { "\($0)" } ?? "") has a \(Swift.type(of: value)) for \"\(name)\", which is a \(T.self)",
                codingPath: [name])
        }
        return fitting
    }
}

extension WalError {
    /// The error of a record that can't be read as this build's type, which says what both look like once somebody asks.
    ///
    /// - Parameters:
    ///   - record: its bytes; of a large one no more than 64 KiB are kept.
    ///   - look: what those bytes look like, where the codec can tell, the names in them, and the path to the place of the failure,
    ///     where the error does not know it.
    package func comparing(
        _ record: UnsafeRawBufferPointer, with wanted: @escaping @Sendable ([String]) -> WalSchema,
        look: @escaping @Sendable (UnsafeRawBufferPointer) -> (written: WalSchema?, names: [String], path: [String]?)
    ) -> WalError {
        guard code == .decoding else { return self }
        let kept = Array(record.prefix(64 << 10))
        let known = codingPath
        let message = message
        return explained {
            let (written, names, path) = kept.withUnsafeBytes { look($0) }
            let full = path ?? known
            var text = ""
            if let last = full.last, !message.contains("\"\(last)\"") { text += ", in \"\(last)\"" }
            if let written { text += ". The record is \(written.shortened)" }
            text += "; this build reads \(wanted(names).shortened)"
            return Explanation(text: text, codingPath: full)
        }
    }
}

extension WalSchema {
    /// For messages: at most some hundred characters.
    package var shortened: String {
        let text = description
        return text.count <= 600 ? text : text.prefix(600) + "…"
    }

    /// What a record type looks like: as it says itself, else as its `init(from:)` shows by what it asks for.
    ///
    /// - Parameters:
    ///   - names: those in the record at hand; an enum shows the cases of these names.
    ///   - known: a value of a type that can't be made from nothing, such as Foundation's.
    package static func of<T>(_ type: T.Type, names: [String], known: @escaping (Any.Type) -> Any?) -> WalSchema {
        if type is any WalSchemaProviding.Type {
            var scope = WalSchemaScope()
            return scope.schema(of: type)
        }
        guard let decodable = type as? any Decodable.Type else { return .value(String(describing: type)) }
        return SchemaProbe(names: names, known: known).schema(of: decodable)
    }
}
