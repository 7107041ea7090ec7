import WriteAheadLog

/// Takes the batches that a codec coded as a whole apart as far as a program without zstd can: of those that were compressed it
/// shows how many records there are, and each as ``hidden``.
struct OpaqueBatches: WalBatchCodec {
    static var id: UInt32 { .max }
    var name: String { "batches as another reader sees them" }
    var parameters: [UInt8] { [] }
    /// No record of zstd's begins with it.
    static let hidden: [UInt8] = [0xFF]

    private let base: (any WalBatchCodec<Sample>)?

    init() { base = nil }
    private init(_ base: any WalBatchCodec<Sample>) { self.base = base }

    private static var readsOnly: WalError { WalError(.encoding, "this codec reads, and writes nothing") }

    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Payload>)? {
        let codecs = Wal<Sample>.Configuration().partitionCodecs.values
        for codec in codecs {
            guard let found = try codec.base.reader(id: id, parameters: parameters),
                let base = found as? any WalBatchCodec<Sample>
            else { continue }
            return Self(base)
        }
        return nil
    }

    func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError) {
        guard let base else { throw Self.readsOnly }
        if stored.peek() == 0 { return try base.decodeBatch(&stored, into: &records) }
        var plain = WalEncoder()
        try base.decodeBatch(&stored, into: &plain)
        let bytes = plain.withBytes { Array($0) }
        try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
            var list = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(bytes))
            while list.remaining > 0 {
                try list.skip(Int(try list.read(UInt32.self)))
                records.write(UInt32(truncatingIfNeeded: Self.hidden.count))
                records.write(bytes: Self.hidden)
            }
        }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        Payload(try decoder.readBytes(count: decoder.remaining))
    }

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) { throw Self.readsOnly }
    func encodeWithinBatch(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        throw Self.readsOnly
    }
    func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        throw Self.readsOnly
    }
    func repacking(id: UInt32, parameters: [UInt8]) -> WalRepacking? { nil }
}
