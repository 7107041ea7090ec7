internal import WriteAheadLog

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A thread that runs a ``DiskStepper``'s steps while it has the turn, and stands still in the middle of one while others have it.
///
/// Real threads, because a call that stands still keeps its stack, and with it the locks that it holds. Between runs they wait in a
/// pool of the process.
final class SimulatedThread: ThreadScheduler, @unchecked Sendable {
    // Sendable: whoever has the turn sets the properties, and hands the turn over through `gate`.

    /// Who gets the turn when a thread has no more to do.
    enum Successor {
        case thread(SimulatedThread)
        case caller(TurnGate)
    }

    private let gate = TurnGate()
    private var work: (() -> Successor)?

    private init() {}

    /// The calling thread, for one run.
    init(of stepper: DiskStepper) { self.stepper = stepper }

    /// Whose steps it runs.
    private(set) var stepper: DiskStepper?

    /// All simulations of the process share it, so that waiting for it is no wait within a simulation.
    private final class Pool: @unchecked Sendable {
        // Sendable: `idle` is touched only between `pass` and `open`.
        private let mutex = TurnGate()
        private var idle: [SimulatedThread] = []

        init() { mutex.open() }

        func take() -> SimulatedThread? {
            mutex.pass()
            defer { mutex.open() }
            return idle.popLast()
        }

        func give(_ thread: SimulatedThread) {
            mutex.pass()
            defer { mutex.open() }
            idle.append(thread)
        }
    }
    private static let pool = Pool()

    /// An idle thread, or a new one. Waits for ``begin(_:_:)``.
    static func take() -> SimulatedThread {
        if let thread = pool.take() { return thread }
        let thread = SimulatedThread()
        do {
            try PosixStorage().startThread("simulated") { thread.main() }
        } catch {
            preconditionFailure("a simulation can't go on without a thread: \(error)")
        }
        return thread
    }

    /// Hands the turn to this idle thread, which then does `work`.
    func begin(_ stepper: DiskStepper, _ work: @escaping () -> Successor) {
        self.stepper = stepper
        self.work = work
        gate.open()
    }

    /// Hands the turn to this thread, which stands still in a step.
    func resume() { gate.open() }

    /// Stands still until somebody hands the turn back.
    func stand() {
        while true {
            gate.pass()
            guard let asker else { return }
            self.asker = nil
            trace = Self.callers()
            asker.open()
        }
    }

    private var asker: TurnGate?
    private var trace: [String] = []

    /// The innermost calls of a thread that stands still, or is the calling one.
    func whereItStands() -> [String] {
        if ThreadScheduling.current === self { return Self.callers() }
        let gate = TurnGate()
        asker = gate
        self.gate.open()
        gate.pass()
        return trace
    }

    /// As backtrace(3) tells them; empty where there is none.
    private static func callers() -> [String] {
        #if os(Linux)
        typealias Frames = UnsafeMutablePointer<UnsafeMutableRawPointer?>
        typealias Backtrace = @convention(c) (Frames, Int32) -> Int32
        typealias Symbols = @convention(c) (Frames, Int32) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        guard let backtrace = dlsym(nil, "backtrace"), let symbols = dlsym(nil, "backtrace_symbols") else { return [] }
        var frames = [UnsafeMutableRawPointer?](repeating: nil, count: 24)
        let count = unsafeBitCast(backtrace, to: Backtrace.self)(&frames, 24)
        guard let names = unsafeBitCast(symbols, to: Symbols.self)(&frames, count) else { return [] }
        defer { free(names) }
        return (0..<Int(count)).compactMap { names[$0].map { String(cString: $0) } }
        #else
        return []
        #endif
    }

    private func main() {
        while true {
            gate.pass()
            let successor = ThreadScheduling.run(by: self) { work?() }
            work = nil
            stepper = nil
            Self.pool.give(self)
            switch successor {
            case .thread(let next): next.resume()
            case .caller(let gate): gate.open()
            case nil: break
            }
        }
    }

    func wait(while word: UnsafePointer<UInt32>, is value: UInt32, nanoseconds: UInt64) {
        stepper?.wait(self, while: word, is: value, nanoseconds: nanoseconds)
    }
}

/// Lets one thread through for each time that it is opened. It really blocks, unlike ``Monitor`` on a simulated thread.
final class TurnGate: @unchecked Sendable {
    // Sendable: guarded by the mutex.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    private var openings = 0

    init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    func open() {
        pthread_mutex_lock(mutex)
        openings += 1
        pthread_cond_signal(condition)
        pthread_mutex_unlock(mutex)
    }

    func pass() {
        pthread_mutex_lock(mutex)
        while openings == 0 { pthread_cond_wait(condition, mutex) }
        openings -= 1
        pthread_mutex_unlock(mutex)
    }
}
