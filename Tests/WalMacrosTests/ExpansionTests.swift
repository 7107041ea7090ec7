#if Macros
import Testing

/// What the macros write, read once with care; that it is right is for ``SameBytesTests`` to show.
@Suite struct ExpansionTests {
    @Test func aStruct() {
        expect(
            """
            @WalRecord public struct Order {
                public let id: Int
                var note: String?
                var state: State = .open
                @WalField(aliases: "total", default: zero()) var amount: Int64
                static let shared = 1
                lazy var cache: Int = 2
                var double: Int { id * 2 }
            }
            """,
            expandsTo: """
                public struct Order {
                    public let id: Int
                    var note: String?
                    var state: State = .open
                    var amount: Int64
                    static let shared = 1
                    lazy var cache: Int = 2
                    var double: Int { id * 2 }

                    public static func walSchema(in scope: inout WriteAheadLog.WalSchemaScope) -> WriteAheadLog.WalSchema {
                        .structure(String(describing: Self.self), [
                            WriteAheadLog.WalSchema.Field("id", scope.schema(of: Int.self)),
                            WriteAheadLog.WalSchema.Field("note", scope.schema(of: Swift.Optional<String>.self)),
                            WriteAheadLog.WalSchema.Field("state", scope.schema(of: State.self)),
                            WriteAheadLog.WalSchema.Field("amount", scope.schema(of: Int64.self)),
                        ])
                    }

                    public static var walAliases: [String: [String]] {
                        ["amount": ["total"]]
                    }

                    public static var walDefaults: [String: any Swift.Sendable] {
                        ["state": WalDefaultValues.state, "amount": WalDefaultValues.amount]
                    }

                    private enum WalDefaultValues {
                        static var state: State {
                            .open
                        }
                        static var amount: Int64 {
                            zero()
                        }
                    }
                }

                extension Order: WriteAheadLog.WalCodable, WriteAheadLog.WalDirectCodable, WalBinary.WalBinaryValue {
                    public func encode(into encoder: inout WriteAheadLog.WalEncoder) {
                        encoder.beginMap()
                        encoder.field("id", self.id)
                        encoder.fieldIfPresent("note", self.note)
                        encoder.property("state", self.state)
                        encoder.field("amount", self.amount)
                        encoder.endMap()
                    }

                    public init(from decoder: inout WriteAheadLog.WalDecoder) throws(WriteAheadLog.WalError) {
                        var fields = try decoder.beginFields()
                        self.id = try decoder.field("id", in: &fields)
                        self.note = try decoder.fieldIfPresent("note", in: &fields)
                        self.state = try decoder.property("state", aliases: [], default: WalDefaultValues.state, in: &fields)
                        self.amount = try decoder.field("amount", aliases: ["total"], default: WalDefaultValues.amount, in: &fields)
                        try decoder.endFields(&fields)
                    }
                }

                extension Order: WriteAheadLog.WalSchemaProviding, Swift.Sendable, WriteAheadLog.WalEvolving {
                }
                """)
    }

    @Test func anEnum() {
        expect(
            """
            @WalRecord enum Change {
                case put(key: [UInt8], Value, ttl: Int?)
                @WalField(aliases: "remove") case delete(_ key: [UInt8])
                case `default`
            }
            """,
            expandsTo: """
                enum Change {
                    case put(key: [UInt8], Value, ttl: Int?)
                    case delete(_ key: [UInt8])
                    case `default`

                    static func walSchema(in scope: inout WriteAheadLog.WalSchemaScope) -> WriteAheadLog.WalSchema {
                        .enumeration(String(describing: Self.self), [
                            WriteAheadLog.WalSchema.Case("put", [WriteAheadLog.WalSchema.Field("key", scope.schema(of: [UInt8].self)), WriteAheadLog.WalSchema.Field("_1", scope.schema(of: Value.self)), WriteAheadLog.WalSchema.Field("ttl", scope.schema(of: Swift.Optional<Int>.self))]),
                            WriteAheadLog.WalSchema.Case("delete", [WriteAheadLog.WalSchema.Field("_0", scope.schema(of: [UInt8].self))]),
                            WriteAheadLog.WalSchema.Case("default", []),
                        ])
                    }

                    static var walAliases: [String: [String]] {
                        ["delete": ["remove"]]
                    }
                }

                extension Change: WriteAheadLog.WalCodable, WriteAheadLog.WalDirectCodable, WalBinary.WalBinaryValue {
                    func encode(into encoder: inout WriteAheadLog.WalEncoder) {
                        switch self {
                        case .put(let _0, let _1, let _2):
                            encoder.beginCase("put")
                            encoder.field("key", _0)
                            encoder.property("_1", _1)
                            encoder.fieldIfPresent("ttl", _2)
                        case .delete(let _0):
                            encoder.beginCase("delete")
                            encoder.field("_0", _0)
                        case .`default`:
                            encoder.beginCase("default")
                        }
                        encoder.endCase()
                    }

                    init(from decoder: inout WriteAheadLog.WalDecoder) throws(WriteAheadLog.WalError) {
                        var fields = try decoder.beginCase()
                        if fields.isCase("put") {
                            self = .put(
                                key: try decoder.field("key", in: &fields),
                                try decoder.property("_1", in: &fields),
                                ttl: try decoder.fieldIfPresent("ttl", in: &fields))
                        } else if fields.isCase("delete") || fields.isCase("remove") {
                            self = .delete(
                                try decoder.field("_0", in: &fields))
                        } else if fields.isCase("default") {
                            self = .`default`
                        } else {
                            throw decoder.unknownCase(fields)
                        }
                        try decoder.endCase(&fields)
                    }
                }

                extension Change: WriteAheadLog.WalSchemaProviding, Swift.Sendable, WriteAheadLog.WalEvolving {
                }
                """)
    }

    @Test func anEnumWithRawValues() {
        expect(
            "@WalRecord enum Colour: String {\n    case red\n}",
            expandsTo: """
                enum Colour: String {
                    case red

                    static func walSchema(in scope: inout WriteAheadLog.WalSchemaScope) -> WriteAheadLog.WalSchema {
                        .value(String(describing: Self.self))
                    }
                }

                extension Colour: WriteAheadLog.WalCodable, WriteAheadLog.WalDirectCodable, WalBinary.WalBinaryValue {
                }

                extension Colour: WriteAheadLog.WalSchemaProviding, Swift.Sendable {
                }
                """)
    }

    @Test func namesFromCodingKeysInTheirOrder() {
        expect(
            """
            @WalRecord struct Page<T: Sendable>: WalCodable, Sendable {
                var items: [T]
                var next, previous: Int??
                var hits = 0
                enum CodingKeys: String, CodingKey {
                    case next = "\\"n\\""
                    case items, previous
                }
            }
            """,
            expandsTo: """
                struct Page<T: Sendable>: WalCodable, Sendable {
                    var items: [T]
                    var next, previous: Int??
                    var hits = 0
                    enum CodingKeys: String, CodingKey {
                        case next = "\\"n\\""
                        case items, previous
                    }

                    static func walSchema(in scope: inout WriteAheadLog.WalSchemaScope) -> WriteAheadLog.WalSchema {
                        .structure(String(describing: Self.self), [
                            WriteAheadLog.WalSchema.Field("\\"n\\"", scope.schema(of: Swift.Optional<Swift.Optional<Int>>.self)),
                            WriteAheadLog.WalSchema.Field("items", scope.schema(of: [T].self)),
                            WriteAheadLog.WalSchema.Field("previous", scope.schema(of: Swift.Optional<Swift.Optional<Int>>.self)),
                        ])
                    }
                }

                extension Page: WriteAheadLog.WalCodable, WriteAheadLog.WalDirectCodable, WalBinary.WalBinaryValue where T: WalBinary.WalBinaryValue {
                    func encode(into encoder: inout WriteAheadLog.WalEncoder) {
                        encoder.beginMap()
                        encoder.fieldIfPresent("\\"n\\"", self.next)
                        encoder.field("items", self.items)
                        encoder.fieldIfPresent("previous", self.previous)
                        encoder.endMap()
                    }

                    init(from decoder: inout WriteAheadLog.WalDecoder) throws(WriteAheadLog.WalError) {
                        var fields = try decoder.beginFields()
                        self.next = try decoder.fieldIfPresent("\\"n\\"", in: &fields)
                        self.items = try decoder.field("items", in: &fields)
                        self.previous = try decoder.fieldIfPresent("previous", in: &fields)
                        try decoder.endFields(&fields)
                    }
                }

                extension Page: WriteAheadLog.WalSchemaProviding, Swift.Sendable {
                }
                """)
    }
}
#endif
