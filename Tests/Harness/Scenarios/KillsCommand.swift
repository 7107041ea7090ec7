import ArgumentParser
import Foundation

/// Kills a writer at random moments, over and over on the same log, and checks every LSN that it acknowledged.
struct KillsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kills", abstract: "Kills a writer at random moments and checks what it acknowledged.")

    @OptionGroup var options: ScenarioOptions
    @Option var count = 200

    func run() throws {
        let scenario = try Scenario("kills", options)
        let log = scenario.path("log")
        let acks = scenario.path("acks")
        var kills = 0
        var run: UInt32 = 0
        var whileOpening = 0
        var whileClosing = 0
        var recoveries = 0
        var sum = CheckSummary()
        while kills < count {
            run += 1
            let mode = ["mapped", "written", "filled"].randomElement(using: &scenario.random) ?? "mapped"
            let size = [65_536, 65_536, 262_144, 1 << 20].randomElement(using: &scenario.random) ?? 65_536
            let keep = scenario.number(200...2_000)
            let tails = scenario.chance(oneIn: 4) ? ["--tails"] : []
            let writer = try scenario.writer(
                log, acks, run: run, ["--mode", mode, "--segment-size", "\(size)", "--keep", "\(keep)"] + tails)
            // Now and then while it opens, or closes.
            let isEarly = scenario.chance(oneIn: 6)
            let isLate = !isEarly && scenario.chance(oneIn: 6)
            scenario.pause(milliseconds: isEarly ? 0...25 : 20...500)
            if isLate {
                writer.signal(SIGTERM)
                scenario.pause(milliseconds: 0...8)
            }
            writer.signal(SIGKILL)
            switch writer.wait() {
            case .killed(SIGKILL):
                kills += 1
                if isEarly { whileOpening += 1 }
                if isLate { whileClosing += 1 }
            // It closed in time, or was not yet listening.
            case .exited(0) where isLate, .killed(SIGTERM) where isLate: break
            case let end: throw Trouble("the writer \(end)\(scenario.errors())")
            }
            guard scenario.errors().isEmpty else { throw Trouble("the writer said\(scenario.errors())") }
            // Not every time, so that writers too find what a killed one left.
            let isForReading = scenario.chance(oneIn: 3)
            let isSample = kills > 0 && kills % max(1, count / 10) == 0 && Scenario.exists(log)
            if isSample {
                try scenario.compare(log)
                try scenario.keep(log, as: "\(kills)-as-killed")
            }
            let facts = scenario.path("facts")
            sum += try scenario.check(
                log, ["--acks", acks, "--facts", facts] + (isForReading ? ["--read-only"] : []))
            if !isForReading { recoveries += 1 }
            if Scenario.exists(facts) {
                guard rename(facts, acks) == 0 else { throw Trouble("cannot rename \(facts)") }
            }
            if isSample, !isForReading {
                try scenario.compare(log)
                try scenario.keep(log, as: "\(kills)-recovered")
            }
        }
        report(
            """
            kills \(kills)/\(count): \(whileOpening) early, \(whileClosing) while closing; \(sum.acknowledged) acknowledged \
            operations found in \(sum.records) records by all checks together, none lost; \(recoveries) recoveries by the check, \
            \(run - UInt32(recoveries)) left to the next writer\(scenario.remarks)
            """)
    }
}
