#if Zstd
import Foundation
import Testing
import WalJSON
import WalTesting
import WalZstd
import WriteAheadLog

/// Dictionaries are kept once beside the log; each segment finds the one that it was written with.
@Suite struct ZstdDictionaryTests {
    static func event(_ number: Int, _ kind: String = "clicked the button of page") -> Event {
        Event(
            id: number &* 7919,
            text: "user-\(number % 97) \(kind) \(number % 31), referrer https://example.org/\(number % 13)")
    }
    private static func samples(_ kind: String = "clicked the button of page") throws -> [[UInt8]] {
        try (0..<3_000).map { number in
            var encoder = WalEncoder()
            try AnyWalCodec<Event>.json().encode(event(number, kind), into: &encoder)
            return encoder.withBytes { Array($0) }
        }
    }
    static let dictionary = try! ZstdDictionary.train(on: samples(), capacity: 4096)
    static let other = try! ZstdDictionary.train(on: samples("scrolled through the list of"), capacity: 4096)

    private func size(_ codec: AnyWalCodec<Event>, _ event: Event) throws -> Int {
        var encoder = WalEncoder()
        try codec.encode(event, into: &encoder)
        return encoder.count
    }

    @Test func `keeps every promise of a codec`() throws {
        var options = CodecConformance.Options()
        options.bitFlipsPerSample = 2_000
        options.roundsPerThread = 10
        try CodecConformance.check(
            .zstd(.json(), dictionary: Self.dictionary), samples: (0..<5).map { Self.event($0) }, options: options)
    }

    @Test func `a small record shrinks to less than half by it, and hardly without`() throws {
        let event = Self.event(50_000)
        let plain = try size(.json(), event)
        #expect(try size(.zstd(.json()), event) * 4 > plain * 3)
        #expect(try size(.zstd(.json(), dictionary: Self.dictionary), event) * 2 < plain)
    }

    @Test func `a dictionary comes back from its bytes, and damaged ones are refused`() throws {
        let again = try ZstdDictionary(Self.dictionary.bytes)
        #expect(again.name == Self.dictionary.name)
        for bytes in [[], [1, 2, 3], Array(Self.dictionary.bytes.prefix(20)), [UInt8](repeating: 0, count: 5_000)] {
            #expect(throws: WalError.self) { try ZstdDictionary(bytes) }
        }
    }

    @Test(arguments: [0, 1, 255, 2 << 20])
    func `what can't be learnt from is an error that says so`(capacity: Int) {
        let error = #expect(throws: WalError.self) {
            try ZstdDictionary.train(on: [[1, 2, 3]], capacity: capacity)
        }
        #expect(error?.code == .invalidArgument)
        #expect(throws: WalError.self) { try ZstdDictionary.train(on: [] as [[UInt8]]) }
        #expect(throws: WalError.self) { try ZstdDictionary.train(on: [[1, 2, 3], []]) }
    }

    @Test func `new segments take the newest dictionary, old ones keep theirs`() async throws {
        try await withTemporaryDirectory { path in
            var expected: [Event] = []
            for round in 0..<4 {
                let dictionaries = try ZstdDictionaries(at: path + "/dictionaries")
                #expect(dictionaries.count == round)
                let wal = try await Wal<Event>.open(
                    at: path, configuration: .init(codec: .zstd(.json(), dictionaries: dictionaries)))
                let partition = try wal.partition(3)
                for number in 0..<2_000 {
                    expected.append(Self.event(number, "did \(round) to"))
                    if number % 10 == 0 {
                        try partition.append(expected[expected.count - 1])
                    } else {
                        try partition.append(contentsOf: CollectionOfOne(expected[expected.count - 1]))
                    }
                }
                var found: [Event] = []
                try partition.entries().forEach { found.append($0.record) }
                #expect(found == expected)
                let trained = try dictionaries.train(on: partition, encodedBy: .json(), capacity: 2048)
                #expect(dictionaries.newest?.name == trained.name)
                try await wal.close()
            }
            // Without the directory the old segments can't be read, and the error says what is missing.
            let wal = try await Wal<Event>.open(at: path, configuration: .init(codec: .zstd(.json())))
            var cursor = try wal.partition(3).entries().makeCursor()
            for number in 0..<2_000 { #expect(try cursor.next()?.record == expected[number]) }
            let error = #expect(throws: WalError.self) { try cursor.next() }
            #expect(error?.code == .unknownCodec && error?.message.contains("dictionaries") == true)
            #expect(error?.segment == 2_001)
            try await wal.close()
        }
    }

    @Test func `one that another process adds is found, and nothing is overwritten`() throws {
        try withTemporaryDirectory { path in
            let (mine, theirs) = (try ZstdDictionaries(at: path), try ZstdDictionaries(at: path))
            try mine.add(Self.dictionary)
            #expect(try theirs.dictionary(named: Self.dictionary.name).bytes == Self.dictionary.bytes)
            let late = try ZstdDictionaries(at: path)
            try mine.add(Self.other)
            try late.add(Self.dictionary)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).count == 3)
            #expect(try ZstdDictionaries(at: path).newest?.name == Self.dictionary.name)
        }
    }

    @Test func `each bit of a dictionary's file counts`() throws {
        try withTemporaryDirectory { path in
            try ZstdDictionaries(at: path).add(Self.dictionary)
            let file = path + "/zstd-1.dictionary"
            let good = try Data(contentsOf: URL(fileURLWithPath: file))
            for place in stride(from: 0, to: good.count, by: 37) {
                var bad = good
                bad[place] ^= 1 << UInt8(place % 8)
                try bad.write(to: URL(fileURLWithPath: file))
                #expect(throws: WalError.self) { try ZstdDictionaries(at: path) }
            }
            try good.prefix(10).write(to: URL(fileURLWithPath: file))
            #expect(throws: WalError.self) { try ZstdDictionaries(at: path) }
        }
    }
}
#endif
