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
                """)
    }

    @Test func anEnumWithRawValues() {
        expect(
            "@WalRecord enum Colour: String {\n    case red\n}",
            expandsTo: """
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
                """)
    }
}
#endif
