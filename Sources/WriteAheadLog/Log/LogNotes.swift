/// What a log has to say besides results: kept for ``Wal/info``, and told to the observer on a thread that holds no lock.
final class LogNotes: Sendable {
    private struct State {
        var events: [WalEvent] = []
        var told: Set<String> = []
        /// While the log is being opened, events wait: whoever opens it may hold a lock.
        var waiting: [WalEvent] = []
        var deliver: (@Sendable (@escaping @Sendable () -> Void) -> Void)?
    }
    private let state = Locked(State())
    private let observer: WalObserver
    /// Beyond it nothing more is kept: a log with 65,536 partitions may recover each.
    private static let mostKept = 1_000

    init(observer: WalObserver) { self.observer = observer }

    /// Everything that was noted so far, in order.
    var events: [WalEvent] { state.withLock { $0.events } }

    func note(_ event: WalEvent) {
        let deliver = state.withLock { state -> (@Sendable (@escaping @Sendable () -> Void) -> Void)? in
            if state.events.count < Self.mostKept { state.events.append(event) }
            if state.deliver == nil { state.waiting.append(event) }
            return state.deliver
        }
        let observer = observer
        deliver? { observer.event(event) }
    }

    /// Notes a fallback, unless its like was noted before.
    func note(_ fallback: WalFallback) {
        let key = "\(fallback.kind) \(fallback.partition.map { "\($0)" } ?? "")"
        if state.withLock({ $0.told.insert(key).inserted }) { note(.fellBack(fallback)) }
    }

    /// Once the log is open: tells on this thread what waits, and from now on by `deliver`. Not under a lock.
    func begin(delivering deliver: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
        while true {
            let waiting = state.withLock { state -> [WalEvent] in
                defer { state.waiting = [] }
                if state.waiting.isEmpty { state.deliver = deliver }
                return state.waiting
            }
            if waiting.isEmpty { return }
            for event in waiting { observer.event(event) }
        }
    }
}
