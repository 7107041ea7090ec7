import Foundation

/// File systems of the scenario's own. It runs in a mount namespace of its own (see `Mounts.enter`), so that they go with it,
/// however it ends.
enum Mounts {
    /// Starts this command again where its mounts are its own. Returns nil in that process; otherwise how it ended.
    ///
    /// - Throws: that it was skipped, where mounting is not to be had.
    static func enter() throws -> Int32? {
        if ProcessInfo.processInfo.environment["HARNESS_MOUNTS"] != nil { return nil }
        for tool in ["unshare", "mount", "umount", "mkfs.ext4"] where Child.find(tool) == nil {
            throw Verdict.skip("\(tool) is not installed")
        }
        guard geteuid() == 0 else { throw Verdict.skip("only root may mount") }
        let namespace = ["unshare", "--mount", "--propagation", "private"]
        do { try Child.run(namespace + ["true"]) } catch { throw Verdict.skip("no mount namespace: \(error)") }
        setenv("HARNESS_MOUNTS", "1", 1)
        let end = try Child(namespace + [Scenario.executable] + CommandLine.arguments.dropFirst()).wait(
            seconds: 24 * 3_600)
        guard case .exited(let status) = end else { throw Trouble("the scenario \(end)") }
        return status
    }

    /// Makes a file of that size with an ext4 in it.
    static func format(_ image: String, megabytes: Int) throws {
        // Written in full, so that nothing is allocated when the file system writes to it.
        try Child.run("dd", "if=/dev/zero", "of=\(image)", "bs=1M", "count=\(megabytes)", "status=none")
        try Child.run("mkfs.ext4", "-q", "-F", "-m", "0", "-E", "nodiscard", image)
    }

    static func mount(_ image: String, at place: String) throws {
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        try Child.run("mount", "-t", "ext4", "-o", "loop,nodiscard", image, place)
    }

    static func unmount(_ place: String) throws {
        // A process that was just killed may hold it for a moment more.
        for _ in 0..<200 {
            do {
                try Child.run("umount", place)
                return
            } catch { usleep(10_000) }
        }
        try Child.run("umount", place)
    }
}

/// A power supply to be cut: an ext4 for the log, on a "disk" that can be seen as it is at one instant.
///
/// The log's file system is in a file of the file system `cache`, which is in a file of the file system `base`, each by a loop
/// device. A freeze (FIFREEZE) of the file system that *holds* a disk's file stops every write to that disk between two
/// requests, without telling the file system on it: nothing of the log is flushed by it. While it is frozen, the file is
/// copied. That the copy is of one instant is shown by copying twice (`isInstant`).
///
/// - `Image.completed` freezes `cache` and copies the log's disk: it has every write that the disk had completed, in order. A disk
///   without a volatile cache, whose power fails.
/// - `Image.flushed` freezes `base` and copies the disk under `cache`. There, of the log's disk is only what was flushed: a
///   request to flush becomes an fsync of its file on `cache`, and what was written since is in memory, save what the
///   kernel happened to write. A disk with a volatile cache that loses all of it.
///
/// What neither shows: a cache that loses some of its writes and keeps later ones, sectors torn in the middle, disks that lie
/// about a flush. The simulated disk of the tests does those.
///
/// Where a freeze is refused the file is copied as it is, while it changes. Later blocks may then be newer than earlier ones: no
/// disk does that, and a journal that wrapped around meanwhile could be misread. The copy takes some 30 ms.
struct PowerSupply {
    enum Image: CaseIterable { case completed, flushed }

    let directory: String
    private var base: String { "\(directory)/base" }
    private var cache: String { "\(directory)/cache" }
    /// Where the log is.
    var disk: String { "\(directory)/disk" }
    private var copy: String { "\(directory)/copy.img" }

    init(in directory: String) throws {
        self.directory = directory
        try Mounts.format("\(directory)/base.img", megabytes: 160)
        try Mounts.mount("\(directory)/base.img", at: base)
        try Mounts.format("\(base)/cache.img", megabytes: 112)
        try Mounts.mount("\(base)/cache.img", at: cache)
        try Mounts.format("\(cache)/disk.img", megabytes: 64)
        try Mounts.mount("\(cache)/disk.img", at: disk)
        sync()
    }

    func stop() throws { for place in [disk, cache, base] { try Mounts.unmount(place) } }

    // MARK: The cut

    private func source(_ kind: Image) -> (holder: String, file: String) {
        kind == .completed ? (cache, "\(cache)/disk.img") : (base, "\(base)/cache.img")
    }

    /// Takes an image. `before` and `after` are called right before and after the moment that it shows.
    ///
    /// - Returns: whether it is of one instant.
    func cut(_ kind: Image, to image: String, before: () -> Void, after: () -> Void) throws -> Bool {
        let (holder, file) = source(kind)
        before()
        let freeze = Freeze(holder)
        defer { after() }
        defer { freeze?.end() }
        try Child.run("cp", "--sparse=always", file, image)
        return freeze != nil
    }

    /// Whether nothing changes while it is frozen, though there is much to be written: two copies are the same.
    func isInstant(_ kind: Image) throws -> Bool {
        let (holder, file) = source(kind)
        guard let freeze = Freeze(holder) else { return false }
        defer { freeze.end() }
        let other = "\(copy).other"
        defer { for file in [copy, other] { unlink(file) } }
        try Child.run("cp", "--sparse=always", file, copy)
        // Time for the disk to change in, if it is not frozen.
        usleep(50_000)
        try Child.run("cp", "--sparse=always", file, other)
        return (try? Child.run("cmp", copy, other)) != nil
    }

    /// Shows that the images are what they are said to be: a write that the disk completed is in one kind at once, and in the
    /// other when it was flushed. - Returns: what is otherwise.
    func provesItself(_ scratch: String) throws -> String? {
        let file = "\(disk)/proof"
        func put(_ text: String, _ flags: String...) throws {
            // Past the file system's own cache, into blocks that the file has already.
            let source = "\(scratch).proof"
            try Data((text + String(repeating: " ", count: 4_095)).utf8).write(to: URL(fileURLWithPath: source))
            defer { unlink(source) }
            try Child.run(["dd", "if=\(source)", "of=\(file)", "bs=4096", "count=1", "status=none"] + flags)
        }
        func seen(_ kind: Image) throws -> Character? {
            defer { unlink(scratch) }
            _ = try cut(kind, to: scratch, before: {}, after: {})
            return try start(kind, scratch) { place in
                try Data(contentsOf: URL(fileURLWithPath: "\(place)/proof")).first.map { Character(Unicode.Scalar($0)) }
            }
        }
        defer { unlink(file) }
        try put("0", "conv=fsync")
        try put("1", "oflag=direct", "conv=notrunc")
        // In this order, for to freeze `cache` flushes it.
        guard try seen(.flushed) == "0" else { return "what was never flushed is in an image of what was" }
        guard try seen(.completed) == "1" else { return "what the disk completed is not in an image of that" }
        try put("2", "oflag=direct", "conv=notrunc,fsync")
        for kind in Image.allCases where try seen(kind) != "2" {
            return "what was flushed is not in an image of kind \(kind)"
        }
        return nil
    }

    // MARK: Power again

    /// Mounts an image, which has the journals replayed, and hands over where the log's file system is.
    func start<R>(_ kind: Image, _ image: String, _ body: (String) throws -> R) throws -> R {
        let place = "\(directory)/restarted"
        guard kind == .flushed else {
            try Mounts.mount(image, at: place)
            defer { try? Mounts.unmount(place) }
            return try body(place)
        }
        let outer = "\(directory)/restarted-cache"
        try Mounts.mount(image, at: outer)
        defer { try? Mounts.unmount(outer) }
        try Mounts.mount("\(outer)/disk.img", at: place)
        defer { try? Mounts.unmount(place) }
        return try body(place)
    }
}

/// A file system that takes no writes for a while.
final class Freeze {
    private let descriptor: Int32

    // _IOWR('X', 119, int) and 120; see ioctl_fsfreeze(2).
    private static let freeze: UInt = 0xC004_5877
    private static let thaw: UInt = 0xC004_5878

    /// Nil where it can't be had.
    init?(_ place: String) {
        #if os(Linux)
        let descriptor = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        // Whoever stops the harness must not leave a frozen file system behind.
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_IGN) }
        guard ioctl(descriptor, Self.freeze, 0) == 0 else {
            close(descriptor)
            return nil
        }
        self.descriptor = descriptor
        #else
        return nil
        #endif
    }

    func end() {
        #if os(Linux)
        _ = ioctl(descriptor, Self.thaw, 0)
        close(descriptor)
        for number in [SIGINT, SIGTERM, SIGHUP] { signal(number, SIG_DFL) }
        #endif
    }
}
