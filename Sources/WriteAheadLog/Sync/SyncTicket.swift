internal import CWalShims

/// What a task that waits for a sync is told, and the task itself.
///
/// The values go over by a word that is stored with release and loaded with acquire: thread sanitizer does not see into the runtime,
/// which hands the task to another thread. One allocation, which the task frees.
struct SyncTicket: @unchecked Sendable {
    // Sendable: written before the word, read after it.
    private struct Content {
        var word: UInt64 = 0
        var appended = PartitionLog.Appended(lsn: 0, history: 0, segment: 0, end: 0)
        var error: WalError?
        var continuation: UnsafeContinuation<Void, Never>?
    }
    private let content: UnsafeMutablePointer<Content>

    init() {
        content = .allocate(capacity: 1)
        content.initialize(to: Content())
    }

    private var word: UnsafeMutablePointer<UInt64> { content.pointer(to: \.word).unsafelyUnwrapped }

    /// Suspends the task until ``finish(_:)``; `body` sees to it that somebody calls that.
    func wait(_ body: () -> Void) async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            content.pointee.continuation = continuation
            body()
        }
    }

    /// What was appended; set before anybody can call ``finish(_:)``.
    func set(_ appended: PartitionLog.Appended) { content.pointee.appended = appended }

    /// Once, by whoever took the ticket from those who wait.
    func finish(_ error: WalError?) {
        content.pointee.error = error
        let continuation = content.pointee.continuation
        wal_store_release(word, 1)
        continuation?.resume()
    }

    /// By the task, when it goes on; the ticket is gone afterwards.
    func end() throws(WalError) -> PartitionLog.Appended {
        _ = wal_load_acquire(word)
        let (error, appended) = (content.pointee.error, content.pointee.appended)
        content.deinitialize(count: 1)
        content.deallocate()
        if let error { throw error }
        return appended
    }
}

/// The same for a thread that blocks.
final class SyncSignal: @unchecked Sendable {
    // Sendable: guarded by the monitor.
    private let monitor = Monitor()
    private var isDone = false
    private var error: WalError?

    func finish(_ error: WalError?) {
        monitor.withLock {
            self.error = error
            isDone = true
            monitor.broadcast()
        }
    }

    /// What it was finished with; it can be used again then.
    func wait() -> WalError? {
        monitor.withLock {
            while !isDone { monitor.wait() }
            isDone = false
            defer { error = nil }
            return error
        }
    }
}

/// Whoever waits for a sync.
enum SyncWaiting {
    case task(SyncTicket)
    case thread(SyncSignal)

    func finish(_ error: WalError?) {
        switch self {
        case .task(let ticket): ticket.finish(error)
        case .thread(let signal): signal.finish(error)
        }
    }
}

/// Signals for threads, to be used again: a thread that syncs its own appends allocates none.
final class SignalPool: Sendable {
    private let kept = Locked<[SyncSignal]>([])

    func take() -> SyncSignal { kept.withLock { $0.popLast() } ?? SyncSignal() }
    func give(_ signal: SyncSignal) {
        kept.withLock { if $0.count < 64 { $0.append(signal) } }
    }
}
