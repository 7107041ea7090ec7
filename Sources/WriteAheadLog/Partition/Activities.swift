/// What goes on in a partition beside appends and syncs, so that nothing of it outlasts ``PartitionLog/close()``. Guarded by the
/// partition's lock.
struct Activities {
    enum Kind {
        /// A worker makes the next segment's file.
        case preparing
        case recompression
        case purge
        /// Another partition needs a file's place.
        case parking
    }

    private var running: [(kind: Kind, thread: UInt)] = []

    func contains(_ kind: Kind) -> Bool { running.contains { $0.kind == kind } }

    mutating func begin(_ kind: Kind) { running.append((kind, CurrentThread.id)) }

    mutating func end(_ kind: Kind) {
        let me = CurrentThread.id
        guard let place = running.firstIndex(where: { $0.kind == kind && $0.thread == me }) else {
            preconditionFailure("\(kind) ended that this thread did not begin")
        }
        running.remove(at: place)
    }

    /// Whether there is any that another thread began. Closing from within one, as from the closure that hears of a recompression's
    /// progress, must not wait for it: it does nothing more once it goes on.
    var isBusyElsewhere: Bool {
        let me = CurrentThread.id
        return running.contains { $0.thread != me }
    }
}
