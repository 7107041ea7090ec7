public import WriteAheadLog

/// A disk, a file system and a machine in memory, that may do to a log whatever real ones may: lose power, lose unsynced sectors
/// in any combination, forget names, fail, lie. Everything follows from the seed, so that a failure can be seen again.
///
/// It is for testing what an app does with its log, or a codec, or the log itself:
///
/// ```swift
/// let disk = SimulatedDisk(seed: 42)
/// try disk.run {
///     let wal = try await disk.open(Wal<Change>.Configuration(segmentSize: 64 << 10, codec: .binary()))
///     try await wal.append(.delete(key: [1]), to: 1, durability: .synced)
///     try wal.append(.delete(key: [2]), to: 1)
/// }
/// disk.crash(.powerLoss)
/// try disk.run {
///     let wal = try await disk.open(Wal<Change>.Configuration(segmentSize: 64 << 10, codec: .binary()))
///     // The first is there; the second may be.
/// }
/// ```
///
/// What it models:
/// - Stores to a mapping and writes go to a page cache, which all processes of the machine share and which survives a kill.
/// - Until a sync has returned, a loss of power leaves any subset of the 512-byte sectors that differ from the disk's, at an
///   age of its own for each, some torn at a word; a file's size is any that it had since. A sector's bytes that were durable
///   stay so when others beside them are written, as SQLite assumes too ("powersafe overwrite").
/// - Names that were added, removed or renamed since the directory was last synced survive in any combination; a rename
///   is atomic. Syncing a file does not make its name durable.
/// - ``DiskFault`` says what can go wrong with an operation.
///
/// Memory: three times the size of each file. Use segments of 64 KiB … 1 MiB.
public final class SimulatedDisk: Sendable {
    /// How a machine stops.
    public enum Crash: Sendable, Hashable, CaseIterable {
        /// The process is killed (SIGKILL): what it stored is in the page cache.
        case kill
        /// The power goes, or the kernel panics: what was not synced may be gone, in part or whole.
        case powerLoss
    }

    /// Who does what a log does in the background: syncs, marks, preparing segments.
    public enum BackgroundWork: Sendable, Hashable {
        /// ``run(_:)``, a job at a time, in an order that follows from the seed.
        case stepped
        /// Threads, as on a real machine: nothing replays, and ``run(_:)`` is not to be used.
        case threads
    }

    public let seed: UInt64
    public let backgroundWork: BackgroundWork
    package let storage: DiskStorage
    let stepper: DiskStepper
    var machine: Locked<DiskMachine> { storage.machine }

    public convenience init(seed: UInt64, backgroundWork: BackgroundWork = .stepped) {
        self.init(seed: seed, backgroundWork: backgroundWork, machine: DiskMachine(seed: seed))
    }

    private init(seed: UInt64, backgroundWork: BackgroundWork, machine: sending DiskMachine) {
        self.seed = seed
        self.backgroundWork = backgroundWork
        let machine = Locked(machine)
        stepper = DiskStepper(
            seed: seed, clock: { machine.withLock { $0.clock } },
            setClock: { time in machine.withLock { $0.clock = max($0.clock, time) } })
        storage = DiskStorage(machine: machine, stepper: stepper, backgroundWork: backgroundWork)
    }

    deinit {
        guard stepper.hasStanding else { return }
        crash(.kill)
        drain()
    }

    /// A disk with those files, by path within the log, all durable.
    public convenience init(seed: UInt64, files: [String: [UInt8]], log: String = "log") {
        let machine = DiskMachine(seed: seed)
        for (path, content) in files.sorted(by: { $0.key < $1.key }) {
            machine.put(content, at: "\(log)/\(path)")
        }
        self.init(seed: seed, backgroundWork: .stepped, machine: machine)
    }

    // MARK: Logs

    /// Opens a log on this disk, as ``Wal/open(at:configuration:)`` does on the machine's.
    public func open<Record>(
        _ configuration: Wal<Record>.Configuration, at path: String = "log"
    ) async throws(WalError) -> Wal<Record> {
        try await open(configuration, at: path, instance: newInstance())
    }

    /// A number for a log object that is to be opened.
    package func newInstance() -> Int { machine.withLock { $0.newInstance() } }

    /// Opens a log whose operations can be told by the number.
    package func open<Record>(
        _ configuration: Wal<Record>.Configuration, at path: String = "log", instance: Int
    ) async throws(WalError) -> Wal<Record> {
        try await Wal<Record>.open(at: path, configuration: configuration, storage: storage.forInstance(instance))
    }

    /// Opens a log on this disk for reading only, as ``Wal/openReadOnly(at:configuration:)``.
    public func openReadOnly<Record>(
        _ configuration: Wal<Record>.Configuration, at path: String = "log"
    ) async throws(WalError) -> Wal<Record> {
        try await Wal<Record>.open(at: path, configuration: configuration, storage: storage, isReadOnly: true)
    }

    /// Checks every byte of a log, as ``WalVerification/verify(at:progress:)``.
    public func verify(at path: String = "log") throws(WalError) -> WalVerification {
        try WalVerification.verify(at: path, storage: storage)
    }

    // MARK: Crashes

    /// Stops the machine now. Whatever the log's objects still do fails and leaves no trace; the next ``open(_:at:)`` finds what
    /// survived.
    public func crash(_ crash: Crash) { machine.withLock { $0.crash(crash, tearing: false) } }

    /// Stops the machine before operation number `operation` as ``operations`` counts them, and holds it down until
    /// ``restart()``. A write that it interrupts may be there in part.
    public func crash(_ crash: Crash, beforeOperation operation: Int) {
        machine.withLock { $0.plan = (operation, crash) }
    }

    /// Stops the machine amid the stores of what was appended since ``beginTearableStores()``: each word may be there or not.
    public func crashAmidStores(_ crash: Crash) { machine.withLock { $0.crash(crash, tearing: true) } }

    /// From here on stores through mappings may be torn by ``crashAmidStores(_:)``.
    public func beginTearableStores() { machine.withLock { $0.eachFile { $0.beginTearableStores() } } }

    /// What was stored counts as stored.
    public func endTearableStores() { machine.withLock { $0.eachFile { $0.endTearableStores() } } }

    /// True from a planned crash until ``restart()``.
    public var isDown: Bool { machine.withLock { $0.isDown } }

    /// The machine comes up again, without faults and plans.
    ///
    /// Steps of the old process that are in the middle, in a suspended operation or a wait, go on before that and find the machine
    /// down. Not from within ``run(_:)``.
    public func restart() {
        machine.withLock { if !$0.isDown { $0.crash(.kill, tearing: false) } }
        drain()
        machine.withLock {
            $0.isDown = false
            $0.plan = nil
            $0.faults = []
        }
    }

    /// The machine is down: lets every step that is in the middle come to its end.
    private func drain() {
        if backgroundWork == .stepped, stepper.hasStanding {
            do { try stepper.run(until: .drained, isHere: false) } catch {
                machine.withLock { $0.note(misuse: "after a crash \(error)") }
            }
        }
        stepper.dropJobs()
    }

    /// Another disk in the state that this one would come up in after a crash now; this one goes on.
    ///
    /// - Parameters:
    ///   - seed: of what survives.
    ///   - sectors: for ``Crash/powerLoss``, which of ``unsyncedSectors`` survive; nil for what the seed says.
    public func clone(
        after crash: Crash, seed: UInt64, sectors: (@Sendable (Int) -> Bool)? = nil
    ) -> SimulatedDisk {
        let copy = machine.withLock { $0.clone(seed: seed) }
        copy.crash(crash, tearing: false, sectors: sectors)
        copy.isDown = false
        return SimulatedDisk(seed: seed, backgroundWork: .stepped, machine: copy)
    }

    /// How many sectors a loss of power now may leave as they are or not; numbered through all files in the order of their names.
    public var unsyncedSectors: Int { machine.withLock { $0.unsyncedSectorCount } }

    /// Calls `body` before each operation, with its number, what it is and the path within the log; on the thread that asks for
    /// it, under no lock.
    public func beforeEachOperation(_ body: (@Sendable (Int, DiskFault.Operation, String) -> Void)?) {
        machine.withLock { $0.hook = body }
    }

    // MARK: Slow operations

    /// How operations are suspended while others overtake them; nil where each is done at once.
    public var slowOperations: SlowOperations? {
        get { machine.withLock { $0.slow } }
        set { machine.withLock { $0.slow = newValue } }
    }

    /// The operations that are suspended now.
    package var suspendedOperations: [SuspendedOperation] { machine.withLock { $0.suspended.map(\.operation) } }

    /// Those that the last crash interrupted.
    package var interruptedOperations: [SuspendedOperation] { machine.withLock { $0.overtakenByCrash } }

    /// Whether a step stands in the middle: in a suspended operation, or waiting for a lock or a signal.
    package var hasStandingSteps: Bool { stepper.hasStanding }

    /// Suspended operations may go on at any turn, and none is suspended.
    package var slowOperationsHurry: Bool {
        get { machine.withLock { $0.hurries } }
        set {
            machine.withLock { $0.hurries = newValue }
            stepper.hurry(newValue)
        }
    }

    /// Whether a log object holds the writer's lock.
    package func isLocked(by instance: Int) -> Bool { machine.withLock { $0.locks[instance] != nil } }

    /// The first thing that a log did after it was closed or a partition was poisoned, or with a file that it had closed.
    package var misuse: String? { machine.withLock { $0.misuse } }

    /// The first time that a log touched a file which another one had made ready.
    package var misuseOfName: String? { machine.withLock { $0.misuseOfName } }

    /// Notes that a log object was closed: nothing of it may reach the disk any more.
    package func end(instance: Int) { machine.withLock { $0.end(instance: instance) } }

    /// Notes that a partition is poisoned: nothing may begin to change its segments any more.
    package func notePoisoned(_ partition: PartitionID, instance: Int) {
        machine.withLock { $0.notePoisoned(FileFormat.partitionName(partition), instance: instance) }
    }

    // MARK: Faults

    /// Has operations go wrong from now on.
    public func inject(_ fault: DiskFault) { machine.withLock { $0.faults.append(fault) } }

    /// Everything works again.
    public func heal() { machine.withLock { $0.faults = [] } }

    /// How many faults have happened.
    public var faultsSoFar: Int { machine.withLock { $0.faultCount } }

    /// How many of them said nothing of the data: no descriptor, no memory.
    package var resourceFaultsSoFar: Int { machine.withLock { $0.resourceFaultCount } }

    /// Whether a fault has happened that is a lie: see ``DiskFault/isLie``.
    public var hasLied: Bool { machine.withLock { $0.hasLied } }

    /// The bytes that files may take together; ENOSPC beyond.
    public var capacity: Int {
        get { machine.withLock { $0.capacity } }
        set { machine.withLock { $0.capacity = newValue } }
    }

    /// A loss of power leaves in new blocks what they held when they were another file's. Real file systems zero them; a log that
    /// tells its frames from another segment's does not depend on it.
    public var exposesFreedBlocks: Bool {
        get { machine.withLock { $0.exposesFreedBlocks } }
        set { machine.withLock { $0.exposesFreedBlocks = newValue } }
    }

    /// Turns over one bit of a file, on the disk and in the cache.
    ///
    /// - Parameter path: within the log.
    /// - Returns: false where there is no such bit.
    @discardableResult
    public func flip(bit: Int, of path: String, log: String = "log") -> Bool {
        machine.withLock { machine in
            guard let file = machine.file("\(log)/\(path)"), bit >= 0, bit / 8 < file.size else { return false }
            file.flip(bit: bit)
            return true
        }
    }

    /// The kernel writes back some of what is dirty of its own accord, as it may at any time.
    public func writeBackSome() { machine.withLock { $0.writeBackSome() } }

    // MARK: What there is

    /// How many operations were asked for so far.
    public var operations: Int { machine.withLock { $0.operations } }

    /// Every file's bytes as processes see them, by path within the log.
    public func files(log: String = "log") -> [String: [UInt8]] { machine.withLock { $0.files(log) } }

    /// Lets the clocks go ahead.
    public func advanceClock(nanoseconds: UInt64) { machine.withLock { $0.clock += nanoseconds } }
}
