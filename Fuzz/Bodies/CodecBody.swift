internal import WriteAheadLog

/// What holds for every codec.
enum CodecBody {
    /// Decodes; nil where the codec refuses. A copy of exactly the input's size, so that a sanitizer sees a read beyond it.
    static func decode<Codec: WalCodec>(
        _ codec: Codec, _ bytes: [UInt8], limit: Int? = nil
    ) throws(FuzzFailure) -> Codec.Record? {
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: bytes)
        let limit = limit ?? FuzzTarget.allocationLimit(bytes.count)
        return try FuzzTarget.bounded(limit) { () throws(FuzzFailure) in
            var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(exact))
            let record: Codec.Record
            do throws(WalError) {
                record = try codec.decode(&decoder)
            } catch {
                guard error.code == .decoding else { throw FuzzFailure("decoding throws \(error)") }
                // Whoever shows an error walks through all of it.
                guard !error.description.isEmpty else { throw FuzzFailure("an error without a text") }
                return nil
            }
            guard decoder.remaining == 0 else { throw FuzzFailure("\(decoder.remaining) bytes are left over") }
            return record
        }
    }

    static func encode<Codec: WalCodec>(
        _ codec: Codec, _ record: Codec.Record, mayRefuse: Bool = false
    ) throws(FuzzFailure) -> [UInt8]? {
        var encoder = WalEncoder()
        encoder.write(UInt16(0xABCD))
        do throws(WalError) {
            try codec.encode(record, into: &encoder)
        } catch {
            if mayRefuse, error.code == .encoding { return nil }
            throw FuzzFailure("what was decoded can't be encoded: \(error)")
        }
        return encoder.withBytes { Array($0.dropFirst(2)) }
    }

    /// What decodes can be encoded, decodes again, and then has the same bytes, which are handed back.
    @discardableResult
    static func check<Codec: WalCodec>(
        _ codec: Codec, _ bytes: [UInt8], limit: Int? = nil
    ) throws(FuzzFailure) -> [UInt8]? {
        guard let record = try decode(codec, bytes, limit: limit), let first = try encode(codec, record) else {
            return nil
        }
        guard let again = try decode(codec, first, limit: limit.map { $0 + 2048 * first.count }) else {
            throw FuzzFailure("what was encoded does not decode: \(first)")
        }
        guard let second = try encode(codec, again), second == first else {
            throw FuzzFailure("the record changes when it is encoded and decoded: \(first)")
        }
        return first
    }
}
