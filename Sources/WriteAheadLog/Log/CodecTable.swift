/// The codecs that may read a partition's segments: the one that writes it, and whatever else the configuration names.
struct CodecTable<Record: WalCodable>: Sendable {
    let writer: AnyWalCodec<Record>
    let others: [AnyWalCodec<Record>]

    /// The codec that reads the segments of that header.
    /// - Throws: ``WalError/Code/unknownCodec``.
    func reader(for header: SegmentHeader) throws(WalError) -> any WalCodec<Record> {
        for candidate in [writer] + others {
            if let reader = try candidate.base.reader(id: header.codecID, parameters: header.codecParameters) {
                return reader
            }
        }
        throw WalError(
            .unknownCodec,
            "the segment was written by the codec \(header.codecName) (id \(header.codecID)); name it in `readableCodecs` to read it",
            partition: header.partition, segment: LSN(header.firstLSN))
    }
}
