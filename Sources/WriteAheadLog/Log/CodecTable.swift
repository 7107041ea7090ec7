/// The codecs that may read a partition's segments: the one that writes it, and whatever else the configuration names.
struct CodecTable<Record: WalCodable>: Sendable {
    let writer: AnyWalCodec<Record>
    let others: [AnyWalCodec<Record>]

    /// The codec that reads the segments of that header.
    /// - Throws: ``WalError/Code/unknownCodec``.
    func reader(for header: SegmentHeader) throws(WalError) -> AnyWalCodec<Record> {
        if header.codecID == writer.id, header.codecParameters == writer.parameters { return writer }
        for candidate in [writer] + others {
            if let reader = try candidate.base.reader(id: header.codecID, parameters: header.codecParameters) {
                return Self.named(reader)
            }
        }
        throw WalError(
            .unknownCodec,
            "the segment was written by the codec \(header.codecName) (id \(header.codecID)); name it in `readableCodecs` to read it",
            partition: header.partition, segment: LSN(header.firstLSN))
    }

    /// Whether what `codec` writes can be read.
    func canRead(_ codec: AnyWalCodec<Record>) throws(WalError) -> Bool {
        for candidate in [writer] + others {
            if try candidate.base.reader(id: codec.id, parameters: codec.parameters) != nil { return true }
        }
        return false
    }

    /// What expands the coded batches of the segments of that header.
    func expansion(for header: SegmentHeader) throws(WalError) -> BatchExpansion {
        guard let codec = try reader(for: header).batches else {
            throw WalError(
                .corrupt, "a coded batch in a segment of the codec \(header.codecName), which codes none",
                partition: header.partition, segment: LSN(header.firstLSN))
        }
        return { (stored, records) throws(WalError) in try codec.decodeBatch(&stored, into: &records) }
    }

    private static func named(_ codec: some WalCodec<Record>) -> AnyWalCodec<Record> { AnyWalCodec(codec) }
}
