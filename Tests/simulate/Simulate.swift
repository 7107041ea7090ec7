import ArgumentParser
import Foundation
import WalSimulation
import WriteAheadLog

@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Searches for what breaks a promise of the log, on a simulated disk.",
        subcommands: [All.self, Histories.self, Crashes.self, Flips.self, Controls.self, Replay.self],
        defaultSubcommand: All.self)
}

struct Threads: ParsableArguments {
    @Option(help: "Threads.") var threads = 2
}

struct Slow: ParsableArguments {
    @Flag(inversion: .prefixedNo, help: "Suspends operations of the disk in half of the histories.")
    var slow = Campaign.isSlowByDefault
    @Flag(help: "Only what an operation leads to counts, not that a closed log does it.")
    var byEffects = false
}

struct Seeds: ParsableArguments {
    @Option(help: "How many histories.") var seeds: UInt64 = 2_000
    @Option(help: "The first one's seed.") var first: UInt64 = 1

    func validate() throws {
        guard seeds > 0, first <= UInt64.max - seeds else { throw ValidationError("no such seeds") }
    }
}

extension Simulate {
    /// Everything but the controls.
    struct All: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Histories from seeds, a crash before every operation, every bit and every length.")
        @OptionGroup var seeds: Seeds
        @OptionGroup var threads: Threads
        @OptionGroup var slow: Slow

        func run() throws {
            var isRight = try runHistories(seeds, threads.threads, slow: slow)
            isRight = try runCrashes() && isRight
            // A small run takes a sample.
            isRight = try runFlips(stride: seeds.seeds >= 50_000 ? 1 : 61, threads.threads) && isRight
            print(isRight ? "violations    0" : "VIOLATIONS, see above")
            if !isRight { throw ExitCode(1) }
        }
    }

    struct Histories: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Histories from seeds.")
        @OptionGroup var seeds: Seeds
        @OptionGroup var threads: Threads
        @OptionGroup var slow: Slow
        @Option(help: "Stops after so many violations.") var failures = 5
        @Option(help: "Leaves a safety measure out: \(SafetyMeasures.named.map(\.name).joined(separator: ", ")).")
        var without: String?

        func run() throws {
            guard
                try runHistories(
                    seeds, threads.threads, without: without, slow: slow, failureLimit: failures)
            else { throw ExitCode(1) }
        }
    }

    struct Crashes: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A small history, and a crash before every one of its storage operations.")
        func run() throws { guard try runCrashes() else { throw ExitCode(1) } }
    }

    struct Flips: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "A small log: every bit turned over, and cut at every length.")
        @Option(help: "Only each so many-th bit.") var stride = 1
        @OptionGroup var threads: Threads
        func run() throws { guard try runFlips(stride: max(1, stride), threads.threads) else { throw ExitCode(1) } }
    }

    struct Controls: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leaves out each safety measure in turn, and shows that the histories notice.")
        @OptionGroup var seeds: Seeds
        @OptionGroup var threads: Threads
        @OptionGroup var slow: Slow

        func run() throws {
            var isRight = true
            for (name, measure) in SafetyMeasures.named {
                var campaign = Campaign(
                    seeds: seeds.first..<(seeds.first + seeds.seeds), threads: threads.threads, disabled: measure,
                    failureLimit: 1, isSlow: slow.slow)
                // Closing that waits keeps the names apart by itself: without it, what another log made must be seen to be touched. That
                // is rare.
                if measure.contains(.uniqueNames) {
                    campaign.seeds =
                        seeds.first..<(seeds.first + min(4 * min(seeds.seeds, 1 << 60), .max - seeds.first))
                    campaign.judgesOperations = false
                    campaign.only = "which log object"
                }
                let result = try campaign.run()
                let label = padded("without \(name)", 26)
                if let failure = result.failures.first {
                    print(
                        "\(label)noticed after \(result.counts.histories) histories: \(failure.violation.prefix(120))")
                } else {
                    print("\(label)NOT NOTICED in \(result.counts.histories) histories")
                    isRight = false
                }
            }
            if !isRight { throw ExitCode(1) }
        }
    }

    struct Replay: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Runs one history again and tells what happens in it, storage operations included.")
        @Argument(help: "Its seed.") var seed: UInt64
        @Option(help: "Leaves a safety measure out.") var without: String?
        @OptionGroup var slow: Slow

        func run() throws {
            var plan = HistoryPlan(seed: seed, disabled: try measure(without), isSlow: slow.slow)
            plan.judgesOperations = !slow.byEffects
            let history = History(plan, keepsTrace: true)
            print(history.plan)
            var violation: (any Error)?
            do { try history.run() } catch { violation = error }
            for line in history.trace { print(line) }
            print(violation.map { "VIOLATION: \($0)" } ?? "no violation")
            if violation != nil { throw ExitCode(1) }
        }
    }
}

// MARK: Runs

private func measure(_ name: String?) throws -> SafetyMeasures {
    guard let name else { return [] }
    guard let found = SafetyMeasures.named.first(where: { $0.name == name }) else {
        throw ValidationError("there is no measure \(name)")
    }
    return found.measure
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
}

private func seconds(_ duration: Duration) -> String { "\(duration.components.seconds) s" }

/// False where a promise was not kept.
private func runHistories(
    _ seeds: Seeds, _ threads: Int, without: String? = nil, slow: Slow, failureLimit: Int = 5
) throws -> Bool {
    let start = ContinuousClock.now
    let isSlow = slow.slow
    var campaign = Campaign(
        seeds: seeds.first..<(seeds.first + seeds.seeds), threads: threads, disabled: try measure(without),
        failureLimit: failureLimit, isSlow: isSlow)
    campaign.judgesOperations = !slow.byEffects
    let result = try campaign.run { done in
        guard done % 10_000 == 0 else { return }
        print("  \(done) histories, \(seconds(.now - start))")
        fflush(nil)
    }
    let counts = result.counts
    for failure in result.failures {
        let option =
            (without.map { " --without \($0)" } ?? "") + (slow.slow ? "" : " --no-slow")
            + (slow.byEffects ? " --by-effects" : "")
        print("VIOLATION with seed \(failure.seed): \(failure.violation)")
        print("  again: swift run -c release simulate replay \(failure.seed)\(option)")
    }
    print(
        """
        histories     \(counts.histories) from seed \(seeds.first) on, \(seconds(.now - start))
          operations  \(counts.operations) of storage; \(counts.appends) appends returned
          crashes     \(counts.kills) kills, \(counts.powerLosses) losses of power; \(counts.recoveries) recoveries, \
        \(counts.cuts) cut something
          segments    \(counts.recompressed) recompressed
          faults      \(counts.faults) injected; \(counts.lies) histories with a disk that lies
          violations  \(result.failures.count)
        """)
    var isWhole = true
    if isSlow, without == nil {
        print("overtaken     how often each operation of the disk was suspended while something else was done:")
        for line in counts.pairs.table { print("  \(line)") }
        for (what, why) in Pairs.exclusions { print("  not to be had: \(what): \(why)") }
        let missing = counts.pairs.missing
        if !missing.isEmpty { print("  never seen: \(missing.map { "\($0) × \($1)" }.joined(separator: ", "))") }
        isWhole = missing.isEmpty || counts.histories < Pairs.leastHistories
    }
    return result.failures.isEmpty && isWhole
}

private func runCrashes() throws -> Bool {
    let start = ContinuousClock.now
    var every = EveryCrash()
    var violation: (any Error)?
    do { try every.run() } catch { violation = error }
    if let violation { print("VIOLATION: \(violation)") }
    print(
        """
        every crash   before each of \(every.counts.operations) operations: \(every.counts.kills) kills, \
        \(every.counts.powerLosses) losses of power; every subset of the unsynced sectors at \(every.exhausted); \
        \(every.counts.recoveries) recoveries, \(seconds(.now - start))
        """)
    return violation == nil
}

private func runFlips(stride: Int, _ threads: Int) throws -> Bool {
    var isRight = true
    for isClosed in [true, false] {
        let start = ContinuousClock.now
        let result = try EveryFlip(isClosed: isClosed, stride: stride, threads: threads).run()
        if let failure = result.failure {
            print("VIOLATION: \(failure)")
            isRight = false
        }
        print(
            """
            every \(stride == 1 ? "bit " : "\(stride)th bit ") of a log that was \(isClosed ? "closed" : "killed"): \
            \(result.flips) bits turned over, cut at \(result.cuts) lengths; as they must, \(result.whole) lost nothing, \
            \(result.damaged) were called damage, \(result.cut) a torn end; \(seconds(.now - start))
            """)
    }
    return isRight
}
