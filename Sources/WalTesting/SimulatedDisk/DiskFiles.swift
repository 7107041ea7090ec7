package import WriteAheadLog

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What a log sees of a simulated disk. It keeps the machine and not the disk, so that jobs that are left when the disk goes, go
/// with it.
package final class DiskStorage: WalStorage {
    let machine: Locked<DiskMachine>
    private let stepper: Locked<Weak>
    private let backgroundWork: SimulatedDisk.BackgroundWork
    /// Which log object it is for; 0 for whoever looks at the disk.
    let instance: Int

    private struct Weak {
        weak var stepper: DiskStepper?
    }

    init(
        machine: Locked<DiskMachine>, stepper: DiskStepper, backgroundWork: SimulatedDisk.BackgroundWork,
        instance: Int = 0
    ) {
        self.machine = machine
        self.stepper = Locked(Weak(stepper: stepper))
        self.backgroundWork = backgroundWork
        self.instance = instance
    }

    private init(_ other: DiskStorage, instance: Int) {
        machine = other.machine
        stepper = other.stepper
        backgroundWork = other.backgroundWork
        self.instance = instance
    }

    package func openRoot(_ path: String, create: Bool) throws(WalError) -> any WalDirectory {
        runHook(.openDirectory, "")
        return try machine.withLock { (machine) throws(WalError) in
            _ = try machine.enter(.openDirectory, "", generation: machine.generation, instance: instance)
            return OpenFolder(self, "", try machine.openRoot(path, create: create), machine)
        }
    }

    package func monotonicNow() -> UInt64 { machine.withLock { $0.clock } }
    /// Faster than the other: openings are not within microseconds of each other, as those of a machine are not.
    package func wallClockNow() -> UInt64 { machine.withLock { $0.wallClock } }
    package func random() -> UInt64 { machine.withLock { $0.nextRandom() } }
    package func openFilesLimit() -> Int { 1024 }

    package func pause(nanoseconds: UInt64) -> Bool {
        // Others go on meanwhile, where the caller is one of the simulation's threads.
        guard let thread = ThreadScheduling.current as? SimulatedThread,
            let stepper = stepper.withLock({ $0.stepper }), thread.stepper === stepper
        else { return false }
        stepper.pause(thread, nanoseconds: nanoseconds)
        return true
    }

    /// The same disk, for another log object.
    func forInstance(_ instance: Int) -> DiskStorage {
        DiskStorage(self, instance: instance)
    }

    package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(WalError) {
        switch backgroundWork {
        case .stepped:
            guard let stepper = stepper.withLock({ $0.stepper }) else {
                throw WalError(.io, "the simulated disk is gone", errno: EIO)
            }
            stepper.add(body, notBefore: 0)
        case .threads: try PosixStorage().startThread(name, body)
        }
    }

    package var runsJobsItself: Bool { backgroundWork == .stepped }

    package func takes(_ job: @escaping @Sendable () -> Void, notBefore due: UInt64) -> Bool {
        guard backgroundWork == .stepped else { return false }
        stepper.withLock { $0.stepper }?.add(job, notBefore: due)
        return true
    }

    func runHook(_ operation: DiskFault.Operation, _ path: String) {
        let (hook, number) = machine.withLock { machine in
            machine.checkBeginning(operation, path, instance: instance)
            return (machine.hook, machine.operations + 1)
        }
        hook?(number, operation, path)
    }

    /// Does an operation; it may be suspended before it takes effect, or before it returns or throws.
    ///
    /// - Parameters:
    ///   - count: how many bytes it writes.
    ///   - interrupted: has so many of them take effect, where a crash comes before it does.
    func perform<R>(
        _ operation: DiskFault.Operation, _ path: String, generation: Int, count: Int = 0,
        interrupted: ((Int) -> Void)? = nil, _ body: (DiskMachine) throws(WalError) -> R
    ) throws(WalError) -> R {
        func effect() throws(WalError) -> R {
            try machine.withLock { (machine) throws(WalError) in try body(machine) }
        }

        runHook(operation, path)
        guard let (turns, isLate) = machine.withLock({ $0.turnsToSuspend(operation, path, generation: generation) }),
            let thread = ThreadScheduling.current as? SimulatedThread,
            let stepper = stepper.withLock({ $0.stepper }), thread.stepper === stepper
        else { return try effect() }

        func suspend() {
            let what = SuspendedOperation(
                operation: operation, path: path, instance: instance, hasTakenEffect: isLate)
            let number = machine.withLock {
                $0.beginSuspension(what, generation: generation, count: count, interrupted: interrupted)
            }
            stepper.suspend(thread, for: turns, "\(operation) \(path) of log object \(instance)")
            machine.withLock { $0.endSuspension(number) }
        }
        if !isLate {
            suspend()
            return try effect()
        }
        let result: Result<R, WalError>
        do throws(WalError) { result = .success(try effect()) } catch { result = .failure(error) }
        suspend()
        return try result.get()
    }
}

/// An open directory.
private final class OpenFolder: WalDirectory, @unchecked Sendable {
    // Sendable: `folder` is touched only under the disk's lock.
    private let disk: DiskStorage
    private let path: String
    private let folder: DiskFolder
    private let generation: Int
    private let handle: Int

    /// Under the disk's lock.
    init(_ disk: DiskStorage, _ path: String, _ folder: DiskFolder, _ machine: DiskMachine) {
        self.disk = disk
        self.path = path
        self.folder = folder
        generation = machine.generation
        machine.nextHandle += 1
        handle = machine.nextHandle
    }

    deinit { unlock() }

    private func child(_ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

    private func perform<R>(
        _ operation: DiskFault.Operation, _ path: String, _ body: (DiskMachine) throws(WalError) -> R
    ) throws(WalError) -> R {
        try disk.perform(operation, path, generation: generation) { (machine) throws(WalError) in
            _ = try machine.enter(operation, path, generation: generation, instance: disk.instance)
            return try body(machine)
        }
    }

    func list() throws(WalError) -> [(name: String, kind: EntryKind)] {
        try perform(.list, path) { machine in
            machine.shuffled(folder.names).map { name in
                if case .folder = folder.entries[name] { return (name, .directory) }
                return (name, .file)
            }
        }
    }

    func openDirectory(_ name: String, create: Bool) throws(WalError) -> any WalDirectory {
        try perform(.openDirectory, child(name)) { (machine) throws(WalError) in
            switch folder.entries[name] {
            case .folder(let found): return OpenFolder(disk, child(name), found, machine)
            case .file: throw SystemError.error(ENOTDIR, "open directory", child(name))
            case nil:
                guard create else { throw SystemError.error(ENOENT, "open directory", child(name)) }
                let made = DiskFolder()
                folder.add(name, .folder(made))
                return OpenFolder(disk, child(name), made, machine)
            }
        }
    }

    func openFile(_ name: String, _ access: FileAccess) throws(WalError) -> any WalFile {
        let creates = access == .createNew || access == .createOrOpen
        return try perform(creates ? .create : .open, child(name)) { (machine) throws(WalError) in
            machine.nextHandle += 1
            switch folder.entries[name] {
            case .folder: throw SystemError.error(EISDIR, "open", child(name))
            case .file(let found):
                if access == .createNew { throw SystemError.error(EEXIST, "open", child(name)) }
                return OpenFile(disk, found, generation, machine.nextHandle)
            case nil:
                guard creates else { throw SystemError.error(ENOENT, "open", child(name)) }
                let made = machine.makeFile(child(name), maker: disk.instance)
                folder.add(name, .file(made))
                return OpenFile(disk, made, generation, machine.nextHandle)
            }
        }
    }

    func rename(_ from: String, to: String) throws(WalError) {
        try perform(.rename, child(from)) { (machine) throws(WalError) in
            guard let node = folder.entries[from] else { throw SystemError.error(ENOENT, "rename", child(from)) }
            if case .file(let moved) = node {
                machine.checkMaker(.rename, moved, instance: disk.instance)
                moved.path = child(to)
            }
            if case .file(let replaced) = folder.entries[to] { machine.noteFreed(replaced) }
            folder.rename(from, to: to)
        }
    }

    func remove(_ name: String) throws(WalError) {
        try perform(.remove, child(name)) { (machine) throws(WalError) in
            guard case .file(let file) = folder.entries[name] else {
                throw SystemError.error(ENOENT, "remove", child(name))
            }
            machine.checkMaker(.remove, file, instance: disk.instance)
            machine.noteFreed(file)
            folder.remove(name)
        }
    }

    func sync() throws(WalError) { try perform(.syncDirectory, path) { _ in folder.sync() } }
    func guaranteesAllocation() -> Bool { true }

    func lock() throws(WalError) -> Bool {
        try perform(.lock, path) { machine in
            if let holder = folder.lockHolder, holder != handle { return false }
            if folder.lockHolder == nil { machine.noteLocked(by: disk.instance) }
            folder.lockHolder = handle
            return true
        }
    }

    func unlock() {
        disk.machine.withLock { machine in
            guard folder.lockHolder == handle, machine.generation == generation else { return }
            folder.lockHolder = nil
            machine.noteUnlocked(by: disk.instance)
        }
    }
}

/// An open file.
private final class OpenFile: WalFile, @unchecked Sendable {
    // Sendable: `file` is touched only under the disk's lock.
    private let disk: DiskStorage
    private let file: DiskFile
    private let generation: Int
    private let handle: Int
    private let uses = UseCount()

    init(_ disk: DiskStorage, _ file: DiskFile, _ generation: Int, _ handle: Int) {
        self.disk = disk
        self.file = file
        self.generation = generation
        self.handle = handle
    }

    deinit { close() }

    func close() {
        if uses.end() { unlock() }
    }

    func unlock() {
        disk.machine.withLock { machine in
            guard file.lockHolder == handle, machine.generation == generation else { return }
            file.lockHolder = nil
            machine.noteUnlocked(by: disk.instance)
        }
    }

    /// Asks the cache alone: no operation of the disk, which could fail or be counted.
    private func look<R>(_ body: () -> R) throws(WalError) -> R {
        guard uses.enter() else { throw WalError.closedFile(path) }
        defer { if uses.leave() { unlock() } }
        return disk.machine.withLock { _ in body() }
    }

    func identity() throws(WalError) -> FileIdentity {
        try look {
            FileIdentity(inode: file.number, birth: file.number == 0 ? 0 : file.birth, links: file.isLinked ? 1 : 0)
        }
    }

    func isLinked() throws(WalError) -> Bool { try look { file.isLinked } }

    /// Its present name, or its last, within the log.
    private var path: String { disk.machine.withLock { _ in file.path } }

    /// Around every operation: a closed file refuses, and does not reach the machine.
    private func perform<R>(
        _ operation: DiskFault.Operation, writing bytes: UnsafeRawBufferPointer? = nil, at offset: UInt64 = 0,
        _ body: (DiskMachine) throws(WalError) -> R
    ) throws(WalError) -> R {
        guard uses.enter() else { throw WalError.closedFile(path) }
        defer { if uses.leave() { unlock() } }
        let path = path
        var interrupted: ((Int) -> Void)?
        if let bytes { interrupted = { self.part($0, of: bytes, at: Int(clamping: offset)) } }
        return try disk.perform(
            operation, path, generation: generation, count: bytes?.count ?? 0, interrupted: interrupted, body)
    }

    /// The same for what needs no more from the machine than that it works.
    private func simple<R>(
        _ operation: DiskFault.Operation, _ body: (DiskMachine) throws(WalError) -> R
    ) throws(WalError) -> R {
        try perform(operation) { (machine) throws(WalError) in
            _ = try machine.enter(operation, file.path, generation: generation, instance: disk.instance)
            return try body(machine)
        }
    }

    func size() throws(WalError) -> UInt64 { try simple(.size) { _ in UInt64(file.size) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(WalError) -> Int {
        try simple(.read) { _ in file.read(into: buffer, at: Int(clamping: offset)) }
    }

    /// Where a write ends; room for it is there.
    private func makeRoom(_ machine: DiskMachine, _ end: Int) throws(WalError) {
        try machine.take(end - file.size, file.path)
        guard file.reserve(end) else {
            throw WalError(.io, "the simulation can't grow \(file.path) while it is mapped", errno: EIO)
        }
    }

    /// Stores the first so many of the bytes.
    private func part(_ count: Int, of bytes: UnsafeRawBufferPointer, at offset: Int) {
        let count = file.reserve(offset + count) ? count : 0
        file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
    }

    private func store(
        _ operation: DiskFault.Operation, _ bytes: UnsafeRawBufferPointer, _ offset: UInt64, _ machine: DiskMachine
    ) throws(WalError) -> DiskMachine.Outcome {
        let offset = Int(clamping: offset)
        let outcome = try machine.enter(
            operation, file.path, generation: generation, instance: disk.instance, count: bytes.count,
            interrupted: { part($0, of: bytes, at: offset) })
        if let partial = outcome.partial {
            part(partial, of: bytes, at: offset)
            throw WalError(
                .io, "a write to \(file.path) stored \(partial) of \(bytes.count) bytes (an injected fault)", errno: EIO
            )
        }
        try makeRoom(machine, offset + bytes.count)
        file.write(bytes, at: offset)
        return outcome
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) {
        try perform(.write, writing: bytes, at: offset) { (machine) throws(WalError) in
            _ = try store(.write, bytes, offset, machine)
        }
    }

    func writeSynced(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) -> Bool {
        try perform(.writeSynced, writing: bytes, at: offset) { (machine) throws(WalError) in
            let outcome = try store(.writeSynced, bytes, offset, machine)
            if outcome.dropsDirtyPages {
                machine.drop(file) { $1.dropDirtyPages(&$0) }
                throw SystemError.error(EIO, "write and sync (an injected fault)", file.path)
            }
            tellLies(outcome, machine)
            file.sync(Int(offset)..<Int(offset) + bytes.count)
            return true
        }
    }

    private func tellLies(_ outcome: DiskMachine.Outcome, _ machine: DiskMachine) {
        switch outcome.lies {
        case .lostWrite: machine.drop(file) { $1.loseOneWrite(&$0) }
        case .misplacedWrite: machine.drop(file) { $1.misplaceOneWrite(&$0) }
        default: break
        }
    }

    func allocate(from: UInt64, to: UInt64) throws(WalError) {
        try simple(.allocate) { (machine) throws(WalError) in
            let end = Int(clamping: to)
            try makeRoom(machine, end)
            if end > file.size { file.setSize(end) }
        }
    }

    func truncate(to size: UInt64) throws(WalError) {
        try simple(.truncate) { (machine) throws(WalError) in
            try makeRoom(machine, Int(clamping: size))
            file.setSize(Int(clamping: size))
        }
    }

    func sync() throws(WalError) {
        try perform(.sync) { (machine) throws(WalError) in
            let outcome = try machine.enter(.sync, file.path, generation: generation, instance: disk.instance)
            if outcome.dropsDirtyPages {
                machine.drop(file) { $1.dropDirtyPages(&$0) }
                throw SystemError.error(EIO, "sync (an injected fault)", file.path)
            }
            tellLies(outcome, machine)
            file.sync()
        }
    }

    func map(count: Int, writable: Bool) throws(WalError) -> any WalMapping {
        try simple(.map) { (_) throws(WalError) in
            guard file.reserve(count) else {
                throw WalError(.io, "the simulation can't map more of \(file.path) while it is mapped", errno: EIO)
            }
            return MappedMemory(file.memoryToMap(), count)
        }
    }

    func lock() throws(WalError) -> Bool {
        try simple(.lock) { machine in
            if let holder = file.lockHolder, holder != handle { return false }
            if file.lockHolder == nil { machine.noteLocked(by: disk.instance) }
            file.lockHolder = handle
            return true
        }
    }
}

private final class MappedMemory: WalMapping, @unchecked Sendable {
    // Sendable: as real memory, it is the mapping's users who order their stores and loads.
    private let memory: DiskMemory
    let count: Int
    var base: UnsafeMutableRawPointer { memory.base }

    init(_ memory: DiskMemory, _ count: Int) {
        self.memory = memory
        self.count = count
    }

    deinit { memory.endMapping() }

    func populate(from: Int, to: Int) {}
}
