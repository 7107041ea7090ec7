internal import CWalShims

/// What the partitions of one open log share. None of it is touched on the append path.
final class LogShared: Sendable {
    let storage: any WalStorage
    let root: any WalDirectory
    let settings: LogSettings
    /// Which log it is; nil to a reader of a directory that nobody wrote to yet.
    private let knownID: Locked<LogID?>
    /// LOG is missing or damaged and the partitions do not agree, where that is tolerated.
    let identityProblem: WalError?
    let queues: WorkQueues
    /// Memory for frames that wait for a sync.
    let staging = StagingPool()
    let signals = SignalPool()
    let pool: FilePool
    /// Where the log's directory was when it was opened.
    private let openedAt: String?
    private let placeChecked = Locked<UInt64>(0)
    /// Segments are stored to through a mapping, where one can be had: what a segment has decides.
    let isMapped: Bool
    /// Names in the log's own directory that were not synced yet.
    let rootIsDirty: Locked<Bool>
    /// Held until `close`, or until the last handle of the log or of a partition is gone. Nil for a reader.
    let lock: WriterLock?
    let notes: LogNotes
    /// The name of the log's own directory was synced.
    private let nameIsSynced = Locked(false)
    /// Held while the log's own directory is synced; what the sync failed with.
    private let rootFailure = Locked<WalError?>(nil)

    init(
        storage: any WalStorage, root: any WalDirectory, logID: LogID?, identityProblem: WalError? = nil,
        settings: LogSettings, notes: LogNotes, lock: WriterLock?, isMapped: Bool
    ) {
        self.identityProblem = identityProblem
        knownID = Locked(logID)
        self.lock = lock
        self.notes = notes
        self.storage = storage
        self.root = root
        self.settings = settings
        queues = WorkQueues(storage: storage)
        openedAt = root.currentPath()
        // A third of the process's descriptors, for readers and the app need some too.
        let limit = storage.openFilesLimit()
        pool = FilePool(capacity: settings.maximumOpenSegments ?? min(4096, max(8, (limit - 32) / 3)))
        self.isMapped = isMapped
        rootIsDirty = Locked(false)
    }

    /// Not under a lock that appends take: notes that somebody renamed the log's directory, once.
    func checkPlace() {
        guard let openedAt, let now = root.currentPath(), now != openedAt else { return }
        notes.note(
            WalFallback(
                .renamed,
                "the log's directory was renamed from \(openedAt) to \(now) while the log was open. The log goes on there; whoever opens the old path opens another log"
            ))
    }

    /// The same at most once a second.
    func isPlaceCheckDue(_ now: UInt64) -> Bool {
        placeChecked.withLock { last in
            guard now &- last >= 1_000_000_000 else { return false }
            last = now
            return true
        }
    }

    deinit {
        // Without `close`: threads end, files and the lock go with their objects. A child of fork has none of the threads, and whoever
        // held a lock of the queues when it was made holds it for ever.
        if !isForked { queues.stop() }
    }

    // MARK: Fork

    /// Who opened the log.
    private let process = wal_process_token()

    /// In a child of the process that opened the log, made by fork. Such a child has none of the threads, and its parent goes on
    /// writing: it may touch neither files nor locks. Its hot words were wiped, so that every append comes to the slow path.
    var isForked: Bool { process != wal_process_token() }

    func checkProcess(_ partition: PartitionID? = nil) throws(WalError) {
        if isForked { throw Self.forked(partition) }
    }

    static func forked(_ partition: PartitionID?) -> WalError {
        WalError(
            .forked,
            "the log was opened by the parent of this process, before `fork`, and belongs to the parent; open it in the child, once the parent has closed it or with `openReadOnly`",
            partition: partition)
    }

    /// Which log it is; nil where nobody wrote to it yet.
    func logID() throws(WalError) -> LogID? {
        if let known = knownID.withLock({ $0 }) { return known }
        let identity = try LogIdentity.find(in: root)
        if let problem = identity.problem, identityProblem == nil { throw problem }
        guard let found = identity.id else { return nil }
        return knownID.withLock { known in
            known = known ?? found
            return known
        }
    }

    /// An incarnation beyond `newest`.
    func incarnation(after newest: UInt64) throws(WalError) -> UInt64 {
        if settings.disabled.contains(.incarnation) { return max(newest, 1) }
        return try Incarnation.next(after: newest, clock: storage.wallClockNow(), random: storage.random())
    }

    /// Makes the names in the log's own directory durable. One at a time: whoever finds the directory clean may rely on a sync
    /// that returned. After a failed one nothing is tried again, for the names may be clean in the cache and not on the disk.
    func syncRoot() throws(WalError) {
        try rootFailure.withLock { (failure) throws(WalError) in
            if let failure { throw failure }
            // Cleared first: a name that comes while the sync runs is for the next one.
            let wasDirty = rootIsDirty.withLock { dirty in
                defer { dirty = false }
                return dirty
            }
            guard wasDirty else { return }
            do throws(WalError) {
                // Once for each open: it may have been moved here, or made just now.
                if !nameIsSynced.withLock({ $0 }), !settings.disabled.contains(.directorySync) {
                    try root.syncParent()
                    nameIsSynced.withLock { $0 = true }
                }
                try root.sync()
            } catch {
                failure = error
                throw error
            }
        }
    }
}

/// Which codec and type a partition's new segments name.
struct SegmentIdentity: Sendable {
    var codecID: UInt32
    var codecName: String
    var codecParameters: [UInt8]
    var typeName: String
    var schema = ""
}

/// Keeps the number of open segment files below the process's limit: who needs one more makes an idle partition sync and
/// close its own.
final class FilePool: Sendable {
    private struct Holder {
        weak var partition: PartitionLog?
    }
    private struct State {
        var used = 0
        var holders: [Holder] = []
        /// How many places were given back so far.
        var released: UInt64 = 0
    }
    private let capacity: Int
    private let state = Locked(State())
    private let freed = Monitor()

    init(capacity: Int) { self.capacity = capacity }

    /// True while there is plenty: preparing a segment ahead is a luxury.
    var hasPlenty: Bool { state.withLock { $0.used < capacity / 2 } }

    /// Takes a place; blocks while another partition syncs and closes its file. Not under a partition's lock.
    func acquire(for partition: PartitionLog) throws(WalError) {
        // Each round parks one, or waits for its sync where it is in use right then: as long as syncs return, one is free in time.
        for _ in 0..<max(1_000, 2 * capacity + 2) {
            let seen = state.withLock { $0.released }
            let victim = state.withLock { state -> PartitionLog? in
                if state.used < capacity {
                    state.used += 1
                    state.holders.append(Holder(partition: partition))
                    return nil
                }
                while !state.holders.isEmpty {
                    let oldest = state.holders.removeFirst()
                    guard let candidate = oldest.partition else { continue }
                    if candidate === partition {
                        // Its own sealed segments may be what holds the places.
                        state.holders.append(oldest)
                        if state.holders.allSatisfy({ $0.partition === partition || $0.partition == nil }) {
                            return candidate
                        }
                        continue
                    }
                    state.holders.append(oldest)
                    return candidate
                }
                return nil
            }
            guard let victim else { return }
            do throws(WalError) {
                try victim.park(keepingActive: victim === partition)
            } catch {
                // That partition is poisoned now, and says so to those who use it; this one needs another place.
                if victim === partition { throw error }
            }
            // It may be about to use its place, or to give it back: that takes time, and no rounds.
            if state.withLock({ $0.used >= capacity && $0.released == seen }) {
                freed.withLock { freed.wait(nanoseconds: Self.patience) }
            }
        }
        throw WalError(
            .tooManyFiles, "no segment file could be closed to open another; raise the limit of open files (ulimit -n)",
            partition: partition.id)
    }

    func release(_ partition: PartitionLog) {
        state.withLock { state in
            state.used -= 1
            state.released += 1
            if let place = state.holders.firstIndex(where: { $0.partition === partition }) {
                state.holders.remove(at: place)
            }
        }
        freed.withLock { freed.broadcast() }
    }

    /// In nanoseconds. Not every change of a holder is told.
    private static var patience: UInt64 { 2_000_000 }
}
