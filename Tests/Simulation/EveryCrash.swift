internal import WalTesting
internal import WriteAheadLog

/// A small history, with a crash before every one of its storage operations: killed; without power and nothing unsynced left, all of
/// it left, and every subset of its unsynced sectors where there are few, a sample where there are many.
package struct EveryCrash: Sendable {
    package private(set) var counts = Counts()
    /// Crash points of which every subset of sectors was tried.
    package private(set) var exhausted = 0
    private let subsetBits: Int
    private let samples: Int

    /// - Parameters:
    ///   - subsetBits: up to so many unsynced sectors every subset is tried.
    ///   - samples: how many subsets are, where there are more.
    package init(subsetBits: Int = 8, samples: Int = 40) {
        self.subsetBits = subsetBits
        self.samples = samples
    }

    /// - Throws: ``Violation``.
    package mutating func run() throws {
        var plan = HistoryPlan(seed: 11)
        plan.trouble = .none
        plan.partitions = 2
        plan.onlySize = 400
        plan.lookOnceIn = .max
        plan.slowOnceIn = nil
        plan.exposesFreedBlocks = true
        let history = History(plan)
        let subsetBits = subsetBits
        let samples = samples
        let exhausted = Locked(0)
        history.disk.beforeEachOperation { number, operation, path in
            guard history.found == nil else { return }
            do {
                try history.look(after: .kill, seed: UInt64(number))
                let sectors = history.disk.unsyncedSectors
                if sectors <= subsetBits {
                    exhausted.withLock { $0 += 1 }
                    for subset in 0..<(1 << sectors) {
                        try history.look(after: .powerLoss, seed: UInt64(number)) { subset >> $0 & 1 == 1 }
                    }
                } else {
                    try history.look(after: .powerLoss, seed: UInt64(number)) { _ in false }
                    try history.look(after: .powerLoss, seed: UInt64(number)) { _ in true }
                    for sector in 0..<sectors {
                        try history.look(after: .powerLoss, seed: UInt64(number)) { $0 != sector }
                    }
                }
                // Names and sizes have a durability of their own, which follows from the seed.
                for sample in 0..<samples {
                    try history.look(after: .powerLoss, seed: UInt64(number) << 16 | UInt64(sample))
                }
            } catch {
                history.found = Violation("before operation \(number), \(operation) \(path): \(error)")
            }
        }
        for life in 0..<Self.lives { try history.runScripted(life) }
        history.disk.beforeEachOperation(nil)
        counts.add(history.counts)
        counts.operations = history.disk.operations
        self.exhausted = exhausted.withLock { $0 }
    }

    static let lives = 4
}

extension History {
    /// One of the lives of ``EveryCrash``.
    fileprivate func runScripted(_ life: Int) throws {
        model.life += 1
        try runOnDisk { [self] in
            guard try await open() else { throw Violation("life \(life) does not open") }
            let (a, b) = (places[0], places[1])
            try await appendOne(a, synced: true)
            for _ in 0..<3 { try await appendOne(a, synced: false) }
            try await batch(a, synced: life % 2 == 0, count: 2)
            try await appendOne(b, synced: false)
            try await syncAll()
            try await appendOne(b, synced: true)
            try await group(a, tasks: 3)
            try recompress(a)
            try purge(a)
            try checkPositions()
            try await appendOne(a, synced: false)
            if life == 1 { try await closeLog() }
        }
        try rethrowFound()
        if life != 1 {
            let crash: SimulatedDisk.Crash = life == 0 ? .powerLoss : .kill
            disk.crash(crash)
            model.crashed(crash)
        }
        writer = nil
        if life == 1 { disk.settle() } else { disk.restart() }
    }
}
