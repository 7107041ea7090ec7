/// What a record type looks like on its way through a codec: for messages, tools and readers in other languages.
public indirect enum WalSchema: Hashable, Sendable {
    /// A value without parts, by the name of its Swift type.
    case value(String)
    case optional(WalSchema)
    case array(WalSchema)
    case set(WalSchema)
    case dictionary(key: WalSchema, value: WalSchema)
    case structure(String, [Field])
    case enumeration(String, [Case])
    /// A type that holds itself: the one of this name that is described further out.
    case reference(String)

    /// A property, or a value of an enum's case, under the name that is written.
    public struct Field: Hashable, Sendable {
        public var name: String
        public var schema: WalSchema

        public init(_ name: String, _ schema: WalSchema) { (self.name, self.schema) = (name, schema) }
    }

    public struct Case: Hashable, Sendable {
        public var name: String
        public var fields: [Field]

        public init(_ name: String, _ fields: [Field] = []) { (self.name, self.fields) = (name, fields) }
    }
}

extension WalSchema: CustomStringConvertible {
    /// On one line: `Order { id: Int, note: String?, lines: [Line { … }] }`, `Change = put(key: [UInt8], value: [UInt8]) | clear`.
    public var description: String {
        switch self {
        case .value(let name), .reference(let name): name
        case .optional(let wrapped): "\(wrapped)?"
        case .array(let element): "[\(element)]"
        case .set(let element): "Set<\(element)>"
        case .dictionary(let key, let value): "[\(key): \(value)]"
        case .structure(let name, let fields):
            (name.isEmpty ? "" : name + " ") + (fields.isEmpty ? "{}" : "{ \(Self.list(fields)) }")
        case .enumeration(let name, let cases):
            "\(name) = "
                + cases.map { $0.fields.isEmpty ? $0.name : "\($0.name)(\(Self.list($0.fields)))" }
                .joined(separator: " | ")
        }
    }

    private static func list(_ fields: [Field]) -> String {
        fields.map { "\($0.name): \($0.schema)" }.joined(separator: ", ")
    }
}

/// A type that can say what it looks like. `@WalRecord` writes this.
public protocol WalSchemaProviding {
    /// - Parameter scope: asked for the schemas of the type's parts: `scope.schema(of: [UInt8].self)`.
    static func walSchema(in scope: inout WalSchemaScope) -> WalSchema
}

/// The types that are being described, so that one which holds itself comes to an end.
public struct WalSchemaScope {
    private var open: Set<ObjectIdentifier> = []
    /// How many types are yet described with their parts. Types that name each other twice over double at every level.
    private var budget = 500

    public init() {}

    public mutating func schema<T>(of type: T.Type) -> WalSchema {
        guard let providing = type as? any WalSchemaProviding.Type else { return .value(String(describing: type)) }
        guard budget > 0, open.insert(ObjectIdentifier(type)).inserted else {
            return .reference(String(describing: type))
        }
        budget -= 1
        defer { open.remove(ObjectIdentifier(type)) }
        return providing.walSchema(in: &self)
    }
}

extension Optional: WalSchemaProviding {
    public static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .optional(scope.schema(of: Wrapped.self))
    }
}

extension Array: WalSchemaProviding {
    public static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .array(scope.schema(of: Element.self))
    }
}

extension Set: WalSchemaProviding {
    public static func walSchema(in scope: inout WalSchemaScope) -> WalSchema { .set(scope.schema(of: Element.self)) }
}

extension Dictionary: WalSchemaProviding {
    public static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .dictionary(key: scope.schema(of: Key.self), value: scope.schema(of: Value.self))
    }
}
