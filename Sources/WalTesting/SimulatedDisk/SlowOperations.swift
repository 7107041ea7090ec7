/// How often, and for how long, operations of a ``SimulatedDisk`` are overtaken by others.
///
/// An operation that is suspended stands still on its thread, with whatever locks it holds, before it takes effect or after. Meanwhile
/// other tasks and the log's background work go on: they append, sync, fail, close, open again, crash. Everything follows from the
/// disk's seed.
///
/// ```swift
/// let disk = SimulatedDisk(seed: 42)
/// disk.slowOperations = SlowOperations(oneIn: 8)
/// ```
public struct SlowOperations: Sendable, Hashable {
    /// One operation in this many is suspended.
    public var oneIn: UInt64
    /// The number of steps of others after which it goes on, chosen at random; `Int.max` where it waits until nothing else can go on.
    public var steps: [Int]
    /// The number of operations that are suspended at a time.
    public var limit: Int

    public init(oneIn: UInt64, steps: [Int] = [1, 3, 10, 30, 100, .max], limit: Int = 12) {
        self.oneIn = max(1, oneIn)
        self.steps = steps.isEmpty ? [1] : steps
        self.limit = limit
    }
}

/// An operation that has begun and not returned, because the simulation suspended it.
package struct SuspendedOperation: Sendable {
    package let operation: DiskFault.Operation
    /// Within the log.
    package let path: String
    /// The log object that asked for it; see ``SimulatedDisk/open(_:at:instance:)``.
    package let instance: Int
    /// It has taken effect and only not returned.
    package let hasTakenEffect: Bool
}

extension DiskFault.Operation {
    /// Whether it changes what is on the disk, or what is durable.
    package var isChange: Bool {
        switch self {
        case .create, .rename, .remove, .syncDirectory, .write, .writeSynced, .allocate, .truncate, .sync: true
        case .list, .openDirectory, .open, .size, .read, .map, .lock: false
        }
    }
}
