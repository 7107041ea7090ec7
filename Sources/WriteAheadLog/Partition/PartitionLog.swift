internal import CWalShims

/// One partition: its segments, its writer, and how far it got. Knows bytes, not records.
///
/// The fields of ``Hot`` and all mutable properties are guarded by the lock that stands before `hot`, which is held for
/// nanoseconds by an append and for a system call or two by a rotation. `durable` and `appended` are words that anybody
/// may load.
///
/// The order of locks, for whoever holds more than one: STATE's (``state``), then the partition's, then those that are held for
/// moments and within which no other is taken: the pool's, a queue's, a signal's. Only the making of the partition's directory
/// takes STATE's under the partition's; nobody else uses STATE before ``exists`` is set. Nothing is told, and no thread started,
/// under the partition's lock: that is handed over to ``letGo()``.
@usableFromInline
final class PartitionLog: @unchecked Sendable {
    // Sendable: see above.

    /// What an append touches.
    struct Hot {
        /// The byte at file offset `o` of the active segment is stored at `target + o`.
        var target: UnsafeMutableRawPointer
        /// Where the next frame goes.
        var end: UInt64 = FileFormat.dataStart
        /// An append that would end beyond it takes the slow path; 0 sends every one there.
        var limit: UInt64 = 0
        /// The same for an append to the staging buffer.
        var stagingLimit: UInt64 = 0
        var nextLSN: UInt64 = 1
        var salt: UInt64 = 0
        var history: UInt64 = 1
        var segmentFirstLSN: UInt64 = 1
        var published: UnsafeMutablePointer<UInt64>
        var recordsInSegment: UInt64 = 0
        /// Somebody waits for what is appended, or for the lock to be let go.
        var attention = false
        var appendedWord: UInt64 = 0
        var durableWord: UInt64 = 0
    }

    enum Phase {
        case open
        case poisoned(WalError)
        /// Found damaged when it was opened: it can be read.
        case quarantined(WalError)
        case closed
    }

    let id: PartitionID
    let shared: LogShared
    let identity: SegmentIdentity
    let logID: LogID
    /// Of this opening; 0 to a reader.
    let incarnation: UInt64
    let directoryName: String
    let maximumRecordSize: Int
    let hot: UnsafeMutablePointer<Hot>
    private let memory: UnsafeMutableRawPointer
    private let placeholder: UnsafeMutablePointer<UInt64>

    // MARK: Guarded by the lock

    var phase = Phase.open
    /// The partition's directory exists.
    var exists = false
    /// Readers see no record below it.
    var firstVisible: UInt64
    /// Names in the partition's directory, or STATE, that were not synced yet.
    var directoryIsDirty = false
    /// The partition's own name in the log's directory was not synced yet.
    var nameIsDirty = false
    /// The partition is new, and its STATE was not synced yet.
    var stateIsNew = false
    var segments: [Segment] = []
    /// The last of `segments`, while it is appended to.
    var active: Segment?
    /// Sealed, in order, with bytes that were not synced; their files are open.
    var unsynced: [Segment] = []
    /// Of the active segment.
    var index: [IndexEntry] = []
    var indexedEnd: UInt64 = FileFormat.dataStart
    /// Space is guaranteed up to here in the active segment.
    var allocated: UInt64 = 0
    /// Its pages are ready for stores up to here, or will be soon.
    var populatedEnd: UInt64 = 0
    /// A place in the pool that was acquired and not used yet.
    var hasSpareFile = false
    var prepared: PreparedSegment?
    var isPreparing = false
    /// How sealed segments are written anew in the background, where they are. Set before anybody else sees the partition.
    var backgroundTarget: RecompressionTarget?

    /// Frames of callers who wait for a sync, not yet handed to the OS.
    var stage = StagingBuffer()
    /// The frames that the sync under way writes.
    var flight = StagingBuffer()
    var syncs = SyncMachine<SyncWaiting>()
    var activities = Activities()
    /// Threads that wait for a sync or an activity to end.
    var leaving: [SyncSignal] = []
    /// What waits for the lock to be let go.
    var handedOver: [HandedOver] = []
    /// Files that were made here, belong to no segment, and could not be removed yet.
    var leftovers: [String] = []
    /// The last sync returned, and no mark says so yet.
    var isMarkOwed = false
    var isIdleMarkScheduled = false
    /// Appends are refused; what was accepted still goes to the disk.
    var isClosing = false
    var lastSyncTime: UInt64 = 0
    var progressWaiters: [ProgressWaiter] = []
    var nextWaiterID: UInt64 = 0

    /// What STATE says, with a lock of its own, under which the file is written.
    let state: Locked<PartitionState>

    // MARK: Set before anybody else sees the partition

    /// What expands the coded batches of a segment, by its header.
    var expansion: (SegmentHeader) throws(WalError) -> BatchExpansion = { (header) throws(WalError) in
        throw needsCodec(header)
    }
    var opener: FrameOpening = { _, _ in nil }
    /// Whether there is a codec for the segments of a header.
    var knowsCodec: (SegmentHeader) throws(WalError) -> Bool = { _ in false }
    /// Seals what is appended; nil where the codec does not.
    var sealing: FrameSealing?

    /// Nothing but the codec can tell what is in a frame.
    static func needsCodec(_ header: SegmentHeader) -> WalError {
        WalError(
            .unknownCodec,
            "the segment holds frames that only the codec \(header.codecName) (id \(header.codecID)) can take apart; open the log with it",
            partition: header.partition, segment: LSN(header.firstLSN))
    }

    init(
        id: PartitionID, shared: LogShared, identity: SegmentIdentity, state: PartitionState, incarnation: UInt64
    ) {
        var state = state
        state.writer = incarnation
        self.incarnation = incarnation
        firstVisible = state.firstVisible
        logID = state.logID
        self.id = id
        self.shared = shared
        self.identity = identity
        directoryName = FileFormat.partitionName(id)
        maximumRecordSize = shared.settings.maximumRecordSize
        placeholder = .allocate(capacity: 1)
        placeholder.initialize(to: 0)
        memory = Self.allocateHot()
        memory.initializeMemory(as: wal_lock_t.self, to: wal_lock_t())
        hot = (memory + Self.lockRoom).bindMemory(to: Hot.self, capacity: 1)
        // Until there is a segment, `limit` keeps every append from storing through these.
        hot.initialize(to: Hot(target: UnsafeMutableRawPointer(placeholder), published: placeholder))
        hot.pointee.history = state.history
        self.state = Locked(state)
    }

    deinit {
        // Without `close`: files and mappings go with their objects, and nothing is lost that a kill would not take.
        stage.free(to: shared.staging)
        flight.free(to: shared.staging)
        wal_hot_free(memory, Self.lockRoom + MemoryLayout<Hot>.stride)
        placeholder.deallocate()
    }

    // MARK: Lock

    /// Beside ``Hot``, not within: to thread sanitizer a change of a struct's field touches the struct's first bytes.
    private static var lockRoom: Int { 16 }
    @inline(__always) private var lockWord: UnsafeMutablePointer<wal_lock_t> {
        (UnsafeMutableRawPointer(hot) - Self.lockRoom).assumingMemoryBound(to: wal_lock_t.self)
    }

    /// Memory for the lock and ``Hot``, zeros in a child of fork: there the lock is free, and every append comes to the slow path.
    private static func allocateHot() -> UnsafeMutableRawPointer {
        guard let memory = wal_hot_allocate(lockRoom + MemoryLayout<Hot>.stride) else {
            preconditionFailure("out of memory for a partition")
        }
        return memory
    }

    @inline(__always) func lock() { wal_lock(lockWord) }
    @inline(__always) func unlock() { wal_unlock(lockWord) }

    func withLock<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
        lock()
        defer { letGo() }
        return try body()
    }

    // MARK: How far it got

    var appendedWord: UnsafeMutablePointer<UInt64> { hot.pointer(to: \.appendedWord).unsafelyUnwrapped }
    var durableWord: UnsafeMutablePointer<UInt64> { hot.pointer(to: \.durableWord).unsafelyUnwrapped }

    /// The last LSN in the operating system.
    var appended: UInt64 { wal_load_acquire(appendedWord) }
    /// The last LSN on stable storage.
    var durable: UInt64 { wal_load_acquire(durableWord) }

    /// Under the lock.
    var failure: WalError? {
        switch phase {
        case .poisoned(let error), .quarantined(let error): error
        case .open, .closed: nil
        }
    }

    /// Under the lock.
    func checkWritable() throws(WalError) {
        try shared.checkProcess(id)
        switch phase {
        case .open:
            if isClosing { throw WalError(.closed, "the log is closed; open it again", partition: id) }
            if shared.settings.isReadOnly {
                throw WalError(.readOnly, "the log was opened for reading only", partition: id)
            }
        case .poisoned(let error):
            throw WalError(
                .poisoned,
                "an earlier failure made the end of the partition uncertain; close the log, mend the cause and reopen it",
                partition: id, errno: error.errno, underlying: error)
        case .quarantined(let error):
            throw WalError(
                .poisoned, "the partition was found damaged and takes no records; see the error below", partition: id,
                underlying: error)
        case .closed: throw WalError(.closed, "the log is closed; open it again", partition: id)
        }
    }

    /// Under the lock: how many bytes a loss of power could take.
    var unsyncedBytes: UInt64 {
        var bytes: UInt64 = 0
        for segment in unsynced { bytes += segment.fileSize - min(segment.syncedEnd, segment.fileSize) }
        if let active { bytes += hot.pointee.end - min(active.syncedEnd, hot.pointee.end) }
        return bytes
    }

    func openDirectory() throws(WalError) -> any WalDirectory {
        try shared.root.openDirectory(directoryName, create: false)
    }

    /// The same for a writer, which has made it: that it is gone is an error of its own.
    func workingDirectory() throws(WalError) -> any WalDirectory {
        do throws(WalError) {
            return try openDirectory()
        } catch {
            guard error.code == .notFound else { throw error }
            throw WalError(
                .removed,
                "the partition's directory was removed or renamed while the log was open; close the log, put it back, and open it again",
                partition: id, errno: error.errno)
        }
    }
}

/// Appends the records of a stored batch, each with its length before it.
typealias BatchExpansion = (inout WalDecoder, inout WalEncoder) throws(WalError) -> Void

/// Gives what opens the frames of a segment, by its header and the file's first bytes; nil where they are not sealed.
typealias FrameOpening =
    (SegmentHeader, _ front: () throws(WalError) -> [UInt8]) throws(WalError) -> (any WalFrameOpener)?

/// Somebody who waits for the partition to get beyond an LSN.
struct ProgressWaiter {
    let id: UInt64
    let visibility: Visibility
    let beyond: UInt64
    let resume: UnsafeContinuation<Void, Never>
}

/// A file made ready to become the next segment.
struct PreparedSegment {
    let name: String
    let file: any WalFile
    let mapping: (any WalMapping)?
    let capacity: Int
    var allocated: UInt64
    /// Its pages are ready for stores up to here.
    var populated: UInt64
    /// Why it is not mapped where it should be.
    var unmapped: WalError?
}
