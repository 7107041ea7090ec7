import ArgumentParser
import WalSimulation
import WriteAheadLog

struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Runs histories of a log on a simulated disk, and says which promises were not kept.")

    @Option(help: "How many histories.") var seeds: UInt64 = 1_000
    @Option(help: "The first history's seed.") var first: UInt64 = 1
    @Option(help: "Threads.") var threads = 2
    @Option(help: "Leaves a safety measure out: \(SafetyMeasures.all.map(\.name).joined(separator: ", ")).")
    var without: String?
    @Option var flips = 0
    @Flag var everyCrash = false
    @Option(help: "Replays one history and tells what happens in it.") var replay: UInt64?

    func run() throws {
        var disabled: SafetyMeasures = []
        if let without {
            guard let found = SafetyMeasures.all.first(where: { $0.name == without }) else {
                throw ValidationError("there is no measure \(without)")
            }
            disabled = found.measure
        }
        if let replay {
            let history = History(HistoryPlan(seed: replay, disabled: disabled), keepsTrace: true)
            print(history.plan)
            var failure: (any Error)?
            do { try history.run() } catch { failure = error }
            for line in history.trace { print(line) }
            print(failure.map { "VIOLATION: \($0)" } ?? "no violation")
            if failure != nil { throw ExitCode(1) }
            return
        }
        if everyCrash {
            var every = EveryCrash()
            try every.run()
            print(every.counts, every.exhausted)
            return
        }
        if flips > 0 {
            for isClosed in [true, false] { print(try EveryFlip(isClosed: isClosed, stride: flips).run()) }
            return
        }
        let clock = ContinuousClock()
        let start = clock.now
        let campaign = Campaign(seeds: first..<(first + seeds), threads: threads, disabled: disabled)
        let result = try campaign.run()
        let counts = result.counts
        for failure in result.failures {
            print("VIOLATION with seed \(failure.seed): \(failure.violation)")
            print(
                "  replay: swift run -c release simulate --replay \(failure.seed)\(without.map { " --without \($0)" } ?? "")"
            )
        }
        print("\(counts) in \(clock.now - start)")
        if !result.failures.isEmpty { throw ExitCode(1) }
    }
}

Simulate.main()
