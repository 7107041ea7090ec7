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

    private struct Weak {
        weak var stepper: DiskStepper?
    }

    init(
        machine: sending DiskMachine, stepper: DiskStepper, backgroundWork: SimulatedDisk.BackgroundWork
    ) {
        self.machine = Locked(machine)
        self.stepper = Locked(Weak(stepper: stepper))
        self.backgroundWork = backgroundWork
    }

    package func openRoot(_ path: String, create: Bool) throws(WalError) -> any WalDirectory {
        runHook(.openDirectory, "")
        return try machine.withLock { (machine) throws(WalError) in
            let generation = machine.generation
            _ = try machine.enter(.openDirectory, "", generation: generation)
            return OpenFolder(self, "", try machine.openRoot(path, create: create), generation)
        }
    }

    package func monotonicNow() -> UInt64 { machine.withLock { $0.clock } }
    /// Faster than the other: openings are not within microseconds of each other, as those of a machine are not.
    package func wallClockNow() -> UInt64 { machine.withLock { $0.wallClock } }
    package func random() -> UInt64 { machine.withLock { $0.nextRandom() } }
    package func openFilesLimit() -> Int { 1024 }

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
        let (hook, number) = machine.withLock { ($0.hook, $0.operations + 1) }
        hook?(number, operation, path)
    }
}

/// An open directory.
private final class OpenFolder: WalDirectory, @unchecked Sendable {
    // Sendable: `folder` is touched only under the disk's lock.
    private let disk: DiskStorage
    private let path: String
    private let folder: DiskFolder
    private let generation: Int

    init(_ disk: DiskStorage, _ path: String, _ folder: DiskFolder, _ generation: Int) {
        self.disk = disk
        self.path = path
        self.folder = folder
        self.generation = generation
    }

    private func child(_ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

    private func perform<R>(
        _ operation: DiskFault.Operation, _ path: String, _ body: (DiskMachine) throws(WalError) -> R
    ) throws(WalError) -> R {
        disk.runHook(operation, path)
        return try disk.machine.withLock { (machine) throws(WalError) in
            _ = try machine.enter(operation, path, generation: generation)
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
        try perform(.openDirectory, child(name)) { (_) throws(WalError) in
            switch folder.entries[name] {
            case .folder(let found): return OpenFolder(disk, child(name), found, generation)
            case .file: throw SystemError.error(ENOTDIR, "open directory", child(name))
            case nil:
                guard create else { throw SystemError.error(ENOENT, "open directory", child(name)) }
                let made = DiskFolder()
                folder.add(name, .folder(made))
                return OpenFolder(disk, child(name), made, generation)
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
                return OpenFile(disk, child(name), found, generation, machine.nextHandle)
            case nil:
                guard creates else { throw SystemError.error(ENOENT, "open", child(name)) }
                let made = DiskFile()
                folder.add(name, .file(made))
                return OpenFile(disk, child(name), made, generation, machine.nextHandle)
            }
        }
    }

    func rename(_ from: String, to: String) throws(WalError) {
        try perform(.rename, child(from)) { (machine) throws(WalError) in
            guard folder.entries[from] != nil else { throw SystemError.error(ENOENT, "rename", child(from)) }
            if case .file(let replaced) = folder.entries[to] { machine.noteFreed(replaced) }
            folder.rename(from, to: to)
        }
    }

    func remove(_ name: String) throws(WalError) {
        try perform(.remove, child(name)) { (machine) throws(WalError) in
            guard case .file(let file) = folder.entries[name] else {
                throw SystemError.error(ENOENT, "remove", child(name))
            }
            machine.noteFreed(file)
            folder.remove(name)
        }
    }

    func sync() throws(WalError) { try perform(.syncDirectory, path) { _ in folder.sync() } }
    func guaranteesAllocation() -> Bool { true }
}

/// An open file.
private final class OpenFile: WalFile, @unchecked Sendable {
    // Sendable: `file` is touched only under the disk's lock.
    private let disk: DiskStorage
    private let path: String
    private let file: DiskFile
    private let generation: Int
    private let handle: Int
    private let uses = UseCount()

    init(_ disk: DiskStorage, _ path: String, _ file: DiskFile, _ generation: Int, _ handle: Int) {
        self.disk = disk
        self.path = path
        self.file = file
        self.generation = generation
        self.handle = handle
    }

    deinit { close() }

    func close() {
        if uses.end() { unlockIfHeld() }
    }

    private func unlockIfHeld() {
        disk.machine.withLock { _ in
            if file.lockHolder == handle { file.lockHolder = nil }
        }
    }

    /// Around every operation: a closed file refuses, and does not reach the machine.
    private func use<R>(_ body: () throws(WalError) -> R) throws(WalError) -> R {
        guard uses.enter() else { throw WalError.closedFile(path) }
        defer { if uses.leave() { unlockIfHeld() } }
        return try body()
    }

    private func perform<R>(
        _ operation: DiskFault.Operation, _ body: (DiskMachine) throws(WalError) -> R
    ) throws(WalError) -> R {
        try use { () throws(WalError) in
            disk.runHook(operation, path)
            return try disk.machine.withLock { (machine) throws(WalError) in
                _ = try machine.enter(operation, path, generation: generation)
                return try body(machine)
            }
        }
    }

    func size() throws(WalError) -> UInt64 { try perform(.size) { _ in UInt64(file.size) } }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(WalError) -> Int {
        try perform(.read) { _ in file.read(into: buffer, at: Int(clamping: offset)) }
    }

    /// Where a write ends; room for it is there.
    private func makeRoom(_ machine: DiskMachine, _ end: Int) throws(WalError) {
        try machine.take(end - file.size, path)
        guard file.reserve(end) else {
            throw WalError(.io, "the simulation can't grow \(path) while it is mapped", errno: EIO)
        }
    }

    private func store(
        _ operation: DiskFault.Operation, _ bytes: UnsafeRawBufferPointer, _ offset: UInt64, _ machine: DiskMachine
    ) throws(WalError) -> DiskMachine.Outcome {
        let offset = Int(clamping: offset)
        func part(_ count: Int) {
            let count = file.reserve(offset + count) ? count : 0
            file.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: offset)
        }
        let outcome = try machine.enter(
            operation, path, generation: generation, count: bytes.count, interrupted: part)
        if let partial = outcome.partial {
            part(partial)
            throw WalError(
                .io, "a write to \(path) stored \(partial) of \(bytes.count) bytes (an injected fault)", errno: EIO)
        }
        try makeRoom(machine, offset + bytes.count)
        file.write(bytes, at: offset)
        return outcome
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) {
        try use { () throws(WalError) in
            disk.runHook(.write, path)
            try disk.machine.withLock { (machine) throws(WalError) in
                _ = try store(.write, bytes, offset, machine)
            }
        }
    }

    func writeSynced(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) -> Bool {
        try use { () throws(WalError) in
            disk.runHook(.writeSynced, path)
            return try disk.machine.withLock { (machine) throws(WalError) in
                let outcome = try store(.writeSynced, bytes, offset, machine)
                if outcome.dropsDirtyPages {
                    machine.drop(file) { $1.dropDirtyPages(&$0) }
                    throw SystemError.error(EIO, "write and sync (an injected fault)", path)
                }
                tellLies(outcome, machine)
                file.sync(Int(offset)..<Int(offset) + bytes.count)
                return true
            }
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
        try perform(.allocate) { (machine) throws(WalError) in
            let end = Int(clamping: to)
            try makeRoom(machine, end)
            if end > file.size { file.setSize(end) }
        }
    }

    func truncate(to size: UInt64) throws(WalError) {
        try perform(.truncate) { (machine) throws(WalError) in
            try makeRoom(machine, Int(clamping: size))
            file.setSize(Int(clamping: size))
        }
    }

    func sync() throws(WalError) {
        try use { () throws(WalError) in
            disk.runHook(.sync, path)
            try disk.machine.withLock { (machine) throws(WalError) in
                let outcome = try machine.enter(.sync, path, generation: generation)
                if outcome.dropsDirtyPages {
                    machine.drop(file) { $1.dropDirtyPages(&$0) }
                    throw SystemError.error(EIO, "sync (an injected fault)", path)
                }
                tellLies(outcome, machine)
                file.sync()
            }
        }
    }

    /// Asks the cache alone: no operation of the disk, which could fail or be counted.
    func isLinked() throws(WalError) -> Bool {
        try use { () throws(WalError) in disk.machine.withLock { _ in file.isLinked } }
    }

    func map(count: Int, writable: Bool) throws(WalError) -> any WalMapping {
        try perform(.map) { (_) throws(WalError) in
            guard file.reserve(count) else {
                throw WalError(.io, "the simulation can't map more of \(path) while it is mapped", errno: EIO)
            }
            return MappedMemory(file.memoryToMap(), count)
        }
    }

    func lock() throws(WalError) -> Bool {
        try perform(.lock) { _ in
            if let holder = file.lockHolder, holder != handle { return false }
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
