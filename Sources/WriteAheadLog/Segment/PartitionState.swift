/// What a partition must remember beside its segments: the STATE file.
///
/// Two slots in different pages, written in turn; the one with the greater sequence that passes its checksum counts.
package struct PartitionState: Equatable, Sendable {
    /// The first LSN of a history, for histories whose segments may be gone.
    package struct HistoryStart: Equatable, Sendable {
        package var history: UInt64
        package var firstLSN: UInt64
    }

    package var partition: PartitionID
    package var logID: LogID
    package var sequence: UInt64 = 0
    /// Which file it was written to, where that is known: a copy is another one.
    package var inode: UInt64 = 0
    package var birth: UInt64 = 0
    /// Which records the LSNs mean.
    package var history: UInt64 = 1
    /// The greatest that is known here.
    package var incarnation: UInt64 = 1
    /// Segments of an earlier one were truncated away; what is left of them goes at open.
    package var oldestIncarnation: UInt64 = 1
    /// The first LSN that purge has left: the first segment's name.
    package var firstRetained: UInt64 = 1
    /// Readers see no record below it.
    package var firstVisible: UInt64 = 1
    /// No LSN below this is given out again.
    package var nextLSNFloor: UInt64 = 1
    /// The mark as of the last rotation, purge or close.
    package var durable: UInt64 = 0
    /// Closed cleanly: everything up to `durable`, which is all, was on stable storage.
    package var isClean = false
    /// The partition was removed: its segments are left over.
    package var isRemoved = false
    /// In ascending order.
    package var histories: [HistoryStart] = []

    // MARK: Not in the file

    /// The incarnation of whoever writes it; 0 where nobody does.
    package var writer: UInt64 = 0
    /// Read from a file that is not the one to which it was written.
    package private(set) var isCopy = false
    /// Read from a file whose last writer may have ended before it was synced.
    private var isMaybeUnsynced = false

    package init(partition: PartitionID, logID: LogID) {
        self.partition = partition
        self.logID = logID
    }

    /// Of a partition whose records are all wiped, in the place of another.
    init(replacing other: PartitionState) {
        self.init(partition: other.partition, logID: other.logID)
        sequence = other.sequence
        incarnation = other.incarnation
        inode = other.inode
        birth = other.birth
        writer = other.writer
    }

    package static let slotOffsets: [UInt64] = [0, 4096]
    package static let slotSize = 4096
    package static let fileSize: UInt64 = 8192
    package static let historyLimit = 239
    private static let historiesOffset = 256
    private static let sumOffset = slotSize - 4
    /// Of version 1, which had the magic and the version in the same places.
    private static let firstVersionSumOffset = 508

    private enum Flag {
        static let clean: UInt64 = 1
        static let removed: UInt64 = 2
    }

    package var place: UInt64 { Self.slotOffsets[Int(sequence & 1)] }

    /// Notes that records of a history were written from `firstLSN` on; the oldest is forgotten when there are too many.
    package mutating func note(history: UInt64, firstLSN: UInt64) {
        self.history = max(self.history, history)
        // Only the first segment of a history says where it began.
        guard !histories.contains(where: { $0.history == history }) else { return }
        histories.append(HistoryStart(history: history, firstLSN: firstLSN))
        histories.sort { $0.history < $1.history }
        if histories.count > Self.historyLimit { histories.removeFirst(histories.count - Self.historyLimit) }
    }

    package mutating func note(_ header: SegmentHeader) {
        incarnation = max(incarnation, header.incarnation)
        note(history: header.history, firstLSN: header.firstLSN)
    }

    /// How far a mark counts that was written in a history: up to where records were taken back since.
    package func limit(ofHistory history: UInt64) -> UInt64 {
        var limit = UInt64.max
        for start in histories where start.history > history { limit = min(limit, start.firstLSN - 1) }
        return limit
    }

    /// What a mark calls durable and what is still so.
    package func durable(by mark: SegmentMark) -> UInt64 { min(mark.durable, limit(ofHistory: mark.history)) }

    /// The LSN with which the first segment begins.
    var firstExpected: UInt64 { isRemoved ? firstAfterRemoval : firstRetained }
    /// LSNs go on after those that were given out.
    var firstAfterRemoval: UInt64 { max(nextLSNFloor, durable + 1) }

    /// Whether a segment with such a header, nil where it is not whole, was truncated away, or removed with the partition.
    func isLeftover(_ header: SegmentHeader?) -> Bool {
        guard let header else { return isRemoved }
        return header.incarnation < oldestIncarnation || isRemoved && header.incarnation <= incarnation
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.slotSize)
        bytes.append(integer: FileFormat.stateMagic)
        bytes.append(integer: FileFormat.version)
        bytes.append(integer: UInt32(partition.rawValue))
        bytes.append(integer: sequence)
        bytes.append(logID)
        let flags = (isClean ? Flag.clean : 0) | (isRemoved ? Flag.removed : 0)
        for value in [
            inode, birth, history, incarnation, oldestIncarnation, firstRetained, firstVisible, nextLSNFloor, durable,
            flags, UInt64(histories.count),
        ] { bytes.append(integer: value) }
        bytes.append(contentsOf: repeatElement(0, count: Self.historiesOffset - bytes.count))
        for start in histories {
            bytes.append(integer: start.history)
            bytes.append(integer: start.firstLSN)
        }
        bytes.append(contentsOf: repeatElement(0, count: Self.sumOffset - bytes.count))
        bytes.append(integer: bytes.crc32c(0..<Self.sumOffset))
        return bytes
    }

    /// Nil where it is not a whole slot.
    ///
    /// - Throws: `.unsupportedFormat` where it is of another version, `.foreign` where it is of another partition or log.
    package init?(
        decoding bytes: UnsafeRawBufferPointer, partition: PartitionID, logID: LogID?
    ) throws(WalError) {
        let reader = ByteReader(bytes)
        guard reader.integer(0) == FileFormat.stateMagic, let version: UInt32 = reader.integer(8) else { return nil }
        let end = version == 1 ? Self.firstVersionSumOffset : Self.sumOffset
        guard let summed = reader.slice(0, end), reader.integer(end) == crc32c(summed) else { return nil }
        do throws(WalError) {
            try FileFormat.check(version, of: "the partition's STATE")
        } catch {
            throw error.at(partition: partition)
        }
        guard let number: UInt32 = reader.integer(12), let sequence: UInt64 = reader.integer(16),
            let stated = reader.logID(24), let inode: UInt64 = reader.integer(40),
            let birth: UInt64 = reader.integer(48), let history: UInt64 = reader.integer(56),
            let incarnation: UInt64 = reader.integer(64), let oldest: UInt64 = reader.integer(72),
            let firstRetained: UInt64 = reader.integer(80), let firstVisible: UInt64 = reader.integer(88),
            let floor: UInt64 = reader.integer(96), let durable: UInt64 = reader.integer(104),
            let flags: UInt64 = reader.integer(112), let count: UInt64 = reader.integer(120)
        else { return nil }
        guard flags & ~(Flag.clean | Flag.removed) == 0 else {
            throw WalError(
                .unsupportedFormat,
                "the partition's STATE has flags that this release does not know; use a newer release",
                partition: partition)
        }
        guard number == UInt32(partition.rawValue), stated == logID ?? stated else {
            throw WalError.foreign(
                "STATE", log: stated, LogPlace(logID: logID, partition: partition), partition: number)
        }
        guard firstRetained >= 1, firstRetained <= LSN.max.rawValue, floor <= LSN.max.rawValue,
            durable < LSN.max.rawValue, history <= FileFormat.largestCounter, incarnation <= FileFormat.largestCounter,
            oldest <= incarnation, sequence <= FileFormat.largestCounter,
            // What was given out was durable when this was written, and what was purged was given out.
            firstRetained <= firstVisible, firstVisible <= floor, floor <= durable + 1,
            count <= UInt64(Self.historyLimit)
        else { return nil }
        self.init(partition: partition, logID: stated)
        self.sequence = sequence
        self.inode = inode
        self.birth = birth
        self.history = history
        self.incarnation = incarnation
        oldestIncarnation = oldest
        self.firstRetained = firstRetained
        self.firstVisible = firstVisible
        nextLSNFloor = floor
        self.durable = durable
        isClean = flags & Flag.clean != 0
        isRemoved = flags & Flag.removed != 0
        for k in 0..<Int(count) {
            let at = Self.historiesOffset + 16 * k
            guard let number: UInt64 = reader.integer(at), let first: UInt64 = reader.integer(at + 8),
                number > histories.last?.history ?? 0, number <= history, first >= 1, first <= LSN.max.rawValue
            else { return nil }
            histories.append(HistoryStart(history: number, firstLSN: first))
        }
    }

    /// What STATE in a partition's directory says; nil where there is none that is whole.
    ///
    /// Beside a writer it is read before the names are listed: then what it calls durable stands in files that are listed.
    static func read(
        in directory: any WalDirectory, partition: PartitionID, logID: LogID?
    ) throws(WalError) -> PartitionState? {
        let file: any WalFile
        do throws(WalError) {
            file = try directory.openFile(FileFormat.stateFileName, .read)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        defer { file.close() }
        return try read(file, partition: partition, logID: logID)
    }

    /// What the STATE file says: nil where it is empty or was never made durable.
    package static func read(
        _ file: any WalFile, partition: PartitionID, logID: LogID?
    ) throws(WalError) -> PartitionState? {
        var best: PartitionState?
        for offset in slotOffsets {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slotSize, alignment: 8)
            defer { buffer.deallocate() }
            let count = try file.read(into: buffer, at: offset)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if let state = try PartitionState(decoding: bytes, partition: partition, logID: logID),
                state.sequence >= best?.sequence ?? 0
            {
                best = state
            }
        }
        if let state = best {
            let identity = try file.identity()
            best?.isCopy = identity.inode != 0 && identity.isOther(inode: state.inode, birth: state.birth)
        }
        best?.isMaybeUnsynced = true
        return best
    }

    /// What was read from the file may be in the cache alone: before anything depends on it, it is written again and synced. A
    /// torn write of the same bytes leaves the same bytes.
    package mutating func makeDurable(in directory: any WalDirectory) throws(WalError) {
        guard isMaybeUnsynced else { return }
        let file = try directory.openFile(FileFormat.stateFileName, .readWrite)
        defer { file.close() }
        try makeDurable(file, try file.identity(), in: directory)
    }

    private mutating func makeDurable(
        _ file: any WalFile, _ identity: FileIdentity, in directory: any WalDirectory
    ) throws(WalError) {
        guard isMaybeUnsynced else { return }
        if identity.links > 1 {
            // Synced, a file of its own with the same content stands for it.
            try replace(in: directory, synced: true, with: self)
        } else {
            try file.write(encoded(), at: place)
            try file.sync()
        }
        isMaybeUnsynced = false
    }

    /// Writes the next slot, changed by `change`. At most one slot is ever unsynced, so that a loss of power leaves the other
    /// one whole.
    ///
    /// A file that has another name too, in a backup made of hard links, is not written to: a new one takes its place.
    ///
    /// - Parameter opened: STATE itself, where it is open already.
    package mutating func update(
        in directory: any WalDirectory, opened: (any WalFile)? = nil, synced: Bool = true,
        _ change: (inout PartitionState) -> Void
    ) throws(WalError) {
        if let opened {
            try update(opened, in: directory, synced: synced, change)
            return
        }
        let file = try directory.openFile(FileFormat.stateFileName, .createOrOpen)
        defer { file.close() }
        try update(file, in: directory, synced: synced, change)
    }

    private mutating func update(
        _ file: any WalFile, in directory: any WalDirectory, synced: Bool, _ change: (inout PartitionState) -> Void
    ) throws(WalError) {
        let identity = try file.identity()
        guard identity.links > 0 else {
            throw WalError(
                .removed,
                "the file STATE was removed while the log was open: close the log, restore the directory from a backup, and open it again",
                partition: partition)
        }
        var next = self
        change(&next)
        next.sequence += 1
        next.incarnation = max(next.incarnation, writer)
        next.firstVisible = max(next.firstVisible, next.firstRetained)
        next.isCopy = false
        if identity.links > 1 {
            try replace(in: directory, synced: synced, with: next)
            isMaybeUnsynced = false
            return
        }
        try makeDurable(file, identity, in: directory)
        let size = try file.size()
        if size < Self.fileSize {
            // Space for both slots, so that later a full disk can't keep STATE from being written.
            if size == 0 { file.overwritesInPlace() }
            try file.write([UInt8](repeating: 0, count: Int(Self.fileSize)), at: 0)
        }
        (next.inode, next.birth) = (identity.inode, identity.birth)
        next.isMaybeUnsynced = false
        try file.write(next.encoded(), at: next.place)
        if synced { try file.sync() }
        self = next
    }

    /// Puts a file of its own in the place of one that has other names.
    private mutating func replace(
        in directory: any WalDirectory, synced: Bool, with next: PartitionState
    ) throws(WalError) {
        let name = FileFormat.preparedName("state", maker: next.sequence)
        do throws(WalError) { try directory.remove(name) } catch {
            guard error.code == .notFound else { throw error }
        }
        let file = try directory.openFile(name, .createNew)
        defer { file.close() }
        var next = next
        do throws(WalError) {
            let identity = try file.identity()
            (next.inode, next.birth) = (identity.inode, identity.birth)
            file.overwritesInPlace()
            try file.write([UInt8](repeating: 0, count: Int(Self.fileSize)), at: 0)
            try file.write(next.encoded(), at: next.place)
            // Synced in any case: the name must not lead to less than it did.
            try file.sync()
            try directory.rename(name, to: FileFormat.stateFileName)
            if synced { try directory.sync() }
        } catch {
            // What is left of it goes at the next opening.
            do throws(WalError) { try directory.remove(name) } catch {}
            throw error
        }
        self = next
    }
}
