internal import CWalShims

extension PartitionLog {
    /// What an append gave out.
    struct Appended {
        var lsn: UInt64
        var history: UInt64
        var segment: UInt64
        var end: UInt64

        var receipt: Receipt {
            Receipt(
                lsn: LSN(lsn),
                position: Position(history: history, lsn: LSN(lsn + 1), segment: LSN(segment), offset: end))
        }
    }

    /// One record's bytes, from code that was compiled into the app: not generic, so that nothing is looked up here.
    @usableFromInline
    func appendRecord(_ bytes: UnsafeRawBufferPointer) throws(WalError) -> Receipt {
        if _slowPath(bytes.count > maximumRecordSize) { throw tooLarge(bytes.count, "record") }
        return try append(bytes, kind: FrameKind.record, records: 1).receipt
    }

    /// The records of an encoded batch; an empty one appends nothing.
    @usableFromInline
    func appendBatch(_ bytes: UnsafeRawBufferPointer, kind: UInt8, records: UInt64) throws(WalError) -> Receipt {
        guard records > 0 else { return endReceipt() }
        return try append(bytes, kind: kind, records: records).receipt
    }

    /// Where the partition ends.
    func endReceipt() -> Receipt {
        withLock {
            Appended(
                lsn: hot.pointee.nextLSN - 1, history: hot.pointee.history, segment: hot.pointee.segmentFirstLSN,
                end: hot.pointee.end
            ).receipt
        }
    }

    @usableFromInline
    func tooLarge(_ size: Int, _ what: String) -> WalError {
        WalError(
            .recordTooLarge,
            "the \(what) takes \(size) bytes or more, over the limit of \(maximumRecordSize); split it, or raise `maximumRecordSize`",
            partition: id)
    }

    /// Stores a frame and publishes it: when this returns, it and every earlier one of the partition are in the OS.
    @inline(__always)
    func append(_ payload: UnsafeRawBufferPointer, kind: UInt8, records: UInt64) throws(WalError) -> Appended {
        let total = FileFormat.padded(FileFormat.frameHeaderSize &+ payload.count)
        let sum = payloadChecksum(payload)
        lock()
        if _slowPath(total >= Self.leastWritten || hot.pointee.end &+ UInt64(total) > hot.pointee.limit) {
            do throws(WalError) {
                if sealing != nil {
                    let appended = try appendSealed(payload, kind, records)
                    letGo()
                    notifyProgress()
                    return appended
                }
                if hot.pointee.end &+ UInt64(total) > hot.pointee.limit {
                    _ = try makeRoom(total, mayBlock: true, staging: false)
                }
                if total >= Self.leastWritten || active?.mapping == nil {
                    let appended = try appendWritten(payload, sum, total, kind, records)
                    letGo()
                    notifyProgress()
                    return appended
                }
            } catch {
                letGo()
                throw error
            }
        }
        let offset = hot.pointee.end
        let lsn = hot.pointee.nextLSN
        Frame.store(
            payload, sum: sum, total: total, word: lsn | UInt64(kind) << 56, salt: hot.pointee.salt,
            at: hot.pointee.target + Int(offset))
        let end = offset &+ UInt64(total)
        // The lines of a record some records ahead: the lock's instructions wait for every store before them to get its line.
        let ahead = hot.pointee.target + Int(end) + Self.prefetchDistance
        wal_prefetch_write(ahead)
        wal_prefetch_write(ahead + 64)
        let last = lsn &+ records &- 1
        hot.pointee.end = end
        hot.pointee.nextLSN = lsn &+ records
        hot.pointee.recordsInSegment &+= records
        wal_store_release(hot.pointee.published, end)
        wal_store_release(appendedWord, last)
        let result = Appended(lsn: last, history: hot.pointee.history, segment: hot.pointee.segmentFirstLSN, end: end)
        let attention = hot.pointee.attention
        unlock()
        if _slowPath(attention) { notifyProgress() }
        return result
    }

    /// Frames of so many bytes are written, not stored: a write makes pages cheaper than faults do, and from here on that is more
    /// than the system call costs.
    static var leastWritten: Int { 32 << 10 }

    /// In bytes; some hundred nanoseconds' worth of small records.
    private static var prefetchDistance: Int { 1024 }

    /// The way without a mapping, and for large frames, under the lock: one write, and a full disk takes nothing that was accepted.
    @inline(never)
    private func appendWritten(
        _ payload: UnsafeRawBufferPointer, _ sum: UInt32, _ total: Int, _ kind: UInt8, _ records: UInt64
    ) throws(WalError) -> Appended {
        guard let segment = active, let file = segment.file else {
            throw WalError(.closed, "the partition has no active segment", partition: id)
        }
        let offset = hot.pointee.end
        let lsn = hot.pointee.nextLSN
        let last = lsn + records - 1
        let header = Frame.header(
            payloadCount: payload.count, sum: sum, word: lsn | UInt64(kind) << 56, salt: segment.header.salt)
        do throws(WalError) {
            try file.write(
                header: header, payload, zeros: total - FileFormat.frameHeaderSize - payload.count, at: offset)
        } catch {
            guard error.isRefusedWrite else { throw poison(error) }
            try cutOff(segment, file, from: offset, to: offset + UInt64(total), error)
            throw error.retryable.at(partition: id, segment: LSN(segment.firstLSN), lsn: LSN(lsn))
        }
        hot.pointee.end = offset + UInt64(total)
        hot.pointee.nextLSN = last + 1
        hot.pointee.recordsInSegment += records
        segment.publish(hot.pointee.end)
        wal_store_release(appendedWord, last)
        return Appended(lsn: last, history: hot.pointee.history, segment: segment.firstLSN, end: hot.pointee.end)
    }

    /// Under the lock: a write behind the end of an active segment was refused for lack of space. What it left there must never be
    /// taken for a frame, not even after a loss of power.
    private func cutOff(
        _ segment: Segment, _ file: any WalFile, from offset: UInt64, to end: UInt64, _ refusal: WalError
    ) throws(WalError) {
        guard !refusal.isCleanRefusal else { return }
        do throws(WalError) {
            if segment.mapping == nil {
                try file.truncate(to: offset)
            } else {
                try file.fill(from: offset, to: end)
            }
            try file.sync()
        } catch {
            throw poison(refusal)
        }
    }

    /// Under the lock: the way of a frame that is sealed, which happens in the segment where it will stand.
    @inline(never)
    private func appendSealed(
        _ payload: UnsafeRawBufferPointer, _ kind: UInt8, _ records: UInt64
    ) throws(WalError) -> Appended {
        let total = FileFormat.padded(FileFormat.frameHeaderSize + payload.count + (sealing?.overhead ?? 0))
        _ = try makeRoom(total, mayBlock: true, staging: false)
        let stored = try sealed(payload, kind, records)
        let sum = payloadChecksum(stored)
        if total >= Self.leastWritten || active?.mapping == nil {
            return try appendWritten(stored, sum, total, FrameKind.sealed(kind), records)
        }
        let lsn = hot.pointee.nextLSN
        Frame.store(
            stored, sum: sum, total: total, word: lsn | UInt64(FrameKind.sealed(kind)) << 56, salt: hot.pointee.salt,
            at: hot.pointee.target + Int(hot.pointee.end))
        let last = lsn + records - 1
        hot.pointee.end += UInt64(total)
        hot.pointee.nextLSN = last + 1
        hot.pointee.recordsInSegment += records
        wal_store_release(hot.pointee.published, hot.pointee.end)
        wal_store_release(appendedWord, last)
        return Appended(
            lsn: last, history: hot.pointee.history, segment: hot.pointee.segmentFirstLSN, end: hot.pointee.end)
    }

    /// Under the lock, once it is sure in which segment the frame will stand: what is stored for it. Valid until the next call.
    private func sealed(
        _ payload: UnsafeRawBufferPointer, _ kind: UInt8, _ records: UInt64
    ) throws(WalError) -> UnsafeRawBufferPointer {
        guard let sealing else { return payload }
        do throws(WalError) {
            return try sealing.seal(payload, kind: kind, lsn: hot.pointee.nextLSN, records: records)
        } catch {
            throw error.at(partition: id, segment: LSN(hot.pointee.segmentFirstLSN), lsn: LSN(hot.pointee.nextLSN))
        }
    }

    enum StagedAppend {
        /// Whoever waits is told.
        case waiting
        /// It would have to wait for the file system: to be done on a thread that may.
        case wouldBlock
        case failed(WalError)
    }

    /// Takes a frame of a task that waits for its sync, and has a worker come. What was appended is set before the task can be
    /// resumed.
    func appendSynced(
        _ payload: UnsafeRawBufferPointer, kind: UInt8, records: UInt64, mayBlock: Bool, for ticket: SyncTicket
    ) -> StagedAppend {
        let sum = sealing == nil ? payloadChecksum(payload) : 0
        lock()
        let publishedBefore = hot.pointee.appendedWord
        do throws(WalError) {
            guard let appended = try stageFrame(payload, sum, kind: kind, records: records, mayBlock: mayBlock) else {
                letGo()
                return .wouldBlock
            }
            ticket.set(appended)
            syncs.add(.init(lsn: appended.lsn, purpose: .frame, ticket: .task(ticket)))
        } catch {
            letGo()
            return .failed(error)
        }
        let submit = syncs.askForWorker()
        let notify = hot.pointee.appendedWord != publishedBefore
        letGo()
        if submit { submitSync() }
        if notify { notifyProgress() }
        return .waiting
    }

    /// The same for a thread that may block; it syncs itself where nobody else does.
    func appendAndWait(_ payload: UnsafeRawBufferPointer, kind: UInt8, records: UInt64) throws(WalError) -> Appended {
        let sum = sealing == nil ? payloadChecksum(payload) : 0
        lock()
        let appended: Appended
        do throws(WalError) {
            guard let staged = try stageFrame(payload, sum, kind: kind, records: records, mayBlock: true) else {
                preconditionFailure("an append that may block said that it would")
            }
            appended = staged
        } catch {
            letGo()
            throw error
        }
        // Under the same lock, so that nothing can come between the frame and the wait for it.
        try waitForSync(upTo: appended.lsn, .frame)
        return appended
    }

    /// Under the lock: takes a frame whose caller waits for its sync. It is not in the OS, and nobody sees it, before that or before
    /// it is drained. Nil where it would have to block.
    private func stageFrame(
        _ payload: UnsafeRawBufferPointer, _ sum: UInt32, kind: UInt8, records: UInt64, mayBlock: Bool
    ) throws(WalError) -> Appended? {
        let total = FileFormat.padded(FileFormat.frameHeaderSize &+ payload.count &+ (sealing?.overhead ?? 0))
        var (payload, sum, kind) = (payload, sum, kind)
        if hot.pointee.end &+ UInt64(total) &+ UInt64(FileFormat.markFrameSize) > hot.pointee.stagingLimit {
            guard try makeRoom(total, mayBlock: mayBlock, staging: true) else { return nil }
        }
        guard let segment = active else {
            throw WalError(.closed, "the partition has no active segment", partition: id)
        }
        let isStaged =
            total + FileFormat.markFrameSize <= StagingBuffer.capacity
            && stage.hasRoom(total + FileFormat.markFrameSize)
            && stage.prepare(from: shared.staging)
        if !isStaged {
            // Too large to be staged, or the sync under way is slow, or there is no memory: hand over what is there.
            if segment.mapping == nil, !mayBlock { return nil }
            try drain()
        }
        if sealing != nil {
            payload = try sealed(payload, kind, records)
            kind = FrameKind.sealed(kind)
            sum = payloadChecksum(payload)
        }
        guard total + FileFormat.markFrameSize <= StagingBuffer.capacity, stage.prepare(from: shared.staging) else {
            return try appendWritten(payload, sum, total, kind, records)
        }
        if stage.isEmpty { stage.begin(at: hot.pointee.end, in: segment, nextLSN: hot.pointee.nextLSN) }
        if isMarkOwed, hot.pointee.recordsInSegment > 0 { stageMark(in: segment) }
        let lsn = hot.pointee.nextLSN
        let last = lsn + records - 1
        let frame = stage.extend(total, lastLSN: last, records: records)
        Frame.store(payload, sum: sum, total: total, word: lsn | UInt64(kind) << 56, salt: hot.pointee.salt, at: frame)
        hot.pointee.end += UInt64(total)
        hot.pointee.nextLSN = last + 1
        hot.pointee.recordsInSegment += records
        // Until it is drained, an append that is not synced must not overtake it.
        hot.pointee.limit = 0
        return Appended(lsn: last, history: hot.pointee.history, segment: segment.firstLSN, end: hot.pointee.end)
    }

    /// Under the lock: the mark of the last sync, before the frames of the next.
    private func stageMark(in segment: Segment) {
        let mark = currentMark(of: segment)
        let bytes = mark.frame(at: hot.pointee.end, nextLSN: hot.pointee.nextLSN)
        stage.extend(bytes.count, lastLSN: hot.pointee.nextLSN - 1, records: 0)
            .copyMemory(from: bytes, byteCount: bytes.count)
        hot.pointee.end += UInt64(bytes.count)
        isMarkOwed = false
    }

    /// Under the lock.
    func currentMark(of segment: Segment) -> SegmentMark {
        var mark = SegmentMark(
            salt: segment.header.salt, history: segment.header.history, durable: hot.pointee.durableWord,
            endOffset: max(segment.syncedEnd, FileFormat.dataStart), sequence: segment.markSequence + 1)
        mark.partition = id
        mark.firstLSN = segment.firstLSN
        mark.logID = segment.header.logID
        return mark
    }

    /// Under the lock: hands everything staged, also what a sync is writing just now, to the OS and publishes it.
    ///
    /// What the sync writes are the same bytes at the same place, so that it does not matter which comes first. Where space is not
    /// known to be there nothing is ever in flight, and frames that find none are taken back.
    func drain() throws(WalError) {
        guard let segment = active else { return }
        for buffer in [flight, stage] where !buffer.isEmpty && buffer.segment === segment {
            guard buffer.end > segment.publishedEnd else { continue }
            if let mapping = segment.mapping {
                (mapping.base + Int(buffer.start)).copyMemory(
                    from: buffer.bytes.baseAddress.unsafelyUnwrapped, byteCount: buffer.count)
            } else if let file = segment.file {
                do throws(WalError) {
                    try file.write(buffer.bytes, at: buffer.start)
                } catch {
                    // These frames were accepted; but nobody has seen them, nor been told of them.
                    guard error.isRefusedWrite else { throw poison(error) }
                    try cutOff(segment, file, from: buffer.start, to: buffer.end, error)
                    stage.clear()
                    takeBack(
                        to: buffer.start, nextLSN: buffer.firstLSN, records: buffer.records, owesMark: buffer.hasMark,
                        error)
                    throw error.retryable.at(partition: id, segment: LSN(segment.firstLSN))
                }
            }
            segment.publish(buffer.end)
            wal_store_release(appendedWord, buffer.lastLSN)
        }
        stage.clear()
    }

    /// Under the lock: nothing more is accepted or becomes durable; everybody who waits gets the error.
    @discardableResult
    func poison(_ error: WalError) -> WalError {
        // Frames were accepted: it can't be said any more that nothing was changed.
        let known = error.code == .noSpace ? WalError(.io, error.message, errno: error.errno) : error
        let error = known.at(partition: id)
        guard case .open = phase else { return failure ?? error }
        phase = .poisoned(error)
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        report(.poisoned(id, error))
        let waiting = syncs.takeAll()
        if !waiting.isEmpty { handOver(.tell(waiting, error)) }
        if !progressWaiters.isEmpty { handOver(.wake(progressWaiters)) }
        progressWaiters = []
        return error
    }
}
