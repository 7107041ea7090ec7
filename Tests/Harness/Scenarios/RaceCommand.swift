import ArgumentParser
import Foundation

/// Processes that open one log at the same moment: one gets it, and the others are told who.
struct RaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "race", abstract: "Has processes open one log at the same moment.")

    @OptionGroup var options: ScenarioOptions
    @Option var count = 40
    @Option var processes = 4

    private struct Racer {
        var child: Child
        var input: Pipe
        var output: String

        var text: String { (try? String(contentsOfFile: output, encoding: .utf8)) ?? "" }
        /// Its second line.
        var result: Substring? {
            let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
            return lines.count > 2 ? lines[1] : nil
        }
    }

    func run() throws {
        let scenario = try Scenario("race", options)
        let log = scenario.path("log")
        for round in 1...count {
            let racers = try (1...processes).map { number in
                let input = Pipe()
                let output = scenario.path("racer-\(round)-\(number)")
                let child = try Child(
                    [Scenario.executable, "open", log], output: output, errors: scenario.path("errors"), input: input)
                return Racer(child: child, input: input, output: output)
            }
            for racer in racers { try scenario.wait(until: { !racer.text.isEmpty }, while: racer.child) }
            for racer in racers { try racer.input.fileHandleForWriting.write(contentsOf: [10]) }
            for racer in racers { try scenario.wait(until: { racer.result != nil }, while: racer.child) }
            let winners = racers.filter { $0.result == "won" }
            guard winners.count == 1, let winner = winners.first else {
                throw Trouble(
                    "round \(round): \(winners.count) of \(processes) processes opened the log: \(racers.map(\.text))")
            }
            let who = "by process \(winner.child.processIdentifier);"
            for racer in racers where racer.result != "won" {
                guard let result = racer.result, result.hasPrefix("lost alreadyOpen "), result.contains(who) else {
                    throw Trouble("round \(round): the log is open \(who) another was told: \(racer.text)")
                }
            }
            // The lock goes with the process, also where it lets go of nothing.
            if round % 2 == 0 { winner.child.signal(SIGKILL) }
            for racer in racers {
                try? racer.input.fileHandleForWriting.close()
                let end = racer.child.wait()
                guard end == .exited(0) || end == .killed(SIGKILL) && round % 2 == 0 else {
                    throw Trouble("round \(round): a process \(end)\(scenario.errors())")
                }
                unlink(racer.output)
            }
        }
        report(
            "open race \(count)/\(count): of \(processes) processes one opened the log, and the others were told its pid"
        )
    }
}
