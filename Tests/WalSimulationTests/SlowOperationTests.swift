import Testing
import WalSimulation
import WalTesting
import WriteAheadLog

@Suite("Operations that are overtaken", .timeLimit(.minutes(10)))
struct SlowOperationTests {
    private typealias Log = Wal<Payload>

    private func configuration() -> Log.Configuration {
        var configuration = Log.Configuration(codec: .bytes())
        configuration.minimumSegmentSize = 13_000
        configuration.segmentSize = 13_000
        return configuration
    }

    /// Two tasks that append to a disk on which every operation is suspended.
    private func appends(on disk: SimulatedDisk) throws -> [UInt64] {
        let configuration = configuration()
        return try disk.run {
            let wal = try await disk.open(configuration)
            let partition = try wal.partition(0)
            return try await withThrowingTaskGroup(of: [UInt64].self) { group in
                for _ in 0..<2 {
                    group.addTask {
                        var lsns: [UInt64] = []
                        for _ in 0..<10 {
                            lsns.append(
                                try await partition.append(
                                    Payload([UInt8](repeating: 7, count: 900)), durability: .synced
                                ).lsn.rawValue)
                        }
                        return lsns
                    }
                }
                var all: [UInt64] = []
                for try await lsns in group { all += lsns }
                try await wal.close()
                return all.sorted()
            }
        }
    }

    @Test("tasks go on while an operation is suspended under whatever lock, and none is lost")
    func everyOperationSuspended() throws {
        for seed: UInt64 in 1...10 {
            let disk = SimulatedDisk(seed: seed)
            disk.slowOperations = SlowOperations(oneIn: 1)
            #expect(try appends(on: disk) == Array(1...20))
            #expect(disk.misuse == nil)
            disk.settle()
            #expect(!disk.hasStandingSteps)
        }
    }

    @Test("after a crash no step of the old process is left")
    func crashAmidOperations() throws {
        for seed: UInt64 in 1...20 {
            let disk = SimulatedDisk(seed: seed)
            disk.slowOperations = SlowOperations(oneIn: 2)
            disk.crash(.powerLoss, beforeOperation: 20 + Int(seed) * 3)
            do {
                _ = try appends(on: disk)
            } catch let error as WalError {
                #expect(error.code == .io || error.code == .poisoned)
            }
            disk.restart()
            #expect(!disk.hasStandingSteps)
            #expect(disk.suspendedOperations.isEmpty)
            disk.slowOperations = nil
            let configuration = configuration()
            try disk.run {
                let wal = try await disk.open(configuration)
                try await wal.close()
            }
        }
    }

    @Test("steps that wait for each other are told, with where they stand")
    func deadlock() throws {
        let disk = SimulatedDisk(seed: 1)
        disk.slowOperations = SlowOperations(oneIn: .max)
        let monitor = Monitor()
        let error = #expect(throws: SimulationError.self) {
            // Nobody signals.
            try disk.run { monitor.withLock { monitor.wait() } }
        }
        #expect(error?.description.contains("waits for a lock or a signal") == true)
        // The thread can go on after all.
        monitor.broadcast()
        disk.settle()
        #expect(!disk.hasStandingSteps)
    }

    @Test("a closed log's operation that reaches the disk is noted", .tags(.controls))
    func misuse() throws {
        let measure = try #require(SafetyMeasures.overlapping.first { $0.name == "joining" }).measure
        let result = try Campaign(seeds: 1..<2_000, disabled: measure, failureLimit: 1).run()
        #expect(result.failures.first?.violation.contains("is closed, and then it does") == true)
    }

    /// Not among them: names that another log's worker touches, which `make controls` does not notice in 8,000 histories.
    @Test(
        "what keeps overlapping operations apart is tested: without it a promise is broken, and noticed",
        .tags(.controls), arguments: SafetyMeasures.overlapping.map(\.name).filter { $0 != "unique-names" })
    func control(_ name: String) throws {
        let measure = try #require(SafetyMeasures.overlapping.first { $0.name == name }).measure
        let result = try Campaign(seeds: 1..<4_000, disabled: measure, failureLimit: 1).run()
        #expect(!result.failures.isEmpty, "\(result.counts.histories) histories without \(name) broke nothing")
    }

    @Test("pairs of an operation and what overtakes it are counted, also over campaigns")
    func pairs() {
        var pairs = Pairs()
        let call = SlowCall(.sync, .segment)
        pairs.add(call, .failure)
        var more = Pairs()
        more.add(call, .failure)
        more.add(SlowCall(.rename, .prepared), .crash)
        pairs.add(more)
        #expect(pairs[call, .failure] == 2)
        #expect(pairs[call, .close] == 0)
        #expect(pairs.table.count == 3)
        // That nothing was seen of the rest is told, but for what can't be.
        #expect(pairs.missing.contains { $0 == call && $1 == .append })
        #expect(!pairs.missing.contains { $0 == call && ($1 == .failure || $1 == .close) })
    }
}

extension Tag {
    @Tag static var controls: Self
}
