/// Finds out what a `Codable` type reads: it is handed a decoder that notes what is asked for and answers with zeros and empty
/// strings. Where the type does not take that, the schema ends there with "…".
final class SchemaProbe {
    private let names: [String]
    private let known: (Any.Type) -> Any?
    private var open: Set<ObjectIdentifier> = []
    /// A bound on what a type that asks for ever can cost.
    fileprivate var budget = 1_000

    init(names: [String], known: @escaping (Any.Type) -> Any?) {
        self.names = names
        self.known = known
    }

    struct Ended: Error {}

    func schema(of type: any Decodable.Type) -> WalSchema { look(at: type).schema }

    /// The keys of an enum's cases that the record names; one, or it has none.
    fileprivate func keys<Key: CodingKey>(_: Key.Type) -> [Key] {
        Array(names.lazy.compactMap { Key(stringValue: $0) }.prefix(1))
    }

    /// What the type looks like, and a value of it if one can be made.
    fileprivate func look(at type: any Decodable.Type) -> (schema: WalSchema, value: Any?) {
        budget -= 1
        guard budget > 0 else { return (.value("…"), nil) }
        func plain(_ value: Any) -> (WalSchema, Any?) { (.value(String(describing: type)), value) }
        switch type {
        case is Bool.Type: return plain(false)
        case is String.Type: return plain("")
        case is Double.Type: return plain(0.0)
        case is Float.Type: return plain(Float(0))
        case let integer as any (FixedWidthInteger & Decodable).Type: return plain(integer.init(truncatingIfNeeded: 0))
        case let shaped as any ProbedShape.Type: return shaped.probed(by: self)
        case let providing as any WalSchemaProviding.Type:
            var scope = WalSchemaScope()
            return (scope.schema(ofAny: providing), make(type).value)
        default: break
        }
        if let value = known(type) { return plain(value) }
        guard open.count < 24, open.insert(ObjectIdentifier(type)).inserted else {
            return (.reference(String(describing: type)), nil)
        }
        defer { open.remove(ObjectIdentifier(type)) }
        return make(type)
    }

    private func make(_ type: any Decodable.Type) -> (schema: WalSchema, value: Any?) {
        let node = Node(probe: self)
        var value: Any?
        do { value = try type.init(from: node) } catch { node.isCut = true }
        if value == nil, let cases = type as? any CaseIterable.Type { value = Self.first(cases) }
        let name = String(describing: type)
        switch node.shape {
        case .keyed(let fields) where node.isEnumeration:
            return (.enumeration(name, fields.map { WalSchema.Case($0.name, $0.schema.fields) } + [.init("…")]), value)
        case .keyed(let fields):
            return (.structure(name, fields + (value == nil ? [.init("…", .value("…"))] : [])), value)
        case .unkeyed(let element): return (.array(element ?? .value("…")), value)
        case .single(let schema):
            // An enum with raw values, or a type that is another one to the outside.
            return (.value("\(name) (\(schema))"), value)
        case .none: return (.value(name), value)
        }
    }

    private static func first(_ type: any CaseIterable.Type) -> Any? { opened(type) }
    private static func opened<T: CaseIterable>(_: T.Type) -> Any? { T.allCases.first }

    /// What one `init(from:)` asked for.
    final class Node: Decoder {
        enum Shape {
            case none
            case keyed([WalSchema.Field])
            case unkeyed(WalSchema?)
            case single(WalSchema)
        }
        let probe: SchemaProbe
        var shape = Shape.none
        var isEnumeration = false
        var isCut = false
        /// The field of the node around that this one's shape is to go to.
        private var parent: (node: Node, field: Int)?

        /// How many containers are around this one that no look at a type of its own came between.
        private let depth: Int

        init(probe: SchemaProbe, depth: Int = 0) {
            self.probe = probe
            self.depth = depth
        }

        /// A node within this one. A type that goes down by itself, for `contains` is always true here, comes to an end by this.
        func inner() throws -> Node {
            probe.budget -= 1
            guard depth < 24, probe.budget > 0 else { throw Ended() }
            return Node(probe: probe, depth: depth + 1)
        }

        var codingPath: [any CodingKey] { [] }
        var userInfo: [CodingUserInfoKey: Any] { [:] }

        func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
            if case .keyed = shape {} else { shape = .keyed([]) }
            return KeyedDecodingContainer(Keyed<Key>(node: self))
        }
        func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
            shape = .unkeyed(nil)
            return Unkeyed(node: self)
        }
        func singleValueContainer() throws -> any SingleValueDecodingContainer { Single(node: self) }

        func note(_ name: String, _ schema: WalSchema) {
            guard case .keyed(var fields) = shape else { return }
            if let place = fields.firstIndex(where: { $0.name == name }) {
                fields[place].schema = schema
            } else {
                fields.append(.init(name, schema))
            }
            shape = .keyed(fields)
            report()
        }

        /// A node for the container of a field, whose fields show as that field's.
        func nested(_ name: String) throws -> Node {
            note(name, .structure("", []))
            let child = try inner()
            if case .keyed(let fields) = shape, let place = fields.firstIndex(where: { $0.name == name }) {
                child.parent = (self, place)
            }
            return child
        }

        private func report() {
            guard let parent, case .keyed(let mine) = shape, case .keyed(var fields) = parent.node.shape else { return }
            fields[parent.field].schema = .structure("", mine)
            parent.node.shape = .keyed(fields)
        }

        func value<T: Decodable>(_ type: T.Type, _ use: (WalSchema) -> Void) throws -> T {
            let (schema, value) = probe.look(at: type)
            use(schema)
            guard let value = value as? T else { throw Ended() }
            return value
        }
    }

    private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let node: Node
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] {
            node.isEnumeration = true
            return node.probe.keys(Key.self)
        }
        func contains(_ key: Key) -> Bool { true }
        func decodeNil(forKey key: Key) throws -> Bool { false }
        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            try node.value(type) { node.note(key.stringValue, $0) }
        }
        func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
            let (schema, value) = node.probe.look(at: type)
            node.note(key.stringValue, .optional(schema))
            return value as? T
        }
        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type, forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { try node.nested(key.stringValue).container(keyedBy: type) }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            try node.nested(key.stringValue).unkeyedContainer()
        }
        func superDecoder() throws -> any Decoder { try node.nested("super") }
        func superDecoder(forKey key: Key) throws -> any Decoder { try node.nested(key.stringValue) }

        // The library's own versions of these ask `contains` and `decodeNil` first, and would show no optional.
        func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try any(type, key) }
        func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try any(type, key) }
        func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try any(type, key) }
        func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try any(type, key) }
        func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try any(type, key) }
        func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { try any(type, key) }
        func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { try any(type, key) }
        func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { try any(type, key) }
        func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try any(type, key) }
        func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { try any(type, key) }
        func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { try any(type, key) }
        func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { try any(type, key) }
        func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { try any(type, key) }
        func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { try any(type, key) }
        private func any<T: Decodable>(_ type: T.Type, _ key: Key) throws -> T? {
            let found: T? = try decodeIfPresent(type, forKey: key)
            return found
        }
    }

    private struct Unkeyed: UnkeyedDecodingContainer {
        let node: Node
        var codingPath: [any CodingKey] { [] }
        var count: Int? { nil }
        var currentIndex = 0
        /// One element shows what the others are.
        var isAtEnd: Bool { currentIndex > 0 }

        mutating func decodeNil() throws -> Bool { false }
        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            currentIndex += 1
            return try node.value(type) { node.shape = .unkeyed($0) }
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> {
            currentIndex += 1
            return try node.inner().container(keyedBy: type)
        }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            currentIndex += 1
            return try node.inner().unkeyedContainer()
        }
        mutating func superDecoder() throws -> any Decoder {
            currentIndex += 1
            return try node.inner()
        }
    }

    private struct Single: SingleValueDecodingContainer {
        let node: Node
        var codingPath: [any CodingKey] { [] }
        func decodeNil() -> Bool { false }
        func decode<T: Decodable>(_ type: T.Type) throws -> T { try node.value(type) { node.shape = .single($0) } }
    }
}

extension WalSchema {
    /// The fields of a structure.
    fileprivate var fields: [Field] {
        if case .structure(_, let fields) = self { return fields }
        return []
    }
}

extension WalSchemaScope {
    fileprivate mutating func schema(ofAny type: any WalSchemaProviding.Type) -> WalSchema { type.walSchema(in: &self) }
}

/// The library's own types, whose parts tell more than their decoding does.
private protocol ProbedShape {
    static func probed(by probe: SchemaProbe) -> (schema: WalSchema, value: Any?)
}
extension Optional: ProbedShape where Wrapped: Decodable {
    static func probed(by probe: SchemaProbe) -> (schema: WalSchema, value: Any?) {
        (.optional(probe.look(at: Wrapped.self).schema), Wrapped?.none as Any)
    }
}
extension Array: ProbedShape where Element: Decodable {
    static func probed(by probe: SchemaProbe) -> (schema: WalSchema, value: Any?) {
        (.array(probe.look(at: Element.self).schema), [Element]())
    }
}
extension Set: ProbedShape where Element: Decodable {
    static func probed(by probe: SchemaProbe) -> (schema: WalSchema, value: Any?) {
        (.set(probe.look(at: Element.self).schema), Set<Element>())
    }
}
extension Dictionary: ProbedShape where Key: Decodable, Value: Decodable {
    static func probed(by probe: SchemaProbe) -> (schema: WalSchema, value: Any?) {
        (.dictionary(key: probe.look(at: Key.self).schema, value: probe.look(at: Value.self).schema), [Key: Value]())
    }
}
