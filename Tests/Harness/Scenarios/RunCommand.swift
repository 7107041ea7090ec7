import ArgumentParser
import Foundation

/// Everything, each scenario as a process of its own.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs every scenario and counts what passed, failed and was skipped.")

    @OptionGroup var options: ScenarioOptions
    @Option var kills = 200
    @Option var images = 200
    @Option var seals = 1_000
    @Option var races = 40
    @Option(help: "How many lives of a log on each kind of file system.") var lives = 1

    func run() throws {
        var shared: [String] = []
        if let scratch = options.scratch { shared += ["--scratch", scratch] }
        if let seed = options.seed { shared += ["--seed", "\(seed)"] }
        if let keep = options.keep { shared += ["--keep", keep] }
        var skipped: [String] = []
        if let also = options.also ?? Self.independentReader {
            shared += ["--also", also]
        } else {
            report("SKIPPED: no python3, or no \(Self.script): no other program reads the logs")
            skipped.append("another reader")
        }
        var passed: [String] = []
        var failed: [String] = []
        // An ext4 shows neither that names were not synced, for a sync of a file takes them along, nor what only a worse disk does.
        let controls = ["segment-order", "ranged-sync", "mark-after-sync"].map { measure in
            ("control: without \(measure)", ["power-loss", "--count", "40", "--without", measure])
        }
        let scenarios = [
            ("self-test", ["self-test"]),
            ("kills", ["kills", "--count", "\(kills)"]),
            ("power loss", ["power-loss", "--count", "\(images)"]),
            ("control: a writer that lies", ["power-loss", "--count", "40", "--lie"]),
            ("full disk", ["full-disk"]),
            ("file systems", ["file-systems", "--count", "\(lives)"]),
            ("open race", ["race", "--count", "\(races)"]),
            ("tails", ["tails", "--seals", "\(seals)"]),
        ]
        for (name, arguments) in scenarios + controls {
            let start = Date()
            let end = try Child([Scenario.executable] + arguments + shared).wait(seconds: 24 * 3_600)
            let seconds = Int(Date().timeIntervalSince(start).rounded())
            switch end {
            case .exited(0):
                report("\(name): passed in \(seconds) s\n")
                passed.append(name)
            case .exited(Verdict.skipped):
                report("\(name): skipped\n")
                skipped.append(name)
            default:
                report("\(name): FAILED: the scenario \(end)\n")
                failed.append(name)
            }
        }
        func list(_ names: [String]) -> String { names.isEmpty ? "" : " (\(names.joined(separator: ", ")))" }
        report(
            "\(passed.count) passed\(list(passed)), \(failed.count) failed\(list(failed)), \(skipped.count) skipped\(list(skipped))"
        )
        if !failed.isEmpty { throw ExitCode(1) }
    }

    private static let script = "Tests/independent-reader/read_wal.py"

    private static var independentReader: String? {
        guard Scenario.exists(script), Child.find("python3") != nil else { return nil }
        return "python3 \(script)"
    }
}
