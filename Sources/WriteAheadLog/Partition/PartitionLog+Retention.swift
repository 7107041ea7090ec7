internal import CWalShims

extension PartitionLog {
    /// Removes whole segments whose records are all below `lsn`; never the newest. Returns how many went.
    ///
    /// STATE says so durably before the first file goes, and the directory is synced before this returns.
    func purge(before lsn: UInt64) throws(WalError) -> Int {
        if shared.settings.isReadOnly {
            throw WalError(.readOnly, "the log was opened for reading only", partition: id)
        }
        let observer = shared.settings.observer
        let needsSync = try withLock { () throws(WalError) -> Bool in
            if case .closed = phase { try checkWritable() }
            return unsynced.contains { $0.lastLSN < lsn } && failure == nil
        }
        // A first append takes the state's lock under the partition's, to make the directory; below it is the other way round.
        guard withLock({ exists }) else { return 0 }
        // What was never durable can't be called purged.
        if needsSync { try syncAndWait() }
        // The state's lock keeps a second purge out until this one is done.
        let (removed, first) = try state.withLock { (state) throws(WalError) -> (Int, UInt64) in
            let directory = try openDirectory()
            let (victims, first) = withLock { () -> ([Segment], UInt64) in
                let goes = segments.indices.dropLast().prefix { k in
                    let segment = segments[k]
                    return segment.isSealed && segment.lastLSN < lsn && segment.lastLSN <= hot.pointee.durableWord
                        && !unsynced.contains { $0 === segment }
                }
                let victims = Array(segments[goes])
                segments.removeSubrange(goes)
                return (victims, segments.first?.firstLSN ?? hot.pointee.nextLSN)
            }
            guard !victims.isEmpty else { return (0, first) }
            if disabled.contains(.purgeOrder) {
                for victim in victims.reversed() { try directory.remove(victim.name) }
            }
            do throws(WalError) {
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
                    if error.code == .io { poison(error) }
                }
                throw error.at(partition: id)
            }
            if !disabled.contains(.purgeOrder) { for victim in victims { try directory.remove(victim.name) } }
            do throws(WalError) {
                try directory.sync()
            } catch {
                throw withLock { poison(error) }
            }
            return (victims.count, first)
        }
        if removed > 0 { observer.event(.purged(id, segments: removed, firstRetained: LSN(first))) }
        return removed
    }

    // MARK: Closing

    /// Refuses new appends, syncs, seals, and says in STATE that it all went well. Does nothing a second time. Blocks.
    func close() throws(WalError) {
        let proceed = withLock { () -> Bool in
            if case .closed = phase { return false }
            return true
        }
        guard proceed else { return }
        defer { release() }
        guard !shared.settings.isReadOnly else { return }
        if let failure = withLock({ failure }) {
            // Nothing more can be promised about it; recovery decides at the next open.
            if case .quarantined = phase { return }
            throw failure
        }
        // From here on appends are refused, but what was accepted goes on to the disk.
        withLock {
            hot.pointee.limit = 0
            hot.pointee.stagingLimit = 0
            isClosing = true
        }
        try syncAndWait()
        guard exists else { return }
        let sealed = try withLock { () throws(WalError) -> (any WalFile)? in
            guard let segment = active else { return nil }
            if hot.pointee.recordsInSegment == 0 {
                // The next opening's first segment takes its name.
                try discardEmptyActive()
                return nil
            }
            var file = segment.file
            if file == nil {
                // Parked: durable already, but without its footer.
                file = try openDirectory().openFile(segment.name, .readWrite)
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
        if let sealed {
            do { try sealed.sync() } catch { throw error.at(partition: id) }
        }
        try state.withLock { (state) throws(WalError) in
            guard state.durable != hot.pointee.durableWord || state.isClean != (active == nil) else { return }
            let directory = try openDirectory()
            try state.update(in: directory) { next in
                next.durable = hot.pointee.durableWord
                next.nextLSNFloor = max(next.nextLSNFloor, next.durable + 1)
                next.isClean = active == nil
                for segment in segments { next.note(segment.header) }
            }
            try directory.sync()
        }
    }

    /// Lets go of everything, however the partition stands.
    private func release() {
        let (leftover, watching, waiting) = withLock { () -> (PreparedSegment?, [ProgressWaiter], [SyncWaiter]) in
            phase = .closed
            hot.pointee.limit = 0
            hot.pointee.stagingLimit = 0
            active?.file?.close()
            active?.file = nil
            active?.mapping = nil
            for segment in segments { segment.file?.close() }
            for segment in unsynced { segment.file?.close() }
            stage.free()
            flight.free()
            defer {
                prepared = nil
                progressWaiters = []
                waiters = []
            }
            return (prepared, progressWaiters, waiters)
        }
        // A segment that is taking its recompressed form right now does so before the lock of the log is let go.
        state.withLock { _ in }
        for waiter in watching { waiter.resume.resume() }
        let error = WalError(.closed, "the log was closed", partition: id)
        for waiter in waiting { waiter.finish(error) }
        if let leftover {
            leftover.file.close()
            do throws(WalError) {
                try openDirectory().remove(leftover.name)
            } catch {
                // The next open removes it.
            }
        }
    }
}
