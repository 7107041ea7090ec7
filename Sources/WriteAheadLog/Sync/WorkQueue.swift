/// Runs jobs on threads of its own, first come, first served. With one thread they run one after the other, in order.
///
/// Threads start when there is work and end with the queue. Where none can be had the jobs wait: for the next ``kick()``, or for
/// ``stopAndJoin()``. A simulated storage takes the jobs over and runs them itself.
package final class WorkQueue: @unchecked Sendable {
    // Sendable: all mutable state is guarded by `monitor`.
    package typealias Job = @Sendable () -> Void

    /// What becomes of jobs that were not begun when the queue is stopped.
    package enum Leftovers: Sendable {
        /// Somebody may wait for them.
        case run
        case drop
    }

    private let storage: any WalStorage
    private let maximumThreads: Int
    private let leftovers: Leftovers
    private let monitor = Monitor()
    /// Nil where the job was taken: what a job holds must not end under the monitor.
    private var jobs: [Job?] = []
    private var head = 0
    private var delayed: [(due: UInt64, job: Job)] = []
    private var threads = 0
    private var idle = 0
    /// The threads that are within a job.
    private var running: [UInt] = []
    private var isStopped = false
    /// Of a storage that runs jobs itself: how many times it was asked to run one, and has not yet.
    private var asked = 0

    package init(storage: any WalStorage, maximumThreads: Int, leftovers: Leftovers) {
        self.storage = storage
        self.maximumThreads = maximumThreads
        self.leftovers = leftovers
    }

    private var pending: Int { jobs.count - head }

    // MARK: Submitting

    /// Runs `job` soon. Not under a lock: it may start a thread, or, once the queue was stopped, run the job.
    package func submit(_ job: @escaping Job) {
        enqueue(job)
        kick()
    }

    /// The same in two steps: this one starts nothing, and may be called under a lock, so that jobs keep the order of what they are
    /// about.
    package func enqueue(_ job: @escaping Job) {
        monitor.withLock {
            jobs.append(job)
            if idle > 0 { monitor.signal() }
        }
    }

    /// After ``enqueue(_:)``, and not under a lock: starts a thread where there are more jobs than threads that wait for one. Where
    /// none can be had, the jobs wait.
    package func kick() {
        let next = monitor.withLock { () -> Next in
            if isStopped { return threads == 0 && leftovers == .run ? .run : .nothing }
            if storage.runsJobsItself { return ask() }
            guard pending > idle || (threads == 0 && !delayed.isEmpty), threads < maximumThreads else {
                return .nothing
            }
            threads += 1
            return .start
        }
        switch next {
        case .nothing: break
        case .start: do { try startThread() } catch {}
        case .ask(let count): for _ in 0..<count { _ = storage.takes({ [self] in runAsked() }, notBefore: 0) }
        case .run: while runOne() {}
        }
    }

    private enum Next { case nothing, start, ask(Int), run }

    /// Runs `job` once, not before `nanoseconds` from now; never, if the queue is stopped before.
    package func submit(afterNanoseconds nanoseconds: UInt64, _ job: @escaping Job) {
        let due = storage.monotonicNow() &+ nanoseconds
        if storage.runsJobsItself {
            _ = storage.takes({ [weak self] in self?.runDelayed(job) }, notBefore: due)
            return
        }
        monitor.withLock {
            guard !isStopped else { return }
            let place = delayed.firstIndex { $0.due > due } ?? delayed.endIndex
            delayed.insert((due, job), at: place)
            if idle > 0 { monitor.signal() }
        }
        kick()
    }

    /// Has a thread ready from now on, so that no later job depends on whether one can be had.
    package func start() throws(WalError) {
        let starts = monitor.withLock { () -> Bool in
            guard !isStopped, threads == 0, !storage.runsJobsItself else { return false }
            threads += 1
            return true
        }
        if starts { try startThread() }
    }

    private func startThread() throws(WalError) {
        do {
            try storage.startThread("wal-worker") { [self] in work() }
        } catch {
            monitor.withLock {
                threads -= 1
                monitor.broadcast()
            }
            throw error
        }
    }

    // MARK: Ending

    /// It takes no more jobs.
    package var isStopping: Bool { monitor.withLock { isStopped } }

    /// Ends the threads once the jobs that were submitted are done. Waits for nothing.
    package func stop() {
        // What they hold ends outside the monitor.
        let dropped = monitor.withLock { endWork() }
        _ = dropped
    }

    /// The same, and waits until no job runs any more. Called by one of its own jobs, it does not wait for that one: its thread ends
    /// with it.
    package func stopAndJoin() {
        let me = CurrentThread.id
        let (dropped, isMine) = monitor.withLock { () -> ([Job?], Bool) in
            let dropped = endWork()
            let isMine = running.contains(me)
            while running.contains(where: { $0 != me }) || threads > (isMine ? 1 : 0) { monitor.wait() }
            return (dropped, isMine)
        }
        _ = dropped
        // Without a thread, somebody must.
        if !isMine { while runOne() {} }
    }

    /// Under the monitor.
    private func endWork() -> [Job?] {
        isStopped = true
        var dropped: [Job?] = delayed.map { $0.job }
        delayed = []
        if leftovers == .drop {
            dropped += jobs[head...]
            jobs = []
            head = 0
        }
        monitor.broadcast()
        return dropped
    }

    // MARK: Working

    /// Under the monitor.
    private func takeJob() -> Job? {
        if let first = delayed.first, first.due <= storage.monotonicNow() {
            delayed.removeFirst()
            return first.job
        }
        guard head < jobs.count else { return nil }
        let job = jobs[head]
        jobs[head] = nil
        head += 1
        if head == jobs.count {
            jobs.removeAll(keepingCapacity: head < 1024)
            head = 0
        }
        return job
    }

    /// Under the monitor.
    private func leave(_ me: UInt) {
        if let place = running.firstIndex(of: me) { running.remove(at: place) }
        if isStopped { monitor.broadcast() }
    }

    /// Runs the next job on the calling thread; false where there is none.
    private func runOne() -> Bool {
        let me = CurrentThread.id
        let job = monitor.withLock { () -> Job? in
            guard let job = takeJob() else { return nil }
            running.append(me)
            return job
        }
        guard let job else { return false }
        job()
        monitor.withLock { leave(me) }
        return true
    }

    private func work() {
        let me = CurrentThread.id
        var isWithin = false
        while true {
            let wasWithin = isWithin
            let job = monitor.withLock { () -> Job? in
                if wasWithin { leave(me) }
                while true {
                    if let job = takeJob() {
                        running.append(me)
                        return job
                    }
                    if isStopped {
                        threads -= 1
                        monitor.broadcast()
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
            isWithin = true
        }
    }

    // MARK: In a simulation

    /// Under the monitor: how many more jobs the storage is to be asked for.
    private func ask() -> Next {
        let count = min(pending, max(0, maximumThreads - running.count)) - asked
        guard count > 0 else { return .nothing }
        asked += count
        return .ask(count)
    }

    private func runAsked() {
        let mayRun = monitor.withLock { () -> Bool in
            asked -= 1
            return running.count < maximumThreads
        }
        if mayRun { _ = runOne() }
        kick()
    }

    private func runDelayed(_ job: Job) {
        let me = CurrentThread.id
        let mayRun = monitor.withLock { () -> Bool in
            if !isStopped { running.append(me) }
            return !isStopped
        }
        guard mayRun else { return }
        job()
        monitor.withLock { leave(me) }
    }
}

/// A log's queues. Each kind of work has its own, so that none waits for another.
package final class WorkQueues: Sendable {
    /// Syncs, the marks that follow them, and appends that must wait for the file system.
    package let syncs: WorkQueue
    /// Makes ready what appends will need: the next segment's file, pages. A luxury.
    package let preparing: WorkQueue
    /// What may take minutes.
    package let background: WorkQueue
    /// Tells the app's observer, one event after the other.
    package let observers: WorkQueue

    package init(storage: any WalStorage) {
        syncs = WorkQueue(storage: storage, maximumThreads: 8, leftovers: .run)
        preparing = WorkQueue(storage: storage, maximumThreads: 2, leftovers: .drop)
        background = WorkQueue(storage: storage, maximumThreads: 1, leftovers: .drop)
        observers = WorkQueue(storage: storage, maximumThreads: 1, leftovers: .run)
    }

    /// Has the thread that a log can't do without.
    package func start() throws(WalError) { try syncs.start() }

    /// Waits for nothing: for handles that are dropped without `close`, perhaps on one of these threads.
    package func stop() {
        for queue in [background, preparing, syncs, observers] { queue.stop() }
    }

    /// All but the observers, who are told afterwards.
    package func stopAndJoinWorkers() {
        for queue in [background, preparing, syncs] { queue.stopAndJoin() }
    }
}
