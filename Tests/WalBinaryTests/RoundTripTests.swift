import Foundation
import Testing
import WalBinary
import WriteAheadLog

@Suite struct RoundTripTests {
    private func check<Value: Codable & Sendable & Equatable & WalBinaryValue>(
        _ value: Value, _ expected: String? = nil, location: SourceLocation = #_sourceLocation
    ) throws {
        let bytes = try encoded(value)
        if let expected { #expect(hex(bytes) == expected, sourceLocation: location) }
        #expect(try decoded(Value.self, bytes) == value, sourceLocation: location)
        #expect(direct(value) == bytes, sourceLocation: location)
        #expect(try directly(Value.self, bytes) == value, sourceLocation: location)
        // Within an array and a struct other overloads are at work.
        #expect(try decoded([Value].self, encoded([value, value])) == [value, value], sourceLocation: location)
        #expect(try encoded([value, value]) == direct([value, value]), sourceLocation: location)
        #expect(try decoded([String: Value].self, encoded(["k": value])) == ["k": value], sourceLocation: location)
    }

    private func integers<T: FixedWidthInteger & Codable & Sendable & WalBinaryValue>(_: T.Type) throws {
        var values: Set<T> = [.min, .max, 0, 1, .max - 1, .min + 1]
        for shift in 0..<T.bitWidth {
            let power = T(1) << T(truncatingIfNeeded: shift)
            values.formUnion([power, power &- 1, power &+ 1, 0 &- power, ~power, T(23), T(24)])
        }
        for value in values { try check(value) }
    }

    @Test func integersOfEveryWidthComeBackAtTheirBoundaries() throws {
        try integers(Int.self)
        try integers(Int8.self)
        try integers(Int16.self)
        try integers(Int32.self)
        try integers(Int64.self)
        try integers(Int128.self)
        try integers(UInt.self)
        try integers(UInt8.self)
        try integers(UInt16.self)
        try integers(UInt32.self)
        try integers(UInt64.self)
        try integers(UInt128.self)
    }

    @Test func integersAreAsShortAsTheyCanBe() throws {
        try check(0, "00")
        try check(23, "17")
        try check(24, "1818")
        try check(256, "190100")
        try check(65536, "1a00010000")
        try check(1 << 32, "1b0000000100000000")
        try check(-1, "20")
        try check(-25, "3818")
        try check(Int.min, "3b7fffffffffffffff")
        try check(Int128(UInt64.max) + 1, "c249010000000000000000")
        try check(-Int128(UInt64.max) - 1, "3bffffffffffffffff")
        try check(-Int128(UInt64.max) - 2, "c349010000000000000000")
    }

    @Test func anIntegerIsReadAsAnyTypeThatCanHoldIt() throws {
        #expect(try decoded(Int128.self, encoded(UInt8(200))) == 200)
        #expect(try decoded(UInt8.self, encoded(200)) == 200)
        #expect(try decoded(Int.self, unhex("c24101")) == 1)
        for bytes in [try encoded(256), try encoded(-1), try encoded(UInt128.max)] {
            let failure = try #require(error { _ = try decoded([String: UInt8].self, unhex("a16161") + bytes) })
            #expect(failure.code == .decoding && failure.codingPath == ["a"])
            #expect(error { _ = try directly(UInt8.self, bytes) }?.code == .decoding)
        }
    }

    @Test(arguments: [
        0, -0.0, 1.5, .infinity, -.infinity, .nan, .signalingNaN, .greatestFiniteMagnitude, .leastNonzeroMagnitude,
        Double(bitPattern: 0x7FF8_0000_DEAD_BEEF),
    ])
    func doublesKeepTheirBits(_ value: Double) throws {
        #expect(try decoded(Double.self, encoded(value)).bitPattern == value.bitPattern)
        #expect(try decoded([Double].self, encoded([value])).first?.bitPattern == value.bitPattern)
        #expect(try directly(Double.self, direct(value)).bitPattern == value.bitPattern)
        #expect(try encoded(value).count == 9)
    }

    @Test(arguments: [
        0, -0.0, 1.5, .infinity, .nan, .signalingNaN, .leastNonzeroMagnitude, Float(bitPattern: 0xFFC0_1234),
    ])
    func floatsKeepTheirBits(_ value: Float) throws {
        #expect(try decoded(Float.self, encoded(value)).bitPattern == value.bitPattern)
        #expect(try directly(Float.self, direct(value)).bitPattern == value.bitPattern)
        #expect(try encoded(value).count == 5)
    }

    @Test func aFloatIsReadFromADoubleOnlyWhereItIsExact() throws {
        #expect(try decoded(Float.self, encoded(1.5)) == 1.5)
        #expect(try decoded(Double.self, encoded(Float(1.5))) == 1.5)
        #expect(error { _ = try decoded(Float.self, encoded(0.1)) }?.code == .decoding)
    }

    @Test func stringsBoolsAndBytesComeBack() throws {
        try check(true, "f5")
        try check(false, "f4")
        try check("", "60")
        try check("é👩‍👩‍👧", nil)
        try check(String(repeating: "x", count: 70_000))
        try check([UInt8](), "40")
        try check([UInt8](repeating: 7, count: 300))
        #expect(try decoded(ContiguousArray<UInt8>.self, encoded(ContiguousArray<UInt8>([1, 2]))) == [1, 2])
        #expect(try hex(encoded(ContiguousArray<UInt8>([1, 2]))) == "420102")
    }

    @Test func foundationTypesHaveTheirStatedForms() throws {
        try check(Data([1, 2]), "420102")
        try check(
            UUID(uuid: (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)),
            "d82550000102030405060708090a0b0c0d0e0f")
        try check(Date(timeIntervalSinceReferenceDate: 0.5), "fb3fe0000000000000")
        try check(URL(string: "https://example.org/")!, "7468747470733a2f2f6578616d706c652e6f72672f")
        #expect(try decoded([Date].self, encoded([Date.distantPast])) == [.distantPast])
    }

    @Test(
        arguments: [
            ("0", "c4820000"), ("1.10", "c482200b"), ("-1.1", "c482202a"), ("1e127", "c482187f01"),
            ("340282366920938463463374607431768211455", nil), ("-340282366920938463463374607431768211455", nil),
            ("-18446744073709551616", nil), ("0.00000001234567890123456789", nil), ("18446744073709551617", nil),
        ] as [(String, String?)])
    func decimalsComeBack(_ text: String, _ expected: String?) throws {
        try check(try #require(Decimal(string: text)), expected)
    }

    @Test func aDecimalThatIsNotANumberComesBack() throws {
        #expect(try decoded(Decimal.self, encoded(Decimal.nan)).isNaN)
        #expect(error { _ = try decoded(Decimal.self, unhex("c48218ff01")) }?.code == .decoding)
    }

    @Test func optionalsComeBackWithinOptionalsAsCodableHasThem() throws {
        try check(Int?.none, "f6")
        try check([1, nil, 3] as [Int?], "9f01f603ff")
        #expect(try decoded(Int??.self, encoded(Int??.some(.some(4)))) == 4)
        #expect(try decoded([String: Int?].self, encoded(["a": nil, "b": 1] as [String: Int?])) == ["a": nil, "b": 1])
    }

    @Test func recordsOfManyKindsComeBackAndHandWrittenBytesAreTheSame() throws {
        try check(Order())
        try check(Order(note: nil, when: nil))
        try check(Order().changes)
        try check(["x": [Change.clear: [Colour.red]]])
        try check(Tree(children: [Tree(), Tree(children: [Tree()])]))
    }

    @Test func theExampleInTheArticleHolds() throws {
        let golden = "bf63707574bf636b6579426b316576616c75654300ff10ffff"
        try check(Change.put(key: [0x6B, 0x31], value: [0x00, 0xFF, 0x10]), golden)
        try check(Change.clear, "bf65636c656172bfffff")
    }

    @Test func anEmptyStructIsAnEmptyMap() throws {
        struct Empty: Codable, Equatable {}
        #expect(try hex(encoded(Empty())) == "bfff")
        #expect(try decoded(Empty.self, unhex("bfff")) == Empty())
    }

    @Test func equalDictionariesAndSetsHaveEqualBytes() throws {
        for seed in 1...20 {
            var generator = SeededGenerator(state: UInt64(seed))
            let numbers = (0..<60).map { _ in Int.random(in: -2000...2000, using: &generator) }
            // Other capacities and orders of insertion make for other orders of iteration.
            var a = Set<Int>(minimumCapacity: 1000)
            for number in numbers { a.insert(number) }
            let b = Set(numbers.reversed())
            #expect(try encoded(a) == encoded(b))
            #expect(try encoded(a) == direct(b))
            #expect(try decoded(Set<Int>.self, encoded(a)) == b)

            func same<Key: Hashable & Codable & Sendable & WalBinaryValue>(_ key: (Int) -> Key) throws {
                var x = [Key: Set<String>](minimumCapacity: 1000)
                for number in numbers { x[key(number)] = ["\(number)", "x", "yy"] }
                var y: [Key: Set<String>] = [:]
                for number in numbers.reversed() { y[key(number)] = ["yy", "x", "\(number)"] }
                #expect(try encoded(x) == encoded(y))
                #expect(try encoded(x) == direct(y))
                #expect(try decoded([Key: Set<String>].self, encoded(x)) == y)
                #expect(try directly([Key: Set<String>].self, encoded(x)) == y)
            }
            try same { $0 }
            try same { "\($0)" }
            try same { Int16($0) }
            try same { Change.delete(key: Array("\($0)".utf8)) }
            try same {
                UUID(
                    uuid: (
                        UInt8(truncatingIfNeeded: $0), UInt8(truncatingIfNeeded: $0 >> 8), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        0, 0, 0, 0
                    ))
            }
        }
        #expect(try hex(encoded(["b": 1, "aa": 2])) == "bf6261610261" + "6201ff")
        #expect(try hex(encoded(Set([300, 1]))) == "9f0119012cff")
    }

    @Test func classesEncodeTheirSuperclassEitherWay() throws {
        class Base: Codable, @unchecked Sendable {
            var a = 1
            init() {}
        }
        final class Nested: Base, @unchecked Sendable {
            var b = "x"
            override init() { super.init() }
            enum Keys: CodingKey { case b }
            required init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: Keys.self)
                b = try container.decode(String.self, forKey: .b)
                try super.init(from: container.superDecoder())
            }
            override func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                try super.encode(to: container.superEncoder())
                try container.encode(b, forKey: .b)
            }
        }
        final class Flat: Base, @unchecked Sendable {
            var b = "y"
            override init() { super.init() }
            enum Keys: CodingKey { case b }
            required init(from decoder: any Decoder) throws {
                try super.init(from: decoder)
                b = try decoder.container(keyedBy: Keys.self).decode(String.self, forKey: .b)
            }
            override func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: Keys.self)
                try super.encode(to: encoder)
                try container.encode(b, forKey: .b)
            }
        }
        let nested = Nested()
        nested.a = 5
        #expect(try hex(encoded(nested)) == "bf657375706572bf616105ff61626178ff")
        #expect(try decoded(Nested.self, encoded(nested)).a == 5)
        let flat = Flat()
        flat.a = 6
        #expect(try hex(encoded(flat)) == "bf61610661626179ff")
        #expect(try decoded(Flat.self, encoded(flat)).a == 6)
    }
}
