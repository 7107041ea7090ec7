internal import CWalShims

extension PartitionLog {
    // MARK: Purging

    /// Removes whole sealed segments whose records are all below `lsn`. Returns how many went.
    ///
    /// STATE says so durably before the first file goes, and the directory is synced before this returns. One purge at a time; it
    /// holds no lock while files go, so that nobody else waits for it.
    func purge(before lsn: UInt64) throws(WalError) -> Int {
        try shared.checkProcess(id)
        if shared.settings.isReadOnly {
            throw WalError(.readOnly, "the log was opened for reading only", partition: id)
        }
        let (exists, needsSync) = try withLock { () throws(WalError) -> (Bool, Bool) in
            try checkNotClosing()
            waitWhile { activities.contains(.purge) }
            try checkNotClosing()
            activities.begin(.purge)
            return (self.exists, unsynced.contains { $0.lastLSN < lsn } && failure == nil)
        }
        defer { end(.purge) }
        guard exists else { return 0 }
        // What was never durable can't be called purged.
        if needsSync { try syncAndWait() }
        let directory = try workingDirectory()
        let (victims, first) = try retire(before: lsn, in: directory)
        guard !victims.isEmpty else { return 0 }
        if !disabled.contains(.purgeOrder) { try remove(victims, in: directory) }
        do throws(WalError) {
            try directory.sync()
        } catch {
            throw withLock { poison(error) }
        }
        withLock { report(.purged(id, segments: victims.count, firstRetained: LSN(first))) }
        return victims.count
    }

    /// Takes segments off the list, and has STATE say durably that they are gone. No recompression gives their names to another file
    /// from then on: it asks, under STATE's lock, whether the segment is still there.
    private func retire(
        before lsn: UInt64, in directory: any WalDirectory
    ) throws(WalError) -> (victims: [Segment], first: UInt64) {
        try state.withLock { (state) throws(WalError) -> ([Segment], UInt64) in
            let (victims, first) = withLock { () -> ([Segment], UInt64) in
                var goes = segments.prefix { segment in
                    segment.isSealed && segment.lastLSN < lsn && segment.lastLSN <= hot.pointee.durableWord
                        && !unsynced.contains { $0 === segment }
                }
                // Where damage was found, nobody knows what comes after the last.
                if case .quarantined = phase, goes.count == segments.count { goes = goes.dropLast() }
                let victims = Array(goes)
                segments.removeFirst(victims.count)
                return (victims, segments.first?.firstLSN ?? hot.pointee.nextLSN)
            }
            guard !victims.isEmpty else { return ([], first) }
            do throws(WalError) {
                if disabled.contains(.purgeOrder) {
                    for victim in victims.reversed() { try directory.remove(victim.name) }
                }
                try state.update(in: directory) { next in
                    next.firstRetained = first
                    next.durable = max(next.durable, durable)
                    next.nextLSNFloor = max(next.nextLSNFloor, next.durable + 1)
                    next.isClean = false
                    for victim in victims { next.note(victim.header) }
                }
            } catch {
                // Nothing was removed: they are still part of the log.
                withLock {
                    segments.insert(contentsOf: victims, at: 0)
                    if !error.isRefusedWrite, !error.saysNothingOfData { poison(error) }
                }
                throw error.at(partition: id)
            }
            return (victims, first)
        }
    }

    /// Oldest first. Whatever stays, the next opening removes: STATE says that it is none of the log's.
    private func remove(_ victims: [Segment], in directory: any WalDirectory) throws(WalError) {
        for victim in victims {
            do throws(WalError) {
                try directory.remove(victim.name)
            } catch {
                if error.code != .notFound { throw error.at(partition: id, segment: LSN(victim.firstLSN)) }
            }
        }
    }

    // MARK: Closing

    /// Refuses new appends, syncs, seals, and says in STATE that it all went well. Waits for whatever goes on in the partition:
    /// afterwards nothing does. Does nothing a second time. Blocks.
    func close() throws(WalError) {
        try shared.checkProcess(id)
        let isFirst = withLock { () -> Bool in
            if case .closed = phase { return false }
            hot.pointee.limit = 0
            hot.pointee.stagingLimit = 0
            // From here on appends are refused, but what was accepted goes on to the disk.
            isClosing = true
            return true
        }
        guard isFirst else { return }
        defer { release() }
        guard !shared.settings.isReadOnly else { return }
        if let failure = withLock({ failure }) {
            // Nothing more can be promised about it; recovery decides at the next open.
            if case .quarantined = withLock({ phase }) { return }
            throw failure
        }
        try syncAndWait()
        guard withLock({ exists }) else { return }
        lock()
        if !disabled.contains(.joining) { waitWhile { syncs.isRunning || activities.isBusyElsewhere } }
        let isMine = syncs.claim()
        // A sync that was under way when a segment was sealed covered its records, and not its footer.
        let isLeft = isMine && !unsynced.isEmpty
        letGo()
        defer { if isMine { endSync() } }
        if isLeft {
            performSync()
            if let failure = withLock({ failure }) { throw failure }
        }
        try sealForGood()
        try state.withLock { (state) throws(WalError) in
            let (durable, isClean, segments) = withLock {
                (hot.pointee.durableWord, active == nil && unsynced.isEmpty, self.segments)
            }
            guard state.durable != durable || state.isClean != isClean else { return }
            let directory = try workingDirectory()
            try state.update(in: directory) { next in
                next.durable = durable
                next.nextLSNFloor = max(next.nextLSNFloor, next.durable + 1)
                next.isClean = isClean
                for segment in segments { next.note(segment.header) }
            }
            try directory.sync()
        }
    }

    /// Ends the active segment, everything of which is durable.
    private func sealForGood() throws(WalError) {
        let sealed = try withLock { () throws(WalError) -> (any WalFile)? in
            if let failure { throw failure }
            guard let segment = active else { return nil }
            if hot.pointee.recordsInSegment == 0 {
                // The next opening's first segment takes its name.
                try discardEmptyActive()
                return nil
            }
            var file = segment.file
            if file == nil {
                // Parked: durable already, but without its footer.
                file = try workingDirectory().openFile(segment.name, .readWrite)
                segment.file = file
            }
            writeMark(of: segment)
            if let failure { throw failure }
            do throws(WalError) {
                try seal(segment)
                active = nil
            } catch {
                // No room for the footer: everything is durable all the same, and the next opening writes it.
                guard error.code == .noSpace else { throw error }
            }
            return file
        }
        guard let sealed else { return }
        do throws(WalError) { try sealed.sync() } catch { throw error.at(partition: id) }
    }

    /// Lets go of everything, however the partition stands, once nobody is within it any more.
    private func release() {
        lock()
        isClosing = true
        let joins = !disabled.contains(.joining)
        if joins { waitWhile { syncs.isRunning || activities.isBusyElsewhere } }
        phase = .closed
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        active?.file?.close()
        active?.file = nil
        active?.mapping = nil
        for segment in segments { segment.file?.close() }
        for segment in unsynced { segment.file?.close() }
        var names = leftovers
        leftovers = []
        if let prepared {
            prepared.file.close()
            names.append(prepared.name)
        }
        prepared = nil
        // Who was covered by the last sync has been told so.
        let waiting = syncs.takeAll()
        if !waiting.isEmpty {
            handOver(.tell(waiting, WalError(.closed, "the log was closed", partition: id)))
        }
        if !progressWaiters.isEmpty { handOver(.wake(progressWaiters)) }
        progressWaiters = []
        if joins {
            stage.free(to: shared.staging)
            flight.free(to: shared.staging)
        }
        letGo()
        if !joins { state.withLock { _ in } }
        guard !names.isEmpty else { return }
        // What can't be removed, the next opening removes.
        do throws(WalError) {
            let directory = try openDirectory()
            for name in names { try directory.remove(name) }
        } catch {}
    }
}
