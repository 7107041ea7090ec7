internal import WalJSON
package import WriteAheadLog

/// `walctl append`: each line of the input is a JSON value and becomes a record.
package struct Append: Sendable {
    package enum Sync: String, CaseIterable, Sendable {
        /// No sync while it runs. Closing the log still makes everything durable.
        case none
        /// Every record, or batch, is durable before the next is read.
        case each
        /// Once, behind the last record.
        case end
    }

    package var directory: String
    package var partition: PartitionID = 0
    package var codec = CodecChoice.binary
    package var sync = Sync.end
    /// So many records are appended together, all or none.
    package var batch = 1
    /// In bytes; nil for the library's default.
    package var segmentSize: Int?
    /// Prints each LSN once it is durable.
    package var acknowledges = false
    package var json = false

    package init(directory: String) { self.directory = directory }

    /// Longer lines, and batches whose lines are longer together, are refused.
    package static let lineLimit = 64 << 20

    package func run(input: LineReader, to streams: Streams) async -> ToolStatus {
        await streams.run { try await perform(input, streams) }
    }

    private struct Summary {
        var records: UInt64 = 0
        var first: LSN?
        var last: LSN?
        var bytesIn = 0
        var bytesOnDisk: Int64?
        var time = Duration.zero
    }

    private func perform(_ input: LineReader, _ streams: Streams) async throws -> ToolStatus {
        var configuration = Wal<JSONValue>.Configuration(
            codec: try codec.codec(in: directory), readableCodecs: try CodecChoice.available(in: directory))
        if let segmentSize { configuration.segmentSize = segmentSize }
        configuration.maximumRecordSize = Self.lineLimit
        let clock = ContinuousClock()
        let start = clock.now
        let wal = try await Wal<JSONValue>.open(at: directory, configuration: configuration)
        let handle = try wal.partition(partition)
        // From here on whatever fails, what was appended before is made durable and reported.
        var summary = Summary()
        var failure: ToolError?
        let before = try? LogFiles(at: directory).segmentBytes(of: partition)
        do {
            try await feed(input, handle, &summary, streams)
        } catch {
            failure = ToolError(any: error)
        }
        if sync != .none || failure != nil {
            do { try await handle.sync() } catch { failure = failure ?? ToolError(error) }
        }
        summary.time = clock.now - start
        do { try await wal.close() } catch { failure = failure ?? ToolError(error) }
        if let before, let after = try? LogFiles(at: directory).segmentBytes(of: partition) {
            summary.bytesOnDisk = Int64(after) - Int64(before)
        }
        streams.meter.clear()
        if failure?.status != .brokenPipe {
            let text = json ? report(summary).description : describe(summary)
            // Standard output is for the acknowledgements alone.
            let place = acknowledges ? streams.errors : streams.output
            try place.write(line: text)
            try place.flush()
        }
        if let failure { throw failure }
        return .success
    }

    // MARK: Records

    private func feed(
        _ input: LineReader, _ handle: Wal<JSONValue>.Partition, _ summary: inout Summary, _ streams: Streams
    ) async throws {
        var group: [JSONValue] = []
        var groupBytes = 0
        var firstLine = 0
        while true {
            let line: UnsafeRawBufferPointer?
            var value: JSONValue?
            do throws(ToolError) {
                line = try input.next()
                if let line { value = try input.value(of: line) }
            } catch {
                // What stands before the bad line is kept.
                try await append(group, groupBytes, firstLine, handle, &summary, streams)
                throw error
            }
            guard let line else { break }
            guard let value else { continue }
            if group.isEmpty { firstLine = input.number }
            if !group.isEmpty, groupBytes + line.count > Self.lineLimit {
                throw ToolError(
                    .badInput,
                    "the batch of the lines from \(firstLine) on is over \(Self.lineLimit) bytes; make --batch smaller")
            }
            group.append(value)
            groupBytes += line.count
            guard group.count >= batch else { continue }
            try await append(group, groupBytes, firstLine, handle, &summary, streams)
            group.removeAll(keepingCapacity: true)
            groupBytes = 0
            streams.meter.update("\(summary.records) records, \(summary.bytesIn >> 20) MiB in")
        }
        try await append(group, groupBytes, firstLine, handle, &summary, streams)
    }

    private func append(
        _ group: [JSONValue], _ bytes: Int, _ firstLine: Int, _ handle: Wal<JSONValue>.Partition,
        _ summary: inout Summary, _ streams: Streams
    ) async throws {
        guard let only = group.first else { return }
        let receipt: Receipt
        do throws(WalError) {
            let durability: Durability = sync == .each ? .synced : .handedToOS
            // A batch has a frame of its own kind, also where it ends up with one record.
            receipt =
                batch == 1
                ? try await handle.append(only, durability: durability)
                : try await handle.append(contentsOf: group, durability: durability)
        } catch {
            guard error.code == .recordTooLarge || error.code == .encoding else { throw error }
            throw ToolError(
                .badInput, "\(group.count == 1 ? "line" : "the batch from line") \(firstLine): \(error.message)")
        }
        let count = UInt64(group.count)
        let first = LSN(receipt.lsn.rawValue + 1 - count)
        if summary.first == nil { summary.first = first }
        summary.last = receipt.lsn
        summary.records += count
        summary.bytesIn += bytes
        guard acknowledges else { return }
        var text = ""
        for lsn in first.rawValue...receipt.lsn.rawValue { text += "\(lsn)\n" }
        try streams.output.writeAtOnce(text)
    }

    // MARK: The end

    private func describe(_ summary: Summary) -> String {
        var text = "partition \(partition): \(counted(summary.records, "record"))"
        if let first = summary.first, let last = summary.last { text += ", LSN \(first) … \(last)" }
        text += ", \(summary.bytesIn) bytes in"
        if let bytes = summary.bytesOnDisk { text += ", \(bytes) bytes on disk" }
        return text + ", \(codec.rawValue), \(summary.time.secondsText)"
    }

    private func report(_ summary: Summary) -> JSONValue {
        [
            "partition": JSONValue(partition), "codec": .string(codec.rawValue), "records": JSONValue(summary.records),
            "firstLSN": JSONValue(summary.first), "lastLSN": JSONValue(summary.last),
            "bytesIn": JSONValue(summary.bytesIn),
            "bytesOnDisk": summary.bytesOnDisk.map { JSONValue($0) } ?? .null, "seconds": JSONValue(summary.time),
        ]
    }
}
