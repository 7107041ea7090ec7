/// A write-ahead log of one record type.
///
/// The log is a directory. It is split into partitions, which are independent streams with LSNs of their own; each is a row
/// of segment files. Open it once, resolve a ``Partition`` once, and append to that.
///
/// ```swift
/// let wal = try await Wal<Change>.open(at: "wal_data", configuration: .init(codec: .binary()))
/// let changes = try wal.partition(1)
/// try changes.append(.put(key: key, value: value))                         // survives the process
/// try await changes.append(.delete(key: key), durability: .synced)         // survives a loss of power
/// try await wal.close()
/// ```
///
/// One process at a time may have a log open for writing; any number may read it beside the writer.
public final class Wal<Record: WalCodable>: Sendable {
    /// How a log is opened. Sizes are in bytes.
    public struct Configuration: Sendable {
        /// A segment is sealed when the next record would make it larger than this. 64 KiB … 16 GiB; 64 MiB by default. A record
        /// that is larger gets a segment of its own.
        public var segmentSize: Int
        /// For every partition that `partitionCodecs` does not name.
        public var codec: AnyWalCodec<Record>
        public var partitionCodecs: [PartitionID: AnyWalCodec<Record>]
        /// Codecs that are only read: those of segments written before a partition's codec was changed.
        public var readableCodecs: [AnyWalCodec<Record>]
        /// Larger records, and larger batches as a whole, are refused. 64 MiB by default, at most 1 GiB − 64 KiB.
        public var maximumRecordSize: Int
        /// How many bytes of a partition a loss of power may take: beyond it an append waits for a sync. 2 GiB by default.
        public var maximumUnsyncedBytes: Int
        public var writes: WriteMode
        /// Has the space of segments filled with zeros and synced before it is used, not only reserved: a synced append then
        /// changes nothing but its own bytes, where else the file system notes each time that they were written to.
        ///
        /// For partitions with many callers who each wait for a sync; the article Performance has what it gives. Each byte is
        /// written twice, segments grow by a MiB instead of doubling, and after a crash all of the last one is read. It changes
        /// nothing where segments are not mapped, see ``writes``.
        public var fillsSegments: Bool
        public var reads: ReadMode
        public var onDamage: DamagePolicy
        public var check: CheckLevel
        /// Creates the directory where it is missing.
        public var createIfMissing: Bool
        /// Wipes what the log itself wrote, and nothing else that may be in the directory.
        public var truncate: Bool
        /// How many segment files may be open for writing at once. By default a third of the process's limit of open files.
        public var maximumOpenSegments: Int?
        public var observer: WalObserver
        /// Partitions whose segments are recompressed in the background once they are sealed and durable, each with its codec; see
        /// ``Partition/recompress(with:before:blockSize:progress:)``. Its events tell the observer.
        public var recompression: [PartitionID: AnyWalCodec<Record>]
        /// How long after a partition's last sync its mark is made durable by one more. A second; tests change it.
        package var idleMarkNanoseconds: UInt64 = 1_000_000_000
        /// Left out, to show that a test notices.
        package var disabledMeasures: SafetyMeasures = []
        /// The least segment size; tests take less, to have many segments.
        package var minimumSegmentSize = 64 << 10

        public init(
            segmentSize: Int = 64 << 20, codec: AnyWalCodec<Record>,
            partitionCodecs: [PartitionID: AnyWalCodec<Record>] = [:], readableCodecs: [AnyWalCodec<Record>] = [],
            maximumRecordSize: Int = 64 << 20, maximumUnsyncedBytes: Int = 2 << 30, writes: WriteMode = .automatic,
            fillsSegments: Bool = false, reads: ReadMode = .automatic, onDamage: DamagePolicy = .throw,
            check: CheckLevel = .tail, createIfMissing: Bool = true, truncate: Bool = false,
            maximumOpenSegments: Int? = nil,
            recompression: [PartitionID: AnyWalCodec<Record>] = [:], observer: WalObserver = WalObserver()
        ) {
            self.segmentSize = segmentSize
            self.codec = codec
            self.partitionCodecs = partitionCodecs
            self.readableCodecs = readableCodecs
            self.maximumRecordSize = maximumRecordSize
            self.maximumUnsyncedBytes = maximumUnsyncedBytes
            self.writes = writes
            self.fillsSegments = fillsSegments
            self.reads = reads
            self.onDamage = onDamage
            self.check = check
            self.createIfMissing = createIfMissing
            self.truncate = truncate
            self.maximumOpenSegments = maximumOpenSegments
            self.recompression = recompression
            self.observer = observer
        }

        func validated(isReadOnly: Bool) throws(WalError) -> LogSettings {
            func invalid(_ message: String) -> WalError { WalError(.invalidArgument, message) }
            guard segmentSize >= minimumSegmentSize, segmentSize <= 16 << 30 else {
                throw invalid("segmentSize is \(segmentSize), but must be 65,536 … 17,179,869,184 bytes")
            }
            guard maximumRecordSize >= 1, maximumRecordSize <= FileFormat.largestFrame - 65_536 else {
                throw invalid(
                    "maximumRecordSize is \(maximumRecordSize), but must be 1 … \(FileFormat.largestFrame - 65_536) bytes"
                )
            }
            guard maximumUnsyncedBytes >= 1 << 20 else {
                throw invalid("maximumUnsyncedBytes is \(maximumUnsyncedBytes), but must be at least 1,048,576")
            }
            if let maximumOpenSegments, maximumOpenSegments < 4 {
                throw invalid("maximumOpenSegments is \(maximumOpenSegments), but must be at least 4")
            }
            if isReadOnly, truncate { throw invalid("a log that is opened for reading only can't be truncated") }
            guard Record.walTypeName.utf8.count <= 256, !Record.walTypeName.isEmpty else {
                throw invalid("walTypeName must have 1 … 256 bytes")
            }
            for codec in [codec] + Array(partitionCodecs.values) {
                guard codec.parameters.count <= 1024, codec.name.utf8.count <= 64 else {
                    throw invalid("the codec \(codec.name) has a name of over 64 or parameters of over 1,024 bytes")
                }
                if let overhead = codec.sealing?.sealOverhead, overhead < 0 || overhead > 1024 {
                    throw invalid("the codec \(codec.name) adds \(overhead) bytes to a frame, but may add 0 … 1,024")
                }
            }
            return LogSettings(
                segmentSize: segmentSize, maximumRecordSize: maximumRecordSize,
                maximumUnsyncedBytes: maximumUnsyncedBytes, writes: writes, fillsSegments: fillsSegments,
                reads: reads, onDamage: onDamage, check: check, isReadOnly: isReadOnly, truncate: truncate,
                maximumOpenSegments: maximumOpenSegments,
                observer: observer, idleMarkNanoseconds: idleMarkNanoseconds,
                disabled: disabledMeasures)
        }
    }

    let configuration: Configuration
    let shared: LogShared
    private let opening: WalInfo
    /// What new segments say that a record looks like; worked out once for all partitions.
    private let schema: String
    /// Of this opening; 0 to a reader.
    private let incarnation: UInt64
    let table: PartitionTable<Partition>
    /// Guards the making of partitions, and `close`.
    private let isClosed = Locked(false)

    // MARK: Opening

    /// Opens a log for writing, recovers what an earlier process left, and creates the directory where there is none.
    ///
    /// - Throws: ``WalError/Code/alreadyOpen`` where another holds it, `.corrupt` or `.missing` for damage below the last
    ///   mark, `.recordTypeMismatch`, `.unsupportedFormat`, and what the file system says. `.unknownCodec`, `.unknownKey` or
    ///   `.wrongKey` where the configuration can read none of the segments; where it can read some, reading another is the error.
    /// - Complexity: O(segments), and the bytes that were written behind the last mark.
    public static func open(
        at path: String, configuration: Configuration
    ) async throws(WalError) -> Wal {
        try await open(at: path, configuration: configuration, storage: PosixStorage())
    }

    /// Opens a log for reading only: beside a live writer, without a lock, and without writing anything.
    ///
    /// What it shows ends at the last whole frame. Readers made later see what the writer has added since.
    public static func openReadOnly(
        at path: String, configuration: Configuration
    ) async throws(WalError) -> Wal {
        try await open(at: path, configuration: configuration, storage: PosixStorage(), isReadOnly: true)
    }

    package static func open(
        at path: String, configuration: Configuration, storage: any WalStorage, isReadOnly: Bool = false
    ) async throws(WalError) -> Wal {
        let settings = try configuration.validated(isReadOnly: isReadOnly)
        return try await blocking(on: storage, named: "wal-open") { () throws(WalError) in
            try Wal(path: path, configuration: configuration, settings: settings, storage: storage)
        }
    }

    /// The same on the calling thread, which it may block: for threads and `main.swift`.
    public static func openAndWait(
        at path: String, configuration: Configuration, readOnly: Bool = false
    ) throws(WalError) -> Wal {
        let settings = try configuration.validated(isReadOnly: readOnly)
        return try Wal(path: path, configuration: configuration, settings: settings, storage: PosixStorage())
    }

    private init(
        path: String, configuration: Configuration, settings: LogSettings, storage: any WalStorage
    ) throws(WalError) {
        let isReadOnly = settings.isReadOnly
        var settings = settings
        let notes = LogNotes(observer: settings.observer)
        let root = LogDirectory(
            try storage.openRoot(path, create: !isReadOnly && configuration.createIfMissing), notes: notes)
        var lock: WriterLock?
        if !isReadOnly, !settings.disabled.contains(.lock) {
            lock = try WriterLock.take(root, path, storage, notes)
        }
        if isReadOnly { try LogFiles.checkIsLog(root, path) }
        settings.fit(into: isReadOnly ? nil : storage.fileSizeLimit(), notes)
        let writes = try WriteChoice(settings, root, notes)
        opening = WalInfo(
            path: path, isReadOnly: isReadOnly, writes: writes.isMapped ? .mapped : .written,
            writesReason: writes.reason,
            reads: !isReadOnly && writes.isMapped && settings.reads == .automatic ? .automatic : .pread,
            lock: lock.map { WalInfo.Lock(directory: $0.holdsDirectory, file: $0.holdsFile) },
            fileSystem: root.fileSystemName, segmentSize: settings.segmentSize)
        self.configuration = configuration
        let identity = try LogIdentity.find(in: root)
        if let problem = identity.problem, settings.onDamage == .throw { throw problem }
        let isNew = identity.id == nil && identity.problem == nil
        let logID = isNew && !isReadOnly ? LogID(high: storage.random(), low: storage.random()) : identity.id
        shared = LogShared(
            storage: storage, root: root, logID: logID, identityProblem: identity.problem, settings: settings,
            notes: notes, lock: lock, isMapped: writes.isMapped)
        // Also where the opening fails: what was recovered until then stays so.
        let observers = shared.queues.observers
        // A note may be made under a lock, where no thread may be started: it is told with what comes next, or by `close`.
        defer { notes.begin { tell in observers.enqueue(tell) } }
        shared.rootIsDirty.withLock { $0 = !isReadOnly }
        if !isReadOnly { try shared.queues.start() }
        schema = isReadOnly ? "" : SegmentHeader.schema(of: Record.self)
        table = PartitionTable()
        // All are looked at before one is changed: an opening that is refused has touched nothing.
        var plans: [(recovery: PartitionRecovery, plan: PartitionRecovery.Plan)] = []
        for entry in try root.list() {
            guard let id = FileFormat.partition(ofDirectoryNamed: entry.name) else { continue }
            guard entry.kind == .directory else {
                throw WalError(
                    .notALog,
                    "\(entry.name) is not a directory (a symbolic link?) and is not followed; remove what is in its place",
                    partition: id)
            }
            let directory = try root.openDirectory(entry.name, create: false)
            let recovery = PartitionRecovery(id: id, shared: shared, directory: directory)
            let plan = try recovery.plan()
            for header in plan.headers { try Self.checkType(header) }
            plans.append((recovery, plan))
        }
        var recovered: [(id: PartitionID, result: PartitionRecovery.Result)] = []
        for (recovery, plan) in plans {
            let result = try recovery.carryOut(plan)
            if let event = result.event(recovery.id, isReadOnly: isReadOnly) { notes.note(event) }
            recovered.append((recovery.id, result))
        }
        let newest = recovered.map(\.result.newestIncarnation).max() ?? 0
        incarnation = isReadOnly ? 0 : try shared.incarnation(after: newest)
        var readability = Readability()
        for (id, result) in recovered {
            let partition = try makePartition(id, result, exists: result.exists)
            table.insert(partition, at: id.rawValue)
            if let unreadable = readability.note(result.segments, partition.codecs) {
                notes.note(.unreadable(id, segments: unreadable.count, unreadable.error))
            }
        }
        try readability.check(settings)
        if let logID, !identity.isWritten, !isReadOnly { try writeLogFile(logID, isNew: isNew) }
        // What is there is served as durable: so must its partition's name be, though whoever made it may have been killed
        // before it was.
        if !isReadOnly, !table.all.isEmpty { try shared.syncRoot() }
    }

    private func writeLogFile(_ id: LogID, isNew: Bool) throws(WalError) {
        do throws(WalError) {
            try LogFile(id: id, created: shared.storage.wallClockNow()).write(in: shared.root)
        } catch {
            // On a full disk the partitions go on telling which log it is.
            guard error.code == .noSpace, !isNew else { throw error }
            return
        }
        guard !isNew else { return }
        shared.notes.note(
            .repaired("the file LOG was missing or damaged, and was written again with the log's ID, \(id)"))
    }

    private static func checkType(_ header: SegmentHeader) throws(WalError) {
        guard header.typeName == Record.walTypeName || Record.self == Payload.self else {
            throw WalError(
                .recordTypeMismatch,
                "the log holds records of type \(header.typeName), not \(Record.walTypeName); if the type was renamed, pin its walTypeName to the old name",
                partition: header.partition, segment: LSN(header.firstLSN))
        }
    }

    private func makePartition(
        _ id: PartitionID, _ result: PartitionRecovery.Result, exists: Bool
    ) throws(WalError) -> Partition {
        let codec = configuration.partitionCodecs[id] ?? configuration.codec
        let identity = SegmentIdentity(
            codecID: codec.id, codecName: codec.name, codecParameters: codec.parameters, typeName: Record.walTypeName,
            schema: schema)
        let log = PartitionLog(
            id: id, shared: shared, identity: identity, state: result.state, incarnation: incarnation)
        log.exists = exists
        log.segments = result.segments
        log.hot.pointee.nextLSN = result.nextLSN
        log.hot.pointee.history = shared.settings.isReadOnly ? (result.segments.last?.header.history ?? 0) : incarnation
        log.hot.pointee.appendedWord = result.nextLSN - 1
        log.hot.pointee.durableWord = shared.settings.isReadOnly ? result.durable : result.nextLSN - 1
        if let failure = result.failure { log.phase = .quarantined(failure) }
        let codecs = CodecTable(
            writer: codec,
            others: [configuration.codec] + Array(configuration.partitionCodecs.values)
                + configuration.readableCodecs + Array(configuration.recompression.values))
        log.expansion = codecs.expansion(for:)
        log.opener = codecs.opener(for:_:)
        log.knowsCodec = { (header) throws(WalError) in try codecs.knownReader(for: header) != nil }
        if let sealing = codec.sealing {
            log.sealing = FrameSealing(overhead: sealing.sealOverhead, makeSealer: sealing.makeSealer(header:))
        }
        let partition = Partition(log: log, codec: codec.plain, codecs: codecs)
        if let packed = configuration.recompression[id], !shared.settings.isReadOnly {
            log.backgroundTarget = try partition.target(packed, Partition.defaultBlockSize)
        }
        return partition
    }

    /// How the log was opened, and what it had to say since.
    public var info: WalInfo {
        var info = opening
        info.events = shared.notes.events
        return info
    }

    // MARK: Partitions

    /// A partition, to be kept and used for everything else. It comes to be on disk with its first record.
    ///
    /// - Throws: ``WalError/Code/closed``.
    public func partition(_ id: PartitionID) throws(WalError) -> Partition {
        if let known = table[id.rawValue] { return known }
        try shared.checkProcess(id)
        return try isClosed.withLock { (isClosed) throws(WalError) in
            if isClosed { throw WalError(.closed, "the log is closed; open it again", partition: id) }
            if let known = table[id.rawValue] { return known }
            if let problem = shared.identityProblem { throw problem }
            let state = PartitionState(partition: id, logID: try shared.logID() ?? LogID(high: 0, low: 0))
            let made = try makePartition(id, PartitionRecovery.Result(state: state), exists: false)
            table.insert(made, at: id.rawValue)
            return made
        }
    }

    /// The partitions that hold, or held, records, in order.
    public var partitionIDs: [PartitionID] {
        table.all.filter { partition in partition.log.withLock { partition.log.exists } }.map(\.id)
    }

    /// How much of the memory for frames that wait for a sync is in use.
    package var stagingBuffersInUse: Int { shared.staging.taken }

    // MARK: Everything at once

    /// Makes everything appended so far durable, in all partitions.
    ///
    /// - Throws: the first failure, after every partition was tried.
    public func sync() async throws(WalError) {
        try shared.checkProcess()
        // All are asked before the first is waited for, so that their syncs share the disk's time.
        for partition in table.all { partition.log.beginSync() }
        var failed: WalError?
        for partition in table.all {
            do throws(WalError) { try await partition.sync() } catch { failed = failed ?? error }
        }
        if let failed { throw failed }
    }

    /// The same for a thread that may block.
    public func syncAndWait() throws(WalError) {
        var failed: WalError?
        for partition in table.all {
            do throws(WalError) { try partition.syncAndWait() } catch { failed = failed ?? error }
        }
        if let failed { throw failed }
    }

    /// Refuses new appends, makes everything durable, seals the segments, ends tails and watches, and releases the lock, the
    /// last also where it throws. A second call does nothing.
    public func close() async throws(WalError) {
        try shared.checkProcess()
        try await blocking(
            on: shared.storage, named: "wal-close",
            // Where no thread can be had, one that is there already does it.
            otherwise: { [shared] in shared.queues.syncs.submit($0) }
        ) { () throws(WalError) in try self.closeAndWait() }
    }

    /// The same for a thread that may block.
    public func closeAndWait() throws(WalError) {
        try shared.checkProcess()
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        guard !wasClosed else { return }
        defer {
            if shared.settings.disabled.contains(.joining) {
                shared.queues.stop()
            } else {
                shared.queues.stopAndJoinWorkers()
            }
            shared.lock?.release()
            // What happened until now is told before this returns; but nobody who is slow to hear it keeps the lock.
            if !shared.settings.disabled.contains(.joining) { shared.queues.observers.stopAndJoin() }
        }
        var failed: WalError?
        for partition in table.all {
            do throws(WalError) { try partition.log.close() } catch { failed = failed ?? error }
        }
        do throws(WalError) { try shared.syncRoot() } catch { failed = failed ?? error }
        if let failed { throw failed }
    }
}

extension Wal {
    // MARK: Forwarding

    /// Appends to a partition; see ``Partition/append(_:)``.
    @discardableResult
    public func append(_ record: borrowing Record, to id: PartitionID) throws(WalError) -> Receipt {
        try partition(id).append(record)
    }

    /// Appends to a partition; see ``Partition/append(_:durability:)``.
    @discardableResult
    public func append(
        _ record: borrowing Record, to id: PartitionID, durability: Durability
    ) async throws(WalError) -> Receipt {
        try await partition(id).append(record, durability: durability)
    }

    /// Appends a batch to a partition; see ``Partition/append(contentsOf:)``.
    @discardableResult
    public func append(contentsOf records: some Sequence<Record>, to id: PartitionID) throws(WalError) -> Receipt {
        try partition(id).append(contentsOf: records)
    }

    /// Makes one partition durable.
    public func sync(_ id: PartitionID) async throws(WalError) { try await partition(id).sync() }
}
