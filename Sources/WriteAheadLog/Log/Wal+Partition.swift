extension Wal {
    /// One stream of records, with its own LSNs and its own codec: the handle for everything.
    ///
    /// Any task or thread may use it; appends take a lock for some tens of nanoseconds.
    public final class Partition: Sendable {
        @usableFromInline let log: PartitionLog
        @usableFromInline let codec: AnyWalCodec<Record>
        let codecs: CodecTable<Record>
        @usableFromInline let maximumRecordSize: Int

        init(log: PartitionLog, codec: AnyWalCodec<Record>, codecs: CodecTable<Record>) {
            self.log = log
            self.codec = codec
            self.codecs = codecs
            maximumRecordSize = log.shared.settings.maximumRecordSize
        }

        public var id: PartitionID { log.id }

        // MARK: How far it got

        /// The last LSN, durable and appended, and why there will be no more if that is so.
        public var mark: Mark { log.mark() }
        /// The last LSN; ``LSN/none`` where nothing was ever appended.
        public var lastLSN: LSN { LSN(log.appended) }
        /// The oldest LSN that is kept; one past the last where there is none.
        public var firstRetainedLSN: LSN { LSN(log.firstRetained) }

        // MARK: Appending

        /// Appends a record. When this returns, it and every earlier one of the partition are in the operating system: they
        /// survive the end of the process, not a loss of power.
        ///
        /// It waits for the file system where a segment must be made or extended, and for a sync where
        /// ``Configuration/maximumUnsyncedBytes`` is reached; else it makes no system call.
        ///
        /// - Throws: `.encoding` and `.recordTooLarge`, which change nothing; `.noSpace`, which changes nothing;
        ///   `.poisoned`; `.closed`; `.readOnly`.
        @inlinable @discardableResult
        public func append(_ record: borrowing Record) throws(WalError) -> Receipt {
            var encoder = WalEncoder()
            try codec.encode(record, into: &encoder)
            return try log.appendRecord(encoder.bytes)
        }

        /// Appends bytes that are what the partition's codec would have written: for replication and other movers of records.
        @inlinable @discardableResult
        public func append(payload: RawSpan) throws(WalError) -> Receipt {
            try payload.withUnsafeBytes { (bytes) throws(WalError) in try log.appendRecord(bytes) }
        }

        /// Appends records that after a crash are all there or none: to readers and tails they appear at once.
        ///
        /// - Returns: the receipt of the last one. An empty batch appends nothing and returns where the partition ends.
        /// - Throws: as ``append(_:)``; `.recordTooLarge` also where the whole is over
        ///   ``Configuration/maximumRecordSize``. Nothing is appended then.
        @inlinable @discardableResult
        public func append(contentsOf records: some Sequence<Record>) throws(WalError) -> Receipt {
            var encoder = WalEncoder()
            let count = try encodeBatch(records, into: &encoder)
            if _slowPath(codec.batches != nil) {
                encoder = try coded(encoder)
                return try log.appendBatch(encoder.bytes, kind: FrameKind.codedBatch, records: count)
            }
            return try log.appendBatch(encoder.bytes, kind: FrameKind.batch, records: count)
        }

        /// Appends a record and waits as `durability` says. Callers who wait at the same time share one sync.
        ///
        /// The task's cancellation is not looked at: once begun, it returns when the record is durable or has failed.
        ///
        /// - Throws: as ``append(_:)``, and what the sync failed with.
        @discardableResult
        public func append(_ record: borrowing Record, durability: Durability) async throws(WalError) -> Receipt {
            var encoder = WalEncoder()
            try codec.encode(record, into: &encoder)
            if encoder.count > maximumRecordSize { throw log.tooLarge(encoder.count, "record") }
            return try await appendEncoded(encoder, kind: FrameKind.record, records: 1, durability: durability)
        }

        /// Appends a batch and waits as `durability` says; see ``append(contentsOf:)``.
        @discardableResult
        public func append(
            contentsOf records: some Sequence<Record>, durability: Durability
        ) async throws(WalError) -> Receipt {
            var encoder = WalEncoder()
            let count = try encodeBatch(records, into: &encoder)
            guard count > 0 else {
                if durability == .synced { try await sync() }
                return log.endReceipt()
            }
            if codec.batches != nil { encoder = try coded(encoder) }
            return try await appendEncoded(encoder, kind: batchKind, records: count, durability: durability)
        }

        /// Appends a record and blocks the thread until it is on stable storage. It syncs on this thread where nobody else is at
        /// it: a caller who is alone pays for no hand-over between threads, which may take as long as the disk.
        ///
        /// - Throws: as ``append(_:durability:)``.
        @available(*, noasync, message: "it blocks: await append(_:durability:) with .synced")
        @discardableResult
        public func appendAndWait(_ record: borrowing Record) throws(WalError) -> Receipt {
            var encoder = WalEncoder()
            try codec.encode(record, into: &encoder)
            if encoder.count > maximumRecordSize { throw log.tooLarge(encoder.count, "record") }
            return try log.appendAndWait(encoder.bytes, kind: FrameKind.record, records: 1).receipt
        }

        /// Appends a batch and blocks the thread until it is on stable storage; see ``append(contentsOf:)``.
        @available(*, noasync, message: "it blocks: await append(contentsOf:durability:) with .synced")
        @discardableResult
        public func appendAndWait(contentsOf records: some Sequence<Record>) throws(WalError) -> Receipt {
            var encoder = WalEncoder()
            let count = try encodeBatch(records, into: &encoder)
            guard count > 0 else {
                try log.syncAndWait()
                return log.endReceipt()
            }
            if codec.batches != nil { encoder = try coded(encoder) }
            return try log.appendAndWait(encoder.bytes, kind: batchKind, records: count).receipt
        }

        private func appendEncoded(
            _ encoder: consuming WalEncoder, kind: UInt8, records: UInt64, durability: Durability
        ) async throws(WalError) -> Receipt {
            guard durability.isSynced else {
                return try log.append(encoder.bytes, kind: kind, records: records).receipt
            }
            return try await log.appendSynced(encoder, kind: kind, records: records).receipt
        }

        @inlinable
        func encodeBatch(
            _ records: some Sequence<Record>, into encoder: inout WalEncoder
        ) throws(WalError) -> UInt64 {
            encoder.write(UInt32(0))
            let outcome = records.withContiguousStorageIfAvailable { (records) -> Result<Int, WalError> in
                do throws(WalError) {
                    try encode(records, into: &encoder)
                    return .success(records.count)
                } catch {
                    return .failure(error)
                }
            }
            var count = 0
            if let outcome {
                count = try outcome.get()
            } else {
                for record in records {
                    try withUnsafePointer(to: record) { (record) throws(WalError) in
                        try encode(UnsafeBufferPointer(start: record, count: 1), into: &encoder)
                    }
                    count += 1
                }
            }
            encoder.overwrite(UInt32(truncatingIfNeeded: count), at: 0)
            return UInt64(count)
        }

        private var batchKind: UInt8 { codec.batches == nil ? FrameKind.batch : FrameKind.codedBatch }

        /// What is stored for a batch: the count, and what the codec makes of the records behind it.
        @usableFromInline
        func coded(_ plain: borrowing WalEncoder) throws(WalError) -> WalEncoder {
            var encoder = WalEncoder(minimumCapacity: plain.count)
            guard let codec = codec.batches, plain.count > 4 else { return encoder }
            let bytes = plain.bytes
            encoder.write(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<4]))
            var records = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[4...]))
            try codec.encodeBatch(&records, into: &encoder)
            return encoder
        }

        /// Records of a batch, each with its length before it.
        @inlinable
        func encode(_ records: UnsafeBufferPointer<Record>, into encoder: inout WalEncoder) throws(WalError) {
            guard try codec.batchEncoding(records, maximumRecordSize, &encoder) else {
                throw log.tooLarge(encoder.count, "batch")
            }
        }

        // MARK: Durability

        /// Suspends until everything appended before the call is on stable storage.
        ///
        /// - Throws: what failed; the partition is poisoned then, for nobody can tell what reached the disk.
        public func sync() async throws(WalError) { try await log.sync() }

        /// The same for a thread that may block.
        public func syncAndWait() throws(WalError) { try log.syncAndWait() }

        // MARK: Retention

        /// Seals the segment that is written: the next record begins another. Nothing happens where it holds no record.
        ///
        /// For ``purge(before:)`` and ``recompress(with:before:blockSize:progress:)``, which take whole sealed segments. It syncs
        /// nothing by itself.
        public func rotate() async throws(WalError) {
            let log = log
            try await blocking(
                on: log.shared.storage, named: "wal-rotate", otherwise: { log.shared.queues.syncs.submit($0) }
            ) { () throws(WalError) in try log.rotateNow() }
        }

        /// The same for a thread that may block.
        @available(*, noasync, message: "it blocks: await rotate()")
        public func rotateAndWait() throws(WalError) { try log.rotateNow() }

        /// Removes whole sealed segments whose records are all below `lsn`: the newest too, after ``rotate()``. LSNs go on from where
        /// they were. A reader inside a removed segment can finish reading it.
        ///
        /// It writes and syncs before the first file goes and after the last, and blocks for that.
        ///
        /// - Returns: how many segments went.
        @discardableResult
        public func purge(before lsn: LSN) throws(WalError) -> Int { try log.purge(before: lsn.rawValue) }

        /// Writes whole sealed segments anew, records packed into blocks that the codec codes as a whole: what is rarely read takes
        /// less room. Never the newest segment. LSNs and positions stay, readers and tails go on, and records are not decoded, so
        /// that nothing is lost of what this build does not know. Segments of a codec that seals are left as they are.
        ///
        /// Crash-safe: the new file is synced before it takes the old one's name. It blocks, for seconds for each segment at a high
        /// level; `Configuration.recompression` has it done in the background. What is smaller already, and segments of this very
        /// codec, are left.
        ///
        /// - Parameters:
        ///   - codec: one that codes batches, as `.zstd` does, over the codec that wrote the segments: `.zstd(.json(), level: 19)`
        ///     where that was `.json()` or `.zstd(.json())`. The log must be able to read it: by its partition's codec, or by
        ///     ``Configuration/readableCodecs``.
        ///   - lsn: only segments whose records are all below it.
        ///   - blockSize: bytes of records before they are coded; 1 KiB … 64 MiB. A larger one shrinks more, and all of it is expanded
        ///     to read one record.
        ///   - progress: called after each segment, with how many are left.
        /// - Throws: `.invalidArgument`; `.noSpace`, which changes nothing; `.corrupt` for a damaged record, which stays as it is;
        ///   `.closed`, `.readOnly`, `.poisoned`.
        @discardableResult
        public func recompress(
            with codec: AnyWalCodec<Record>, before lsn: LSN = .max, blockSize: Int = defaultBlockSize,
            progress: (Recompression, _ segmentsLeft: Int) -> Void = { _, _ in }
        ) throws(WalError) -> Recompression {
            try log.recompress(target(codec, blockSize), before: lsn.rawValue, progress: progress)
        }

        /// 64 KiB: twice as much gains a few percent.
        public static var defaultBlockSize: Int { 64 << 10 }

        func target(_ codec: AnyWalCodec<Record>, _ blockSize: Int) throws(WalError) -> RecompressionTarget {
            func invalid(_ message: String) -> WalError { WalError(.invalidArgument, message, partition: id) }
            guard (1 << 10...64 << 20).contains(blockSize) else {
                throw invalid("a blockSize of \(blockSize) bytes, but it must be 1,024 … 67,108,864")
            }
            guard let batches = codec.batches else {
                throw invalid("the codec \(codec.name) codes no batches; recompress with one that does, such as .zstd")
            }
            guard try codecs.canRead(codec) else {
                throw invalid(
                    "the log could not read what \(codec.name) writes; open it with that codec in `readableCodecs`")
            }
            return RecompressionTarget(
                identity: SegmentIdentity(
                    codecID: codec.id, codecName: codec.name, codecParameters: codec.parameters,
                    typeName: Record.walTypeName),
                repacking: { [codecs] (header) throws(WalError) in
                    // What is sealed stays so.
                    if try codecs.knownReader(for: header)?.sealing != nil { return nil }
                    return try batches.repacking(id: header.codecID, parameters: header.codecParameters)
                },
                encodeBatch: { (records, encoder) throws(WalError) in try batches.encodeBatch(&records, into: &encoder)
                },
                blockSize: blockSize)
        }
    }
}

extension PartitionLog {
    func appendSynced(
        _ encoder: consuming WalEncoder, kind: UInt8, records: UInt64
    ) async throws(WalError) -> Appended {
        let ticket = SyncTicket()
        await ticket.wait {
            switch appendSynced(encoder.bytes, kind: kind, records: records, mayBlock: false, for: ticket) {
            case .waiting: break
            case .failed(let error): ticket.finish(error)
            case .wouldBlock:
                let copy = Array(encoder.bytes)
                shared.queues.syncs.submit { [self] in
                    let outcome = copy.withUnsafeBytes {
                        appendSynced($0, kind: kind, records: records, mayBlock: true, for: ticket)
                    }
                    switch outcome {
                    case .waiting: break
                    case .failed(let error): ticket.finish(error)
                    case .wouldBlock: preconditionFailure("an append that may block said that it would")
                    }
                }
            }
        }
        return try ticket.end()
    }
}
