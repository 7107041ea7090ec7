package import WriteAheadLog

/// Many histories, on several threads.
package struct Campaign: Sendable {
    package struct Failure: Sendable {
        package var seed: UInt64
        package var violation: String
    }

    package struct Result: Sendable {
        package var counts = Counts()
        package var failures: [Failure] = []
    }

    package var seeds: Range<UInt64>
    package var threads: Int
    package var disabled: SafetyMeasures
    /// Operations are suspended in half of the histories.
    package var isSlow: Bool
    /// See ``HistoryPlan/judgesOperations``.
    package var judgesOperations = true
    /// Only violations that say so count; nil for all.
    package var only: String?
    /// Stops when there are so many.
    package var failureLimit: Int

    package init(
        seeds: Range<UInt64>, threads: Int = 2, disabled: SafetyMeasures = [], failureLimit: Int = 5,
        isSlow: Bool = Campaign.isSlowByDefault
    ) {
        self.seeds = seeds
        self.threads = threads
        self.disabled = disabled
        self.failureLimit = failureLimit
        self.isSlow = isSlow
    }

    package static let isSlowByDefault = true

    /// Whether somebody who needs a segment file waits as long as others are at work with theirs.
    package static let poolWaits = false

    /// Whether a want of descriptors or memory must leave every partition as it was.
    package static let resourcesPoisonNothing = false

    /// - Parameter progress: called now and then, with how many histories are done.
    package func run(progress: @escaping @Sendable (Int) -> Void = { _ in }) throws -> Result {
        let next = Locked(seeds.lowerBound)
        let result = Locked(Result())
        let monitor = Monitor()
        let running = Locked(threads)
        for _ in 0..<threads {
            try PosixStorage().startThread("simulation") {
                while let seed = next.withLock({ next -> UInt64? in
                    guard next < seeds.upperBound else { return nil }
                    next += 1
                    return next - 1
                }) {
                    var plan = HistoryPlan(seed: seed, disabled: disabled, isSlow: isSlow)
                    plan.judgesOperations = judgesOperations
                    let history = History(plan)
                    var failure: Failure?
                    do { try history.run() } catch { failure = Failure(seed: seed, violation: "\(error)") }
                    let done = result.withLock { result -> Int in
                        result.counts.add(history.counts)
                        if let failure, only.map({ failure.violation.contains($0) }) ?? true {
                            result.failures.append(failure)
                        }
                        if result.failures.count >= failureLimit { next.withLock { $0 = seeds.upperBound } }
                        return result.counts.histories
                    }
                    if done % 500 == 0 { progress(done) }
                }
                monitor.withLock {
                    running.withLock { $0 -= 1 }
                    monitor.broadcast()
                }
            }
        }
        monitor.withLock {
            while running.withLock({ $0 }) > 0 { monitor.wait() }
        }
        return result.withLock { $0 }
    }
}
