import ArgumentParser
import Foundation

/// Reader processes beside a writer that seals and purges all the time.
struct TailsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tails", abstract: "Tails a live writer, from other processes, across many seals and purges.")

    @OptionGroup var options: ScenarioOptions
    @Option(help: "How many segments the writer seals.") var seals = 1_000

    func run() throws {
        let scenario = try Scenario("tails", options)
        let log = scenario.path("log")
        let acks = scenario.path("acks")
        let readers = try [TailCommand.Manner.durable, .appended, .slow, .reopening].map { manner in
            try Child(
                [Scenario.executable, "tail", log, "--manner", manner.rawValue], output: scenario.path("read"),
                errors: scenario.path("errors"))
        }
        // They begin before there is anything to read.
        let writer = try scenario.writer(log, acks, run: 1, ["--seals", "\(seals)", "--keep", "600", "--tails"])
        let end = scenario.firstFailure(of: [writer] + readers, seconds: 300)
        guard end == nil else { throw Trouble("a process \(end ?? .hung)\(scenario.errors())") }
        // Each that removed something left another first record.
        let lines = try String(contentsOfFile: acks, encoding: .utf8).split(separator: "\n")
        let purges = Set(lines.filter { $0.hasPrefix("p ") }).subtracting(["p 0 1"]).count
        guard purges >= seals else { throw Trouble("only \(purges) purges removed something") }
        let said = try String(contentsOfFile: scenario.path("read"), encoding: .utf8)
        // It is no test of readers if they saw next to nothing.
        for line in said.split(separator: "\n") {
            let numbers = line.split(separator: " ").compactMap { Int($0) }
            guard numbers.count >= 2, numbers[0] > seals else { throw Trouble("a reader saw too little: \(line)") }
        }
        let summary = try scenario.check(log, ["--acks", acks])
        try scenario.compare(log)
        try scenario.keep(log, as: "read")
        report(said.trimmingCharacters(in: .newlines))
        report(
            "tail across more than \(seals) seals and \(purges) purges: 4 processes read beside the writer and 2 tails in it; \(summary.records) records left\(scenario.remarks)"
        )
    }
}
