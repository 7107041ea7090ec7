import CWalShims
import Foundation
import Testing

/// Unlocking is a plain store: that nobody sleeps on is the work of the one who goes to sleep.
@Suite("The lock", .timeLimit(.minutes(15)))
struct LockTests {
    /// Guarded by the lock alone.
    private final class Counter: @unchecked Sendable {
        let lock = UnsafeMutablePointer<wal_lock_t>.allocate(capacity: 1)
        var value = 0
        init() { lock.initialize(to: wal_lock_t()) }
        deinit { lock.deallocate() }
    }

    @Test("lets one in at a time, and whoever slept on is woken", arguments: [0, 200])
    func exclusion(heldForMicroseconds held: UInt32) async {
        let rounds = held == 0 ? 100_000 : 200
        let threads = 4
        let counter = Counter()
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            let finish = Finish(continuation)
            for _ in 0..<threads {
                Thread.detachNewThread {
                    for _ in 0..<rounds {
                        wal_lock(counter.lock)
                        let before = counter.value
                        // Long enough for the others to go to sleep.
                        if held > 0 { usleep(held) }
                        counter.value = before + 1
                        wal_unlock(counter.lock)
                    }
                    finish.one(of: threads)
                }
            }
        }
        #expect(counter.value == threads * rounds)
    }
}

/// Resumes when as many as are awaited have said that they are done.
private final class Finish: @unchecked Sendable {
    private let mutex = NSLock()
    private var continuation: CheckedContinuation<Void, Never>?
    private var count = 0
    init(_ continuation: CheckedContinuation<Void, Never>) { self.continuation = continuation }

    func one(of total: Int) {
        mutex.withLock {
            count += 1
            guard count == total else { return }
            continuation?.resume()
            continuation = nil
        }
    }
}
