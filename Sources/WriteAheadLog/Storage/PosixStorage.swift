internal import CWalShims

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The machine itself. Apple's systems compile against the same calls but are untested.
package final class PosixStorage: WalStorage {
    package init() {}

    package func openRoot(_ path: String, create: Bool) throws(WalError) -> any WalDirectory {
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw WalError(.invalidArgument, "a log's path must not be empty or hold a NUL byte")
        }
        let refused = create ? (mkdir(path, 0o700) == 0 ? 0 : errno) : EEXIST
        let descriptor = wal_openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else {
            // Some file systems refuse to make what is there already by another word than EEXIST: opening it tells.
            if refused != 0, refused != EEXIST {
                throw Ownership.denied(refused, "create directory", AT_FDCWD, path, shown: path)
            }
            throw Ownership.denied(-descriptor, "open directory", AT_FDCWD, path, shown: path)
        }
        let directory = PosixDirectory(descriptor, path, isNew: refused == 0)
        if refused == 0 { directory.adopt(fromDescriptor: nil) }
        return directory
    }

    package func monotonicNow() -> UInt64 { Self.now(CLOCK_MONOTONIC) }
    package func wallClockNow() -> UInt64 { Self.now(CLOCK_REALTIME) }

    private static func now(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(clamping: time.tv_sec) &* 1_000_000_000 &+ UInt64(clamping: time.tv_nsec)
    }

    package func random() -> UInt64 {
        var generator = SystemRandomNumberGenerator()
        return generator.next()
    }

    package func pause(nanoseconds: UInt64) -> Bool {
        var time = timespec()
        time.tv_sec = Int(clamping: nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(clamping: nanoseconds % 1_000_000_000)
        nanosleep(&time, nil)
        return true
    }

    package func openFilesLimit() -> Int { Int(clamping: wal_open_files_limit()) }
    package func fileSizeLimit() -> UInt64? {
        let limit = wal_file_size_limit()
        return limit == .max ? nil : limit
    }

    package func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(WalError) {
        final class Box {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let box = Unmanaged.passRetained(Box(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        #if canImport(Darwin)
        var thread: pthread_t?
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        #else
        var thread = pthread_t()
        let status = pthread_create(
            &thread, &attributes,
            { argument in
                guard let argument else { return nil }
                Unmanaged<Box>.fromOpaque(argument).takeRetainedValue().body()
                return nil
            }, box.toOpaque())
        #endif
        if status != 0 {
            box.release()
            throw SystemError.error(status, "start thread", name)
        }
    }
}

/// A directory held open by descriptor, so that a renamed or replaced path can't lead elsewhere.
final class PosixDirectory: WalDirectory {
    private let descriptor: Int32
    private let path: String
    /// It was made when it was opened.
    private let isNew: Bool

    init(_ descriptor: Int32, _ path: String, isNew: Bool = false) {
        self.descriptor = descriptor
        self.path = path
        self.isNew = isNew
    }

    deinit {
        wal_lock_descriptor_released(descriptor)
        _ = closeDescriptor(descriptor)
    }

    func list() throws(WalError) -> [(name: String, kind: EntryKind)] {
        // A descriptor of its own, for fdopendir takes it over and moves its offset.
        let own = wal_openat(descriptor, ".", O_RDONLY | O_DIRECTORY, 0)
        guard own >= 0 else { throw SystemError.error(-own, "list", path) }
        guard let stream = fdopendir(own) else {
            let code = errno
            _ = closeDescriptor(own)
            throw SystemError.error(code, "list", path)
        }
        defer { closedir(stream) }
        var entries: [(name: String, kind: EntryKind)] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw SystemError.error(errno, "list", path) }
                return entries
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: $0.pointee)) {
                    String(cString: $0)
                }
            }
            if name == "." || name == ".." { continue }
            let kind: EntryKind =
                switch Int32(entry.pointee.d_type) {
                case Int32(DT_REG): .file
                case Int32(DT_DIR): .directory
                case Int32(DT_UNKNOWN): kindByStat(name)
                default: .other
                }
            entries.append((name, kind))
        }
    }

    private func kindByStat(_ name: String) -> EntryKind {
        var status = stat()
        guard fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 else { return .other }
        return switch status.st_mode & S_IFMT {
        case S_IFREG: .file
        case S_IFDIR: .directory
        default: .other
        }
    }

    func openDirectory(_ name: String, create: Bool) throws(WalError) -> any WalDirectory {
        let refused = create ? (mkdirat(descriptor, name, 0o700) == 0 ? 0 : errno) : EEXIST
        if refused != 0, refused != EEXIST { throw denied(refused, "create directory", name) }
        let opened = wal_openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0)
        guard opened >= 0 else { throw denied(-opened, "open directory", name) }
        let directory = PosixDirectory(opened, "\(path)/\(name)")
        if refused == 0 { directory.adopt(fromDescriptor: descriptor) }
        return directory
    }

    func openFile(_ name: String, _ access: FileAccess) throws(WalError) -> any WalFile {
        let flags: Int32 =
            switch access {
            case .read: O_RDONLY
            case .readWrite: O_RDWR
            case .createNew: O_RDWR | O_CREAT | O_EXCL
            case .createOrOpen: O_RDWR | O_CREAT
            }
        // O_NONBLOCK: a FIFO in a file's place is refused instead of waited for.
        let more = O_NOFOLLOW | O_NONBLOCK
        var opened: Int32 = -EEXIST
        if flags & O_CREAT != 0 {
            // Alone, so that only what was made just now is given away.
            opened = wal_openat(descriptor, name, flags | O_EXCL | more, 0o600)
            if opened >= 0 { Ownership.adopt(opened, from: descriptor) }
        }
        if opened == -EEXIST, access != .createNew { opened = wal_openat(descriptor, name, flags | more, 0o600) }
        guard opened >= 0 else { throw denied(-opened, "open", name) }
        var status = stat()
        guard fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            _ = closeDescriptor(opened)
            throw WalError(.notALog, "\(path)/\(name) is not a regular file; remove what stands in its place")
        }
        return PosixFile(opened, "\(path)/\(name)")
    }

    func rename(_ from: String, to: String) throws(WalError) {
        guard renameat(descriptor, from, descriptor, to) == 0 else {
            throw denied(errno, "rename to \(to)", from)
        }
    }

    func remove(_ name: String) throws(WalError) {
        guard unlinkat(descriptor, name, 0) == 0 else { throw denied(errno, "remove", name) }
    }

    private func denied(_ code: Int32, _ operation: String, _ name: String) -> WalError {
        Ownership.denied(code, operation, descriptor, name, shown: "\(path)/\(name)")
    }

    /// Right after it was made. Only an empty one is given away: whoever may write where it is can have put another in its place.
    func adopt(fromDescriptor parent: Int32?) {
        guard geteuid() == 0 else { return }
        let above = parent ?? wal_openat(descriptor, "..", O_RDONLY | O_DIRECTORY, 0)
        defer { if parent == nil, above >= 0 { _ = closeDescriptor(above) } }
        do throws(WalError) {
            if above >= 0, try list().isEmpty { Ownership.adopt(descriptor, from: above) }
        } catch {
            // Then it is this user's.
        }
    }

    func sync() throws(WalError) { try Self.sync(descriptor, path) }

    private static func sync(_ descriptor: Int32, _ path: String) throws(WalError) {
        let status = wal_full_sync(descriptor)
        guard status != 0 else { return }
        // Some systems sync no descriptor that is open for reading only, as a directory's is.
        let isRefused = -status == EBADF && fcntl(descriptor, F_GETFD) >= 0
        throw SystemError.error(isRefused ? EOPNOTSUPP : -status, "sync directory", path)
    }

    func syncParent() throws(WalError) {
        var place = stat()
        guard fstat(descriptor, &place) == 0 else { throw SystemError.error(errno, "stat", path) }
        var name = path
        var below = descriptor
        defer { if below != descriptor { _ = closeDescriptor(below) } }
        // "..": whatever path led here, that is where its name is. The names above a new one may be as new.
        for _ in 0..<(isNew ? 64 : 1) {
            name += "/.."
            let parent = wal_openat(below, "..", O_RDONLY | O_DIRECTORY, 0)
            if parent < 0 {
                if -parent == EACCES || -parent == EPERM { return try syncWithoutParent(name) }
                throw SystemError.error(-parent, "open directory", name)
            }
            if below != descriptor { _ = closeDescriptor(below) }
            below = parent
            var above = stat()
            guard fstat(parent, &above) == 0 else { throw SystemError.error(errno, "stat", name) }
            // The log's directory is the root of its file system: it has no name there.
            if above.st_dev != place.st_dev || above.st_ino == place.st_ino { return }
            place = above
            try Self.sync(parent, name)
        }
    }

    /// Who may not read the parent can't sync it alone.
    private func syncWithoutParent(_ name: String) throws(WalError) {
        let status = wal_sync_file_system(descriptor)
        guard status == 0 else { throw SystemError.error(-status, "sync directory", name) }
    }

    func currentPath() -> String? {
        #if os(Linux)
        // proc(5): where the directory is now, with this behind it once it was removed.
        let bytes = [UInt8](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            count = buffer.withMemoryRebound(to: CChar.self) { room in
                guard let base = room.baseAddress else { return 0 }
                return max(0, readlink("/proc/self/fd/\(descriptor)", base, room.count))
            }
        }
        let path = String(decoding: bytes, as: UTF8.self)
        guard !path.isEmpty, !path.hasSuffix(" (deleted)") else { return nil }
        return path
        #else
        return nil
        #endif
    }

    func guaranteesAllocation() -> Bool { wal_filesystem_guarantees_allocation(descriptor) }

    func probeMapping() -> MappingProbe {
        var step: Int32 = 0
        var generator = SystemRandomNumberGenerator()
        let name = "probe-\(String(generator.next(), radix: 16))"
        let status = wal_probe_mapping(descriptor, name, &step)
        if status == 0 { return .works }
        let operation =
            switch step {
            case Int32(WAL_PROBE_MAKE): "open"
            case Int32(WAL_PROBE_ALLOCATE): "allocate space for"
            case Int32(WAL_PROBE_SPACE): "allocate space, though it says so, for"
            case Int32(WAL_PROBE_MAP): "map"
            default: "sync what was stored through a mapping of"
            }
        let error = SystemError.error(-status, operation, "a file in \(path)")
        // A full disk, or a want of descriptors or memory, tells nothing of what the file system can do.
        let isAnswer = step != Int32(WAL_PROBE_MAKE) && error.code != .noSpace && error.code != .outOfResources
        return isAnswer ? .refused(error) : .unknown(error)
    }

    var fileSystemName: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let base = buffer.baseAddress, wal_file_system_name(descriptor, base, buffer.count) == 0 else {
                return nil
            }
            return String(cString: base)
        }
    }

    func lock() throws(WalError) -> Bool {
        let status = wal_lock_directory(descriptor)
        if -status == EWOULDBLOCK { return false }
        guard status == 0 else { throw SystemError.error(-status, "lock directory", path) }
        wal_lock_descriptor_held(descriptor)
        return true
    }

    func unlock() {
        _ = wal_unlock_directory(descriptor)
        wal_lock_descriptor_released(descriptor)
    }
}

/// An open file. Any thread may close it while others use it: they finish, whoever comes later is refused, and the last one to
/// leave closes the descriptor, so that no call ever reaches another file that was given the same number.
final class PosixFile: WalFile {
    private let openDescriptor: Int32
    /// As it was opened.
    private let openedPath: String
    /// Up to here no write can be beyond the process's limit of file sizes.
    private nonisolated(unsafe) let allowedEnd: UnsafeMutablePointer<UInt64>
    /// How many calls use the descriptor, and ``closedBit`` once nobody else may.
    private let uses: UseCount
    /// Set once by `lock`, before anybody else uses the file.
    private nonisolated(unsafe) var isLocked = false

    init(_ descriptor: Int32, _ path: String) {
        openDescriptor = descriptor
        openedPath = path
        allowedEnd = .allocate(capacity: 1)
        allowedEnd.initialize(to: 0)
        uses = UseCount()
    }

    deinit {
        close()
        allowedEnd.deallocate()
    }

    /// For errors: the directory as the caller knows it, and the name that the file has now.
    private var path: String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 4096) { buffer in
            guard let base = buffer.baseAddress, wal_path_of(openDescriptor, base, buffer.count) == 0,
                let name = String(cString: base).split(separator: "/").last, !name.hasSuffix(" (deleted)")
            else { return openedPath }
            return (openedPath.split(separator: "/", omittingEmptySubsequences: false).dropLast() + [name])
                .joined(separator: "/")
        }
    }

    /// A write beyond the limit would end the process (SIGXFSZ). The limit is looked at every 64 KiB: an app may change it.
    @inline(__always)
    private func checkLimit(_ operation: String, _ offset: UInt64, _ count: Int) throws(WalError) {
        let end = offset &+ UInt64(count)
        if _fastPath(end <= wal_load_acquire(allowedEnd)) { return }
        let limit = wal_file_size_limit()
        if end > limit { throw SystemError.beyondLimit(limit, operation, path) }
        wal_store_release(allowedEnd, min(limit, end &+ 65_536))
    }

    func close() {
        if uses.end() { closeNow() }
    }

    private func closeNow() {
        if isLocked { wal_lock_descriptor_released(openDescriptor) }
        _ = closeDescriptor(openDescriptor)
    }

    /// Every call on the descriptor goes through here.
    @inline(__always)
    private func use<R>(_ body: (_ descriptor: Int32) throws(WalError) -> R) throws(WalError) -> R {
        guard uses.enter() else { throw WalError.closedFile(openedPath) }
        defer { if uses.leave() { closeNow() } }
        return try body(openDescriptor)
    }

    func size() throws(WalError) -> UInt64 {
        try use { (descriptor) throws(WalError) in
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw SystemError.error(errno, "stat", path) }
            return UInt64(clamping: status.st_size)
        }
    }

    func identity() throws(WalError) -> FileIdentity {
        try use { (descriptor) throws(WalError) in
            var found = wal_file_identity_t()
            let status = wal_file_identity(descriptor, &found)
            guard status == 0 else { throw SystemError.error(-status, "stat", path) }
            return FileIdentity(inode: found.inode, birth: found.birth, links: found.links)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(WalError) -> Int {
        try use { (descriptor) throws(WalError) in
            var done = 0
            while done < buffer.count {
                let count = pread(
                    descriptor, buffer.baseAddress?.advanced(by: done), buffer.count - done,
                    off_t(clamping: offset) + off_t(done))
                if count < 0 {
                    if errno == EINTR { continue }
                    throw SystemError.error(errno, "read", path)
                }
                if count == 0 { break }
                done += count
            }
            return done
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) {
        try use { (descriptor) throws(WalError) in
            try checkLimit("write", offset, bytes.count)
            var done = 0
            while done < bytes.count {
                let count = pwrite(
                    descriptor, bytes.baseAddress?.advanced(by: done), bytes.count - done,
                    off_t(clamping: offset) + off_t(done))
                if count < 0 {
                    if errno == EINTR { continue }
                    let error = SystemError.error(errno, "write", path)
                    // Part of it is in the file: that is no longer "nothing was changed".
                    if done > 0, error.isRefusedWrite { throw WalError(.io, error.message, errno: error.errno) }
                    throw error
                }
                done += count
            }
        }
    }

    func write(
        header: (UInt64, UInt64), _ payload: UnsafeRawBufferPointer, zeros: Int, at offset: UInt64
    ) throws(WalError) {
        try use { (descriptor) throws(WalError) in
            let total = 16 + payload.count + zeros
            try checkLimit("write", offset, total)
            let count = wal_pwrite_frame(
                descriptor, header.0, header.1, payload.baseAddress, payload.count, Int32(truncatingIfNeeded: zeros),
                Int64(clamping: offset))
            if count == Int64(total) { return }
            if count < 0, Int32(-count) != EINTR { throw SystemError.error(Int32(-count), "write", path) }
            // Cut short: all of it again, in as many pieces as it takes.
            do throws(WalError) {
                try writeCopy(header: header, payload, zeros: zeros, at: offset)
            } catch {
                if count > 0, error.isRefusedWrite { throw WalError(.io, error.message, errno: error.errno) }
                throw error
            }
        }
    }

    func writeSynced(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) -> Bool {
        try use { (descriptor) throws(WalError) in
            try checkLimit("write and sync", offset, bytes.count)
            let count = wal_pwrite_dsync(descriptor, bytes.baseAddress, bytes.count, Int64(clamping: offset))
            if count == Int64(bytes.count) { return true }
            if count < 0 {
                let code = Int32(-count)
                if code == EOPNOTSUPP || code == ENOSYS || code == EINTR { return false }
                throw SystemError.error(code, "write and sync", path)
            }
            return false
        }
    }

    func allocate(from: UInt64, to: UInt64) throws(WalError) {
        try use { (descriptor) throws(WalError) in
            try checkLimit("allocate space for", to, 0)
            let status = wal_allocate(descriptor, Int64(clamping: from), Int64(clamping: to - from))
            guard status == 0 else { throw SystemError.error(-status, "allocate space for", path) }
        }
    }

    func truncate(to size: UInt64) throws(WalError) {
        try use { (descriptor) throws(WalError) in
            try checkLimit("truncate", size, 0)
            guard ftruncate(descriptor, off_t(clamping: size)) == 0 else {
                throw SystemError.error(errno, "truncate", path)
            }
        }
    }

    func overwritesInPlace() {
        do { try use { _ = wal_overwrite_in_place($0) } } catch {}
    }

    func sync() throws(WalError) {
        try use { (descriptor) throws(WalError) in
            let status = wal_data_sync(descriptor)
            guard status == 0 else { throw SystemError.error(-status, "sync", path) }
        }
    }

    func isLinked() throws(WalError) -> Bool {
        try use { (descriptor) throws(WalError) in
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { throw SystemError.error(errno, "stat", path) }
            return status.st_nlink > 0
        }
    }

    func map(count: Int, writable: Bool) throws(WalError) -> any WalMapping {
        try use { (descriptor) throws(WalError) in
            let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
            guard let base = mmap(nil, count, protection, MAP_SHARED, descriptor, 0), base != MAP_FAILED else {
                throw SystemError.error(errno, "map", path)
            }
            return PosixMapping(base, count)
        }
    }

    func content(from offset: UInt64) throws(WalError) -> [Range<UInt64>] {
        try use { (descriptor) throws(WalError) in
            let size = try size()
            guard offset < size else { return [] }
            var ranges: [Range<UInt64>] = []
            var at = Int(clamping: offset)
            #if os(Linux)
            // SEEK_DATA and SEEK_HOLE (lseek(2)): allocated space that nobody wrote to is a hole, unless pages of it were touched.
            // All before the first read, for that touches the pages ahead.
            while true {
                let start = lseek(descriptor, at, 3)
                if start < 0, errno == ENXIO { return ranges }
                guard start >= at else { break }
                let end = lseek(descriptor, start, 4)
                guard end > start else { break }
                ranges.append(UInt64(start)..<UInt64(end))
                at = end
            }
            #endif
            if at < size { ranges.append(UInt64(at)..<size) }
            return ranges
        }
    }

    func lock() throws(WalError) -> Bool {
        try use { (descriptor) throws(WalError) in
            let status = wal_lock_file(descriptor)
            if -status == EAGAIN || -status == EACCES { return false }
            guard status == 0 else { throw SystemError.error(-status, "lock", path) }
            isLocked = true
            wal_lock_descriptor_held(descriptor)
            return true
        }
    }

    func unlock() {
        do { try use { _ = wal_unlock_file($0) } } catch {}
    }

    func beginAnnouncing() {
        do { try use { _ = wal_lock_announcement($0) } } catch {}
    }
    func endAnnouncing() {
        do { try use { _ = wal_unlock_announcement($0) } } catch {}
    }
}

final class PosixMapping: WalMapping {
    // Unsafe: who uses a mapping orders the stores and loads, as with any memory; it goes when nobody holds it any more.
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    let count: Int

    init(_ base: UnsafeMutableRawPointer, _ count: Int) {
        self.base = base
        self.count = count
    }

    deinit { munmap(base, count) }

    func populate(from: Int, to: Int) {
        // Whole pages; the first may be ready already.
        let from = from & ~(Int(getpagesize()) - 1)
        guard from < to, to <= count else { return }
        // A kernel without it (before Linux 5.14) faults the pages in one by one later.
        _ = wal_populate_write(base + from, to - from)
    }
}

/// `close` by a name that the methods called `close` do not hide.
private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }
