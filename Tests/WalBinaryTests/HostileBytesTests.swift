import Foundation
import Testing
import WalBinary
import WriteAheadLog

/// What passed the checksum may still be anything: an error is right, a value may be, a trap never.
@Suite struct HostileBytesTests {
    private func tryAll(_ bytes: [UInt8]) {
        _ = try? decoded(Order.self, bytes)
        _ = try? directly(Order.self, bytes)
        _ = try? decoded(Change.self, bytes)
        _ = try? directly(Change.self, bytes)
        _ = try? decoded([Decimal].self, bytes)
        _ = try? decoded([String: [Int: Set<String>]].self, bytes)
        _ = try? directly([String: [Int: Set<String>]].self, bytes)
        _ = try? decoded(Tree.self, bytes)
    }

    @Test func everyTruncationThrows() throws {
        let bytes = try encoded(Order())
        for count in 0..<bytes.count {
            let short = Array(bytes.prefix(count))
            #expect(error { _ = try decoded(Order.self, short) }?.code == .decoding)
            #expect(error { _ = try directly(Order.self, short) }?.code == .decoding)
        }
    }

    @Test func trailingBytesThrow() throws {
        for extra: [UInt8] in [[0], [0xFF], [0xF6, 0xF6]] {
            #expect(error { _ = try decoded(Order.self, encoded(Order()) + extra) }?.code == .decoding)
            #expect(error { _ = try decoded(Int.self, [1] + extra) }?.code == .decoding)
        }
    }

    @Test func noFlippedBitTraps() throws {
        let bytes = try encoded(Order())
        for bit in 0..<bytes.count * 8 {
            var flipped = bytes
            flipped[bit / 8] ^= 1 << (bit % 8)
            tryAll(flipped)
        }
    }

    @Test func noRandomBytesTrap() throws {
        var generator = SeededGenerator(state: 42)
        let sample = try encoded(Order())
        for round in 0..<100_000 {
            var bytes = (0..<Int.random(in: 0...40, using: &generator)).map { _ in generator.next() }
                .map { UInt8(truncatingIfNeeded: $0) }
            if round.isMultiple(of: 10) {
                let place = Int.random(in: 0..<sample.count, using: &generator)
                bytes = Array(sample.prefix(place)) + bytes + sample.dropFirst(place)
            }
            tryAll(bytes)
        }
    }

    @Test(arguments: [
        "9bffffffffffffffff", "bbffffffffffffffff", "9b7fffffffffffffff", "9a7fffffff", "5bffffffffffffffff",
        "5b7fffffffffffffff", "7b7fffffffffffffff", "7a7fffffff61", "bb7fffffffffffffff6161", "1c", "1f", "ff", "df",
        "3f",
        "5f4101ff", "7f6161ff", "bf7f6161ff01ff", "d8", "c2", "c258ff01", "61ff", "f8", "fb00", "f97e00", "",
        "bf6161ff", "bf61", "9f", "c25811010000000000000000000000000000000000",
    ])
    func malformedValuesThrow(_ text: String) {
        let bytes = unhex(text)
        #expect(error { _ = try decoded([Int].self, bytes) }?.code == .decoding)
        #expect(error { _ = try decoded([String: Int].self, bytes) }?.code == .decoding)
        #expect(error { _ = try decoded([UInt8].self, bytes) }?.code == .decoding)
        #expect(error { _ = try decoded(String.self, bytes) }?.code == .decoding)
        #expect(error { _ = try decoded(Int.self, bytes) }?.code == .decoding)
        #expect(error { _ = try decoded(Double.self, bytes) }?.code == .decoding)
        #expect(error { _ = try directly([Int].self, bytes) }?.code == .decoding)
        #expect(error { _ = try directly([String: Int].self, bytes) }?.code == .decoding)
        #expect(error { _ = try directly([UInt8].self, bytes) }?.code == .decoding)
        #expect(error { _ = try directly(String.self, bytes) }?.code == .decoding)
        // Where nobody asks for the value it is looked at all the same.
        struct Nothing: Codable {}
        #expect(error { _ = try decoded(Nothing.self, [0xBF, 0x61, 0x61] + bytes) }?.code == .decoding)
    }

    @Test func nestingIsBounded() throws {
        // A tree is a map and an array at each level.
        let deep = Tree(depth: 64)
        #expect(try decoded(Tree.self, encoded(deep)) == deep)
        #expect(try directly(Tree.self, encoded(deep)) == deep)
        #expect(error { _ = try encoded(Tree(depth: 65)) }?.code == .encoding)
        #expect(error { _ = try decoded(Tree.self, direct(Tree(depth: 65))) }?.code == .decoding)
        let level = unhex("bf686368696c6472656e9f")
        let abyss = Array(repeatElement(level, count: 100_000).joined())
        #expect(error { _ = try decoded(Tree.self, abyss) }?.code == .decoding)
        #expect(error { _ = try directly(Tree.self, abyss) }?.code == .decoding)
        for byte in [0x81, 0x9F, 0xBF, 0xA1, 0xC2, 0xD8] as [UInt8] {
            tryAll([UInt8](repeating: byte, count: 1 << 20))
        }
    }
}

@Suite struct EncoderMisuseTests {
    struct Misuse: Codable, WalCodable {
        let body: @Sendable (any Encoder) throws -> Void
        init(_ body: @escaping @Sendable (any Encoder) throws -> Void) { self.body = body }
        init(from decoder: any Decoder) throws { body = { _ in } }
        func encode(to encoder: any Encoder) throws { try body(encoder) }
    }

    private func code(_ body: @escaping @Sendable (any Encoder) throws -> Void) -> WalError.Code? {
        error { _ = try encoded([Misuse(body)]) }?.code
    }

    @Test func writingToAContainerThatEndedIsAnError() {
        #expect(
            code { encoder in
                var outer = encoder.container(keyedBy: Key.self)
                var inner = outer.nestedContainer(keyedBy: Key.self, forKey: "a")
                try inner.encode(1, forKey: "x")
                try outer.encode(2, forKey: "b")
                try inner.encode(3, forKey: "y")
            } == .encoding)
        #expect(
            code { encoder in
                var outer = encoder.unkeyedContainer()
                var first = outer.nestedUnkeyedContainer()
                _ = outer.nestedUnkeyedContainer()
                try first.encode(3)
            } == .encoding)
        #expect(
            code { encoder in
                var outer = encoder.container(keyedBy: Key.self)
                let inner = outer.superEncoder()
                try outer.encode(2, forKey: "b")
                try? 5.encode(to: inner)
                _ = inner.unkeyedContainer()
            } == .encoding)
    }

    @Test func aSecondValueIsAnError() {
        #expect(
            code { encoder in
                var container = encoder.singleValueContainer()
                try container.encode(1)
                try container.encode(2)
            } == .encoding)
        #expect(
            code { encoder in
                _ = encoder.unkeyedContainer()
                _ = encoder.container(keyedBy: Key.self)
            } == .encoding)
    }

    @Test func errorsOfTheRecordAreWrappedAndNothingIsAdded() throws {
        struct Own: Error {}
        var encoder = WalEncoder()
        encoder.write(7 as UInt8)
        let codec = CodableBinaryCodec<Misuse>()
        let failing = Misuse { encoder in
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(1, forKey: "a")
            throw Own()
        }
        do throws(WalError) {
            try codec.encode(failing, into: &encoder)
            Issue.record("should throw")
        } catch {
            #expect(error.code == .encoding && error.underlying is Own)
        }
        #expect(encoder.count == 1)
        let invalid = error {
            _ = try encoded([
                "k": Misuse { encoder in
                    throw EncodingError.invalidValue(1, .init(codingPath: encoder.codingPath, debugDescription: "no"))
                }
            ])
        }
        #expect(invalid?.codingPath == ["k"])
        #expect(invalid?.underlying is EncodingError)
    }

    @Test func aContainerThatIsKeptBeyondTheRecordReachesNothing() throws {
        nonisolated(unsafe) var kept: (any Encoder)?
        _ = try encoded(Misuse { kept = $0 })
        let encoder = try #require(kept)
        #expect(throws: (any Error).self) {
            var container = encoder.singleValueContainer()
            try container.encode(1)
        }
        var container = encoder.container(keyedBy: Key.self)
        #expect(throws: (any Error).self) { try container.encode(1, forKey: "a") }
        #expect(encoder.codingPath.isEmpty)
    }

    struct Key: CodingKey, ExpressibleByStringLiteral {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringLiteral value: String) { stringValue = value }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}
