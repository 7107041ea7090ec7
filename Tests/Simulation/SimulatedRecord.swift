internal import WalTesting
internal import WriteAheadLog

typealias SimulatedWal = Wal<Payload>

/// A codec that turns each bit over, so that bytes read with the wrong codec are noticed.
struct InvertingCodec: WalCodec {
    static var id: UInt32 { 0x8000_0051 }
    var name: String { "inverting" }
    var parameters: [UInt8] { [7] }

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: record.bytes.map { ~$0 })
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        Payload(try decoder.readBytes(count: decoder.remaining).map { ~$0 })
    }
}

/// A codec that codes batches as a whole, and takes over records that ``PayloadCodec`` stored.
struct PackingCodec: WalBatchCodec {
    static var id: UInt32 { 0x8000_0052 }
    var name: String { "packing" }
    var parameters: [UInt8] { [] }

    private func turn(_ decoder: inout WalDecoder, _ mask: UInt8, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: try decoder.readBytes(count: decoder.remaining).map { $0 ^ mask })
    }

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: record.bytes.map { $0 ^ 0x55 })
    }
    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        Payload(try decoder.readBytes(count: decoder.remaining).map { $0 ^ 0x55 })
    }
    func encodeWithinBatch(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        try encode(record, into: &encoder)
    }
    func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        try turn(&records, 0x33, into: &encoder)
    }
    func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError) {
        try turn(&stored, 0x33, into: &records)
    }
    func repacking(id: UInt32, parameters: [UInt8]) throws(WalError) -> WalRepacking? {
        guard id == PayloadCodec.id else { return nil }
        return { (stored, encoder) throws(WalError) in try turn(&stored, 0x55, into: &encoder) }
    }
}

extension SimulatedWal.Configuration {
    /// Every codec that a history writes with.
    static var simulatedCodecs: [AnyWalCodec<Payload>] {
        [.bytes(), .init(InvertingCodec()), .init(PackingCodec())]
    }
}

/// The bytes of a record say which attempt to append it was, and follow from that: nothing can be invented.
struct SimulatedRecord: Equatable {
    var attempt: Int
    /// Its place in a batch of `count`.
    var index: Int
    var count: Int
    var partition: UInt16
    var size: Int

    static let smallest = 24

    var payload: Payload {
        Payload(
            [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
                eachWord { offset, word in
                    if offset + 8 <= size {
                        UnsafeMutableRawBufferPointer(buffer).storeBytes(
                            of: word, toByteOffset: offset, as: UInt64.self)
                    } else {
                        for k in offset..<size {
                            buffer[k] = UInt8(truncatingIfNeeded: word >> UInt64(8 * (k - offset)))
                        }
                    }
                }
                count = size
            })
    }

    /// The bytes, eight at a time; of the last word those that `size` holds.
    private func eachWord(_ body: (Int, UInt64) -> Void) {
        body(0, UInt64(attempt).littleEndian)
        body(8, (UInt64(index) | UInt64(count) << 32).littleEndian)
        body(16, (UInt64(partition) | UInt64(size) << 32).littleEndian)
        var random = SeededGenerator(seed: UInt64(attempt) << 20 | UInt64(index))
        for offset in stride(from: Self.smallest, to: size, by: 8) { body(offset, random.next().littleEndian) }
    }

    private func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var isSame = bytes.count == size
        if isSame {
            eachWord { offset, word in
                if offset + 8 <= size {
                    isSame = isSame && bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) == word
                } else {
                    for k in offset..<size {
                        isSame = isSame && bytes[k] == UInt8(truncatingIfNeeded: word >> UInt64(8 * (k - offset)))
                    }
                }
            }
        }
        return isSame
    }

    init(attempt: Int, index: Int, count: Int, partition: UInt16, size: Int) {
        self.attempt = attempt
        self.index = index
        self.count = count
        self.partition = partition
        self.size = size
    }

    /// Nil where the bytes are no such record's.
    init?(_ payload: Payload) {
        let found: SimulatedRecord? = payload.bytes.withUnsafeBytes { bytes in
            let reader = ByteReader(bytes)
            guard let attempt: UInt64 = reader.integer(0), let index: UInt32 = reader.integer(8),
                let count: UInt32 = reader.integer(12), let partition: UInt32 = reader.integer(16),
                let size: UInt32 = reader.integer(20), Int(size) == bytes.count, attempt < 1 << 40
            else { return nil }
            return SimulatedRecord(
                attempt: Int(attempt), index: Int(index), count: Int(count),
                partition: UInt16(truncatingIfNeeded: partition), size: Int(size))
        }
        guard let found, payload.bytes.withUnsafeBytes({ found.matches($0) }) else { return nil }
        self = found
    }
}
