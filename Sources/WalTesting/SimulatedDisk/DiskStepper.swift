internal import WriteAheadLog

/// Runs tasks and a log's background jobs on one thread, one at a time, in an order that follows from a seed.
final class DiskStepper: TaskExecutor, @unchecked Sendable {
    // Sendable: guarded by `state`.
    private enum Step {
        case task(UnownedJob)
        case job(@Sendable () -> Void)
    }
    private struct State {
        var random: SeededGenerator
        var ready: [Step] = []
        var later: [(due: UInt64, job: @Sendable () -> Void)] = []
    }
    private let state: Locked<State>

    init(seed: UInt64) { state = Locked(State(random: SeededGenerator(seed: seed ^ 0x57E9))) }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.ready.append(.task(job)) }
    }

    func add(_ job: @escaping @Sendable () -> Void, notBefore due: UInt64) {
        state.withLock {
            if due == 0 {
                $0.ready.append(.job(job))
            } else {
                let place = $0.later.firstIndex { $0.due > due } ?? $0.later.endIndex
                $0.later.insert((due, job), at: place)
            }
        }
    }

    /// Forgets the jobs of a machine that is gone. Tasks go on: they find out.
    func dropJobs() {
        let dropped = state.withLock { state -> [Step] in
            let jobs = state.ready.filter { if case .job = $0 { true } else { false } }
            state.ready.removeAll { if case .job = $0 { true } else { false } }
            state.later = []
            return jobs
        }
        // Outside the lock, for what a job holds may end with it.
        _ = dropped
    }

    /// Runs one step that is ready. With none, the first that is due later, whose time is handed to `wait`. False where there
    /// is nothing at all.
    func step(now: UInt64, wait: (UInt64) -> Void) -> Bool {
        let (step, due) = state.withLock { state -> (Step?, UInt64) in
            // What has come due competes with the rest.
            while let first = state.later.first, first.due <= now {
                state.later.removeFirst()
                state.ready.append(.job(first.job))
            }
            if !state.ready.isEmpty {
                let place = state.random.below(state.ready.count)
                return (state.ready.remove(at: place), 0)
            }
            guard !state.later.isEmpty else { return (nil, 0) }
            let first = state.later.removeFirst()
            return (.job(first.job), first.due)
        }
        guard let step else { return false }
        if due > now { wait(due) }
        switch step {
        case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
        case .job(let job): job()
        }
        return true
    }
}

/// Why a ``SimulatedDisk`` could not run something to its end.
public struct SimulationError: Error, CustomStringConvertible {
    public let description: String
}

extension SimulatedDisk {
    /// Runs `body`, the tasks that it starts as its children, and the log's background work to the end of `body`, all on this thread
    /// and in an order that follows from the seed.
    ///
    /// Only what waits for this disk may be waited for: not timers, other threads, or tasks that are not children of `body`.
    /// Unstructured tasks take `executorPreference:` ``taskExecutor``.
    ///
    /// - Throws: what `body` throws; ``SimulationError`` where nothing can go on.
    public func run<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) throws -> R {
        guard backgroundWork == .stepped else {
            throw SimulationError(description: "`run` is for disks whose background work is stepped")
        }
        let outcome = Locked<Result<R, any Error>?>(nil)
        Task(executorPreference: stepper) {
            do {
                let value = try await body()
                outcome.withLock { $0 = .success(value) }
            } catch {
                outcome.withLock { $0 = .failure(error) }
            }
        }
        while true {
            if let done = outcome.withLock({ $0 }) { return try done.get() }
            guard step() else {
                throw SimulationError(
                    description:
                        "nothing can go on: the code under simulation waits for something that this disk does not do")
            }
        }
    }

    /// Runs background work that is left, also what is due within `nanoseconds` from now.
    public func settle(nanoseconds: UInt64 = 0) {
        let end = machine.withLock { $0.clock + nanoseconds }
        var goesOn = true
        while goesOn {
            goesOn = stepper.step(now: end) { _ in }
        }
    }

    /// For unstructured tasks within ``run(_:)``.
    public var taskExecutor: any TaskExecutor { stepper }

    private func step() -> Bool {
        stepper.step(now: machine.withLock { $0.clock }) { due in
            machine.withLock { $0.clock = max($0.clock, due) }
        }
    }
}
