/// How segments are written.
public enum WriteMode: Sendable, Hashable {
    /// Mapped where the file system guarantees allocated space, written otherwise; ``Wal/info`` says which it was.
    case automatic
    /// Stores into a mapping: an append costs no system call. Where space can't be guaranteed a full disk kills the process.
    case mapped
    /// One `pwrite` for each append that is not synced.
    case written
}

/// What to do about damage that is found when a log is opened.
public enum DamagePolicy: Sendable, Hashable {
    /// Opening fails with an error that names the place.
    case `throw`
    /// The log opens; a damaged partition can be read up to the damage and takes no appends.
    case quarantine
}

/// How much opening reads.
public enum CheckLevel: Sendable, Hashable {
    /// Headers and footers of all segments, and every frame from the last mark on.
    case tail
    /// Every byte.
    case full
}

/// How cursors read.
public enum ReadMode: Sendable, Hashable {
    /// Through a mapping in the process that writes, by `pread` elsewhere. A device that fails under a mapping ends the process
    /// with SIGBUS.
    case automatic
    /// By `pread`: a device that fails is an error.
    case pread
}

/// Something that happened, for logs and metrics.
public enum WalEvent: Sendable {
    /// A partition was found after an unclean end and made whole. `cutBytes` above the last mark were dropped from `lsn` on;
    /// 0 where there was nothing to drop. They may include the last synced group.
    case recovered(PartitionID, lastLSN: LSN, cutFrom: LSN?, cutBytes: UInt64)
    /// The partition is a copy whose files are of different moments, as `cp` and `tar` make of a live log. It was opened up to
    /// `lastLSN`; what comes after that place is in files of the partition's directory whose names end in `.aside`. None where the log
    /// was opened for reading only.
    case copied(PartitionID, lastLSN: LSN, setAside: [String])
    /// A damaged partition was set aside under ``DamagePolicy/quarantine``.
    case quarantined(PartitionID, WalError)
    /// Segments can't be read with the codecs given, for want of a codec, a key or a dictionary; the error is the newest one's.
    /// Reading them throws it. Everything else works.
    case unreadable(PartitionID, segments: Int, WalError)
    case rotated(PartitionID, sealed: LSN, new: LSN)
    case purged(PartitionID, segments: Int, firstRetained: LSN)
    /// Sealed segments were recompressed in the background.
    case recompressed(PartitionID, Recompression)
    /// They could not be, and are as they were. It is tried again with the next one that is sealed.
    case recompressionFailed(PartitionID, WalError)
    /// Something that the log can do without, or work out again, was missing or damaged and was written again.
    case repaired(String)
    /// The partition takes no more records until it is reopened.
    case poisoned(PartitionID, WalError)
    /// The log goes on, but not in the usual way. Each kind of it is told once while a log is open.
    case fellBack(WalFallback)
}

/// Hears what the log does.
///
/// What opening finds is told by the thread that opens, before it returns. Everything later is told by a thread of the log's own,
/// one event after the other in the order in which they happened; an observer that is slow holds up nothing but the events that
/// follow, and `close`, which returns once everything was told.
public struct WalObserver: Sendable {
    public var event: @Sendable (WalEvent) -> Void
    /// Nobody listens, and no thread is needed to tell.
    let isSilent: Bool

    public init(event: @escaping @Sendable (WalEvent) -> Void) {
        self.event = event
        isSilent = false
    }

    /// An observer that does nothing.
    public init() {
        event = { _ in }
        isSilent = true
    }
}

/// The settings that do not depend on the record's type.
struct LogSettings: Sendable {
    var segmentSize: Int
    var maximumRecordSize: Int
    var maximumUnsyncedBytes: Int
    var writes: WriteMode
    var fillsSegments: Bool
    var reads: ReadMode
    var onDamage: DamagePolicy
    var check: CheckLevel
    var isReadOnly: Bool
    var truncate: Bool
    var maximumOpenSegments: Int?
    var observer: WalObserver
    var idleMarkNanoseconds: UInt64
    var disabled: SafetyMeasures
    /// Tests count on nothing happening behind their backs.
    var preparesSegments = true
}
