#if Zstd
import Testing
import WalBinary
import WalJSON
import WalTesting
import WalZstd
import WriteAheadLog

/// A batch is compressed as a whole, and remains what it was: atomic, in order, found by LSN.
@Suite struct ZstdBatchTests {
    private func events(_ range: Range<Int>) -> [Event] {
        range.map { Event(id: $0, text: "user \($0 % 7) did something that others did before") }
    }

    private func open(_ path: String, _ codec: AnyWalCodec<Event>, segmentSize: Int = 64 << 20) async throws
        -> Wal<Event>
    {
        try await Wal<Event>.open(at: path, configuration: .init(segmentSize: segmentSize, codec: codec))
    }

    private func all(_ partition: Wal<Event>.Partition, from start: ReadStart = .first) throws -> [Event] {
        var found: [Event] = []
        try partition.entries(from: start).forEach { found.append($0.record) }
        return found
    }

    @Test func `batches and single records by turns read back in order, also after a reopen, from any LSN`()
        async throws
    {
        try await withTemporaryDirectory { path in
            let codec = AnyWalCodec<Event>.zstd(.json(), level: 3)
            var wal = try await open(path, codec)
            var partition = try wal.partition(1)
            var expected: [Event] = []
            for round in 0..<20 {
                let batch = events(expected.count..<(expected.count + round * 3 + 1))
                let receipt = try partition.append(contentsOf: batch)
                expected += batch
                #expect(receipt.lsn.rawValue == UInt64(expected.count))
                let one = events(expected.count..<(expected.count + 1))[0]
                try await partition.append(one, durability: .synced)
                expected.append(one)
                let lazy = events(expected.count..<(expected.count + 2)).lazy.map { $0 }
                try await partition.append(contentsOf: lazy, durability: .synced)
                expected += Array(lazy)
            }
            #expect(try all(partition) == expected)
            for lsn in 1...expected.count {
                var cursor = try partition.entries(from: .lsn(LSN(UInt64(lsn)))).makeCursor()
                let entry = try #require(try cursor.next())
                #expect(entry.lsn.rawValue == UInt64(lsn) && entry.record == expected[lsn - 1])
                // A position within a batch leads to the record behind.
                var next = try partition.entries(from: .after(entry.position)).makeCursor()
                #expect(try next.next()?.record == (lsn < expected.count ? expected[lsn] : nil))
            }
            try await wal.close()
            wal = try await open(path, .zstd(.json(), level: 19))
            partition = try wal.partition(1)
            #expect(try all(partition) == expected)
            #expect(try all(partition, from: .lsn(50)) == Array(expected[49...]))
            try await wal.close()
        }
    }

    @Test func `a batch takes a fraction of the bytes of its records one by one`() throws {
        let codec = ZstdCodec<Event>(.json())
        let records = events(0..<64)
        let alone = try records.reduce(0) { sum, record in
            var encoder = WalEncoder()
            try codec.encode(record, into: &encoder)
            return sum + encoder.count
        }
        #expect(try stored(codec, records).count * 3 < alone)
    }

    @Test func `the payloads of a batch are what the codec reads, and may be appended elsewhere`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await open(path, .zstd(.binary()))
            let (source, target) = (try wal.partition(1), try wal.partition(2))
            try source.append(contentsOf: events(0..<100))
            try source.entries().forEachPayload { (_, bytes) throws(WalError) in try target.append(payload: bytes) }
            #expect(try all(target) == events(0..<100))
            try await wal.close()
        }
    }

    @Test func `what random bytes make of a batch is an error, and no memory without bound`() throws {
        let codec = ZstdCodec<Event>(.json(), maximumDecompressedSize: 1 << 20)
        var generator = SeededGenerator(seed: 5)
        let good = try stored(codec, events(0..<32))
        for round in 0..<3_000 {
            var bytes = good
            if round % 2 == 0 { bytes.removeLast(Int.random(in: 1...good.count, using: &generator)) }
            for _ in 0..<(round % 4 + (bytes.count == good.count ? 1 : 0)) where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] ^= UInt8.random(
                    in: 1...255, using: &generator)
            }
            var records = WalEncoder()
            do {
                try bytes.withUnsafeBytes { bytes in
                    var decoder = WalDecoder(unsafeBytes: bytes)
                    try codec.decodeBatch(&decoder, into: &records)
                }
            } catch {
                #expect((error as? WalError)?.code == .decoding)
            }
            #expect(records.count < 8 << 20)
        }
    }

    @Test func `a batch that holds another number of records than its frame says is an error`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await open(path, AnyWalCodec(Forgetful()))
            let partition = try wal.partition(1)
            try partition.append(contentsOf: events(0..<5))
            let error = #expect(throws: WalError.self) { try all(partition) }
            #expect(error?.code == .decoding && error?.message.contains("5 records") == true)
            try await wal.close()
        }
    }

    private func stored(_ codec: ZstdCodec<Event>, _ records: [Event]) throws -> [UInt8] {
        var plain = WalEncoder()
        for record in records {
            let start = plain.count
            plain.write(UInt32(0))
            try codec.encodeWithinBatch(record, into: &plain)
            plain.overwrite(UInt32(plain.count - start - 4), at: start)
        }
        let bytes = plain.withBytes { Array($0) }
        var stored = WalEncoder()
        try bytes.withUnsafeBytes { bytes in
            var decoder = WalDecoder(unsafeBytes: bytes)
            try codec.encodeBatch(&decoder, into: &stored)
        }
        return stored.withBytes { Array($0) }
    }
}

/// Loses a batch's first record.
private struct Forgetful: WalBatchCodec {
    static var id: UInt32 { 0x8000_0001 }
    var name: String { "forgetful" }
    var parameters: [UInt8] { [] }
    private let json = AnyWalCodec<Event>.json()

    func encode(_ record: borrowing Event, into encoder: inout WalEncoder) throws(WalError) {
        try json.encode(record, into: &encoder)
    }
    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Event { try json.decode(&decoder) }
    func encodeWithinBatch(_ record: borrowing Event, into encoder: inout WalEncoder) throws(WalError) {
        try json.encode(record, into: &encoder)
    }
    func repacking(id: UInt32, parameters: [UInt8]) throws(WalError) -> WalRepacking? { nil }
    func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: try records.readBuffer(count: records.remaining))
    }
    func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError) {
        let first = Int(try stored.read(UInt32.self))
        try stored.skip(first)
        try encodeBatch(&stored, into: &records)
    }
}
#endif
