extension PartitionLog {
    /// What has to wait until the partition's lock was let go: whatever starts threads, resumes somebody, or calls the app.
    enum HandedOver {
        case tell([SyncWaiting], WalError?)
        case wake([ProgressWaiter])
        case leave([SyncSignal])
        case kick(WorkQueue)
        case submit(WorkQueue, WorkQueue.Job)
        case note(WalFallback)
        case checkPlace
        case scheduleIdleMark(PartitionLog, nanoseconds: UInt64)

        func perform(_ shared: LogShared) {
            switch self {
            case .tell(let waiting, let error): for waiter in waiting { waiter.finish(error) }
            case .wake(let watching): for waiter in watching { waiter.resume.resume() }
            case .leave(let signals): for signal in signals { signal.finish(nil) }
            case .kick(let queue): queue.kick()
            case .submit(let queue, let job): queue.submit(job)
            case .checkPlace: shared.checkPlace()
            case .note(let fallback): shared.notes.note(fallback)
            case .scheduleIdleMark(let log, let nanoseconds):
                shared.queues.syncs.submit(afterNanoseconds: nanoseconds) { [weak log] in log?.idleMark() }
            }
        }
    }

    /// Under the lock.
    func handOver(_ work: HandedOver) {
        handedOver.append(work)
        // An append that ends on the fast way looks at this word.
        hot.pointee.attention = true
    }

    /// Lets the lock go, and then does what waited for that. Every way out but the append's fast one ends here.
    func letGo() {
        guard !handedOver.isEmpty else {
            unlock()
            return
        }
        let work = handedOver
        handedOver = []
        unlock()
        for item in work { item.perform(shared) }
    }

    /// Under the lock: tells the observer, in the order in which things happened.
    func report(_ event: WalEvent) {
        let observer = shared.settings.observer
        guard !observer.isSilent else { return }
        shared.queues.observers.enqueue { observer.event(event) }
        handOver(.kick(shared.queues.observers))
    }

    // MARK: Waiting for each other

    /// Under the lock, which is let go meanwhile: blocks as long as the condition holds. Looked at again whenever a sync or an
    /// activity has ended.
    func waitWhile(_ isBusy: () -> Bool) {
        while isBusy() {
            let signal = shared.signals.take()
            leaving.append(signal)
            letGo()
            _ = signal.wait()
            shared.signals.give(signal)
            lock()
        }
    }

    /// Under the lock: somebody may wait for what just ended.
    func noteEnd() {
        guard !leaving.isEmpty else { return }
        handOver(.leave(leaving))
        leaving = []
    }

    /// Notes that something goes on which closing has to wait for; throws where the log is closed or being closed.
    func begin(_ kind: Activities.Kind) throws(WalError) {
        try withLock { () throws(WalError) in
            try checkNotClosing()
            activities.begin(kind)
        }
    }

    func end(_ kind: Activities.Kind) {
        withLock {
            activities.end(kind)
            noteEnd()
        }
    }

    /// Under the lock.
    func checkNotClosing() throws(WalError) {
        var isClosed = isClosing
        if case .closed = phase { isClosed = true }
        if isClosed { throw WalError(.closed, "the log is closed; open it again", partition: id) }
    }
}
