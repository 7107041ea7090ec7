/// How a log is open: for logs, metrics and whoever wants to know why it is slow.
public struct WalInfo: Sendable {
    /// Which of the two locks keep other writers out.
    public struct Lock: Sendable, Hashable {
        /// `flock` of the log's directory.
        public var directory: Bool
        /// The lock of the file LOCK in it.
        public var file: Bool
    }

    /// As it was given to `open`.
    public var path: String
    public var isReadOnly: Bool
    /// How segments are written: `.mapped` or `.written`, never `.automatic`. A partition may write some of its segments though
    /// the log maps; an event says so.
    public var writes: WriteMode
    /// Why they are written that way.
    public var writesReason: String
    /// How cursors read: `.automatic` where they do it through the writer's mappings, `.pread` otherwise.
    public var reads: ReadMode
    /// Nil in a log that was opened for reading only: it needs none.
    public var lock: Lock?
    /// What people call the file system, as "ext4"; nil where the system does not tell.
    public var fileSystem: String?
    /// In bytes; less than configured where the process may not write files so large.
    public var segmentSize: Int
    /// What opening had to report (cuts, repairs, refusals, fallbacks), and the fallbacks since, in order; the first 1,000.
    public var events: [WalEvent] = []

    /// The fallbacks among ``events``.
    public var fallbacks: [WalFallback] {
        events.compactMap { if case .fellBack(let fallback) = $0 { fallback } else { nil } }
    }
}
