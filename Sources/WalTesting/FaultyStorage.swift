package import WriteAheadLog

/// The machine itself, with faults on demand and a record of what was asked of it.
///
/// Files and directories are named by their path within the log: `partition-00001/STATE`, `LOCK`; the log's own directory is
/// the empty string. What goes to the pointer of a mapping is not seen here.
package final class FaultyStorage: WalStorage {
    package enum Operation: Hashable, Sendable {
        case openRoot, list, openDirectory, openFile, rename, remove, syncDirectory, syncParent, probe
        case size, read, write, writeSynced, allocate, truncate, sync, map, lock, close
    }

    /// Something that was asked for, whether it went well or not.
    package struct Call: Sendable, CustomStringConvertible {
        package var operation: Operation
        package var path: String
        package var offset: UInt64 = 0
        package var count = 0
        package var failed = false
        package var description: String { "\(operation) \(path)\(failed ? " failed" : "")" }
    }

    /// Which calls a rule is about: an operation, on paths that have `name` in them.
    package struct Rule: Sendable {
        var operations: Set<Operation>
        var name: String
        var skipping: Int
        /// Nil: for ever.
        var times: Int?
        var errno: Int32?
        /// How many bytes of a write get through before it fails.
        var partial = 0
        /// Called before the operation, under no lock.
        var hook: (@Sendable () -> Void)?
    }

    private struct State {
        var rules: [Rule] = []
        var calls: [Call] = []
        var openFiles = 0
        var peakOpenFiles = 0
        var fileLimit = Int.max
        var refusesThreads = false
        var clockOffset: UInt64 = 0
        var wallClock: UInt64?
    }

    private let base = PosixStorage()
    private let state = Locked(State())
    private let changed = Monitor()
    private let runsWorkers: Bool
    private let start: UInt64?

    /// - Parameters:
    ///   - runsWorkers: false where syncs, marks and prepared segments must not happen behind a test's back: then only
    ///     `syncAndWait`, and what an append does itself, reach the disk.
    ///   - runsClock: false where only ``advanceClock(nanoseconds:)`` moves the monotonic clock, so that no idle mark is written
    ///     in a test that happens to be slow.
    package init(runsWorkers: Bool = true, runsClock: Bool = false) {
        self.runsWorkers = runsWorkers
        start = runsClock ? nil : base.monotonicNow()
    }

    // MARK: Rules

    /// Has operations fail with `errno`: after `skipping` that go well, `times` of them, or all from then on.
    package func fail(
        _ operations: Set<Operation>, of name: String, skipping: Int = 0, times: Int? = nil, errno: Int32,
        partial: Int = 0
    ) {
        state.withLock {
            $0.rules.append(
                Rule(
                    operations: operations, name: name, skipping: skipping, times: times, errno: errno, partial: partial
                ))
        }
    }

    /// Calls `hook` before such an operation, once.
    package func before(
        _ operations: Set<Operation>, of name: String, skipping: Int = 0, _ hook: @escaping @Sendable () -> Void
    ) {
        state.withLock {
            $0.rules.append(Rule(operations: operations, name: name, skipping: skipping, times: 1, hook: hook))
        }
    }

    /// Everything works again.
    package func heal() { state.withLock { $0.rules = [] } }

    /// No more files and directories may be open than so many: beyond it, EMFILE.
    package var fileLimit: Int {
        get { state.withLock { $0.fileLimit } }
        set { state.withLock { $0.fileLimit = newValue } }
    }

    /// No thread can be had from now on: EAGAIN.
    package var refusesThreads: Bool {
        get { state.withLock { $0.refusesThreads } }
        set { state.withLock { $0.refusesThreads = newValue } }
    }

    /// Lets the monotonic clock jump ahead.
    package func advanceClock(nanoseconds: UInt64) { state.withLock { $0.clockOffset += nanoseconds } }

    /// What the wall clock says, however wrong; nil: the machine's.
    package var wallClock: UInt64? {
        get { state.withLock { $0.wallClock } }
        set { state.withLock { $0.wallClock = newValue } }
    }

    // MARK: What was asked for

    package var calls: [Call] { state.withLock { $0.calls } }
    package var openFiles: Int { state.withLock { $0.openFiles } }
    package var peakOpenFiles: Int { state.withLock { $0.peakOpenFiles } }

    package func forgetCalls() {
        state.withLock {
            $0.calls = []
            $0.peakOpenFiles = $0.openFiles
        }
    }

    package func calls(_ operations: Set<Operation>, of name: String = "") -> [Call] {
        calls.filter { operations.contains($0.operation) && Self.matches($0.path, name) }
    }

    /// Blocks until that many such calls were made; false after `seconds` in which they were not.
    package func waitForCalls(
        _ operations: Set<Operation>, of name: String = "", count: Int = 1, seconds: UInt64 = 20
    ) -> Bool {
        let deadline = base.monotonicNow() + seconds * 1_000_000_000
        return changed.withLock {
            while calls(operations, of: name).count < count {
                guard base.monotonicNow() < deadline else { return false }
                changed.wait(nanoseconds: 100_000_000)
            }
            return true
        }
    }

    /// An empty name means every path but is written "/" for the log's own directory alone.
    private static func matches(_ path: String, _ name: String) -> Bool {
        if name.isEmpty { return true }
        if name == "/" { return path.isEmpty }
        guard path.utf8.count >= name.utf8.count else { return false }
        let path = Array(path.utf8)
        let name = Array(name.utf8)
        return (0...(path.count - name.count)).contains { path[$0..<($0 + name.count)].elementsEqual(name) }
    }

    /// Notes the call; throws what a rule says.
    func enter(_ call: Call) throws(WalError) {
        try enter(call) { (_: Int) throws(WalError) in }
    }

    func enter(_ call: Call, partially: (Int) throws(WalError) -> Void) throws(WalError) {
        let (errno, partial, hook) = state.withLock { state -> (Int32?, Int, (@Sendable () -> Void)?) in
            var call = call
            var found: Rule?
            for k in state.rules.indices {
                let rule = state.rules[k]
                guard rule.operations.contains(call.operation), Self.matches(call.path, rule.name), rule.times != 0
                else { continue }
                if rule.skipping > 0 {
                    state.rules[k].skipping -= 1
                    continue
                }
                if let times = rule.times { state.rules[k].times = times - 1 }
                found = rule
                break
            }
            call.failed = found?.errno != nil
            state.calls.append(call)
            return (found?.errno, found?.partial ?? 0, found?.hook)
        }
        changed.withLock { changed.broadcast() }
        hook?()
        guard let errno else { return }
        let error = SystemError.error(errno, "\(call.operation) (an injected fault)", call.path)
        if partial > 0 {
            try partially(partial)
            if error.code == .noSpace { throw WalError(.io, error.message, errno: errno) }
        }
        throw error
    }

    func opening(_ path: String) throws(WalError) {
        let isOver = state.withLock { state in
            guard state.openFiles < state.fileLimit else { return true }
            state.openFiles += 1
            state.peakOpenFiles = max(state.peakOpenFiles, state.openFiles)
            return false
        }
        if isOver { throw SystemError.error(24, "open (over the test's limit of files)", path) }
    }

    func closed() { state.withLock { $0.openFiles -= 1 } }

    // MARK: WalStorage

    package func openRoot(_ path: String, create: Bool) throws(WalError) -> any WalDirectory {
        try enter(Call(operation: .openRoot, path: ""))
        return try FaultyDirectory(storage: self, path: "", base: base.openRoot(path, create: create))
    }

    package func monotonicNow() -> UInt64 { (start ?? base.monotonicNow()) + state.withLock { $0.clockOffset } }
    package func wallClockNow() -> UInt64 { state.withLock { $0.wallClock } ?? base.wallClockNow() }
    package func random() -> UInt64 { base.random() }
    package func pause(nanoseconds: UInt64) -> Bool { base.pause(nanoseconds: nanoseconds) }
    package func openFilesLimit() -> Int { min(fileLimit, base.openFilesLimit()) }
    package func fileSizeLimit() -> UInt64? { base.fileSizeLimit() }

    package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(WalError) {
        if refusesThreads { throw SystemError.error(11, "start thread (an injected fault)", name) }
        try base.startThread(name, body)
    }

    /// Jobs that no worker is to do are taken, and forgotten.
    package var runsJobsItself: Bool { !runsWorkers }
    package func takes(_ job: @escaping @Sendable () -> Void, notBefore due: UInt64) -> Bool { !runsWorkers }
}

private final class FaultyDirectory: WalDirectory {
    let storage: FaultyStorage
    let path: String
    let base: any WalDirectory

    init(storage: FaultyStorage, path: String, base: any WalDirectory) throws(WalError) {
        self.storage = storage
        self.path = path
        self.base = base
        try storage.opening(path)
    }

    deinit { storage.closed() }

    private func child(_ name: String) -> String { path.isEmpty ? name : "\(path)/\(name)" }

    func list() throws(WalError) -> [(name: String, kind: EntryKind)] {
        try storage.enter(.init(operation: .list, path: path))
        return try base.list()
    }

    func openDirectory(_ name: String, create: Bool) throws(WalError) -> any WalDirectory {
        try storage.enter(.init(operation: .openDirectory, path: child(name)))
        return try FaultyDirectory(
            storage: storage, path: child(name), base: base.openDirectory(name, create: create))
    }

    func openFile(_ name: String, _ access: FileAccess) throws(WalError) -> any WalFile {
        try storage.enter(.init(operation: .openFile, path: child(name)))
        return try FaultyFile(storage: storage, path: child(name), base: base.openFile(name, access))
    }

    func rename(_ from: String, to: String) throws(WalError) {
        try storage.enter(.init(operation: .rename, path: child(from)))
        try base.rename(from, to: to)
    }

    func remove(_ name: String) throws(WalError) {
        try storage.enter(.init(operation: .remove, path: child(name)))
        try base.remove(name)
    }

    func sync() throws(WalError) {
        try storage.enter(.init(operation: .syncDirectory, path: path))
        try base.sync()
    }

    func syncParent() throws(WalError) {
        try storage.enter(.init(operation: .syncParent, path: path))
        try base.syncParent()
    }

    func currentPath() -> String? { base.currentPath() }
    func guaranteesAllocation() -> Bool { base.guaranteesAllocation() }

    func probeMapping() -> MappingProbe {
        do throws(WalError) {
            try storage.enter(.init(operation: .probe, path: path))
        } catch {
            return error.isUnsupportedOperation ? .refused(error) : .unknown(error)
        }
        return base.probeMapping()
    }

    var fileSystemName: String? { base.fileSystemName }

    func lock() throws(WalError) -> Bool {
        try storage.enter(.init(operation: .lock, path: path))
        return try base.lock()
    }

    func unlock() { base.unlock() }
}

private final class FaultyFile: WalFile {
    let storage: FaultyStorage
    let path: String
    let base: any WalFile
    private let uses = UseCount()

    init(storage: FaultyStorage, path: String, base: any WalFile) throws(WalError) {
        self.storage = storage
        self.path = path
        self.base = base
        try storage.opening(path)
    }

    deinit { close() }

    func close() {
        if uses.end() { closeBase() }
    }

    private func closeBase() {
        base.close()
        storage.closed()
    }

    /// A closed file is not even asked: no call is noted, and no hook runs.
    private func use<R>(_ body: () throws(WalError) -> R) throws(WalError) -> R {
        guard uses.enter() else { throw WalError.closedFile(path) }
        defer { if uses.leave() { closeBase() } }
        return try body()
    }

    func overwritesInPlace() { base.overwritesInPlace() }

    func size() throws(WalError) -> UInt64 {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .size, path: path))
            return try base.size()
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(WalError) -> Int {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .read, path: path, offset: offset, count: buffer.count))
            return try base.read(into: buffer, at: offset)
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .write, path: path, offset: offset, count: bytes.count)) {
                (partial: Int) throws(WalError) in
                try base.write(UnsafeRawBufferPointer(rebasing: bytes[..<min(partial, bytes.count)]), at: offset)
            }
            try base.write(bytes, at: offset)
        }
    }

    func writeSynced(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) -> Bool {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .writeSynced, path: path, offset: offset, count: bytes.count)) {
                (partial: Int) throws(WalError) in
                try base.write(UnsafeRawBufferPointer(rebasing: bytes[..<min(partial, bytes.count)]), at: offset)
            }
            return try base.writeSynced(bytes, at: offset)
        }
    }

    func allocate(from: UInt64, to: UInt64) throws(WalError) {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .allocate, path: path, offset: from, count: Int(to - from)))
            try base.allocate(from: from, to: to)
        }
    }

    func truncate(to size: UInt64) throws(WalError) {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .truncate, path: path, offset: size))
            try base.truncate(to: size)
        }
    }

    func sync() throws(WalError) {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .sync, path: path))
            try base.sync()
        }
    }

    func isLinked() throws(WalError) -> Bool {
        try use { () throws(WalError) in try base.isLinked() }
    }

    func map(count: Int, writable: Bool) throws(WalError) -> any WalMapping {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .map, path: path, count: count))
            return try base.map(count: count, writable: writable)
        }
    }

    func identity() throws(WalError) -> FileIdentity { try base.identity() }

    func lock() throws(WalError) -> Bool {
        try use { () throws(WalError) in
            try storage.enter(.init(operation: .lock, path: path))
            return try base.lock()
        }
    }

    func unlock() { base.unlock() }
    func beginAnnouncing() { base.beginAnnouncing() }
    func endAnnouncing() { base.endAnnouncing() }
}
