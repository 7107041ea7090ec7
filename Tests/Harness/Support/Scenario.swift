import ArgumentParser
import Foundation
import WalTesting

/// What every scenario is told.
struct ScenarioOptions: ParsableArguments {
    @Option(help: "Where logs and images go; by default a directory in memory.") var scratch: String?
    @Option(help: "Of the random moments and choices. What processes do at the same time can't be repeated.")
    var seed: UInt64?
    @Option(help: "Leaves some of the checked logs there.") var keep: String?
    @Option(
        help:
            "A command that prints a log as `harness dump` does; run on some of the logs, its output must be the same.")
    var also: String?
}

/// How a scenario ended, to the one who started it as a process.
enum Verdict {
    static let skipped: Int32 = 77

    /// It can't be tried here. Never counted as passed.
    static func skip(_ reason: String) -> ExitCode {
        report("SKIPPED: \(reason)")
        return ExitCode(skipped)
    }
}

/// The surroundings of a scenario: a directory that is gone afterwards, random numbers, the harness's own executable.
final class Scenario {
    let name: String
    let options: ScenarioOptions
    let directory: String
    var random: SeededGenerator
    private(set) var kept = 0
    private(set) var compared = 0

    static var executable: String {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
    }

    init(_ name: String, _ options: ScenarioOptions) throws {
        self.name = name
        self.options = options
        let seed = options.seed ?? UInt64.random(in: 0...UInt64.max)
        random = SeededGenerator(seed: seed)
        var root = options.scratch ?? NSTemporaryDirectory()
        // A loss of power or of a process is the same on a disk in memory, and fast.
        if options.scratch == nil, Scenario.freeBytes("/dev/shm") > 1 << 30, access("/dev/shm", W_OK) == 0 {
            root = "/dev/shm"
        }
        Scenario.removeLeftovers(root)
        directory = "\(root)/harness-\(name)-\(getpid())"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        report("\(name): seed \(seed), in \(directory)")
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// What a scenario left that was killed itself.
    private static func removeLeftovers(_ root: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? [] where name.hasPrefix("harness-")
        {
            guard let process = name.split(separator: "-").last.flatMap({ Int32($0) }), kill(process, 0) != 0,
                errno == ESRCH
            else { continue }
            try? FileManager.default.removeItem(atPath: "\(root)/\(name)")
        }
    }

    static func freeBytes(_ path: String) -> UInt64 {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return 0 }
        return UInt64(status.f_bavail) * UInt64(status.f_frsize)
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// A number from a range, each as likely.
    func number(_ range: ClosedRange<UInt64>) -> UInt64 { UInt64.random(in: range, using: &random) }

    func chance(oneIn: UInt64) -> Bool { number(1...oneIn) == 1 }

    func pause(milliseconds range: ClosedRange<UInt64>) {
        usleep(UInt32(number(range.lowerBound * 1_000...range.upperBound * 1_000)))
    }

    // MARK: Steps

    /// Starts a writer, whose acknowledgements go to `acks`.
    func writer(_ log: String, _ acks: String, run: UInt32, _ more: [String]) throws -> Child {
        try Child(
            [Self.executable, "write", log, "--run", "\(run)", "--seed", "\(number(0...UInt64(UInt32.max)))"] + more,
            output: acks, errors: path("errors"))
    }

    /// Has a process of its own check a log.
    func check(_ log: String, _ more: [String]) throws -> CheckSummary {
        let said = path("check")
        unlink(said)
        let end = try Child([Self.executable, "check", log] + more, output: said, errors: said).wait()
        let text = ((try? String(contentsOfFile: said, encoding: .utf8)) ?? "").trimmingCharacters(in: .newlines)
        if end == .exited(1) { throw Objection(description: text) }
        guard end == .exited(0), let summary = CheckSummary(text) else { throw Trouble("the check \(end): \(text)") }
        return summary
    }

    /// Waits until something is so that a child brings about.
    func wait(until isSo: () -> Bool, while child: Child, seconds: Double = 60) throws {
        let end = Date(timeIntervalSinceNow: seconds)
        while !isSo() {
            guard child.isRunning, Date() < end else { throw Trouble("a process \(child.wait(seconds: 0))\(errors())") }
            usleep(1_000)
        }
    }

    /// Waits for processes, and kills the rest as soon as one has failed.
    func firstFailure(of children: [Child], seconds: Double) -> Child.End? {
        let end = Date(timeIntervalSinceNow: seconds)
        var left = children
        var failure: Child.End?
        while !left.isEmpty {
            if failure != nil || Date() > end { for child in left { child.signal(SIGKILL) } }
            left.removeAll { child in
                guard !child.isRunning else { return false }
                let how = child.wait()
                if failure == nil, how != .exited(0) { failure = Date() > end ? .hung : how }
                return true
            }
            usleep(2_000)
        }
        return failure
    }

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func size(_ file: String) -> Int {
        var status = stat()
        return stat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    /// What children said on standard error, as the end of a sentence.
    func errors() -> String {
        let text = (try? String(contentsOfFile: path("errors"), encoding: .utf8)) ?? ""
        return text.isEmpty ? "" : ": " + text.trimmingCharacters(in: .newlines)
    }

    // MARK: Others who read the log

    /// Keeps a copy of a log, if that was asked for.
    func keep(_ log: String, as name: String) throws {
        guard let place = options.keep else { return }
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let copy = "\(place)/\(self.name)-\(name)"
        if FileManager.default.fileExists(atPath: copy) { try FileManager.default.removeItem(atPath: copy) }
        try Child.run("cp", "-R", log, copy)
        kept += 1
    }

    /// Has the other program print the log, and compares.
    func compare(_ log: String) throws {
        guard let also = options.also else { return }
        let ours = path("ours")
        let theirs = path("theirs")
        for (file, command) in [
            (ours, [Self.executable, "dump", log]), (theirs, ["sh", "-c", "\(also) \"$1\"", "sh", log]),
        ] {
            unlink(file)
            // What it says about torn ends there is no place for.
            let remarks = path("remarks")
            unlink(remarks)
            let end = try Child(command, output: file, errors: remarks).wait()
            guard end == .exited(0) else {
                throw Trouble("\(command) \(end): \((try? String(contentsOfFile: remarks, encoding: .utf8)) ?? "")")
            }
        }
        try Child.run("cmp", ours, theirs)
        compared += 1
    }

    /// What there is to say about those, at the end.
    var remarks: String {
        (compared > 0 ? ", \(compared) logs printed by another reader too" : "")
            + (kept > 0 ? ", \(kept) logs kept" : "")
    }
}
