internal import WriteAheadLog

/// Holds threads until it is opened: a test decides what overtakes whom, without sleeping.
package final class Gate: Sendable {
    private struct State {
        var arrived = 0
        var isOpen = false
    }
    private let state = Locked(State())
    private let monitor = Monitor()

    package init() {}

    /// Blocks until the gate is open.
    package func pass() {
        state.withLock { $0.arrived += 1 }
        monitor.withLock {
            monitor.broadcast()
            while !state.withLock({ $0.isOpen }) { monitor.wait() }
        }
    }

    package func open() {
        state.withLock { $0.isOpen = true }
        monitor.withLock { monitor.broadcast() }
    }

    package var isOpen: Bool { state.withLock { $0.isOpen } }

    /// Blocks until somebody stands before the gate; false after `seconds` in which nobody came.
    package func waitForArrival(seconds: UInt64 = 20) -> Bool {
        let deadline = PosixStorage().monotonicNow() + seconds * 1_000_000_000
        return monitor.withLock {
            while state.withLock({ $0.arrived }) == 0 {
                guard PosixStorage().monotonicNow() < deadline else { return false }
                monitor.wait(nanoseconds: 100_000_000)
            }
            return true
        }
    }
}

extension FaultyStorage {
    /// Has the next such operation stand before a gate.
    package func hold(_ operations: Set<Operation>, of name: String, skipping: Int = 0) -> Gate {
        let gate = Gate()
        before(operations, of: name, skipping: skipping) { gate.pass() }
        return gate
    }
}
