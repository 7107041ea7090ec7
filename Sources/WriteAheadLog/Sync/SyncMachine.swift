/// Who asks for syncs, who does them, and who is told: it decides, its owner acts. Guarded by the owner's lock.
///
/// One thread syncs at a time. It may be a caller's, where nobody else syncs just then; otherwise a worker does it, which goes on as
/// long as there are waiters.
package struct SyncMachine<Ticket> {
    /// What somebody waits for.
    package enum Purpose: Equatable {
        /// The frame that ends with this LSN. It may be taken back, with an error.
        case frame
        /// Whatever there is up to this LSN.
        case everything
    }

    package struct Waiter {
        package var lsn: UInt64
        package var purpose: Purpose
        package var ticket: Ticket

        package init(lsn: UInt64, purpose: Purpose, ticket: Ticket) {
            self.lsn = lsn
            self.purpose = purpose
            self.ticket = ticket
        }
    }

    package enum Activity: Equatable {
        case none
        /// A worker was asked for, and has not begun.
        case queued
        case running
        /// Somebody syncs, and a worker was asked for as well.
        case runningAndQueued
    }

    package private(set) var activity = Activity.none
    package private(set) var waiters: [Waiter] = []

    package init() {}

    package var isRunning: Bool { activity == .running || activity == .runningAndQueued }

    // MARK: Asking

    package mutating func add(_ waiter: Waiter) { waiters.append(waiter) }

    /// True where the caller must have a worker come, who then calls ``begin(force:)``.
    package mutating func askForWorker() -> Bool {
        guard activity == .none else { return false }
        activity = .queued
        return true
    }

    // MARK: Syncing

    /// The caller's own thread syncs from now on, until ``end()``; false where another does.
    package mutating func claim() -> Bool {
        switch activity {
        case .none: activity = .running
        case .queued: activity = .runningAndQueued
        case .running, .runningAndQueued: return false
        }
        return true
    }

    /// The worker that was asked for is here. True where it syncs, until ``end()``: whoever syncs already looks for waiters
    /// afterwards.
    ///
    /// - Parameter force: also without anybody who waits.
    package mutating func begin(force: Bool) -> Bool {
        switch activity {
        case .queued where force || !waiters.isEmpty:
            activity = .running
            return true
        case .queued: activity = .none
        case .runningAndQueued: activity = .running
        case .none, .running: break
        }
        return false
    }

    /// Nobody syncs any more. True where the caller must have a worker come, for those who came meanwhile.
    package mutating func end() -> Bool {
        activity = activity == .runningAndQueued ? .queued : .none
        return !waiters.isEmpty && askForWorker()
    }

    // MARK: Telling

    /// Those who are told that everything up to `lsn` is durable.
    package mutating func take(upTo lsn: UInt64) -> [Ticket] {
        if waiters.allSatisfy({ $0.lsn <= lsn }) { return takeAll() }
        let covered = waiters.filter { $0.lsn <= lsn }.map(\.ticket)
        waiters.removeAll { $0.lsn <= lsn }
        return covered
    }

    /// Everybody: to be told of a failure, once.
    package mutating func takeAll() -> [Ticket] {
        defer { waiters = [] }
        return waiters.map(\.ticket)
    }

    /// The frames behind `lsn` were taken back: returns whose they were. Who waits for everything now waits for what is left.
    package mutating func takeBack(after lsn: UInt64) -> [Ticket] {
        let gone = waiters.filter { $0.purpose == .frame && $0.lsn > lsn }.map(\.ticket)
        waiters.removeAll { $0.purpose == .frame && $0.lsn > lsn }
        for k in waiters.indices { waiters[k].lsn = min(waiters[k].lsn, lsn) }
        return gone
    }
}
