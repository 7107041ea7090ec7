internal import CWalShims

extension PartitionLog {
    /// Space that a fresh segment takes; it doubles as it fills, so that small partitions stay small.
    static let firstAllocation: UInt64 = 16_384

    /// What is filled at a time, where segments are: some milliseconds' work.
    private static let fillStep: UInt64 = 1 << 20

    private var isFilling: Bool { shared.settings.fillsSegments && shared.isMapped }
    private var segmentSize: UInt64 { UInt64(shared.settings.segmentSize) }
    var disabled: SafetyMeasures { shared.settings.disabled }

    /// Under the lock: sees to it that a frame of `total` bytes may be stored at `end`, within a segment that has room for its
    /// footer too. What takes a system call or a wait is done only if `mayBlock`; otherwise false is returned.
    ///
    /// The lock may be let go and taken again on the way.
    @inline(never)
    func makeRoom(_ total: Int, mayBlock: Bool, staging: Bool) throws(WalError) -> Bool {
        while true {
            try checkWritable()
            guard hot.pointee.nextLSN < LSN.max.rawValue - UInt64(FileFormat.largestFrame) else {
                throw WalError(.outOfRange, "the partition has used up its LSNs", partition: id)
            }
            guard let segment = active, segment.file != nil else {
                guard mayBlock else { return false }
                try activate(total)
                continue
            }
            if unsyncedBytes > UInt64(shared.settings.maximumUnsyncedBytes) {
                guard mayBlock else { return false }
                letGo()
                defer { lock() }
                try syncAndWait()
                continue
            }
            if !staging {
                guard segment.mapping != nil || mayBlock else { return false }
                try drain()
            }
            if hot.pointee.end - indexedEnd >= FileFormat.indexInterval {
                index.append(
                    IndexEntry(lsn: hot.pointee.nextLSN, offset: hot.pointee.end, time: shared.storage.wallClockNow()))
                indexedEnd = hot.pointee.end
            }
            let markRoom = UInt64(FileFormat.markFrameSize)
            let footerRoom = UInt64(SegmentFooter.size(indexCount: index.count + 1))
            let needed = hot.pointee.end + UInt64(total) + markRoom
            if needed > segmentSize, hot.pointee.recordsInSegment > 0 {
                guard mayBlock else { return false }
                try rotate(total)
                continue
            }
            if needed + footerRoom > UInt64(segment.capacity) {
                // Only an empty segment, made for a smaller record that then was refused, can be too small.
                guard mayBlock else { return false }
                // A sync may have its file in hands.
                if syncs.isRunning { waitWhile { syncs.isRunning } } else { try discardEmptyActive() }
                continue
            }
            if needed + footerRoom > allocated {
                guard mayBlock else { return false }
                try grow(segment, toHold: needed + footerRoom)
                continue
            }
            let boundary = min(
                allocated - footerRoom - markRoom, indexedEnd + FileFormat.indexInterval, segmentSize - markRoom)
            if isMarkOwed, !staging, hot.pointee.recordsInSegment > 0 {
                try writeMarkFrame(in: segment)
            }
            let real = max(hot.pointee.end + UInt64(total) + markRoom, boundary)
            hot.pointee.stagingLimit = min(real, allocated - footerRoom)
            // Without a mapping each append comes this way; with something staged too, to drain it first; and where frames are
            // sealed, for which their LSN must be known.
            if segment.mapping != nil, !staging {
                if sealing == nil { hot.pointee.limit = hot.pointee.stagingLimit }
                if total < Self.leastWritten { populateAhead(of: segment) }
            }
            return true
        }
    }

    // MARK: Pages

    /// So many bytes ahead of the end are ready for stores. More would be written to the disk by the next sync, as zeros, and be
    /// looked through after a crash; less, and a fast caller comes to pages that are not ready.
    private static var populateWindow: UInt64 { 2 << 20 }

    /// Under the lock, every 64 KiB: has a worker fault in the pages that come next, where more than a MiB came since the last
    /// sync. Who syncs every record does not store into the mapping at all.
    private func populateAhead(of segment: Segment) {
        guard shared.settings.preparesSegments, let mapping = segment.mapping,
            unsyncedBytes >= 1 << 20
        else { return }
        let end = hot.pointee.end
        let target = min(allocated, (end + Self.populateWindow) & ~4095)
        guard target > populatedEnd, populatedEnd < end + Self.populateWindow / 2 else { return }
        let from = max(populatedEnd, end)
        populatedEnd = target
        handOver(.submit(shared.queues.preparing, { mapping.populate(from: Int(from), to: Int(target)) }))
    }

    /// Under the lock, nothing staged: the mark of the last sync as a frame of its own.
    private func writeMarkFrame(in segment: Segment) throws(WalError) {
        let bytes = currentMark(of: segment).frame(at: hot.pointee.end, nextLSN: hot.pointee.nextLSN)
        if let mapping = segment.mapping {
            (mapping.base + Int(hot.pointee.end)).copyMemory(from: bytes, byteCount: bytes.count)
        } else if let file = segment.file {
            do throws(WalError) {
                try file.write(bytes, at: hot.pointee.end)
            } catch {
                // No frame that was accepted: what is written next overwrites it.
                if error.retryable.code == .noSpace { return }
                throw poison(error)
            }
        }
        hot.pointee.end += UInt64(bytes.count)
        segment.publish(hot.pointee.end)
        isMarkOwed = false
    }

    /// Under the lock: extends the guaranteed space, by doubling, up to the segment's size; where it is filled, by a step.
    private func grow(_ segment: Segment, toHold needed: UInt64) throws(WalError) {
        let capacity = UInt64(segment.capacity)
        guard segment.mapping != nil, let file = segment.file else {
            allocated = capacity
            return
        }
        let wanted = max(needed, isFilling ? allocated + Self.fillStep : allocated * 2)
        var grown = min((wanted + 4095) & ~4095, capacity)
        do throws(WalError) {
            try file.allocate(from: allocated, to: grown)
        } catch {
            guard error.code == .noSpace, grown > needed else { throw error.at(partition: id) }
            // Not so much, but perhaps enough.
            grown = min((needed + 4095) & ~4095, capacity)
            do throws(WalError) { try file.allocate(from: allocated, to: grown) } catch {
                throw error.at(partition: id)
            }
        }
        if isFilling {
            do throws(WalError) { try file.fill(from: allocated, to: grown) } catch { throw error.at(partition: id) }
            // It may fail for records' bytes (promise 8).
            do throws(WalError) { try file.sync() } catch { throw poison(error) }
        }
        allocated = grown
    }

    // MARK: Making a segment active

    /// Under the lock, which is let go while another partition gives up a file.
    private func acquireFile() throws(WalError) {
        guard !hasSpareFile else { return }
        letGo()
        do throws(WalError) {
            try shared.pool.acquire(for: self)
        } catch {
            lock()
            throw error
        }
        lock()
        if hasSpareFile {
            shared.pool.release(self)
        } else {
            hasSpareFile = true
        }
    }

    private func activate(_ total: Int) throws(WalError) {
        if !hasSpareFile {
            // The lock was let go: look again.
            try acquireFile()
            return
        }
        if let segment = active {
            try reopen(segment)
        } else {
            try createSegment(total, allocating: Self.firstAllocation)
        }
    }

    /// Under the lock: goes on with a segment whose file was closed to make room for others.
    private func reopen(_ segment: Segment) throws(WalError) {
        let file = try workingDirectory().openFile(segment.name, .readWrite)
        // One without a record may have no more than its header.
        guard try file.size() >= hot.pointee.end || hot.pointee.recordsInSegment == 0 else {
            file.close()
            throw poison(
                WalError(.corrupt, "somebody else shortened the segment", partition: id, segment: LSN(segment.firstLSN))
            )
        }
        if shared.isMapped {
            switch mapped(file, segment.capacity) {
            case .success(let mapping):
                segment.mapping = mapping
                hot.pointee.target = mapping.base
            case .failure(let error): tellUnmapped(error)
            }
        }
        segment.file = file
        hasSpareFile = false
    }

    /// Under the lock: the next segment, named by the LSN that comes next. Nothing has changed if it throws.
    private func createSegment(_ total: Int, allocating: UInt64) throws(WalError) {
        let directory = try makeDirectory()
        var header = SegmentHeader(
            partition: id, firstLSN: hot.pointee.nextLSN, history: hot.pointee.history, incarnation: incarnation,
            salt: disabled.contains(.salt) ? 1 : shared.storage.random(),
            created: shared.storage.wallClockNow(), logID: logID, codecID: identity.codecID,
            codecName: identity.codecName,
            codecParameters: identity.codecParameters, typeName: identity.typeName, schema: identity.schema)
        var sealer: (any WalFrameSealer)?
        if let sealing {
            do throws(WalError) {
                (header, sealer) = try sealing.begin(header)
            } catch {
                throw error.at(partition: id, lsn: LSN(header.firstLSN))
            }
        }
        let name = FileFormat.segmentName(header.firstLSN)
        let made: PreparedSegment
        if let ready = prepared, Self.capacity(for: total, segmentSize: segmentSize) > ready.capacity {
            // The record needs a larger one; the place in the pool goes to that.
            prepared = nil
            ready.file.close()
            removeLeftover(ready.name, in: directory)
        }
        if let ready = prepared {
            try directory.rename(ready.name, to: name)
            prepared = nil
            made = ready
        } else {
            made = try makeFile(named: name, in: directory, total: total, allocating: allocating)
        }
        do throws(WalError) {
            var front = header.encoded()
            // Where space is not allocated, the places of the marks get theirs now: on a full disk a mark needs none.
            if made.mapping == nil { front += [UInt8](repeating: 0, count: Int(FileFormat.dataStart) - front.count) }
            try made.file.write(front, at: 0)
        } catch {
            made.file.close()
            removeLeftover(name, in: directory)
            throw error.at(partition: id).retryable
        }
        let segment = Segment(header: header, capacity: made.capacity)
        segment.file = made.file
        segment.mapping = made.mapping
        if let error = made.unmapped { tellUnmapped(error) }
        hasSpareFile = false
        allocated = made.allocated
        populatedEnd = made.populated
        index = []
        indexedEnd = FileFormat.dataStart
        hot.pointee.target = made.mapping?.base ?? hot.pointee.target
        hot.pointee.end = FileFormat.dataStart
        hot.pointee.salt = header.salt
        hot.pointee.segmentFirstLSN = header.firstLSN
        hot.pointee.published = segment.published
        hot.pointee.recordsInSegment = 0
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        if let sealer { sealing?.use(sealer) }
        segments.append(segment)
        active = segment
        directoryIsDirty = true
    }

    /// The file of a segment that no name in the log depends on yet.
    private func makeFile(
        named name: String, in directory: any WalDirectory, total: Int, allocating first: UInt64
    ) throws(WalError) -> PreparedSegment {
        let capacity = Self.capacity(for: total, segmentSize: segmentSize)
        let file = try directory.openFile(name, .createNew)
        do throws(WalError) {
            let footer = UInt64(SegmentFooter.size(indexCount: 1))
            let needed = FileFormat.dataStart + UInt64(total + FileFormat.markFrameSize) + footer
            var allocated = UInt64(capacity)
            var mapping: (any WalMapping)?
            var unmapped: WalError?
            if shared.isMapped {
                let first = isFilling ? min(first, Self.fillStep) : first
                allocated = min(max(first, (needed + 4095) & ~4095), UInt64(capacity))
                try file.allocate(from: 0, to: allocated)
                if isFilling {
                    try file.fill(from: 0, to: allocated)
                    try file.sync()
                }
                switch mapped(file, capacity) {
                case .success(let made): mapping = made
                case .failure(let error): unmapped = error
                }
            }
            return PreparedSegment(
                name: name, file: file, mapping: mapping, capacity: capacity, allocated: allocated, populated: 0,
                unmapped: unmapped)
        } catch {
            file.close()
            removeLeftover(name, in: directory)
            throw error.at(partition: id)
        }
    }

    /// How far a segment that begins with a frame of `total` bytes may grow, footer included.
    static func capacity(for total: Int, segmentSize: UInt64) -> Int {
        let data = max(segmentSize, FileFormat.dataStart + UInt64(total + FileFormat.markFrameSize))
        let footer = UInt64(SegmentFooter.size(indexCount: Int(data / FileFormat.indexInterval) + 2))
        return Int((data + footer + 4095) & ~4095)
    }

    /// A file that holds no record could not be made whole; if it can't be removed either, the next open does it.
    private func removeLeftover(_ name: String, in directory: any WalDirectory) {
        do { try directory.remove(name) } catch { directoryIsDirty = true }
    }

    /// Where it can't be mapped, for lack of address space or otherwise, the segment is written to.
    private func mapped(_ file: any WalFile, _ count: Int) -> Result<any WalMapping, WalError> {
        do throws(WalError) {
            return .success(try file.map(count: count, writable: true))
        } catch {
            return .failure(error)
        }
    }

    /// Under the lock.
    private func tellUnmapped(_ error: WalError) {
        handOver(
            .note(
                WalFallback(
                    .writes,
                    "\(error.message). The segment is written to instead, at the price of a system call for each append; raise the limit of address space (ulimit -v), or make segments smaller",
                    partition: id, errno: error.errno)))
    }

    /// Under the lock: an active segment without a record that turned out too small.
    func discardEmptyActive() throws(WalError) {
        guard let segment = active, hot.pointee.recordsInSegment == 0 else {
            preconditionFailure("only an empty segment is discarded")
        }
        let directory = try workingDirectory()
        try directory.remove(segment.name)
        segment.file?.close()
        segment.file = nil
        segment.mapping = nil
        segments.removeLast()
        active = nil
        hasSpareFile = true
    }

    /// Under the lock.
    private func makeDirectory() throws(WalError) -> any WalDirectory {
        if exists { return try workingDirectory() }
        let directory = try shared.root.openDirectory(directoryName, create: true)
        // Nothing is lost with it: what it says is what its absence says.
        let incarnation = incarnation
        try state.withLock { (state) throws(WalError) in
            // Segments from before a removal must never count again: that is durable before there is a new one.
            let isBack = state.isRemoved
            try state.update(in: directory, synced: isBack) { next in
                guard isBack else { return }
                next.isRemoved = false
                next.isClean = false
                next.oldestIncarnation = incarnation
                next.nextLSNFloor = next.firstAfterRemoval
                next.firstRetained = next.nextLSNFloor
            }
        }
        shared.rootIsDirty.withLock { $0 = true }
        exists = true
        directoryIsDirty = true
        nameIsDirty = true
        stateIsNew = true
        return directory
    }

    // MARK: Rotation

    /// Under the lock: seals the active segment and goes on in a new one. Waits for no sync, but for that of a small new STATE.
    private func rotate(_ total: Int) throws(WalError) {
        guard hasSpareFile else {
            try acquireFile()
            return
        }
        try drain()
        guard let old = active else { return }
        if stateIsNew { try syncNewState() }
        try seal(old)
        unsynced.append(old)
        active = nil
        do throws(WalError) {
            // It filled one segment: it will fill another.
            try createSegment(total, allocating: UInt64.max)
        } catch {
            // No room for so much, but perhaps for a beginning. If not, the old one is whole, and the next append tries again.
            guard error.code == .noSpace else { throw error }
            try createSegment(total, allocating: Self.firstAllocation)
        }
        noteRotation(of: old, next: hot.pointee.segmentFirstLSN)
        if shared.settings.preparesSegments, shared.isMapped, !isPreparing, prepared == nil, shared.pool.hasPlenty {
            isPreparing = true
            handOver(.submit(shared.queues.preparing, { [weak self] in self?.prepareNext() }))
        }
        if unsynced.count >= 48 {
            letGo()
            defer { lock() }
            try syncAndWait()
        }
    }

    /// Under the lock, after a segment was sealed: tells of it, and has what is unsynced synced once it is much.
    private func noteRotation(of old: Segment, next: UInt64) {
        report(.rotated(id, sealed: LSN(old.firstLSN), new: LSN(next)))
        handOver(.checkPlace)
        let wantsSync =
            unsynced.count >= 24 || unsyncedBytes > UInt64(shared.settings.maximumUnsyncedBytes) / 2
        if wantsSync, syncs.askForWorker() {
            handOver(.submit(shared.queues.syncs, { [self] in runQueuedSync(force: true) }))
        }
    }

    /// Seals the segment that is written, if it holds a record; the next append begins another. Blocks.
    func rotateNow() throws(WalError) {
        lock()
        defer { letGo() }
        while true {
            try checkWritable()
            guard let segment = active else { return }
            guard segment.file != nil else {
                guard hot.pointee.recordsInSegment > 0 else { return }
                // It was closed to make room for others.
                try activate(0)
                continue
            }
            try drain()
            guard hot.pointee.recordsInSegment > 0 else { return }
            if stateIsNew { try syncNewState() }
            try seal(segment)
            unsynced.append(segment)
            active = nil
            noteRotation(of: segment, next: hot.pointee.nextLSN)
            return
        }
    }

    /// Under the lock, before there is a second segment: from then on a log without STATE that does not begin with LSN 1 is
    /// damaged, and not one of which a loss of power left so much. Once in a partition's life, if no sync came before.
    private func syncNewState() throws(WalError) {
        let directory = try workingDirectory()
        let file = try directory.openFile(FileFormat.stateFileName, .readWrite)
        defer { file.close() }
        do throws(WalError) {
            try file.sync()
            if !disabled.contains(.directorySync) { try directory.sync() }
        } catch {
            throw poison(error)
        }
        stateIsNew = false
    }

    /// Under the lock, nothing staged: writes the footer and gives back the space behind it.
    func seal(_ segment: Segment) throws(WalError) {
        guard let file = segment.file else { return }
        // An entry may be there for the frame that did not fit.
        index.removeAll { $0.offset >= hot.pointee.end }
        let footer = SegmentFooter(
            recordCount: hot.pointee.recordsInSegment, lastLSN: hot.pointee.nextLSN - 1, dataEnd: hot.pointee.end,
            sealed: shared.storage.wallClockNow(), index: index)
        let bytes = footer.encoded(salt: segment.header.salt)
        do throws(WalError) {
            try file.write(bytes, at: footer.dataEnd)
            segment.fileSize = footer.dataEnd + UInt64(bytes.count)
            try file.truncate(to: segment.fileSize)
        } catch {
            // Without a mapping there may be no room. What part of it is there is no frame, and is overwritten later.
            let error = error.at(partition: id, segment: LSN(segment.firstLSN)).retryable
            if error.code == .noSpace, segment.mapping == nil { throw error }
            // Nothing accepted is lost; but only reopening can tell where the segment ends.
            throw poison(error)
        }
        segment.setSealed(end: footer.dataEnd, lastLSN: footer.lastLSN)
        sealing?.end()
        segment.mapping = nil
        segment.capacity = Int(segment.fileSize)
        hot.pointee.limit = 0
        hot.pointee.stagingLimit = 0
        // A mark still owed goes into the next segment.
    }

    /// A name for a file that is made ready, which no file has.
    func preparedName(_ purpose: String, in directory: any WalDirectory) throws(WalError) -> String {
        guard disabled.contains(.uniqueNames) else {
            return FileFormat.preparedName(purpose, maker: shared.storage.random())
        }
        let name = FileFormat.preparedName(purpose, maker: 0)
        do throws(WalError) { try directory.remove(name) } catch {
            if error.code != .notFound { throw error }
        }
        return name
    }

    /// On a worker: makes the file that the next rotation takes, its pages ready for stores.
    func prepareNext() {
        do throws(WalError) {
            try begin(.preparing)
        } catch {
            withLock { isPreparing = false }
            return
        }
        defer { end(.preparing) }
        let made = isOpen ? makePrepared() : nil
        let surplus = withLock { () -> PreparedSegment? in
            isPreparing = false
            guard let made else { return nil }
            guard case .open = phase, !isClosing, prepared == nil, !hasSpareFile else {
                if failure == nil { return made }
                // A poisoned partition changes nothing; closing it does.
                made.file.close()
                leftovers.append(made.name)
                shared.pool.release(self)
                return nil
            }
            prepared = made
            hasSpareFile = true
            return nil
        }
        if let surplus { discard(surplus) }
    }

    private var isOpen: Bool {
        withLock { if case .open = phase { !isClosing } else { false } }
    }

    /// On a worker, with a place in the pool for it. Nil where it can't be had: a luxury, without which the rotation makes its own
    /// and reports what is wrong.
    private func makePrepared() -> PreparedSegment? {
        do throws(WalError) {
            try shared.pool.acquire(for: self)
        } catch {
            return nil
        }
        var made: PreparedSegment
        do throws(WalError) {
            let directory = try workingDirectory()
            made = try makeFile(
                named: try preparedName("next", in: directory), in: directory, total: 0, allocating: UInt64.max)
        } catch {
            shared.pool.release(self)
            return nil
        }
        if isFilling {
            guard fillRest(of: &made) else {
                discard(made)
                return nil
            }
        } else if isOpen {
            made.populated = min(made.allocated, Self.populateWindow)
            made.mapping?.populate(from: 0, to: Int(made.populated))
        }
        return made
    }

    /// Not under the lock: a file that was made ready and is not needed.
    private func discard(_ surplus: PreparedSegment) {
        surplus.file.close()
        shared.pool.release(self)
        do throws(WalError) {
            try workingDirectory().remove(surplus.name)
        } catch {
            withLock { leftovers.append(surplus.name) }
        }
    }

    /// On a worker: fills the file step by step, as long as the partition is open and there is room; the segment fills the rest as
    /// it grows.
    ///
    /// - Returns: false where the device failed, and the file is not to be relied on.
    private func fillRest(of ready: inout PreparedSegment) -> Bool {
        while ready.allocated < UInt64(ready.capacity) {
            guard isOpen else { return true }
            let next = min(ready.allocated + Self.fillStep, UInt64(ready.capacity))
            do throws(WalError) {
                try ready.file.allocate(from: ready.allocated, to: next)
            } catch {
                return error.code == .noSpace
            }
            do throws(WalError) {
                try ready.file.fill(from: ready.allocated, to: next)
                try ready.file.sync()
            } catch {
                return false
            }
            ready.allocated = next
        }
        return true
    }
}
