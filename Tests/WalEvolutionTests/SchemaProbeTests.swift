import Testing
import WalJSON
import WriteAheadLog

/// What finds out what a type reads runs that type's `init(from:)`, which is anybody's.
@Suite(.timeLimit(.minutes(15))) struct SchemaProbeTests {
    private func message<Record: Codable & WalCodable>(_: Record.Type, _ text: String) -> String {
        Array(text.utf8).withUnsafeBytes { bytes in
            var decoder = WalDecoder(unsafeBytes: bytes)
            do throws(WalError) {
                _ = try JSONCodec<Record>().decode(&decoder)
                return "read"
            } catch {
                return error.message
            }
        }
    }

    /// Goes down as long as there is a key.
    private struct ByContains: Codable, WalCodable {
        indirect enum Tree: Hashable, Sendable {
            case leaf
            case node(Tree)
        }
        enum CodingKeys: String, CodingKey { case tree, below }
        var tree: Tree

        private static func read(_ decoder: any Decoder) throws -> Tree {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            guard container.contains(.below) else { return .leaf }
            return .node(try read(container.superDecoder(forKey: .below)))
        }
        init(from decoder: any Decoder) throws { tree = try Self.read(decoder) }
        func encode(to encoder: any Encoder) throws {}
    }

    /// The same by containers.
    private struct ByContainers: Codable, WalCodable {
        enum CodingKeys: String, CodingKey { case below }
        static func depth(_ container: KeyedDecodingContainer<CodingKeys>) throws -> Int {
            guard container.contains(.below) else { return 0 }
            return try depth(container.nestedContainer(keyedBy: CodingKeys.self, forKey: .below)) + 1
        }
        init(from decoder: any Decoder) throws { _ = try Self.depth(decoder.container(keyedBy: CodingKeys.self)) }
        func encode(to encoder: any Encoder) throws {}
    }

    /// The same by arrays.
    private struct ByArrays: Codable, WalCodable {
        static func depth(_ container: inout any UnkeyedDecodingContainer) throws -> Int {
            guard !container.isAtEnd else { return 0 }
            var inner = try container.nestedUnkeyedContainer()
            return try depth(&inner) + 1
        }
        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            _ = try Self.depth(&container)
        }
        func encode(to encoder: any Encoder) throws {}
    }

    private final class List: Codable, WalCodable, Sendable {
        let next: List?
        let lists: [String: [List]]
        init() { (next, lists) = (nil, [:]) }
    }

    @Test func `it comes to an end with types that go down by themselves`() {
        #expect(message(ByContains.self, "[]").contains("this build reads ByContains"))
        #expect(message(ByContainers.self, "[]").contains("this build reads ByContainers"))
        #expect(message(ByArrays.self, "{}").contains("this build reads ["))
        #expect(message(List.self, "[]").contains("this build reads List"))
    }

    /// What a case and what it carries were called may be the same.
    private enum Renamed: Codable, WalCodable, WalEvolving, Equatable {
        case store(name: String)
        static var walAliases: [String: [String]] {
            ["store": ["put"], "name": ["put"], "zero": ["put"], "a": ["put"]]
        }
    }

    @Test func `a case's earlier name is found though a field had it too`() throws {
        for _ in 0..<20 { #expect(message(Renamed.self, #"{"put":{"put":"x"}}"#) == "read") }
    }
}
