/// What a partition must remember beside its segments: the STATE file.
///
/// Two slots in different pages, written in turn; the one with the greater sequence that passes its checksum counts.
package struct PartitionState: Equatable, Sendable {
    /// The first LSN of an epoch, for epochs whose segments may be gone.
    package struct EpochStart: Equatable, Sendable {
        package var epoch: UInt64
        package var firstLSN: UInt64
    }

    package var partition: PartitionID
    package var sequence: UInt64 = 0
    /// The epoch in which the next segment is written.
    package var epoch: UInt64 = 1
    /// Segments of an earlier epoch were truncated away; what is left of them goes at open.
    package var oldestEpoch: UInt64 = 1
    /// The first LSN that purge has left.
    package var firstRetained: UInt64 = 1
    /// No LSN below this is given out again.
    package var nextLSNFloor: UInt64 = 1
    /// The mark as of the last rotation, purge or close.
    package var durable: UInt64 = 0
    /// Closed cleanly: everything up to `durable`, which is all, was on stable storage.
    package var isClean = false
    package var history: [EpochStart] = []
    /// Read from a file whose last writer may have ended before it was synced.
    private var isMaybeUnsynced = false

    package init(partition: PartitionID) { self.partition = partition }

    /// Of a partition whose records are all wiped, in the place of another.
    init(replacing other: PartitionState) {
        self.init(partition: other.partition)
        sequence = other.sequence
    }

    package static let slotOffsets: [UInt64] = [0, 4096]
    package static let slotSize = 512
    package static let fileSize: UInt64 = 4608
    package static let historyLimit = 24

    package var place: UInt64 { Self.slotOffsets[Int(sequence & 1)] }

    /// Notes that records of `epoch` were written from `firstLSN` on; the oldest is forgotten when there are too many.
    package mutating func note(epoch: UInt64, firstLSN: UInt64) {
        self.epoch = max(self.epoch, epoch)
        // Only the first segment of an epoch says where it began.
        guard !history.contains(where: { $0.epoch == epoch }) else { return }
        history.append(EpochStart(epoch: epoch, firstLSN: firstLSN))
        history.sort { $0.epoch < $1.epoch }
        if history.count > Self.historyLimit { history.removeFirst(history.count - Self.historyLimit) }
    }

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.slotSize)
        bytes.append(integer: FileFormat.stateMagic)
        bytes.append(integer: FileFormat.version)
        bytes.append(integer: UInt32(partition.rawValue))
        for value in [sequence, epoch, oldestEpoch, firstRetained, nextLSNFloor, durable, isClean ? 1 : 0] {
            bytes.append(integer: value)
        }
        bytes.append(integer: UInt64(history.count))
        for start in history {
            bytes.append(integer: start.epoch)
            bytes.append(integer: start.firstLSN)
        }
        bytes.append(contentsOf: repeatElement(0, count: Self.slotSize - 4 - bytes.count))
        bytes.append(integer: bytes.crc32c(0..<(Self.slotSize - 4)))
        return bytes
    }

    /// Nil where it is not a whole slot of that partition.
    package init?(decoding bytes: UnsafeRawBufferPointer, partition: PartitionID) throws(WalError) {
        let reader = ByteReader(bytes)
        guard let summed = reader.slice(0, Self.slotSize - 4), reader.integer(Self.slotSize - 4) == crc32c(summed),
            reader.integer(0) == FileFormat.stateMagic, let version: UInt32 = reader.integer(8)
        else { return nil }
        guard version == FileFormat.version else {
            throw WalError(
                .unsupportedFormat,
                "the partition's STATE has version \(version), this release reads \(FileFormat.version)",
                partition: partition)
        }
        guard reader.integer(12) == UInt32(partition.rawValue), let sequence: UInt64 = reader.integer(16),
            let epoch: UInt64 = reader.integer(24), let oldestEpoch: UInt64 = reader.integer(32),
            let firstRetained: UInt64 = reader.integer(40), let floor: UInt64 = reader.integer(48),
            let durable: UInt64 = reader.integer(56), let flags: UInt64 = reader.integer(64),
            let count: UInt64 = reader.integer(72), count <= UInt64(Self.historyLimit),
            firstRetained >= 1, firstRetained <= LSN.max.rawValue, floor >= 1, floor <= LSN.max.rawValue,
            durable < LSN.max.rawValue, epoch >= 1, epoch <= FileFormat.largestCounter,
            oldestEpoch <= epoch, sequence <= FileFormat.largestCounter,
            // What was given out was durable when this was written, and what was purged was given out.
            floor <= durable + 1, firstRetained <= floor
        else { return nil }
        guard flags & ~1 == 0 else {
            throw WalError(
                .unsupportedFormat, "the partition's STATE has flags that this release does not know",
                partition: partition)
        }
        self.init(partition: partition)
        self.sequence = sequence
        self.epoch = epoch
        self.oldestEpoch = oldestEpoch
        self.firstRetained = firstRetained
        nextLSNFloor = floor
        self.durable = durable
        isClean = flags & 1 != 0
        for k in 0..<Int(count) {
            guard let epoch: UInt64 = reader.integer(80 + 16 * k), let first: UInt64 = reader.integer(88 + 16 * k),
                epoch <= self.epoch, first >= 1, first <= LSN.max.rawValue
            else { return nil }
            history.append(EpochStart(epoch: epoch, firstLSN: first))
        }
    }

    /// What STATE in a partition's directory says; nil where there is none that is whole.
    ///
    /// Beside a writer it is read before the names are listed: then what it calls durable stands in files that are listed.
    static func read(
        in directory: any WalDirectory, partition: PartitionID
    ) throws(WalError) -> PartitionState? {
        let file: any WalFile
        do throws(WalError) {
            file = try directory.openFile(FileFormat.stateFileName, .read)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        defer { file.close() }
        return try read(file, partition: partition)
    }

    /// What the STATE file says: nil where it is empty or was never made durable.
    package static func read(_ file: any WalFile, partition: PartitionID) throws(WalError) -> PartitionState? {
        var best: PartitionState?
        for offset in slotOffsets {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: slotSize, alignment: 8)
            defer { buffer.deallocate() }
            let count = try file.read(into: buffer, at: offset)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            if let state = try PartitionState(decoding: bytes, partition: partition),
                state.sequence >= best?.sequence ?? 0
            {
                best = state
            }
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
        try file.write(encoded(), at: place)
        try file.sync()
        isMaybeUnsynced = false
    }

    /// Writes the next slot, changed by `change`. At most one slot is ever unsynced, so that a loss of power leaves the other
    /// one whole.
    package mutating func update(
        in directory: any WalDirectory, synced: Bool = true, _ change: (inout PartitionState) -> Void
    ) throws(WalError) {
        try makeDurable(in: directory)
        let file = try directory.openFile(FileFormat.stateFileName, .createOrOpen)
        defer { file.close() }
        if try file.size() < Self.fileSize {
            // Space for both slots, so that later a full disk can't keep STATE from being written.
            try file.write([UInt8](repeating: 0, count: Int(Self.fileSize)), at: 0)
        }
        var next = self
        change(&next)
        next.sequence += 1
        try file.write(next.encoded(), at: next.place)
        if synced { try file.sync() }
        self = next
    }
}
