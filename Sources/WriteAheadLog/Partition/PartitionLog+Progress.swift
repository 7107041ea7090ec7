extension PartitionLog {
    /// How far the partition has got, as one look.
    func mark() -> Mark {
        if shared.isForked { return Mark(appended: .none, durable: .none, failure: LogShared.forked(id)) }
        return withLock {
            Mark(
                appended: LSN(hot.pointee.appendedWord), durable: LSN(hot.pointee.durableWord), failure: failure)
        }
    }

    /// Suspends until the partition is beyond `lsn`, fails, is closed, or the task is cancelled.
    func waitForProgress(_ visibility: Visibility, beyond lsn: UInt64) async {
        let id = withLock { () -> UInt64 in
            nextWaiterID += 1
            return nextWaiterID
        }
        await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                lock()
                let reached = visibility == .durable ? hot.pointee.durableWord : hot.pointee.appendedWord
                var isOpen = false
                if case .open = phase { isOpen = true }
                if reached > lsn || !isOpen || Task.isCancelled {
                    unlock()
                    continuation.resume()
                    return
                }
                progressWaiters.append(
                    ProgressWaiter(id: id, visibility: visibility, beyond: lsn, resume: continuation))
                if visibility == .appended { hot.pointee.attention = true }
                unlock()
            }
        } onCancel: {
            let cancelled = withLock { () -> ProgressWaiter? in
                guard let place = progressWaiters.firstIndex(where: { $0.id == id }) else { return nil }
                return progressWaiters.remove(at: place)
            }
            cancelled?.resume.resume()
        }
    }

    /// Not under the lock: wakes those who waited for what was appended.
    @inline(never)
    func notifyProgress() {
        lock()
        let satisfied = takeSatisfiedProgress()
        if !satisfied.isEmpty { handOver(.wake(satisfied)) }
        letGo()
    }

    /// Under the lock.
    func takeSatisfiedProgress() -> [ProgressWaiter] {
        guard !progressWaiters.isEmpty else {
            hot.pointee.attention = false
            return []
        }
        let appended = hot.pointee.appendedWord
        let durable = hot.pointee.durableWord
        var satisfied: [ProgressWaiter] = []
        progressWaiters.removeAll { waiter in
            let isDone = (waiter.visibility == .durable ? durable : appended) > waiter.beyond
            if isDone { satisfied.append(waiter) }
            return isDone
        }
        hot.pointee.attention = progressWaiters.contains { $0.visibility == .appended }
        return satisfied
    }
}
