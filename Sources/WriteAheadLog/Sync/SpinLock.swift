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

    package init() {
        mutex = .allocate(capacity: 1)
        condition = .allocate(capacity: 1)
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
        mutex.deallocate()
    }

    package func withLock<R>(_ body: () -> R) -> R {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body()
    }

    /// Within ``withLock(_:)`` only.
    package func wait() { pthread_cond_wait(condition, mutex) }

    /// Within ``withLock(_:)`` only: until `nanoseconds` from now, or a signal.
    package func wait(nanoseconds: UInt64) {
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

    package func signal() { pthread_cond_signal(condition) }
    package func broadcast() { pthread_cond_broadcast(condition) }
}
