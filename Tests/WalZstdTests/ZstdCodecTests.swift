#if Zstd
import Testing
import WalJSON
import WalTesting
import WalZstd
import WriteAheadLog

struct Event: Codable, WalCodable, Equatable {
    var id: Int
    var text: String
}

@Suite struct ZstdCodecTests {
    static let samples = [
        Event(id: 1, text: ""), Event(id: -7, text: String(repeating: "abc ", count: 100)),
        Event(id: .max, text: "\u{1F600} \"quoted\""),
    ]

    @Test(arguments: [-5, 1, 3, 22])
    func `keeps every promise of a codec`(level: Int) throws {
        var options = CodecConformance.Options()
        options.refusesTruncation = true
        options.bitFlipsPerSample = 2_000
        options.roundsPerThread = 10
        try CodecConformance.check(.zstd(.json(), level: level), samples: Self.samples, options: options)
    }

    @Test func `a record that does not shrink is stored plain, one that does is smaller`() throws {
        let codec = ZstdCodec<Payload>(.bytes())
        var encoder = WalEncoder()
        try codec.encode(Payload([1, 2, 3]), into: &encoder)
        #expect(encoder.withBytes { Array($0) } == [0, 1, 2, 3])
        encoder.reset()
        try codec.encode(Payload([UInt8](repeating: 9, count: 10_000)), into: &encoder)
        #expect(encoder.count < 100)
    }

    @Test func `a segment of another level is read, one of the inner codec too`() throws {
        let one = AnyWalCodec<Event>.zstd(.json(), level: 1)
        let other = AnyWalCodec<Event>.zstd(.json(), level: 19)
        #expect(try one.base.reader(id: 3, parameters: other.parameters) != nil)
        #expect(try one.base.reader(id: 2, parameters: [1]) != nil)
        #expect(try one.base.reader(id: 2, parameters: [9]) == nil)
    }

    @Test func `a claim over the limit is refused`() throws {
        let codec = ZstdCodec<Payload>(.bytes(), maximumDecompressedSize: 100)
        var encoder = WalEncoder()
        try ZstdCodec<Payload>(.bytes()).encode(Payload([UInt8](repeating: 9, count: 101)), into: &encoder)
        let bytes = encoder.withBytes { Array($0) }
        #expect(bytes.count < 50)
        let error = #expect(throws: WalError.self) {
            try bytes.withUnsafeBytes { bytes in
                var decoder = WalDecoder(unsafeBytes: bytes)
                _ = try codec.decode(&decoder)
            }
        }
        #expect(error?.code == .decoding && error?.message.contains("maximumDecompressedSize") == true)
    }

    @Test func `segments of the format's first version, which was never released, are refused`() throws {
        let codec = AnyWalCodec<Event>.zstd(.json())
        #expect(try codec.base.reader(id: 3, parameters: [1, 1, 2, 0, 0, 0, 1]) == nil)
    }
}
#endif
