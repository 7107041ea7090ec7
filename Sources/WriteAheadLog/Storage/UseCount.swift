internal import CWalShims

/// How many threads use something that may be closed under them: it goes with the last of them, and nobody comes in after it
/// was closed. One word, without a lock.
package final class UseCount: @unchecked Sendable {
    // Sendable: the word is touched by atomic operations only.
    private let word: UnsafeMutablePointer<UInt64>
    private static var closedBit: UInt64 { 1 << 63 }

    package init() {
        word = .allocate(capacity: 1)
        word.initialize(to: 0)
    }

    deinit { word.deallocate() }

    /// False once it was closed.
    @inline(__always)
    package func enter() -> Bool {
        while true {
            let now = wal_load_acquire(word)
            if now & Self.closedBit != 0 { return false }
            if wal_exchange_if(word, now, now + 1) { return true }
        }
    }

    /// True where the caller is the last user of something that was closed meanwhile, and must release it.
    @inline(__always)
    package func leave() -> Bool {
        while true {
            let now = wal_load_acquire(word)
            if wal_exchange_if(word, now, now - 1) { return now == Self.closedBit + 1 }
        }
    }

    /// Closes it: true where nobody uses it and the caller must release it. Does nothing a second time.
    package func end() -> Bool {
        while true {
            let now = wal_load_acquire(word)
            if now & Self.closedBit != 0 { return false }
            if wal_exchange_if(word, now, now | Self.closedBit) { return now == 0 }
        }
    }

    package var isClosed: Bool { wal_load_acquire(word) & Self.closedBit != 0 }
}

extension WalError {
    /// A call on a file object after `close`.
    package static func closedFile(_ path: String) -> WalError {
        WalError(.closed, "the file \(path) was closed here; open the log again")
    }
}
