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
        let ticket = SyncTicket()
        await ticket.wait {
            lock()
            if let done = doneWithoutSync() {
                letGo()
                ticket.finish(done.error)
                return
            }
            syncs.add(.init(lsn: hot.pointee.nextLSN - 1, purpose: .everything, ticket: .task(ticket)))
            let submit = syncs.askForWorker()
            letGo()
            if submit { submitSync() }
        }
        _ = try ticket.end()
    }

    /// The same, or no more than up to `lsn`, for a thread that may block; it does the work itself where nobody else does. Not under
    /// the lock.
    func syncAndWait(upTo lsn: UInt64 = .max) throws(WalError) {
        try shared.checkProcess(id)
        lock()
        if lsn <= hot.pointee.durableWord {
            unlock()
            return
        }
        if let done = doneWithoutSync() {
            letGo()
            if let error = done.error { throw error }
            return
        }
        try waitForSync(upTo: min(lsn, hot.pointee.nextLSN - 1), .everything)
    }

    /// Under the lock, which is let go: blocks until everything up to `lsn` is durable, and syncs on this thread where no other
    /// does.
    func waitForSync(upTo lsn: UInt64, _ purpose: SyncMachine<SyncWaiting>.Purpose) throws(WalError) {
        let signal = shared.signals.take()
        syncs.add(.init(lsn: lsn, purpose: purpose, ticket: .thread(signal)))
        let isMine = syncs.claim()
        letGo()
        if isMine {
            performSync()
            endSync()
        }
        let error = signal.wait()
        shared.signals.give(signal)
        if let error { throw error }
    }

    /// Has a worker begin, without waiting for it.
    func beginSync() {
        lock()
        let submit = doneWithoutSync() == nil && syncs.askForWorker()
        letGo()
        if submit { submitSync(force: true) }
    }

    func submitSync(force: Bool = false) {
        shared.queues.syncs.submit { [self] in runQueuedSync(force: force) }
    }

    /// Under the lock: whether a sync has nothing to do or can't be had.
    private func doneWithoutSync() -> (error: WalError?, Void)? {
        if shared.isForked { return (LogShared.forked(id), ()) }
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
        return isClean && !syncs.isRunning ? (nil, ()) : nil
    }

    /// On a worker.
    func runQueuedSync(force: Bool = false) {
        let isMine = withLock { syncs.begin(force: force) }
        guard isMine else { return }
        repeat { performSync() } while lingersForWaiters()
    }

    /// On a worker, after a sync: whether there are waiters again. Who was just resumed often appends at once; waiting for that a
    /// moment costs less than sleeping and being woken. Where it returns false, nobody syncs any more.
    private func lingersForWaiters() -> Bool {
        for round in 0...Self.lingerRounds {
            lock()
            // Whoever waits for syncs to end comes in between two.
            if !leaving.isEmpty { break }
            if !syncs.waiters.isEmpty {
                unlock()
                return true
            }
            if round == Self.lingerRounds || isClosing || failure != nil { break }
            unlock()
            ThreadScheduling.yieldProcessor()
        }
        let submit = syncs.end()
        noteEnd()
        letGo()
        if submit { submitSync() }
        return false
    }

    /// About 50 µs of yielding, half of what a sync takes.
    private static var lingerRounds: Int { 60 }

    /// Ends a sync that ran on somebody's thread; those who came meanwhile are left to a worker.
    func endSync() {
        lock()
        let submit = syncs.end()
        noteEnd()
        letGo()
        if submit { submitSync() }
    }

    // MARK: The sync itself

    /// What one sync does, as of one moment.
    private struct SyncPlan {
        var sealed: [Segment]
        var sealedFiles: [any WalFile]
        var segment: Segment?
        var file: (any WalFile)?
        /// The last LSN that it makes durable.
        var target: UInt64
        var end: UInt64
        /// The segment holds bytes that were not synced.
        var isDirty: Bool
        var namesAreDirty: Bool
        var nameIsDirty: Bool
        /// A ranged sync may acknowledge only where nothing unsynced lies before its range (promise 1).
        var mayRange: Bool
    }

    /// What a sync needs for names, opened before anything is written: that no descriptor is left is no harm then.
    private struct SyncNames {
        var directory: any WalDirectory
        var stateFile: any WalFile
    }

    private enum SyncOutcome {
        case done
        /// No space for the frames in flight, and nothing else was done; part of them may be in the file.
        case refused(WalError, leftBytes: Bool)
        case failed(WalError)
    }

    /// Makes everything appended so far durable, in order: sealed segments first, then the active one, then the names. Tells those
    /// who wait for it, of a failure too. Only one thread is here at a time, who has claimed it.
    func performSync() {
        var names: SyncNames?
        lock()
        while true {
            if tellOfEnd() {
                letGo()
                return
            }
            if directoryIsDirty, names == nil {
                letGo()
                do throws(WalError) {
                    names = try openNames()
                } catch {
                    lock()
                    refuse(error)
                    letGo()
                    return
                }
                lock()
                continue
            }
            // Where space is not known to be there it is written first, which tells, and then synced, which may only fail.
            if let segment = active, segment.mapping == nil, !stage.isEmpty, stage.segment === segment {
                do throws(WalError) { try drain() } catch {}
                continue
            }
            break
        }
        let plan = makePlan()
        letGo()

        let outcome = carryOut(plan, names)

        lock()
        let again = complete(plan, outcome)
        letGo()
        if again { performSync() }
    }

    /// Under the lock: true where nothing is synced any more, which everybody who waits is told.
    private func tellOfEnd() -> Bool {
        let error: WalError
        if let failure {
            error = failure
        } else if case .closed = phase {
            error = WalError(.closed, "the log was closed", partition: id)
        } else {
            return false
        }
        flight.free(to: shared.staging)
        let left = syncs.takeAll()
        if !left.isEmpty { handOver(.tell(left, error)) }
        return true
    }

    private func openNames() throws(WalError) -> SyncNames {
        let directory = try workingDirectory()
        return SyncNames(directory: directory, stateFile: try directory.openFile(FileFormat.stateFileName, .readWrite))
    }

    /// Under the lock: a sync that could not begin. What says nothing of the data leaves everything as it was: staged frames, which
    /// nobody saw, are taken back.
    private func refuse(_ error: WalError) {
        guard error.saysNothingOfData else {
            poison(error)
            return
        }
        let error = error.at(partition: id)
        takeBackStaged(error)
        let left = syncs.takeAll()
        if !left.isEmpty { handOver(.tell(left, error)) }
    }

    /// Under the lock.
    private func makePlan() -> SyncPlan {
        let segment = active
        swap(&stage, &flight)
        let isDirty = segment.map { $0.syncedEnd < $0.publishedEnd } ?? false
        let plan = SyncPlan(
            sealed: unsynced, sealedFiles: unsynced.compactMap(\.file), segment: segment, file: segment?.file,
            target: hot.pointee.nextLSN - 1, end: hot.pointee.end, isDirty: isDirty, namesAreDirty: directoryIsDirty,
            nameIsDirty: nameIsDirty,
            mayRange: unsynced.isEmpty && !isDirty && !directoryIsDirty && flight.start == segment?.syncedEnd
                || disabled.contains(.rangedSync))
        directoryIsDirty = false
        nameIsDirty = false
        if disabled.contains(.markAfterSync), let segment {
            var early = currentMark(of: segment)
            early.durable = plan.target
            early.endOffset = plan.end
            writeMark(of: segment, early)
        }
        return plan
    }

    /// Between two calls of a sync: throws where the partition was poisoned meanwhile.
    private func checkGoingOn() throws(WalError) {
        if disabled.contains(.phaseAfterSync) { return }
        try withLock { () throws(WalError) in
            if let failure { throw failure }
            if case .closed = phase { throw WalError(.closed, "the log was closed", partition: id) }
        }
    }

    private func carryOut(_ plan: SyncPlan, _ names: SyncNames?) -> SyncOutcome {
        do throws(WalError) {
            if !disabled.contains(.segmentOrder) {
                for file in plan.sealedFiles {
                    try checkGoingOn()
                    try file.sync()
                    try checkLinked(file)
                }
            }
            if let file = plan.file {
                if !flight.isEmpty {
                    if let refusal = try writeFlight(plan, file) { return refusal }
                    try checkLinked(file)
                } else if plan.isDirty {
                    try checkGoingOn()
                    try file.sync()
                    try checkLinked(file)
                }
            }
            guard plan.namesAreDirty, let names else { return .done }
            if !disabled.contains(.directorySync) {
                try checkGoingOn()
                try names.directory.sync()
            }
            // From now on the loss of the new segment's file, or of its header, shows.
            try state.withLock { (state) throws(WalError) in
                try checkGoingOn()
                try state.update(in: names.directory, opened: names.stateFile) { next in
                    next.durable = max(next.durable, plan.target)
                    next.isClean = false
                }
            }
            if plan.nameIsDirty {
                try checkGoingOn()
                try shared.syncRoot()
            }
            return .done
        } catch {
            return .failed(error)
        }
    }

    /// Nil where the frames in flight are on stable storage.
    private func writeFlight(_ plan: SyncPlan, _ file: any WalFile) throws(WalError) -> SyncOutcome? {
        if plan.mayRange {
            try checkGoingOn()
            do throws(WalError) {
                if try file.writeSynced(flight.bytes, at: flight.start) { return nil }
            } catch {
                guard error.isRefusedWrite else { throw error }
                return .refused(error, leftBytes: true)
            }
        }
        try checkGoingOn()
        do throws(WalError) {
            try file.write(flight.bytes, at: flight.start)
        } catch {
            guard error.isRefusedWrite else { throw error }
            return .refused(error, leftBytes: !error.isCleanRefusal)
        }
        try checkGoingOn()
        try file.sync()
        return nil
    }

    /// What was synced into a file without a name is lost with the process: somebody removed it.
    private func checkLinked(_ file: any WalFile) throws(WalError) {
        guard try file.isLinked() else {
            throw WalError(
                .removed,
                "a segment file was removed while the log was open; what was appended since the last sync is lost: close the log, restore the directory from a backup, and open it again",
                partition: id)
        }
    }

    /// Under the lock, after the calls of a sync: notes what it did, and whom to tell.
    ///
    /// - Returns: true where frames were taken back and there is something left to sync.
    private func complete(_ plan: SyncPlan, _ outcome: SyncOutcome) -> Bool {
        // Poisoned or closed meanwhile: everybody was told, and nothing that this sync did counts.
        if !disabled.contains(.phaseAfterSync), tellOfEnd() { return false }
        switch outcome {
        case .done: break
        case .refused(let error, let leftBytes):
            directoryIsDirty = directoryIsDirty || plan.namesAreDirty
            nameIsDirty = nameIsDirty || plan.nameIsDirty
            takeBackFlight(error, leftBytes: leftBytes)
            return failure == nil && !syncs.waiters.isEmpty
        case .failed(let error):
            if disabled.contains(.poison) {
                flight.free(to: shared.staging)
                let left = syncs.takeAll()
                if !left.isEmpty { handOver(.tell(left, error)) }
            } else {
                poison(error)
                flight.free(to: shared.staging)
            }
            return false
        }
        if let segment = plan.segment, !flight.isEmpty, segment.publishedEnd < flight.end {
            segment.publish(flight.end)
            wal_store_release(appendedWord, flight.lastLSN)
        }
        flight.free(to: shared.staging)
        if stage.isEmpty { stage.free(to: shared.staging) }
        if let segment = plan.segment { segment.syncedEnd = max(segment.syncedEnd, plan.end) }
        if plan.namesAreDirty { stateIsNew = false }
        for old in plan.sealed {
            old.syncedEnd = old.fileSize
            old.file?.close()
            old.file = nil
            shared.pool.release(self)
        }
        unsynced.removeAll { old in plan.sealed.contains { $0 === old } }
        wal_store_release(durableWord, max(hot.pointee.durableWord, plan.target))
        isMarkOwed = true
        // The next append that is not synced writes the mark, out of line.
        hot.pointee.limit = 0
        lastSyncTime = shared.storage.monotonicNow()
        if shared.isPlaceCheckDue(lastSyncTime) { handOver(.checkPlace) }
        if let segment = plan.segment, segment === active, segment.syncedEnd >= segment.markedEnd + 1 << 20 {
            writeMark(of: segment)
        }
        let covered = syncs.take(upTo: plan.target)
        if !covered.isEmpty { handOver(.tell(covered, nil)) }
        let watching = takeSatisfiedProgress()
        if !watching.isEmpty { handOver(.wake(watching)) }
        if !plan.sealed.isEmpty, backgroundTarget != nil, !activities.contains(.recompression) {
            handOver(.submit(shared.queues.background, { [weak self] in self?.recompressInBackground() }))
        }
        if !isIdleMarkScheduled, plan.segment != nil {
            isIdleMarkScheduled = true
            handOver(.scheduleIdleMark(self, nanoseconds: shared.settings.idleMarkNanoseconds))
        }
        return false
    }

    // MARK: Taking back

    /// Under the lock: there was no space for the frames in flight. Those staged behind them go with them.
    private func takeBackFlight(_ error: WalError, leftBytes: Bool) {
        guard let segment = flight.segment, segment === active, segment.publishedEnd <= flight.start,
            let file = segment.file
        else {
            // Somebody has seen them.
            flight.free(to: shared.staging)
            poison(error)
            return
        }
        if leftBytes {
            // Whatever of them is there must never be taken for a frame.
            do throws(WalError) {
                try file.fill(from: flight.start, to: flight.end)
                try file.sync()
            } catch {
                flight.free(to: shared.staging)
                poison(error)
                return
            }
        }
        let (start, first) = (flight.start, flight.firstLSN)
        let records = flight.records + (stage.segment === segment ? stage.records : 0)
        let hadMark = flight.hasMark || stage.hasMark
        flight.free(to: shared.staging)
        stage.free(to: shared.staging)
        takeBack(to: start, nextLSN: first, records: records, owesMark: hadMark, error)
    }

    /// Under the lock, nothing in flight: frames that are staged, and no byte of them written, never were.
    private func takeBackStaged(_ error: WalError) {
        guard !stage.isEmpty else { return }
        let (start, first, records, hadMark) = (stage.start, stage.firstLSN, stage.records, stage.hasMark)
        stage.free(to: shared.staging)
        takeBack(to: start, nextLSN: first, records: records, owesMark: hadMark, error)
    }

    /// Under the lock: the partition ends where it did before those frames, and who waits for one of them is told.
    func takeBack(to end: UInt64, nextLSN: UInt64, records: UInt64, owesMark: Bool, _ error: WalError) {
        hot.pointee.end = end
        hot.pointee.nextLSN = nextLSN
        hot.pointee.recordsInSegment -= records
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        index.removeAll { $0.offset >= end }
        indexedEnd = index.last?.offset ?? FileFormat.dataStart
        if owesMark { isMarkOwed = true }
        let gone = syncs.takeBack(after: nextLSN - 1)
        if !gone.isEmpty { handOver(.tell(gone, error.retryable.at(partition: id, lsn: LSN(nextLSN)))) }
        let covered = syncs.take(upTo: hot.pointee.durableWord)
        if !covered.isEmpty { handOver(.tell(covered, nil)) }
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
    func idleMark() {
        lock()
        guard case .open = phase, !isClosing, let segment = active, let file = segment.file else {
            isIdleMarkScheduled = false
            letGo()
            return
        }
        let quiet = shared.storage.monotonicNow() &- lastSyncTime
        let period = shared.settings.idleMarkNanoseconds
        guard quiet >= period, !syncs.isRunning, syncs.claim() else {
            let delay = max(period &- min(quiet, period), period / 10)
            handOver(.scheduleIdleMark(self, nanoseconds: delay))
            letGo()
            return
        }
        isIdleMarkScheduled = false
        writeMark(of: segment)
        let isOpen = failure == nil
        if isOpen { isMarkOwed = false }
        letGo()
        if isOpen {
            do throws(WalError) {
                try file.sync()
            } catch {
                withLock { _ = poison(error) }
            }
        }
        endSync()
    }

    // MARK: Giving up the file

    /// Syncs and closes the segment files, so that another partition can have the places. Does nothing for one in use.
    func park(keepingActive: Bool) throws(WalError) {
        lock()
        var isEnding = isClosing
        if case .closed = phase { isEnding = true }
        guard !isEnding else {
            letGo()
            return
        }
        activities.begin(.parking)
        letGo()
        defer { end(.parking) }
        lock()
        // For one sync, not for as long as somebody syncs: this partition may never rest.
        var hasWaited = false
        waitWhile {
            defer { hasWaited = true }
            return syncs.isRunning && !hasWaited
        }
        if case .poisoned = phase {
            if !syncs.isRunning { giveUpFiles() }
            letGo()
            return
        }
        if hasSpareFile {
            // A place that is not used yet, be it that a segment could not be made in it, is the cheapest to give up.
            let spare = takeSpareFile()
            letGo()
            try giveUp(spare)
            return
        }
        guard case .open = phase, active?.file != nil || !unsynced.isEmpty else {
            letGo()
            return
        }
        letGo()
        try syncAndWait()
        if keepingActive { return }
        try parkActive()
    }

    /// Writes the active segment's mark, syncs it, and closes its file, if nothing was appended meanwhile.
    private func parkActive() throws(WalError) {
        lock()
        guard case .open = phase, stage.isEmpty, flight.isEmpty, unsynced.isEmpty, let segment = active,
            let file = segment.file, segment.syncedEnd >= hot.pointee.end, syncs.claim()
        else {
            letGo()
            return
        }
        defer { endSync() }
        writeMark(of: segment)
        let end = hot.pointee.end
        letGo()
        try checkGoingOn()
        do throws(WalError) {
            try file.sync()
        } catch {
            throw withLock { poison(error) }
        }
        lock()
        guard case .open = phase, segment === active, hot.pointee.end == end, stage.isEmpty else {
            letGo()
            return
        }
        isMarkOwed = false
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        segment.mapping = nil
        segment.file = nil
        file.close()
        shared.pool.release(self)
        let spare = hasSpareFile ? takeSpareFile() : nil
        letGo()
        try giveUp(spare)
    }

    /// Under the lock: the place that the next segment would take, with what was made ahead in it.
    private func takeSpareFile() -> PreparedSegment? {
        hasSpareFile = false
        shared.pool.release(self)
        defer { prepared = nil }
        return prepared
    }

    /// Not under the lock.
    private func giveUp(_ spare: PreparedSegment?) throws(WalError) {
        guard let spare else { return }
        spare.file.close()
        do throws(WalError) {
            try workingDirectory().remove(spare.name)
        } catch {
            withLock { leftovers.append(spare.name) }
            throw error
        }
    }

    /// Under the lock, of a poisoned partition that nobody syncs: nothing will be written or synced any more.
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
        if let prepared {
            prepared.file.close()
            leftovers.append(prepared.name)
        }
        prepared = nil
        if hasSpareFile { shared.pool.release(self) }
        hasSpareFile = false
    }
}
