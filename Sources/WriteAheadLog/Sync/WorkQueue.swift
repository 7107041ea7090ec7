/// Runs what must not run on a caller's thread: syncs, the preparation of segments, marks after a second of quiet.
///
/// Threads start when there is work for them and end with the queue. A simulated storage takes the jobs over and runs them itself.
package final class WorkQueue: @unchecked Sendable {
    // Sendable: all mutable state is guarded by `monitor`.
    package typealias Job = @Sendable () -> Void

    private let storage: any WalStorage
    private let maximumThreads: Int
    private let monitor = Monitor()
    private var jobs: [Job] = []
    private var head = 0
    private var delayed: [(due: UInt64, job: Job)] = []
    private var threads = 0
    private var idle = 0
    private var isStopped = false

    package init(storage: any WalStorage, maximumThreads: Int) {
        self.storage = storage
        self.maximumThreads = maximumThreads
    }

    /// Runs `job` soon; at once, on the calling thread, where the queue was stopped: somebody may wait for it.
    package func submit(_ job: @escaping Job) {
        let (runNow, start) = monitor.withLock { () -> (Bool, Bool) in
            guard !isStopped else { return (true, false) }
            if storage.takes(job, notBefore: 0) { return (false, false) }
            jobs.append(job)
            return (false, wakeOrGrow())
        }
        if runNow { job() }
        if start { startThread() }
    }

    /// Runs `job` once, not before `nanoseconds` from now; never, if the queue is stopped before.
    package func submit(afterNanoseconds nanoseconds: UInt64, _ job: @escaping Job) {
        let due = storage.monotonicNow() &+ nanoseconds
        let start = monitor.withLock { () -> Bool in
            guard !isStopped, !storage.takes({ [weak self] in self?.runUnlessStopped(job) }, notBefore: due) else {
                return false
            }
            let place = delayed.firstIndex { $0.due > due } ?? delayed.endIndex
            delayed.insert((due, job), at: place)
            return wakeOrGrow()
        }
        if start { startThread() }
    }

    private func runUnlessStopped(_ job: Job) {
        if !monitor.withLock({ isStopped }) { job() }
    }

    /// Ends the threads once the jobs that were submitted are done.
    package func stop() {
        monitor.withLock {
            isStopped = true
            delayed.removeAll()
            monitor.broadcast()
        }
    }

    /// Runs the next job that is due on the calling thread; false where there is none.
    private func runOne() -> Bool {
        let job = monitor.withLock { takeJob() }
        job?()
        return job != nil
    }

    /// True where a thread must be started. Under the monitor.
    private func wakeOrGrow() -> Bool {
        if idle > 0 {
            monitor.signal()
            return false
        }
        guard threads < maximumThreads else { return false }
        threads += 1
        return true
    }

    private func startThread() {
        do {
            try storage.startThread("wal-worker") { [self] in work() }
        } catch {
            // Those that run already do the work; with none at all, this thread must, or somebody would wait for ever.
            let isAlone = monitor.withLock { () -> Bool in
                threads -= 1
                return threads == 0
            }
            if isAlone { while runOne() {} }
        }
    }

    /// Under the monitor.
    private func takeJob() -> Job? {
        if let first = delayed.first, first.due <= storage.monotonicNow() {
            delayed.removeFirst()
            return first.job
        }
        guard head < jobs.count else { return nil }
        let job = jobs[head]
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            head = 0
        }
        return job
    }

    private func work() {
        while true {
            let job = monitor.withLock { () -> Job? in
                while true {
                    if let job = takeJob() { return job }
                    if isStopped {
                        threads -= 1
                        return nil
                    }
                    idle += 1
                    if let first = delayed.first {
                        let now = storage.monotonicNow()
                        if first.due > now { monitor.wait(nanoseconds: first.due - now) }
                    } else {
                        monitor.wait()
                    }
                    idle -= 1
                }
            }
            guard let job else { return }
            job()
        }
    }
}
