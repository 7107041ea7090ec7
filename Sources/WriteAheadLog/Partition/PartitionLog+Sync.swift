internal import CWalShims

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

extension PartitionLog {
    // MARK: Asking for a sync

    /// Suspends until everything appended so far is on stable storage.
    func sync() async throws(WalError) {
        let error = await withUnsafeContinuation { (continuation: UnsafeContinuation<WalError?, Never>) in
            lock()
            if let done = doneWithoutSync() {
                unlock()
                continuation.resume(returning: done.error)
                return
            }
            waiters.append(SyncWaiter(lsn: hot.pointee.nextLSN - 1, resume: continuation, signal: nil))
            let submit = !isSyncing && !isSyncQueued
            if submit { isSyncQueued = true }
            unlock()
            if submit { shared.queue.submit { [self] in runQueuedSync() } }
        }
        if let error { throw error }
    }

    /// The same, or no more than up to `lsn`, for a thread that may block; it does the work itself where nobody else is at it. Not
    /// under the lock.
    func syncAndWait(upTo lsn: UInt64 = .max) throws(WalError) {
        lock()
        if lsn <= hot.pointee.durableWord {
            unlock()
            return
        }
        if let done = doneWithoutSync() {
            unlock()
            if let error = done.error { throw error }
            return
        }
        if isSyncing {
            let signal = SyncSignal()
            waiters.append(SyncWaiter(lsn: min(lsn, hot.pointee.nextLSN - 1), resume: nil, signal: signal))
            unlock()
            try signal.wait()
            return
        }
        isSyncing = true
        unlock()
        let error = performSync()
        handOverSyncing()
        if let error { throw error }
    }

    /// Has a worker begin, without waiting for it.
    func beginSync() {
        lock()
        let submit = doneWithoutSync() == nil && !isSyncing && !isSyncQueued
        if submit { isSyncQueued = true }
        unlock()
        if submit { shared.queue.submit { [self] in runQueuedSync(force: true) } }
    }

    /// Under the lock: whether a sync has nothing to do or can't be had.
    private func doneWithoutSync() -> (error: WalError?, Void)? {
        if shared.settings.isReadOnly {
            return (WalError(.readOnly, "the log was opened for reading only", partition: id), ())
        }
        switch phase {
        case .poisoned(let error): return (error, ())
        case .quarantined: return (nil, ())
        // Whether `close` got everything to the disk, it has said itself.
        case .closed: return (WalError(.closed, "the log is closed; open it again", partition: id), ())
        case .open: break
        }
        let isClean =
            unsynced.isEmpty && stage.isEmpty && flight.isEmpty && !directoryIsDirty
            && hot.pointee.durableWord == hot.pointee.nextLSN - 1
        return isClean && !isSyncing ? (nil, ()) : nil
    }

    /// On a worker.
    func runQueuedSync(force: Bool = false) {
        lock()
        isSyncQueued = false
        // Whoever syncs now looks for waiters when it is done.
        guard !isSyncing, force || !waiters.isEmpty else {
            unlock()
            return
        }
        isSyncing = true
        unlock()
        while true {
            _ = performSync()
            if !lingersForWaiters() { return }
        }
    }

    /// On a worker, after a sync: whether there are waiters again. Who was just resumed often appends at once; waiting for that a
    /// moment costs less than sleeping and being woken. Where it returns false, nobody syncs any more.
    private func lingersForWaiters() -> Bool {
        for round in 0... {
            lock()
            if !waiters.isEmpty {
                unlock()
                return true
            }
            if round == Self.lingerRounds || isClosing || failure != nil {
                isSyncing = false
                unlock()
                return false
            }
            unlock()
            sched_yield()
        }
        return false
    }

    /// About 50 µs of yielding, half of what a sync takes.
    private static var lingerRounds: Int { 60 }

    /// Ends a sync that ran on somebody's thread; those who came meanwhile are left to a worker.
    private func handOverSyncing() {
        lock()
        isSyncing = false
        let submit = !waiters.isEmpty && !isSyncQueued
        if submit { isSyncQueued = true }
        unlock()
        if submit { shared.queue.submit { [self] in runQueuedSync() } }
    }

    // MARK: The sync itself

    /// Makes everything appended so far durable, in order: sealed segments first, then the active one, then the names. Only one
    /// thread is here at a time: `isSyncing` says so.
    private func performSync() -> WalError? {
        lock()
        if let failure {
            let left = waiters
            waiters = []
            unlock()
            for waiter in left { waiter.finish(failure) }
            return failure
        }
        let sealed = unsynced
        let segment = active
        swap(&stage, &flight)
        let target = hot.pointee.nextLSN - 1
        let end = hot.pointee.end
        let isDirty = segment.map { $0.syncedEnd < $0.publishedEnd } ?? false
        let namesAreDirty = directoryIsDirty
        let nameIsDirty = self.nameIsDirty
        directoryIsDirty = false
        self.nameIsDirty = false
        // A ranged sync may acknowledge only where nothing unsynced lies before its range (promise 1).
        let mayRange =
            sealed.isEmpty && !isDirty && !namesAreDirty && flight.start == segment?.syncedEnd
            || disabled.contains(.rangedSync)
        if disabled.contains(.markAfterSync), let segment {
            var early = currentMark(of: segment)
            early.durable = target
            early.endOffset = end
            writeMark(of: segment, early)
        }
        let file = segment?.file
        unlock()

        var failed: WalError?
        do throws(WalError) {
            if !disabled.contains(.segmentOrder) { for old in sealed { try old.file?.sync() } }
            if let file {
                if !flight.isEmpty {
                    var isSynced = false
                    if mayRange { isSynced = try file.writeSynced(flight.bytes, at: flight.start) }
                    if !isSynced {
                        try file.write(flight.bytes, at: flight.start)
                        try file.sync()
                    }
                } else if isDirty {
                    try file.sync()
                }
            }
            if namesAreDirty {
                let directory = try openDirectory()
                if !disabled.contains(.directorySync) { try directory.sync() }
                // From now on the loss of the new segment's file, or of its header, shows.
                try state.withLock { (state) throws(WalError) in
                    try state.update(in: directory) { next in
                        next.durable = max(next.durable, target)
                        next.isClean = false
                    }
                }
                if nameIsDirty { try shared.syncRoot() }
            }
        } catch {
            failed = error
        }

        lock()
        if let failed, disabled.contains(.poison) {
            let left = waiters
            waiters = []
            flight.clear()
            unlock()
            for waiter in left { waiter.finish(failed) }
            return failed
        }
        if let failed {
            let error = poison(failed)
            flight.clear()
            unlock()
            return error
        }
        if let segment, !flight.isEmpty, segment.publishedEnd < flight.end {
            segment.publish(flight.end)
            wal_store_release(appendedWord, flight.lastLSN)
        }
        flight.clear()
        if let segment { segment.syncedEnd = max(segment.syncedEnd, end) }
        if namesAreDirty { stateIsNew = false }
        for old in sealed {
            old.syncedEnd = old.fileSize
            old.file?.close()
            old.file = nil
            shared.pool.release(self)
        }
        unsynced.removeAll { old in sealed.contains { $0 === old } }
        wal_store_release(durableWord, max(hot.pointee.durableWord, target))
        isMarkOwed = true
        // The next append that is not synced writes the mark, out of line.
        hot.pointee.limit = 0
        lastSyncTime = shared.storage.monotonicNow()
        if let segment, segment === active, segment.syncedEnd >= segment.markedEnd + 1 << 20 { writeMark(of: segment) }
        let scheduleIdle = !isIdleMarkScheduled && segment != nil
        if scheduleIdle { isIdleMarkScheduled = true }
        var covered: [SyncWaiter] = []
        if waiters.allSatisfy({ $0.lsn <= target }) {
            swap(&covered, &waiters)
        } else {
            covered = waiters.filter { $0.lsn <= target }
            waiters.removeAll { $0.lsn <= target }
        }
        let watching = takeSatisfiedProgress()
        let recompress = !sealed.isEmpty && backgroundTarget != nil && !isRecompressing
        unlock()
        if recompress { shared.queue.submit { [weak self] in self?.recompressInBackground() } }
        for waiter in covered { waiter.finish(nil) }
        for waiter in watching { waiter.resume.resume() }
        if scheduleIdle {
            shared.queue.submit(afterNanoseconds: shared.settings.idleMarkNanoseconds) { [weak self] in self?.idleMark()
            }
        }
        return nil
    }

    // MARK: Marks

    /// Under the lock, after a sync returned: notes it in one of the segment's two places, to become durable with a later sync.
    func writeMark(of segment: Segment, _ given: SegmentMark? = nil) {
        guard let file = segment.file else { return }
        let mark = given ?? currentMark(of: segment)
        do throws(WalError) {
            try file.write(mark.encoded(), at: mark.place)
            segment.markSequence = mark.sequence
            segment.markedEnd = mark.endOffset
        } catch {
            poison(error)
        }
    }

    /// On a worker, a second after a sync: if nothing has carried the mark to the disk since, do it now.
    private func idleMark() {
        lock()
        guard case .open = phase, let segment = active, segment.file != nil else {
            isIdleMarkScheduled = false
            unlock()
            return
        }
        let quiet = shared.storage.monotonicNow() &- lastSyncTime
        let period = shared.settings.idleMarkNanoseconds
        guard quiet >= period, !isSyncing else {
            unlock()
            shared.queue.submit(afterNanoseconds: max(period &- min(quiet, period), period / 10)) { [weak self] in
                self?.idleMark()
            }
            return
        }
        isIdleMarkScheduled = false
        isSyncing = true
        writeMark(of: segment)
        isMarkOwed = false
        let file = segment.file
        unlock()
        do throws(WalError) {
            try file?.sync()
        } catch {
            withLock { _ = poison(error) }
        }
        handOverSyncing()
    }

    // MARK: Giving up the file

    /// Syncs and closes the segment files, so that another partition can have the places. Does nothing for one in use.
    func park(keepingActive: Bool) throws(WalError) {
        lock()
        if isSyncing {
            let signal = SyncSignal()
            waiters.append(SyncWaiter(lsn: 0, resume: nil, signal: signal))
            unlock()
            // What it failed with is said to those whom it concerns.
            do throws(WalError) { try signal.wait() } catch {}
            lock()
        }
        if case .poisoned = phase, !isSyncing {
            giveUpFiles()
            unlock()
            return
        }
        if hasSpareFile {
            // A place that is not used yet, be it that a segment could not be made in it, is the cheapest to give up.
            defer { unlock() }
            try giveUpSpareFile()
            return
        }
        guard case .open = phase, active?.file != nil || !unsynced.isEmpty else {
            unlock()
            return
        }
        unlock()
        try syncAndWait()
        if keepingActive { return }
        lock()
        defer { unlock() }
        guard case .open = phase, !isSyncing, stage.isEmpty, flight.isEmpty, unsynced.isEmpty, let segment = active,
            let file = segment.file, segment.syncedEnd >= hot.pointee.end
        else { return }
        writeMark(of: segment)
        guard case .open = phase else { return }
        do throws(WalError) {
            try file.sync()
        } catch {
            throw poison(error)
        }
        isMarkOwed = false
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        segment.mapping = nil
        segment.file = nil
        file.close()
        shared.pool.release(self)
        if hasSpareFile { try giveUpSpareFile() }
    }

    /// Under the lock: the place that the next segment would take, with what was made ahead in it.
    private func giveUpSpareFile() throws(WalError) {
        hasSpareFile = false
        shared.pool.release(self)
        guard let ready = prepared else { return }
        prepared = nil
        ready.file.close()
        try openDirectory().remove(ready.name)
    }
}

extension PartitionLog {
    /// Under the lock, of a poisoned partition: nothing will be written or synced any more.
    private func giveUpFiles() {
        var held = unsynced
        if let active { held.append(active) }
        for segment in held {
            guard let file = segment.file else { continue }
            file.close()
            segment.file = nil
            segment.mapping = nil
            shared.pool.release(self)
        }
        unsynced = []
        if let prepared { prepared.file.close() }
        prepared = nil
        if hasSpareFile { shared.pool.release(self) }
        hasSpareFile = false
    }
}

extension SyncWaiter {
    func finish(_ error: WalError?) {
        signal?.finish(error)
        resume?.resume(returning: error)
    }
}
