internal import CWalShims

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// A value under a lock that is held for moments. Our own, because thread sanitizer cannot see into
/// `Synchronization.Mutex` on Linux and then reports races that are none.
package final class Locked<Value>: @unchecked Sendable {
    // Sendable: `value` is touched only between lock and unlock.
    private let word: UnsafeMutablePointer<wal_lock_t>
    private var value: Value

    package init(_ value: sending Value) {
        word = .allocate(capacity: 1)
        word.initialize(to: wal_lock_t())
        self.value = value
    }

    deinit { word.deallocate() }

    package func withLock<R, E: Error>(_ body: (inout Value) throws(E) -> R) throws(E) -> R {
        wal_lock(word)
        defer { wal_unlock(word) }
        return try body(&value)
    }
}

/// A mutex with a condition, for threads that wait.
package final class Monitor: @unchecked Sendable {
    // Sendable: the two are made for sharing between threads.
    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let condition: UnsafeMutablePointer<pthread_cond_t>
    /// Counts signals, under the mutex or not, for threads with a hook.
    private let signals: UnsafeMutablePointer<UInt32>

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
        signals = .allocate(capacity: 1)
        signals.initialize(to: 0)
        mutex.initialize(to: pthread_mutex_t())
        condition.initialize(to: pthread_cond_t())
        pthread_mutex_init(mutex, nil)
        #if canImport(Darwin)
        pthread_cond_init(condition, nil)
        #else
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
        #endif
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        signals.deallocate()
        mutex.deallocate()
    }

    package func withLock<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Within ``withLock(_:)`` only.
    package func wait() {
        if !waitsByHook(nanoseconds: .max) { pthread_cond_wait(condition, mutex) }
    }

    /// Within ``withLock(_:)`` only: until `nanoseconds` from now, or a signal.
    package func wait(nanoseconds: UInt64) {
        if waitsByHook(nanoseconds: nanoseconds) { return }
        var now = timespec()
        #if canImport(Darwin)
        clock_gettime(CLOCK_REALTIME, &now)
        #else
        clock_gettime(CLOCK_MONOTONIC, &now)
        #endif
        let total = UInt64(clamping: now.tv_nsec) &+ nanoseconds % 1_000_000_000
        var until = timespec()
        until.tv_sec = now.tv_sec + Int(clamping: nanoseconds / 1_000_000_000 + total / 1_000_000_000)
        until.tv_nsec = Int(total % 1_000_000_000)
        pthread_cond_timedwait(condition, mutex, &until)
    }

    /// Where the thread belongs to a simulation: lets others run until a signal. False on every other thread.
    private func waitsByHook(nanoseconds: UInt64) -> Bool {
        guard ThreadScheduling.isSimulated else { return false }
        let seen = wal_load_word(signals)
        pthread_mutex_unlock(mutex)
        _ = wal_wait_by_hook(signals, seen, nanoseconds)
        pthread_mutex_lock(mutex)
        return true
    }

    package func signal() {
        wal_add_word(signals, 1)
        pthread_cond_signal(condition)
    }
    package func broadcast() {
        wal_add_word(signals, 1)
        pthread_cond_broadcast(condition)
    }
}

/// Decides when a thread of a simulation goes on, of which one runs at a time.
package protocol ThreadScheduler: AnyObject {
    /// Returns once `*word` is no longer `value`, or after `nanoseconds` where that is not `UInt64.max`; earlier is fine.
    func wait(while word: UnsafePointer<UInt32>, is value: UInt32, nanoseconds: UInt64)
}

/// Hands every wait of a thread, for a lock or a ``Monitor``, to a scheduler.
package enum ThreadScheduling {
    private final class Box {
        let scheduler: any ThreadScheduler
        init(_ scheduler: any ThreadScheduler) { self.scheduler = scheduler }
    }

    private static let hook: wal_wait_hook_t = { context, word, value, nanoseconds in
        guard let context, let word else { return }
        Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().scheduler.wait(
            while: word, is: value, nanoseconds: nanoseconds)
    }

    static var isSimulated: Bool { wal_has_wait_hook() }

    /// Lets other threads run, where they can: in a simulation nobody goes on meanwhile.
    static func yieldProcessor() {
        if !isSimulated { sched_yield() }
    }

    /// The calling thread's scheduler.
    package static var current: (any ThreadScheduler)? {
        guard let context = wal_wait_context(hook) else { return nil }
        return Unmanaged<Box>.fromOpaque(context).takeUnretainedValue().scheduler
    }

    /// Runs `body` on the calling thread, whose waits `scheduler` decides about meanwhile.
    package static func run<R>(by scheduler: any ThreadScheduler, _ body: () -> R) -> R {
        let box = Box(scheduler)
        // A simulation may run another.
        let before = wal_wait_context(hook)
        wal_set_wait_hook(hook, Unmanaged.passUnretained(box).toOpaque())
        defer { wal_set_wait_hook(before == nil ? nil : hook, before) }
        return withExtendedLifetime(box) { body() }
    }
}
