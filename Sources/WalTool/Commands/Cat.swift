internal import WalJSON
package import WriteAheadLog

/// `walctl cat`: prints records, one JSON value a line.
package struct Cat: Sendable {
    package var directory: String
    /// Nil for all, one after the other.
    package var partition: PartitionID?
    package var from: LSN?
    /// At most so many records in all.
    package var limit: Int?

    package init(directory: String) { self.directory = directory }

    package func run(to streams: Streams) async -> ToolStatus {
        await streams.run { try await perform(streams) }
    }

    private func perform(_ streams: Streams) async throws -> ToolStatus {
        // For its error: a directory without a log could be opened too, and would look like an empty one.
        _ = try LogFiles(at: directory)
        let codecs = try CodecChoice.available(in: directory)
        let wal = try await Wal<Payload>.openReadOnly(
            at: directory,
            configuration: .init(
                codec: .bytes(), readableCodecs: [AnyWalCodec(BatchUnpacker(among: codecs))], onDamage: .quarantine))
        var left = limit ?? Int.max
        var status = ToolStatus.success
        for id in try partitions(of: wal) where left > 0 {
            do {
                try print(wal.partition(id), codecs, &left, &status, streams)
            } catch {
                let error = ToolError(any: error)
                guard error.status == .damaged else { throw error }
                // The other partitions may be whole.
                try streams.output.flush()
                if let message = error.message { streams.say(message) }
                status = .damaged
            }
        }
        try await wal.close()
        return status
    }

    private func partitions(of wal: Wal<Payload>) throws(ToolError) -> [PartitionID] {
        let known = wal.partitionIDs
        if let partition {
            guard known.contains(partition) else {
                throw ToolError(.unusable, "there is no partition \(partition) in \(directory); see `walctl info`")
            }
            return [partition]
        }
        if from != nil, known.count > 1 {
            throw ToolError(
                .usage, "each partition has LSNs of its own: --from needs --partition, for there are \(known.count)")
        }
        return known
    }

    private func print(
        _ partition: Wal<Payload>.Partition, _ codecs: [AnyWalCodec<JSONValue>], _ left: inout Int,
        _ status: inout ToolStatus, _ streams: Streams
    ) throws {
        var cursor = try partition.entries(from: from.map { .lsn($0) } ?? .first).makeCursor()
        var text = WalEncoder()
        var codec: (any WalCodec<JSONValue>)?
        var header: SegmentHeader?
        func next() throws -> (lsn: LSN, bytes: UnsafeRawBufferPointer)? {
            while true {
                do throws(WalError) {
                    return try cursor.nextBytes()
                } catch {
                    if error.code == .lost, let first = error.lsn {
                        // The records after a range that salvage could not save are as good as any.
                        status = .damaged
                        try streams.output.flush()
                        streams.say(
                            "LSN \(first) … \(cursor.position.lsn.rawValue - 1) of partition \(partition.id) were lost before salvage wrote this log"
                        )
                        continue
                    }
                    guard error.code == .unknownCodec, let keyID = cursor.segmentHeader.flatMap(sealingKeyID) else {
                        throw error
                    }
                    throw WalError(
                        .unknownKey,
                        "the records are sealed with the key \"\(keyID)\", and walctl takes no keys; read them with an app that opens the log with `.sealed(…)`",
                        partition: partition.id, segment: error.segment)
                }
            }
        }
        while left > 0, let (lsn, bytes) = try next() {
            left -= 1
            if let now = cursor.segmentHeader, now.firstLSN != header?.firstLSN {
                header = now
                codec = CodecChoice.reader(for: now, among: codecs)
            }
            text.reset()
            do throws(WalError) {
                if let codec {
                    var decoder = WalDecoder(unsafeBytes: bytes)
                    let value = try codec.decode(&decoder)
                    try decoder.expectEnd()
                    try value.write(into: &text)
                } else {
                    try foreign(partition.id, lsn, bytes, header).write(into: &text)
                }
            } catch {
                // Its checksum is right, so that whoever wrote it did it wrong. Nothing is hidden, and the rest may do.
                status = .damaged
                text.reset()
                try foreign(partition.id, lsn, bytes, header).write(into: &text)
                try streams.output.flush()
                streams.say(error.at(partition: partition.id, lsn: lsn).line)
            }
            text.write(UInt8(ascii: "\n"))
            try text.withBytes { (bytes) throws(ToolError) in try streams.output.write(bytes) }
            if lsn.rawValue & 0xFF == 0 { streams.meter.update("partition \(partition.id), LSN \(lsn)") }
        }
        if left > 0, let failure = partition.mark.failure { throw failure }
    }

    /// The id of the key that seals a segment, as codec 4 has it in its parameters; nil where that is not its codec.
    private func sealingKeyID(_ header: SegmentHeader) -> String? {
        let parameters = header.codecParameters
        guard header.codecID == 4, parameters.count > 2, parameters[0] == 1, parameters.count >= 2 + Int(parameters[1])
        else { return nil }
        return String(decoding: parameters[2..<(2 + Int(parameters[1]))], as: UTF8.self)
    }

    /// A record that nobody here can decode.
    private func foreign(
        _ partition: PartitionID, _ lsn: LSN, _ bytes: UnsafeRawBufferPointer, _ header: SegmentHeader?
    ) -> JSONValue {
        let digits = Array("0123456789abcdef".utf8)
        let hex = String(unsafeUninitializedCapacity: 2 * bytes.count) { buffer in
            for (k, byte) in bytes.enumerated() {
                buffer.initializeElement(at: 2 * k, to: digits[Int(byte >> 4)])
                buffer.initializeElement(at: 2 * k + 1, to: digits[Int(byte & 15)])
            }
            return 2 * bytes.count
        }
        return [
            "partition": JSONValue(partition), "lsn": JSONValue(lsn), "codec": JSONValue(header?.codecName),
            "type": JSONValue(header?.typeName), "length": JSONValue(bytes.count), "hex": .string(hex),
        ]
    }
}
