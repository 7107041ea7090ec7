/// Something that goes wrong with a simulated disk.
///
/// ```swift
/// disk.inject(.init(.ioError, on: [.sync], of: "partition-00001/", times: 1))
/// ```
public struct DiskFault: Sendable, Hashable {
    /// What a process asks of a disk.
    public enum Operation: String, Sendable, Hashable, CaseIterable {
        case list, openDirectory, open, create, rename, remove, syncDirectory
        case size, read, write, writeSynced, allocate, truncate, sync, map, lock
    }

    /// How it goes wrong.
    public enum Effect: String, Sendable, Hashable, CaseIterable {
        /// ENOSPC; nothing was stored.
        case noSpace
        /// EIO; nothing was stored or read.
        case ioError
        /// EMFILE.
        case tooManyFiles
        /// ENOMEM.
        case outOfMemory
        /// A write stores some of its bytes, and then fails with EIO.
        case shortWrite
        /// A sync fails with EIO, and what was dirty counts as clean: the next sync succeeds and has written nothing.
        case dropsDirtyPages
        /// A sync succeeds, but one dirty page never gets to the disk. The disk lies: nothing can be promised but that it shows.
        case lostWrite
        /// A sync succeeds, but one dirty page gets to another page's place. The disk lies.
        case misplacedWrite
    }

    public var effect: Effect
    public var operations: Set<Operation>
    /// Part of the path within the log, such as `partition-00001/` or `STATE`; empty for all.
    public var name: String
    /// So many such operations go well first.
    public var skipping: Int
    /// How often it happens; nil for ever.
    public var times: Int?
    /// Once in so many such operations, at random; nil for each of them.
    public var oneIn: UInt64?

    public init(
        _ effect: Effect, on operations: Set<Operation>, of name: String = "", skipping: Int = 0, times: Int? = nil,
        oneIn: UInt64? = nil
    ) {
        self.effect = effect
        self.operations = operations
        self.name = name
        self.skipping = skipping
        self.times = times
        self.oneIn = oneIn
    }

    /// Whether what was acknowledged may be gone with it, through no fault of the log.
    public var isLie: Bool { effect == .lostWrite || effect == .misplacedWrite }

    /// Whether it says nothing of the data: the process has no descriptor, memory or room for a moment.
    package var isOfResources: Bool { effect == .tooManyFiles || effect == .outOfMemory }
}
