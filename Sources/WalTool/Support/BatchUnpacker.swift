internal import WalJSON
internal import WriteAheadLog

/// Takes apart the batches that a codec of this build coded as a whole, and leaves their records as they are.
struct BatchUnpacker: WalBatchCodec {
    typealias Record = Payload
    static var id: UInt32 { .max }
    var name: String { "records of any codec" }
    var parameters: [UInt8] { [] }
    /// Nil for the one that is asked for readers.
    private let base: (any WalBatchCodec<JSONValue>)?
    private let codecs: [AnyWalCodec<JSONValue>]

    init(among codecs: [AnyWalCodec<JSONValue>]) { (base, self.codecs) = (nil, codecs) }
    private init(_ base: any WalBatchCodec<JSONValue>) { (self.base, codecs) = (base, []) }

    func reader(id: UInt32, parameters: [UInt8]) -> (any WalCodec<Payload>)? {
        for candidate in codecs {
            // A codec that can't make sense of the parameters, or misses a dictionary, can't take batches apart.
            guard let found = try? candidate.base.reader(id: id, parameters: parameters),
                let base = found as? any WalBatchCodec<JSONValue>
            else { continue }
            return Self(base)
        }
        return nil
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Payload {
        Payload(try decoder.readBytes(count: decoder.remaining))
    }

    func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError) {
        guard let base else { throw Self.readsOnly }
        try base.decodeBatch(&stored, into: &records)
    }

    private static var readsOnly: WalError { WalError(.encoding, "this codec reads, and writes nothing") }

    func encode(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) { throw Self.readsOnly }
    func encodeWithinBatch(_ record: borrowing Payload, into encoder: inout WalEncoder) throws(WalError) {
        throw Self.readsOnly
    }
    func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        throw Self.readsOnly
    }
    func repacking(id: UInt32, parameters: [UInt8]) -> WalRepacking? { nil }
}
