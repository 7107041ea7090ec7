internal import WriteAheadLog

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The state of a simulated machine. Guarded by ``SimulatedDisk/machine``'s lock.
package final class DiskMachine {
    private var random: SeededGenerator
    private var tree: DiskFolder
    /// Grows with each crash: handles of an earlier one are dead.
    private(set) var generation = 0
    var isDown = false
    var operations = 0
    /// Of 2026, in nanoseconds; both clocks begin there.
    private static let start: UInt64 = 1_770_000_000_000_000_000
    var clock = DiskMachine.start
    var wallClock: UInt64 { Self.start + (clock - Self.start) * 1_000 }
    var plan: (operation: Int, crash: SimulatedDisk.Crash)?
    var faults: [DiskFault] = []
    var faultCount = 0
    /// Of these, those that say nothing of the data.
    private(set) var resourceFaultCount = 0
    var hasLied = false
    var capacity = Int.max
    var exposesFreedBlocks = false
    var hook: (@Sendable (Int, DiskFault.Operation, String) -> Void)?
    /// Files that open handles may hold without a name.
    private var freed: [DiskMemory] = []
    var nextHandle = 0

    // MARK: What is under way

    /// How operations are suspended; nil where none is.
    var slow: SlowOperations?
    /// An operation that has begun and not returned.
    struct Call {
        let number: Int
        var operation: SuspendedOperation
        let generation: Int
        /// Has part of a write take effect.
        let interrupted: ((Int) -> Void)?
        let count: Int
    }
    /// Those that are suspended, in their order.
    private(set) var suspended: [Call] = []
    private var calls = 0
    /// What the last crash found under way.
    private(set) var overtakenByCrash: [SuspendedOperation] = []
    private var slowRandom: SeededGenerator
    /// None is suspended any more.
    var hurries = false
    /// How many of the writer's locks log objects hold.
    private(set) var locks: [Int: Int] = [:]

    /// Logs whose lock was let go, or that were closed: nothing of theirs may reach the disk any more.
    private var ended: Set<Int> = []
    /// Partitions that are poisoned, by log object and directory, each with who may still change names and STATE: purges.
    private var poisoned: [Int: Set<String>] = [:]
    private var instances = 0
    private var files: UInt64 = 0
    /// The first thing that a log did and must not.
    private(set) var misuse: String?
    /// The same for a name that is another's.
    private(set) var misuseOfName: String?
    private var lastOfDeadProcess = 0

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed ^ 0xD15C)
        slowRandom = SeededGenerator(seed: seed ^ 0x510B)
        tree = DiskFolder()
    }

    func clone(seed: UInt64) -> DiskMachine {
        let copy = DiskMachine(seed: seed)
        var known: [ObjectIdentifier: DiskFile] = [:]
        copy.tree = tree.clone(&known)
        copy.clock = clock
        copy.files = files
        copy.capacity = capacity
        copy.exposesFreedBlocks = exposesFreedBlocks
        copy.freed = freed
        copy.hasLied = hasLied
        copy.faultCount = faultCount
        copy.resourceFaultCount = resourceFaultCount
        return copy
    }

    // MARK: Files

    /// The node at a path; nil where there is none.
    private func node(_ path: String) -> DiskFolder.Node? {
        var node = DiskFolder.Node.folder(tree)
        for part in path.split(separator: "/") {
            guard case .folder(let folder) = node, let next = folder.entries[String(part)] else { return nil }
            node = next
        }
        return node
    }

    func file(_ path: String) -> DiskFile? {
        if case .file(let file) = node(path) { return file }
        return nil
    }

    func folder(_ path: String) -> DiskFolder? {
        if case .folder(let folder) = node(path) { return folder }
        return nil
    }

    /// A durable file, and durable folders above it.
    func put(_ content: [UInt8], at path: String) {
        var folder = tree
        let parts = path.split(separator: "/").map(String.init)
        for part in parts.dropLast() {
            if case .folder(let next) = folder.entries[part] {
                folder = next
            } else {
                let next = DiskFolder()
                folder.add(part, .folder(next), isDurable: true)
                folder = next
            }
        }
        if let name = parts.last {
            folder.add(
                name, .file(DiskFile(content: content, path: parts.dropFirst().joined(separator: "/"))), isDurable: true
            )
        }
    }

    func files(_ log: String) -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        folder(log)?.walk { path, node in
            if case .file(let file) = node { found[path] = file.content }
        }
        return found
    }

    /// Files with a name, in its order; each once.
    func eachFile(_ body: (DiskFile) -> Void) {
        tree.walk { _, node in
            if case .file(let file) = node { body(file) }
        }
    }

    /// The log's own directory is durable once it was made: whoever makes it syncs the one above.
    func openRoot(_ path: String, create: Bool) throws(WalError) -> DiskFolder {
        if let found = node(path) {
            guard case .folder(let folder) = found else { throw SystemError.error(ENOTDIR, "open directory", path) }
            return folder
        }
        guard create else { throw SystemError.error(ENOENT, "open directory", path) }
        let folder = DiskFolder()
        tree.add(path, .folder(folder), isDurable: true)
        return folder
    }

    // MARK: Operations

    struct Outcome {
        var lies: DiskFault.Effect?
        var dropsDirtyPages = false
        /// How many of a write's bytes get through before it fails.
        var partial: Int?
    }

    /// Counts an operation; throws where the machine is down or a fault says so.
    ///
    /// - Parameter interrupted: called where a planned crash comes amid this operation, with what gets through of a write.
    func enter(
        _ operation: DiskFault.Operation, _ path: String, generation: Int, instance: Int, count: Int = 0,
        interrupted: (Int) -> Void = { _ in }
    ) throws(WalError) -> Outcome {
        clock += 1_000
        guard generation == self.generation, !isDown else { throw Self.down(operation, path) }
        if operation.isChange, ended.contains(instance) {
            note(misuse: "log object \(instance) is closed, and then it does: \(operation) \(path)")
        }
        operations += 1
        if let plan, operations >= plan.operation {
            self.plan = nil
            if count > 0, random.chance(2) { interrupted(random.below(count + 1)) }
            crash(plan.crash, tearing: false)
            throw Self.down(operation, path)
        }
        if random.chance(64) { writeBackSome() }
        var outcome = Outcome()
        for k in faults.indices {
            let fault = faults[k]
            guard fault.times != 0, fault.operations.contains(operation), Self.contains(path, fault.name) else {
                continue
            }
            if fault.skipping > 0 {
                faults[k].skipping -= 1
                continue
            }
            if let oneIn = fault.oneIn, !random.chance(max(1, oneIn)) { continue }
            if let times = fault.times { faults[k].times = times - 1 }
            faultCount += 1
            if fault.isOfResources { resourceFaultCount += 1 }
            switch fault.effect {
            case .noSpace: throw SystemError.error(ENOSPC, "\(operation) (an injected fault)", path)
            case .ioError: throw SystemError.error(EIO, "\(operation) (an injected fault)", path)
            case .tooManyFiles: throw SystemError.error(EMFILE, "\(operation) (an injected fault)", path)
            case .outOfMemory: throw SystemError.error(ENOMEM, "\(operation) (an injected fault)", path)
            case .shortWrite: outcome.partial = random.below(count)
            case .dropsDirtyPages: outcome.dropsDirtyPages = true
            case .lostWrite, .misplacedWrite:
                outcome.lies = fault.effect
                hasLied = true
            }
            break
        }
        return outcome
    }

    // MARK: Suspending

    /// At the beginning of an operation: whether it is suspended, when, and for how many turns. What a log does seldom is suspended
    /// more often.
    func turnsToSuspend(
        _ operation: DiskFault.Operation, _ path: String, generation: Int
    ) -> (turns: Int, hasTakenEffect: Bool)? {
        guard let slow, !hurries, generation == self.generation, !isDown, suspended.count < slow.limit else {
            return nil
        }
        let isSeldom: Bool
        switch operation {
        case .rename, .remove, .truncate: isSeldom = true
        case .list, .openDirectory, .open, .create, .syncDirectory, .size, .read, .write, .writeSynced, .allocate,
            .sync, .map, .lock:
            isSeldom = !path.contains("/") && operation.isChange
        }
        guard slowRandom.chance(isSeldom ? max(1, slow.oneIn / 4) : slow.oneIn) else { return nil }
        return (slowRandom.element(slow.steps) ?? 1, slowRandom.chance(2))
    }

    func beginSuspension(
        _ operation: SuspendedOperation, generation: Int, count: Int = 0, interrupted: ((Int) -> Void)? = nil
    ) -> Int {
        calls += 1
        suspended.append(
            Call(
                number: calls, operation: operation, generation: generation, interrupted: interrupted, count: count))
        return calls
    }

    func endSuspension(_ number: Int) { suspended.removeAll { $0.number == number } }

    // MARK: What a log must not do

    func note(misuse what: String) { misuse = misuse ?? what }

    func newInstance() -> Int {
        instances += 1
        return instances
    }

    /// Nothing of this log object may reach the disk from here on.
    func end(instance: Int) {
        if instance > 0 { ended.insert(instance) }
    }

    func noteLocked(by instance: Int) { locks[instance, default: 0] += 1 }

    /// With its last lock a log object lets a next writer in.
    func noteUnlocked(by instance: Int) {
        let left = locks[instance, default: 1] - 1
        locks[instance] = left == 0 ? nil : left
        if left == 0 { end(instance: instance) }
    }

    private func unlockFolders(_ folder: DiskFolder) {
        folder.lockHolder = nil
        for case .folder(let below) in folder.entries.values { unlockFolders(below) }
    }

    func makeFile(_ path: String, maker: Int) -> DiskFile {
        files += 1
        return DiskFile(path: path, number: files, birth: clock, maker: maker)
    }

    /// A file that is made ready is touched by its maker alone, as long as that is at work.
    func checkMaker(_ operation: DiskFault.Operation, _ file: DiskFile, instance: Int) {
        let maker = file.maker
        guard maker > 0, maker != instance, maker > lastOfDeadProcess, !ended.contains(maker),
            file.path.hasSuffix(FileFormat.preparedSuffix)
        else { return }
        misuseOfName =
            misuseOfName ?? "log object \(instance) does: \(operation) \(file.path), which log object \(maker) made"
    }

    /// Nothing may be written to this partition's segments any more.
    func notePoisoned(_ directory: String, instance: Int) { poisoned[instance, default: []].insert(directory) }

    /// At the beginning of an operation, before it may be suspended: what was under way when the partition was poisoned may end.
    func checkBeginning(_ operation: DiskFault.Operation, _ path: String, instance: Int) {
        guard let directories = poisoned[instance] else { return }
        let parts = path.split(separator: "/")
        guard parts.count == 2, directories.contains(String(parts[0])), parts[1].hasSuffix(".wal") else { return }
        switch operation {
        case .create, .rename, .write, .writeSynced, .allocate, .truncate, .sync:
            note(misuse: "\(parts[0]) of log object \(instance) is poisoned, and then it does: \(operation) \(path)")
        default: break
        }
    }

    private static func contains(_ path: String, _ part: String) -> Bool {
        if part.isEmpty { return true }
        let path = Array(path.utf8)
        let part = Array(part.utf8)
        guard path.count >= part.count else { return false }
        return (0...(path.count - part.count)).contains { path[$0..<($0 + part.count)].elementsEqual(part) }
    }

    private static func down(_ operation: DiskFault.Operation, _ path: String) -> WalError {
        WalError(.io, "cannot \(operation) \(path): the simulated machine is down", errno: EIO)
    }

    /// Guarantees room for `more` bytes.
    func take(_ more: Int, _ path: String) throws(WalError) {
        guard capacity != Int.max, more > 0 else { return }
        var used = 0
        eachFile { used += $0.size }
        if used + more > capacity { throw SystemError.error(ENOSPC, "allocate space for", path) }
    }

    func drop(_ file: DiskFile, _ random: (inout SeededGenerator, DiskFile) -> Void) { random(&self.random, file) }

    func noteFreed(_ file: DiskFile) {
        file.isLinked = false
        guard exposesFreedBlocks else { return }
        freed.append(file.freedBlocks)
        if freed.count > 4 { freed.removeFirst() }
    }

    func shuffled(_ names: [String]) -> [String] { names.shuffled(using: &random) }

    func nextRandom() -> UInt64 { random.next() }

    func writeBackSome() {
        var all: [DiskFile] = []
        eachFile { all.append($0) }
        random.element(all)?.writeBackSome(&random)
    }

    // MARK: Crashes

    var unsyncedSectorCount: Int {
        var count = 0
        eachFile { count += $0.unsyncedSectors.count }
        return count
    }

    /// What of the unsynced survives, as a loss of power chooses it: sometimes nearly all, sometimes nearly none.
    private enum Survival {
        case none, all, sectors(UInt64), pages(UInt64), first(Int), last(Int), allBut(Int)
    }

    func crash(_ crash: SimulatedDisk.Crash, tearing: Bool, sectors chosen: ((Int) -> Bool)? = nil) {
        // What was written when it came may be there in part.
        overtakenByCrash = suspended.map(\.operation)
        for call in suspended where call.generation == generation && !call.operation.hasTakenEffect {
            if let interrupted = call.interrupted, random.chance(2) { interrupted(random.below(call.count + 1)) }
        }
        generation += 1
        isDown = true
        locks = [:]
        lastOfDeadProcess = instances
        unlockFolders(tree)
        switch crash {
        case .kill: eachFile { $0.leaveProcess(tearing: tearing, &random) }
        case .powerLoss: losePower(tearing: tearing, chosen)
        }
        // A removed name may have survived.
        tree.walk { path, node in
            guard case .file(let file) = node else { return }
            file.isLinked = true
            file.path = path.split(separator: "/").dropFirst().joined(separator: "/")
        }
    }

    private func losePower(tearing: Bool, _ chosen: ((Int) -> Bool)?) {
        if tearing { eachFile { $0.leaveProcess(tearing: true, &random) } }
        var number = 0
        eachFile { file in
            let dirty = file.unsyncedSectors
            let sizes = file.possibleSizes
            if let chosen {
                // Numbered through all files; sizes and names go with the first sector that is kept.
                let kept = Set(dirty.enumerated().filter { chosen(number + $0.offset) }.map(\.element))
                number += dirty.count
                file.losePower(
                    size: sizes.max() ?? 0, survives: { kept.contains($0) }, tears: { _ in nil }, stale: nil)
                return
            }
            let survival: Survival =
                switch random.below(8) {
                case 0: .none
                case 1: .all
                case 2: .sectors(2)
                case 3: .sectors(8)
                case 4: .pages(2)
                case 5: .first(random.below(dirty.count + 1))
                case 6: .last(random.below(dirty.count + 1))
                default: .allBut(random.below(dirty.count))
                }
            let size =
                switch survival {
                case .none: sizes[0]
                case .all: file.size
                default: random.element(sizes) ?? file.size
                }
            let tears = random.chance(2)
            let perPage = random.next()
            let stale = exposesFreedBlocks && random.chance(2) ? random.element(freed) : nil
            var place = 0
            file.losePower(
                size: size,
                survives: { sector in
                    defer { place += 1 }
                    switch survival {
                    case .none: return false
                    case .all: return true
                    case .sectors(let n): return random.chance(n)
                    case .pages(let n):
                        var mixed = SeededGenerator(seed: perPage &+ UInt64(sector / 8))
                        return mixed.chance(n)
                    case .first(let k): return place < k
                    case .last(let k): return place >= dirty.count - k
                    case .allBut(let k): return place != k
                    }
                },
                tears: { _ in tears && random.chance(8) ? random.below(DiskFile.sectorSize / 8) * 8 : nil },
                stale: stale)
        }
        loseNames(tree, all: chosen != nil)
    }

    private func loseNames(_ folder: DiskFolder, all: Bool) {
        let style = all ? 1 : random.below(4)
        let cut = random.below(folder.changes.count + 1)
        folder.losePower { k in
            switch style {
            case 0: false
            case 1: true
            case 2: k < cut
            default: random.chance(2)
            }
        }
        for name in folder.names {
            if case .folder(let below) = folder.entries[name] { loseNames(below, all: all) }
        }
    }
}
