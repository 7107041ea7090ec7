internal import WriteAheadLog

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Runs tasks and a log's background jobs, one at a time, in an order that follows from a seed.
///
/// A step that has to wait, or whose storage call is suspended, stands still on its thread, and the turn goes to another. Of all
/// threads that belong to a stepper one runs; the rest stand, and so does the caller of ``run(until:)``.
final class DiskStepper: TaskExecutor, @unchecked Sendable {
    // Sendable: guarded by `state`.
    fileprivate enum Step {
        case task(UnownedJob)
        case job(@Sendable () -> Void)
    }

    /// A thread in the middle of a step.
    fileprivate struct Standing {
        enum Cause {
            /// A suspended operation, until a turn.
            case slow(what: String, until: Int)
            /// As long as a word has a value, or until a time.
            case word(UnsafePointer<UInt32>, UInt32, due: UInt64)
        }
        let thread: SimulatedThread
        let cause: Cause
    }

    /// When a run is over.
    enum Goal {
        /// Once it says so. Time goes on when nothing else does.
        case condition(() -> Bool)
        /// Once nothing is left that is due up to then.
        case settled(at: UInt64)
        /// Once no step is in the middle and no job is left: for a machine that is down.
        case drained
    }

    fileprivate struct Run {
        let goal: Goal
        let caller: TurnGate
        /// The calling thread, where it runs steps too: the run is over only when it stands in none.
        let here: SimulatedThread?
        var problem: String?
    }

    fileprivate struct State {
        var random: SeededGenerator
        var ready: [Step] = []
        var later: [(due: UInt64, job: @Sendable () -> Void)] = []
        var standing: [Standing] = []
        var turn = 0
        var run: Run?
        /// Suspended operations may go on at any turn.
        var hurries = false
    }

    fileprivate enum Choice {
        case step(Step)
        case resume(SimulatedThread)
        case over
    }

    private let state: Locked<State>
    private let clock: @Sendable () -> UInt64
    private let setClock: @Sendable (UInt64) -> Void

    /// - Parameters:
    ///   - clock: the machine's.
    ///   - setClock: lets it go on to a time.
    init(seed: UInt64, clock: @escaping @Sendable () -> UInt64, setClock: @escaping @Sendable (UInt64) -> Void) {
        state = Locked(State(random: SeededGenerator(seed: seed ^ 0x57E9)))
        self.clock = clock
        self.setClock = setClock
    }

    // MARK: What there is to do

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
        let dropped = state.withLock { state -> ([Step], [@Sendable () -> Void]) in
            let jobs = state.ready.filter { if case .job = $0 { true } else { false } }
            state.ready.removeAll { if case .job = $0 { true } else { false } }
            let later = state.later.map(\.job)
            state.later = []
            return (jobs, later)
        }
        // Outside the lock, for what a job holds may end with it.
        _ = dropped
    }

    func hurry(_ hurries: Bool) { state.withLock { $0.hurries = hurries } }

    /// Whether a step is in the middle.
    var hasStanding: Bool { state.withLock { !$0.standing.isEmpty } }

    // MARK: Running

    /// Runs steps up to a goal. Not from one of this stepper's steps.
    ///
    /// - Parameter isHere: on the calling thread, as far as no step stands; else on threads of the pool, so that steps may stand when
    ///   it is over.
    /// - Throws: ``SimulationError`` where nothing can go on.
    func run(until goal: Goal, isHere: Bool) throws(SimulationError) {
        let gate = TurnGate()
        let here = isHere ? SimulatedThread(of: self) : nil
        state.withLock { $0.run = Run(goal: goal, caller: gate, here: here) }
        if let here {
            let successor = ThreadScheduling.run(by: here) { work(here, Handed(nil)) }
            if case .thread(let next) = successor {
                next.resume()
                gate.pass()
            }
        } else {
            let thread = SimulatedThread.take()
            thread.begin(self) { [self] in work(thread, Handed(nil)) }
            gate.pass()
        }
        let problem = state.withLock { state in
            defer { state.run = nil }
            return state.run?.problem
        }
        if let problem { throw SimulationError(description: problem) }
    }

    /// A step on its way to another thread. What a job holds must go with the job, not with the thread's turn.
    private final class Handed {
        private var step: Step?
        init(_ step: Step?) { self.step = step }
        func take() -> Step? {
            defer { step = nil }
            return step
        }
    }

    /// Runs steps on the calling thread, as long as it has the turn.
    private func work(_ thread: SimulatedThread, _ first: Handed) -> SimulatedThread.Successor {
        if let step = first.take() { perform(step) }
        while true {
            switch choose() {
            case .step(let next): perform(next)
            case .resume(let other): return .thread(other)
            case .over: return .caller(caller)
            }
        }
    }

    private func perform(_ step: consuming Step) {
        switch step {
        case .task(let job): job.runSynchronously(on: asUnownedTaskExecutor())
        case .job(let job): job()
        }
    }

    private var caller: TurnGate {
        guard let gate = state.withLock({ $0.run?.caller }) else { preconditionFailure("a step without a run") }
        return gate
    }

    /// Lets others have the turn; returns when it comes back.
    private func stand(_ thread: SimulatedThread, _ cause: Standing.Cause) {
        state.withLock { $0.standing.append(Standing(thread: thread, cause: cause)) }
        if !handOver(from: thread) { thread.stand() }
    }

    /// True where the thread itself is next. Nothing that was handed over may stay behind in a frame of the thread that stands.
    @inline(never)
    private func handOver(from thread: SimulatedThread) -> Bool {
        switch choose() {
        case .resume(let other):
            if other === thread { return true }
            other.resume()
        case .step(let step):
            let handed = Handed(step)
            let helper = SimulatedThread.take()
            helper.begin(self) { [self] in work(helper, handed) }
        case .over: caller.open()
        }
        return false
    }

    /// Suspends the calling thread, which runs one of this stepper's steps, for so many turns; `Int.max` for as long as others can go on.
    func suspend(_ thread: SimulatedThread, for turns: Int, _ what: String) {
        let until = state.withLock { $0.turn.addingReportingOverflow(turns) }
        stand(thread, .slow(what: what, until: until.overflow ? .max : until.partialValue))
    }

    /// Lets time pass for the calling thread.
    func pause(_ thread: SimulatedThread, nanoseconds: UInt64) {
        var word: UInt32 = 0
        withUnsafePointer(to: &word) { wait(thread, while: $0, is: 0, nanoseconds: nanoseconds) }
    }

    /// See ``ThreadScheduler``.
    func wait(_ thread: SimulatedThread, while word: UnsafePointer<UInt32>, is value: UInt32, nanoseconds: UInt64) {
        let due = nanoseconds == .max ? .max : clock() &+ nanoseconds
        stand(thread, .word(word, value, due: due))
    }

    // MARK: Choosing

    private func choose() -> Choice {
        // It may look at what is under other locks.
        let (goal, isHeld) = state.withLock { state in
            (state.run?.goal, state.run?.here.map { here in state.standing.contains { $0.thread === here } } ?? false)
        }
        if case .condition(let isMet) = goal, !isHeld, isMet() { return .over }
        let now = clock()
        let (choice, time) = state.withLock { $0.choose(now) }
        if let time { setClock(time) }
        if isHeld, case .over = choice {
            // The thread that waits for the run is among them, and can't be told otherwise.
            preconditionFailure(state.withLock { $0.run?.problem } ?? "a step on the thread that runs the simulation")
        }
        return choice
    }
}

extension DiskStepper.State {
    /// What comes next, and to which time the clock goes on for it.
    fileprivate mutating func choose(_ now: UInt64) -> (DiskStepper.Choice, UInt64?) {
        turn += 1
        var horizon = now
        var isDraining = false
        switch run?.goal {
        case .settled(let end): horizon = max(now, end)
        case .drained: isDraining = true
        default: break
        }
        // What has come due competes with the rest.
        while let first = later.first, first.due <= horizon {
            later.removeFirst()
            ready.append(.job(first.job))
        }
        if isDraining, standing.isEmpty, !ready.contains(where: { if case .job = $0 { true } else { false } }) {
            return (.over, nil)
        }
        let able = standing.indices.filter { place in
            switch standing[place].cause {
            case .slow(_, let until): isDraining || hurries || until <= turn
            case .word(let word, let value, let due): word.pointee != value || due <= horizon
            }
        }
        if !ready.isEmpty || !able.isEmpty {
            let place = random.below(ready.count + able.count)
            if place < ready.count { return (.step(ready.remove(at: place)), nil) }
            return (.resume(standing.remove(at: able[place - ready.count]).thread), nil)
        }
        // Nothing can go on at once: a suspended operation does, or time.
        let slow = standing.indices.filter { if case .slow = standing[$0].cause { true } else { false } }
        var next = later.first?.due ?? .max
        for one in standing { if case .word(_, _, let due) = one.cause { next = min(next, due) } }
        if case .settled = run?.goal { next = .max }
        if !slow.isEmpty, next == .max || random.chance(2) {
            return (.resume(standing.remove(at: slow[random.below(slow.count)]).thread), nil)
        }
        guard next != .max else {
            let problem = stuck()
            if case .settled = run?.goal {} else { run?.problem = problem }
            return (.over, nil)
        }
        if let first = later.first, first.due == next {
            later.removeFirst()
            return (.step(.job(first.job)), next)
        }
        let place = standing.firstIndex { if case .word(_, _, let due) = $0.cause { due == next } else { false } } ?? 0
        return (.resume(standing.remove(at: place).thread), next)
    }

    /// What keeps everything from going on.
    private func stuck() -> String {
        var text = "nothing can go on: the code under simulation waits for something that this disk does not do"
        for one in standing {
            switch one.cause {
            case .slow(let what, _): text += "\n  suspended: \(what)"
            case .word(_, _, let due):
                text += due == .max ? "\n  waits for a lock or a signal" : "\n  waits for a signal until \(due)"
                for frame in one.thread.whereItStands() { text += "\n    \(frame)" }
            }
        }
        return text
    }
}

/// Why a ``SimulatedDisk`` could not run something to its end.
public struct SimulationError: Error, CustomStringConvertible {
    public let description: String
}

extension SimulatedDisk {
    /// Runs `body`, the tasks that it starts as its children, and the log's background work to the end of `body`, one step at a time
    /// and in an order that follows from the seed. The calling thread waits.
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
        try stepper.run(until: .condition { outcome.withLock { $0 != nil } }, isHere: slowOperations == nil)
        guard let done = outcome.withLock({ $0 }) else { throw SimulationError(description: "the run has no result") }
        return try done.get()
    }

    /// Runs background work that is left, also what is due within `nanoseconds` from now.
    public func settle(nanoseconds: UInt64 = 0) {
        let end = machine.withLock { $0.clock + nanoseconds }
        // It ends when nothing can go on.
        do { try stepper.run(until: .settled(at: end), isHere: false) } catch {}
    }

    /// For unstructured tasks within ``run(_:)``.
    public var taskExecutor: any TaskExecutor { stepper }
}
