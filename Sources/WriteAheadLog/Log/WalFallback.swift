/// Something that a log does in another way than usual, because the system refuses the usual one or somebody interfered.
///
/// The log keeps its promises as far as `message` says. It stands in ``Wal/info`` and is told to the observer as
/// ``WalEvent/fellBack(_:)``.
public struct WalFallback: Sendable, CustomStringConvertible {
    /// What is done in another way. New kinds may be added in minor releases: keep a `default` when you switch.
    public struct Kind: Hashable, Sendable, CustomStringConvertible {
        package let name: String
        package init(_ name: String) { self.name = name }
        public var description: String { name }

        /// Segments are written by system calls instead of through a mapping.
        public static let writes = Kind("writes")
        /// Names in directories can't be made durable by a sync.
        public static let directorySync = Kind("directorySync")
        /// One of the two locks that keep a second writer out is refused; the other does it alone.
        public static let lock = Kind("lock")
        /// The log's directory was renamed while the log was open.
        public static let renamed = Kind("renamed")
        /// The log is a copy of another, and was opened to as much as the copy holds.
        public static let copy = Kind("copy")
        /// Segments are smaller than configured, because the process may not write larger files.
        public static let segmentSize = Kind("segmentSize")
    }

    /// What is done in another way.
    public var kind: Kind
    /// Why, what it means, and what to do about it.
    public var message: String
    /// The partition, where one is concerned.
    public var partition: PartitionID?
    /// What the operating system said, where it was asked.
    public var errno: Int32?

    public init(_ kind: Kind, _ message: String, partition: PartitionID? = nil, errno: Int32? = nil) {
        self.kind = kind
        self.message = message
        self.partition = partition
        self.errno = errno
    }

    public var description: String {
        var places: [String] = []
        if let partition { places.append("partition \(partition)") }
        if let errno { places.append("errno \(errno)") }
        return "\(kind): \(message)" + (places.isEmpty ? "" : " [\(places.joined(separator: ", "))]")
    }
}
