/// The codecs that may read a partition's segments: the one that writes it, and whatever else the configuration names.
struct CodecTable<Record: WalCodable>: Sendable {
    let writer: AnyWalCodec<Record>
    let others: [AnyWalCodec<Record>]

    /// The codec that reads the segments of that header.
    /// - Throws: ``WalError/Code/unknownCodec``.
    func reader(for header: SegmentHeader) throws(WalError) -> AnyWalCodec<Record> {
        if let found = try knownReader(for: header) { return found }
        throw WalError(
            .unknownCodec,
            "the segment was written by the codec \(header.codecName) (id \(header.codecID)); name it in `readableCodecs` to read it",
            partition: header.partition, segment: LSN(header.firstLSN))
    }

    /// The same; nil where no codec is the segment's.
    /// - Throws: what a codec says whose segment it is, and who still can't read it.
    func knownReader(for header: SegmentHeader) throws(WalError) -> AnyWalCodec<Record>? {
        if header.codecID == writer.id, header.codecParameters == writer.parameters { return writer }
        var refusal: WalError?
        for candidate in [writer] + others {
            do throws(WalError) {
                if let reader = try candidate.base.reader(id: header.codecID, parameters: header.codecParameters) {
                    return Self.named(reader)
                }
            } catch {
                // Another may have what this one misses: a key, a dictionary.
                refusal = refusal ?? error.at(partition: header.partition, segment: LSN(header.firstLSN))
            }
        }
        if let refusal { throw refusal }
        return nil
    }

    /// What opens the sealed frames of the segment of that header; nil where its frames are not sealed, or no codec is its.
    /// - Parameter front: gives the file's first bytes, which may hold more than is known of them here.
    func opener(
        for header: SegmentHeader, _ front: () throws(WalError) -> [UInt8]
    ) throws(WalError) -> (any WalFrameOpener)? {
        guard let codec = try knownReader(for: header)?.sealing else { return nil }
        return try codec.makeOpener(parameters: header.codecParameters, header: try front())
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
        guard let reader = try knownReader(for: header) else { throw PartitionLog.needsCodec(header) }
        guard let codec = reader.plain.batches else {
            throw WalError(
                .corrupt, "a coded batch in a segment of the codec \(header.codecName), which codes none",
                partition: header.partition, segment: LSN(header.firstLSN))
        }
        return { (stored, records) throws(WalError) in try codec.decodeBatch(&stored, into: &records) }
    }

    private static func named(_ codec: some WalCodec<Record>) -> AnyWalCodec<Record> { AnyWalCodec(codec) }
}
