#if Macros
import Testing
import WalMacros

/// What `@WalRecord` promises: a type may turn from `Codable` to it, and back, without a change to its files.
@Suite struct SameBytesTests {
    static let values = 1_000

    /// On types of every shape, by two ways that share no code above the single values.
    @Test(.timeLimit(.minutes(20)), arguments: generatedTypes.indices)
    func codableAndTheMacroWriteAndReadTheSame(_ index: Int) throws {
        try compare(generatedTypes[index], seed: UInt64(index))
    }

    private func compare<T: Arbitrary & WalDirectCodable & Codable & Hashable>(_: T.Type, seed: UInt64) throws {
        var source = Source(seed: seed)
        let (codable, direct) = (CodableBinaryCodec<T>(), DirectBinaryCodec<T>())
        for number in 0..<Self.values {
            let value = T.random(&source)
            let expected = try bytes(value, by: codable)
            let written = try bytes(value, by: direct)
            guard expected == written else {
                Issue.record("\(T.self) #\(number): \(value)\nby Codable \(hex(expected))\nby macro   \(hex(written))")
                return
            }
            let (left, right) = (try record(expected, by: codable), try record(expected, by: direct))
            guard left == value, right == value else {
                Issue.record("\(T.self) #\(number): \(value)\nread by Codable \(left)\nread by macro   \(right)")
                return
            }
        }
    }

    @Test(.timeLimit(.minutes(20)))
    func byHandIsTheSameToo() throws {
        try compare(HandChange.self, seed: 1)
        try compare(HandOrder.self, seed: 2)
        try compare(HandRenamed.self, seed: 3)
    }

    private func compare<Hand: ByHand>(_: Hand.Type, seed: UInt64) throws {
        try compare(Hand.Value.self, seed: seed)
        var source = Source(seed: seed)
        let direct = DirectBinaryCodec<Hand.Value>()
        for _ in 0..<Self.values {
            let value = Hand.Value.random(&source)
            var encoder = WalEncoder()
            Hand(value).encode(into: &encoder)
            let written = encoder.withBytes { Array($0) }
            #expect(try bytes(value, by: direct) == written)
            #expect(try record(written, by: direct) == value)
            let read = try written.withUnsafeBytes { bytes in
                var decoder = WalDecoder(unsafeBytes: bytes)
                return try Hand(from: &decoder).value
            }
            #expect(read == value)
        }
    }

    /// A checksum that happens to fit says nothing about what wrote the bytes: an error is right, a value may be, a trap never.
    @Test(.timeLimit(.minutes(20)), arguments: generatedTypes.indices)
    func hostileBytesAreAnErrorOrAValue(_ index: Int) throws {
        try attack(generatedTypes[index], seed: UInt64(index) &+ 1_000)
    }

    private func attack<T: Arbitrary & WalDirectCodable & Codable & Hashable>(_: T.Type, seed: UInt64) throws {
        var source = Source(seed: seed)
        let codec = DirectBinaryCodec<T>()
        for _ in 0..<10 {
            let good = try bytes(T.random(&source), by: codec)
            for count in stride(from: 0, to: good.count, by: max(1, good.count / 50)) {
                #expect(error { _ = try record(Array(good[..<count]), by: codec) }?.code == .decoding)
            }
            for _ in 0..<100 {
                var bad = good
                for _ in 0...source.below(3) {
                    switch source.below(3) {
                    case 0: bad[source.below(bad.count)] ^= 1 << UInt8(source.below(8))
                    case 1: bad[source.below(bad.count)] = source.pick([0, 0x9F, 0xBF, 0xFF, 0xF6, 0x5B, 0x7B, 0xBB])
                    default: bad.insert(UInt8.random(&source), at: source.below(bad.count))
                    }
                }
                // What is read must be a value like any other.
                if let value = try? record(bad, by: codec) { _ = try bytes(value, by: codec) }
            }
        }
    }

    /// A type that holds itself must not follow a record down until the stack ends.
    @Test(arguments: [127, 129, 100_000]) func depthIsBounded(_ depth: Int) {
        // .all([.all([…])]), cut off where it is deepest.
        let level: [UInt8] = [0xBF, 0x63] + "all".utf8 + [0xBF, 0x62] + "_0".utf8 + [0x9F]
        let bytes = Array(repeatElement(level, count: depth / 3 + 1).joined())
        #expect(error { _ = try record(bytes, by: DirectBinaryCodec<Change>()) }?.code == .decoding)
    }
}
#endif
