import Testing
import WalSimulation
import WriteAheadLog

@Suite("Simulated histories", .timeLimit(.minutes(15)))
struct HistoryTests {
    @Test("no promise is broken in some hundreds of histories; `make simulate` runs more")
    func histories() throws {
        let result = try Campaign(seeds: 1..<401).run()
        for failure in result.failures { Issue.record("seed \(failure.seed): \(failure.violation)") }
        // They did what they are for.
        #expect(result.counts.histories == 400)
        #expect(result.counts.kills > 400 && result.counts.powerLosses > 400 && result.counts.cuts > 400)
        #expect(result.counts.faults > 50 && result.counts.lies > 1)
    }

    @Test("the same seed makes the same history, operation by operation")
    func replay() throws {
        for seed: UInt64 in [1, 2, 3, 4, 5, 6, 7, 8, 17, 70, 298] {
            let traces = (0..<2).map { _ in
                let history = History(HistoryPlan(seed: seed), keepsTrace: true)
                do { try history.run() } catch { Issue.record("seed \(seed): \(error)") }
                return history.trace
            }
            // Not the traces themselves, which are long.
            let isSame = traces[0] == traces[1]
            #expect(isSame, "seed \(seed)")
            #expect(traces[0].count > 20)
        }
    }

    @Test(
        "without a safety measure a promise is broken, and noticed: a measure whose absence nothing notices is not tested",
        arguments: SafetyMeasures.all.map(\.name))
    func control(_ name: String) throws {
        let measure = try #require(SafetyMeasures.all.first { $0.name == name }).measure
        let result = try Campaign(seeds: 1..<1_500, disabled: measure, failureLimit: 1).run()
        #expect(!result.failures.isEmpty, "\(result.counts.histories) histories without \(name) broke nothing")
    }

    @Test("a crash before every operation of a small history: a few subsets of sectors; `make simulate` tries all")
    func everyCrash() throws {
        var every = EveryCrash(subsetBits: 2, samples: 1)
        try every.run()
        #expect(every.counts.kills > 300 && every.counts.powerLosses > 1_000)
    }

    @Test("a sample of the bits and lengths of a small log; `make simulate` tries all", arguments: [true, false])
    func flips(_ isClosed: Bool) throws {
        let result = try EveryFlip(isClosed: isClosed, stride: 251).run()
        #expect(result.failure == nil)
        #expect(result.whole > 100 && result.damaged > 100)
        #expect(isClosed || result.cut > 50)
    }
}
