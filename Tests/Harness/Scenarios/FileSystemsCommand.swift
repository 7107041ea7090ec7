import ArgumentParser
import Foundation
import WriteAheadLog

/// One life of a log on each kind of file system that this kernel has: filled to the last block, killed, its power cut, reopened,
/// purged. What can't be mounted here says so.
struct FileSystemsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file-systems",
        abstract: "Leads a log's life on ext2, ext3, ext4, XFS, btrfs, tmpfs and overlayfs.")

    @OptionGroup var options: ScenarioOptions
    @Option(help: "How many lives on each.") var count = 1
    @Option(help: "Only the one of that name.") var only: String?

    func run() throws {
        if let status = try Mounts.enter() { throw ExitCode(status) }
        let scenario = try Scenario("file-systems", options)
        guard Scenario.freeBytes(scenario.directory) > 3 << 30 else {
            throw Verdict.skip("less than 3 GiB are free in \(scenario.directory); name another place by --scratch")
        }
        // The images lie on a file system that can be frozen, so that a copy of one is of one instant.
        let base = scenario.path("base")
        do {
            try Child.run("truncate", "-s", "1500M", "\(base).img")
            try Child.run("mkfs.ext4", "-q", "-F", "-m", "0", "\(base).img")
            try Mounts.mount("\(base).img", at: base)
        } catch {
            throw Verdict.skip("no ext4 could be mounted on a loop device: \(error)")
        }
        defer { try? Mounts.unmount(base) }
        var failed: [String] = []
        var skipped: [String] = []
        var passed = 0
        for kind in FileSystemKind.all where only == nil || only == kind.name {
            for _ in 0..<count {
                do {
                    let found = try Life(scenario: scenario, kind: kind, base: base).lead()
                    report("file systems: \(kind.name): \(found)")
                    passed += 1
                } catch let reason as NotHere {
                    report("SKIPPED: \(kind.name): \(reason.reason)")
                    skipped.append(kind.name)
                    break
                } catch {
                    report("file systems: \(kind.name): FAILED: \(error)")
                    failed.append(kind.name)
                }
            }
        }
        func list(_ names: [String]) -> String { names.isEmpty ? "" : " (\(names.joined(separator: ", ")))" }
        report(
            "file systems: \(passed) lives passed, \(failed.count) failed\(list(failed)), \(skipped.count) skipped\(list(skipped))"
        )
        if !failed.isEmpty { throw ExitCode(1) }
    }
}

/// What this machine does not have.
private struct NotHere: Error {
    let reason: String
}

private struct FileSystemKind {
    var name: String
    /// Its type, as mount(8) has it.
    var type: String
    /// How one is made in the file that follows; nil where it lies in memory.
    var make: [String]?
    var megabytes = 64
    var options: [String] = []
    /// What `.automatic` must come to.
    var writes: WriteMode
    var isOverlay = false
    /// A copy that shares blocks is made of the log while it is written to, and the disk filled then.
    var isCopied = false
    /// What has to put it in order after a loss of power. It takes blocks of files that were synced for those of removed ones, and
    /// changes them: what was synced may be gone, and the log must say so.
    var repair: [String]?

    static let all = [
        FileSystemKind(
            name: "ext2", type: "ext2", make: ["mkfs.ext2", "-q", "-F", "-m", "0"], writes: .written,
            repair: ["e2fsck", "-fy"]),
        FileSystemKind(name: "ext3", type: "ext3", make: ["mkfs.ext3", "-q", "-F", "-m", "0"], writes: .written),
        // Blocks of removed files show in files that were not synced.
        FileSystemKind(
            name: "ext3 data=writeback", type: "ext3", make: ["mkfs.ext3", "-q", "-F", "-m", "0"],
            options: ["data=writeback"], writes: .written),
        FileSystemKind(name: "ext4", type: "ext4", make: ["mkfs.ext4", "-q", "-F", "-m", "0"], writes: .mapped),
        FileSystemKind(
            name: "ext4 without extents", type: "ext4",
            make: ["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^extents,^64bit"], writes: .written),
        FileSystemKind(
            name: "ext4 data=journal", type: "ext4", make: ["mkfs.ext4", "-q", "-F", "-m", "0"],
            options: ["data=journal"], writes: .mapped),
        FileSystemKind(name: "xfs", type: "xfs", make: ["mkfs.xfs", "-q", "-f"], megabytes: 300, writes: .mapped),
        FileSystemKind(
            name: "xfs with a reflink copy", type: "xfs", make: ["mkfs.xfs", "-q", "-f", "-m", "reflink=1"],
            megabytes: 300, writes: .mapped, isCopied: true),
        FileSystemKind(
            name: "btrfs", type: "btrfs", make: ["mkfs.btrfs", "-q", "-f"], megabytes: 256, writes: .written),
        FileSystemKind(name: "tmpfs", type: "tmpfs", writes: .mapped),
        FileSystemKind(
            name: "overlayfs", type: "ext4", make: ["mkfs.ext4", "-q", "-F", "-m", "0"], writes: .written,
            isOverlay: true),
    ]
}

private struct Life {
    let scenario: Scenario
    let kind: FileSystemKind
    let base: String

    private var image: String { "\(base)/disk.img" }
    private var disk: String { scenario.path("disk") }
    private var merged: String { scenario.path("merged") }
    /// Where the log is.
    private var place: String { kind.isOverlay ? merged : disk }
    /// Fillers take a loss where space is not reserved; what they acknowledged is there all the same.
    private var fillMode: String { kind.writes == .mapped && !kind.isCopied ? "automatic" : "written" }

    func lead() throws -> String {
        try begin()
        defer { try? end() }
        var found: [String] = []
        found.append(try mode())
        found.append("filled: \(try fill())")
        try restart()
        found.append("killed: \(try kill())")
        if kind.make != nil {
            try restart()
            found.append("power cut: \(try cutPower())")
        }
        return found.joined(separator: "; ")
    }

    // MARK: The file system

    private func begin() throws {
        if let make = kind.make {
            guard Child.find(make[0]) != nil else { throw NotHere(reason: "\(make[0]) is not installed") }
            unlink(image)
            try Child.run("truncate", "-s", "\(kind.megabytes)M", image)
            try Child.run(make + [image])
        }
        do {
            try mount(image, at: disk, overlay: merged)
        } catch {
            throw NotHere(reason: "it can't be mounted: \(error)")
        }
    }

    private func mount(_ image: String, at disk: String, overlay merged: String, _ more: [String] = []) throws {
        try FileManager.default.createDirectory(atPath: disk, withIntermediateDirectories: true)
        if kind.make == nil {
            try Child.run("mount", "-t", kind.type, "-o", "size=64m,mode=700", kind.type, disk)
        } else {
            try Child.run(
                "mount", "-t", kind.type, "-o", (["loop"] + kind.options + more).joined(separator: ","), image, disk)
        }
        guard kind.isOverlay else { return }
        for name in ["lower", "upper", "work"] {
            try FileManager.default.createDirectory(atPath: "\(disk)/\(name)", withIntermediateDirectories: true)
        }
        try FileManager.default.createDirectory(atPath: merged, withIntermediateDirectories: true)
        do {
            try Child.run(
                "mount", "-t", "overlay", "overlay", "-o",
                "lowerdir=\(disk)/lower,upperdir=\(disk)/upper,workdir=\(disk)/work", merged)
        } catch {
            try? Mounts.unmount(disk)
            throw error
        }
    }

    private func end() throws {
        if kind.isOverlay { try Mounts.unmount(merged) }
        try Mounts.unmount(disk)
        unlink(image)
    }

    /// An empty one for the next part of the life.
    private func restart() throws {
        try end()
        try begin()
    }

    // MARK: The parts of the life

    /// `Wal.info` says what the file system can do.
    private func mode() throws -> String {
        let log = "\(place)/mode"
        let wal = try Wal<Sample>.openAndWait(at: log, configuration: .init(mode: .automatic))
        let info = wal.info
        try wal.closeAndWait()
        guard info.writes == kind.writes else {
            throw Trouble("`.automatic` came to \(info.writes) (\(info.writesReason)), not \(kind.writes)")
        }
        guard info.fallbacks.contains(where: { $0.kind == .writes }) == (kind.writes == .written) else {
            throw Trouble("the report of open: \(info.fallbacks)")
        }
        return "\(info.fileSystem ?? "?"), \(info.writes)"
    }

    private func bulk(leaving megabytes: Int) throws {
        let free = Int(Scenario.freeBytes(place) >> 20)
        guard free > megabytes else { return }
        try Child.run(
            "dd", "if=/dev/zero", "of=\(place)/bulk", "bs=1M", "count=\(free - megabytes)", "conv=fsync", "status=none")
    }

    private func fill() throws -> String {
        let log = "\(place)/log"
        let acks = scenario.path("acks")
        for file in [acks, scenario.path("errors")] { unlink(file) }
        try bulk(leaving: 14)
        let ballast = (1...4).map { "\(place)/ballast-\($0)" }
        for file in ballast { try Child.run("dd", "if=/dev/zero", "of=\(file)", "bs=64k", "count=16", "status=none") }
        let filler = try Child(
            [
                Scenario.executable, "fill", log, "--mode", fillMode, "--run", "\(scenario.number(1...1_000_000))",
                "--kill",
            ]
                + ballast.dropLast().flatMap { ["--ballast", $0] }, output: acks, errors: scenario.path("errors"))
        if kind.isCopied {
            try scenario.wait(until: { hasSegments(log) }, while: filler)
            do { try shareBlocks(of: log) } catch {
                filler.signal(SIGKILL)
                throw error
            }
        }
        let end = filler.wait(seconds: 300)
        guard end == .killed(SIGKILL) else { throw Trouble("the filler \(end)\(scenario.errors())") }
        for file in [ballast[3], "\(place)/bulk"] { unlink(file) }
        let summary = try scenario.check(log, ["--acks", acks])
        return "\(scenario.errors().dropFirst(2)), \(summary.acknowledged) acknowledged operations found"
    }

    private func hasSegments(_ log: String) -> Bool {
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: log)) ?? []
        return names.contains { $0.hasSuffix(".wal") }
    }

    /// A copy of the log that is written to; what it shares is copied at the next write. A file that got another name while the
    /// copy was made is no reason to do without.
    private func shareBlocks(of log: String) throws {
        let copy = "\(place)/copy"
        for round in 1... {
            do {
                try Child.run("cp", "-r", "--reflink=always", log, copy)
            } catch {
                guard round < 20, "\(error)".contains("No such file") else { throw error }
                try FileManager.default.removeItem(atPath: copy)
                continue
            }
            guard hasSegments(copy) else { throw Trouble("the copy that shares blocks holds no segment") }
            return
        }
    }

    private func kill() throws -> String {
        let log = "\(place)/log"
        let acks = scenario.path("acks")
        for file in [acks, scenario.path("errors")] { unlink(file) }
        var sum = CheckSummary()
        for run in 1...3 as ClosedRange<UInt32> {
            let writer = try scenario.writer(log, acks, run: run, ["--mode", "automatic", "--keep", "500"])
            try scenario.wait(until: { Scenario.size(acks) > 2_000 * Int(run) }, while: writer)
            scenario.pause(milliseconds: 20...200)
            writer.signal(SIGKILL)
            guard writer.wait() == .killed(SIGKILL), scenario.errors().isEmpty else {
                throw Trouble("the writer\(scenario.errors())")
            }
            let facts = scenario.path("facts")
            sum += try scenario.check(log, ["--acks", acks, "--facts", facts])
            if Scenario.exists(facts) { rename(facts, acks) }
        }
        return "3 times, \(sum.acknowledged) acknowledged operations found"
    }

    private func cutPower() throws -> String {
        let log = "\(place)/log"
        let acks = scenario.path("acks")
        for file in [acks, scenario.path("errors")] { unlink(file) }
        let writer = try scenario.writer(log, acks, run: 1, ["--mode", "automatic", "--keep", "500"])
        defer { writer.signal(SIGKILL) }
        try scenario.wait(until: { Scenario.size(acks) > 2_000 }, while: writer)
        var sum = CheckSummary()
        for _ in 1...3 {
            scenario.pause(milliseconds: 20...300)
            let copy = scenario.path("cut.img")
            defer { unlink(copy) }
            let freeze = Freeze(base)
            let binding = Scenario.size(acks)
            try Child.run("cp", "--sparse=always", image, copy)
            let end = Scenario.size(acks)
            freeze?.end()
            writer.signal(SIGSTOP)
            defer { writer.signal(SIGCONT) }
            guard writer.isRunning, scenario.errors().isEmpty else {
                throw Trouble("the writer \(writer.wait())\(scenario.errors())")
            }
            // It says by its status that there was something to do; once is not always enough.
            if let repair = kind.repair {
                for _ in 1...5 where (try? Child.run(repair + [copy])) == nil {}
            }
            let (again, mergedAgain) = (scenario.path("again"), scenario.path("merged-again"))
            // XFS refuses two of one identity otherwise.
            let more = kind.type == "xfs" ? ["nouuid"] : []
            try mount(copy, at: again, overlay: mergedAgain, more)
            defer {
                if kind.isOverlay { try? Mounts.unmount(mergedAgain) }
                try? Mounts.unmount(again)
            }
            sum += try scenario.check(
                "\(kind.isOverlay ? mergedAgain : again)/log",
                ["--acks", acks, "--power-loss", "--binding", "\(binding)", "--end", "\(end)"]
                    + (kind.repair == nil ? [] : ["--may-be-refused"]))
        }
        return "3 times, \(sum.acknowledged) acknowledged operations found"
            + (sum.refused > 0 ? ", \(sum.refused) logs refused after the repair" : "")
    }
}
