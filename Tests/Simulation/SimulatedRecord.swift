internal import WalTesting
internal import WriteAheadLog

typealias SimulatedWal = Wal<Payload>

/// A codec that turns each bit over, so that bytes read with the wrong codec are noticed.
struct InvertingCodec: WalCodec {
    static var id: UInt32 { 0x8000_0051 }
    var name: String { "inverting" }
    var parameters: [UInt8] { [7] }

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        for byte in record.bytes { encoder.write(~byte) }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        Payload(try decoder.readBytes(count: decoder.remaining).map { ~$0 })
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
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size)
        bytes.append(integer: UInt64(attempt))
        bytes.append(integer: UInt32(index))
        bytes.append(integer: UInt32(count))
        bytes.append(integer: UInt32(partition))
        bytes.append(integer: UInt32(size))
        var random = SeededGenerator(seed: UInt64(attempt) << 20 | UInt64(index))
        while bytes.count + 8 <= size { bytes.append(integer: random.next()) }
        while bytes.count < size { bytes.append(UInt8(truncatingIfNeeded: random.next())) }
        return Payload(bytes)
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
        guard let found, found.payload == payload else { return nil }
        self = found
    }
}
