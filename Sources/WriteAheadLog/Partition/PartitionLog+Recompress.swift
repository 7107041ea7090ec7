/// What ``Wal/Partition/recompress(with:before:blockSize:progress:)`` did.
public struct Recompression: Sendable, Equatable {
    /// Segments that were replaced by smaller ones.
    public var segments = 0
    /// Segments that would not have become smaller, and stayed.
    public var kept = 0
    /// What the replaced segments took before and take now, in bytes.
    public var bytesBefore: UInt64 = 0
    public var bytesAfter: UInt64 = 0
}

/// How the segments that are written anew are coded.
struct RecompressionTarget: Sendable {
    let identity: SegmentIdentity
    /// For the segments of a header; nil where its records can't be taken over without decoding them.
    let repacking: @Sendable (SegmentHeader) throws(WalError) -> WalRepacking?
    let encodeBatch: WalRepacking
    /// A block is coded once its records take so many bytes.
    let blockSize: Int
}

extension PartitionLog {
    /// Writes sealed segments anew, their records in blocks that are coded as a whole. Blocks, for seconds with a high level.
    ///
    /// The new file is written beside the old one, synced, and takes its name: at each moment one of both is there and whole. Who
    /// reads the old one goes on with it. One at a time in a partition.
    func recompress(
        _ target: RecompressionTarget, before lsn: UInt64, progress: (Recompression, _ segmentsLeft: Int) -> Void
    ) throws(WalError) -> Recompression {
        try shared.checkProcess(id)
        var done = Recompression()
        try withLock { () throws(WalError) in
            try checkWritable()
            guard !activities.contains(.recompression) else {
                throw WalError(.invalidArgument, "the partition is being recompressed already", partition: id)
            }
            activities.begin(.recompression)
        }
        defer { end(.recompression) }
        let candidates = withLock { () -> [Segment] in
            segments.dropLast().filter { segment in
                segment.isSealed && segment.lastLSN < lsn && segment.lastLSN <= hot.pointee.durableWord
                    && segment.lastLSN >= segment.firstLSN && !segment.isIncompressible
                    && !unsynced.contains { $0 === segment }
                    && !(segment.header.codecID == target.identity.codecID
                        && segment.header.codecParameters == target.identity.codecParameters)
            }
        }
        for (place, segment) in candidates.enumerated() {
            do throws(WalError) {
                guard let repacking = try target.repacking(segment.header) else { continue }
                if let size = try replace(segment, target, repacking) {
                    done.segments += 1
                    done.bytesBefore += segment.fileSize
                    done.bytesAfter += size
                } else {
                    done.kept += 1
                }
            } catch {
                // What can't be read stays as it is, and keeps nobody from the rest.
                guard error.isAboutCodec else { throw error }
                done.kept += 1
            }
            progress(done, candidates.count - place - 1)
        }
        return done
    }

    /// On a worker, after segments became sealed and durable.
    func recompressInBackground() {
        guard let target = backgroundTarget,
            withLock({ !activities.contains(.recompression) && !isClosing && failure == nil })
        else { return }
        do throws(WalError) {
            let done = try recompress(target, before: LSN.max.rawValue) { _, _ in }
            if done.segments > 0 { withLock { report(.recompressed(id, done)) } }
        } catch {
            if error.code != .closed { withLock { report(.recompressionFailed(id, error)) } }
        }
    }

    /// The new file's size; nil where it would be no smaller.
    private func replace(
        _ old: Segment, _ target: RecompressionTarget, _ repacking: WalRepacking
    ) throws(WalError) -> UInt64? {
        let directory = try workingDirectory()
        let name = try preparedName("recompressed", in: directory)
        let file = try directory.openFile(name, .createNew)
        var isInPlace = false
        defer {
            file.close()
            if !isInPlace { removeUnused(name, in: directory) }
        }
        var header = old.header
        header.salt = shared.storage.random()
        header.codecID = target.identity.codecID
        header.codecName = target.identity.codecName
        header.codecParameters = target.identity.codecParameters
        do throws(WalError) {
            guard let written = try write(old, target, repacking, header, to: file) else {
                withLock { old.isIncompressible = true }
                return nil
            }
            if !disabled.contains(.syncBeforeRename) { try file.sync() }
            // Its lock keeps purge, close and readers that wonder about the file waiting until the log knows the new one.
            isInPlace = try state.withLock { (_) throws(WalError) -> Bool in
                let isThere = withLock { () -> Bool in
                    guard case .open = phase, !isClosing else { return false }
                    return segments.contains { $0 === old }
                }
                guard isThere else { return false }
                try directory.rename(name, to: old.name)
                let new = Segment(header: header, capacity: Int(clamping: written.size))
                new.fileSize = written.size
                new.syncedEnd = written.size
                new.setSealed(end: written.dataEnd, lastLSN: old.lastLSN)
                withLock {
                    if let place = segments.firstIndex(where: { $0 === old }) { segments[place] = new }
                }
                return true
            }
            guard isInPlace else {
                // Purged meanwhile, or the log is being closed.
                try withLock { () throws(WalError) in try checkWritable() }
                return nil
            }
            do throws(WalError) { try directory.sync() } catch { throw withLock { poison(error) } }
            return written.size
        } catch {
            throw error.at(partition: id, segment: LSN(old.firstLSN)).retryable
        }
    }

    /// A poisoned partition changes nothing; closing it does.
    private func removeUnused(_ name: String, in directory: any WalDirectory) {
        guard withLock({ failure == nil }) else {
            withLock { leftovers.append(name) }
            return
        }
        do throws(WalError) { try directory.remove(name) } catch { withLock { leftovers.append(name) } }
    }

    /// Header, mark, frames and footer; nil where they take no less than the old file.
    private func write(
        _ old: Segment, _ target: RecompressionTarget, _ repacking: WalRepacking, _ header: SegmentHeader,
        to file: any WalFile
    ) throws(WalError) -> (size: UInt64, dataEnd: UInt64)? {
        var cursor = try RecordCursor(partition: self, start: .lsn(LSN(old.firstLSN)), visibility: .durable)
        var block = RecompressedBlock(firstLSN: old.firstLSN)
        var buffer = WalEncoder()
        var written = FileFormat.dataStart
        var index: [IndexEntry] = []
        var indexed = written
        var lsn = old.firstLSN

        func flush() throws(WalError) {
            try file.write(buffer.bytes, at: written)
            written += UInt64(buffer.count)
            buffer.reset()
        }
        func close(_ block: inout RecompressedBlock) throws(WalError) {
            let start = written + UInt64(buffer.count)
            if start - indexed >= FileFormat.indexInterval {
                index.append(IndexEntry(lsn: block.firstLSN, offset: start, time: header.created))
                indexed = start
            }
            try block.append(to: &buffer, salt: header.salt, target.encodeBatch)
            block.begin(firstLSN: lsn)
            if buffer.count >= 1 << 20 { try flush() }
        }

        while lsn <= old.lastLSN {
            do throws(WalError) {
                guard try cursor.advance(), cursor.lsn == lsn else {
                    throw WalError(.missing, "the segment was purged while it was recompressed", lsn: LSN(lsn))
                }
            } catch {
                if error.code == .lost { return nil }
                throw error
            }
            // What is more than records would be lost.
            if cursor.hasPassedMore { return nil }
            var stored = WalDecoder(unsafeBytes: cursor.payload)
            try block.add(&stored, repacking)
            lsn += 1
            if block.count >= target.blockSize {
                try close(&block)
                // Nobody waits for the end of a log's closing because of this.
                try withLock { () throws(WalError) in try checkWritable() }
            }
        }
        if block.records > 0 { try close(&block) }
        let dataEnd = written + UInt64(buffer.count)
        let footer = SegmentFooter(
            recordCount: old.lastLSN - old.firstLSN + 1, lastLSN: old.lastLSN, dataEnd: dataEnd,
            sealed: shared.storage.wallClockNow(), index: index)
        footer.encoded(salt: header.salt).withUnsafeBytes { buffer.write(bytes: $0) }
        try flush()
        guard written < old.fileSize else { return nil }
        // What is durable here was so before: its loss must show, as that of the old file would have.
        var mark = SegmentMark(
            salt: header.salt, history: header.history, durable: old.lastLSN, endOffset: dataEnd, sequence: 0)
        mark.partition = id
        mark.firstLSN = old.firstLSN
        mark.logID = header.logID
        var front = header.encoded()
        front += [UInt8](repeating: 0, count: Int(FileFormat.dataStart) - front.count)
        for (place, byte) in mark.encoded().enumerated() { front[Int(mark.place) + place] = byte }
        try file.write(front, at: 0)
        return (written, dataEnd)
    }
}

/// Records on their way into one frame.
private struct RecompressedBlock: ~Copyable {
    private var plain = WalEncoder()
    private(set) var records: UInt32 = 0
    private(set) var firstLSN: UInt64

    init(firstLSN: UInt64) { self.firstLSN = firstLSN }

    var count: Int { plain.count }

    mutating func begin(firstLSN: UInt64) {
        plain.reset()
        records = 0
        self.firstLSN = firstLSN
    }

    mutating func add(_ stored: inout WalDecoder, _ repacking: WalRepacking) throws(WalError) {
        let start = plain.count
        plain.write(UInt32(0))
        try repacking(&stored, &plain)
        plain.overwrite(UInt32(truncatingIfNeeded: plain.count - start - 4), at: start)
        records += 1
    }

    /// Appends the frame, whole and padded.
    func append(to buffer: inout WalEncoder, salt: UInt64, _ encodeBatch: WalRepacking) throws(WalError) {
        var payload = WalEncoder(minimumCapacity: plain.count)
        payload.write(records)
        var all = WalDecoder(unsafeBytes: plain.bytes)
        try encodeBatch(&all, &payload)
        let total = FileFormat.padded(FileFormat.frameHeaderSize + payload.count)
        guard total <= FileFormat.largestFrame else {
            throw WalError(.recordTooLarge, "a block of \(total) bytes", lsn: LSN(firstLSN))
        }
        buffer.write(upTo: total) { room in
            if let frame = room.baseAddress {
                Frame.store(
                    payload.bytes, sum: payloadChecksum(payload.bytes), total: total,
                    word: firstLSN | UInt64(FrameKind.codedBatch) << 56, salt: salt, at: frame)
            }
            return total
        }
    }
}
