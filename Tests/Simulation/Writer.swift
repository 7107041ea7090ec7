internal import WalTesting
internal import WriteAheadLog

/// A log that a history has open, or had: tasks go on with one that was closed under them.
final class Writer {
    let wal: SimulatedWal
    let parts: [SimulatedWal.Partition]
    /// The number by which the disk tells its operations.
    let instance: Int
    let isMapped: Bool
    /// Somebody closes it, or has.
    var isClosing = false
    /// What it called durable so far, by partition.
    var durable: [Int]
    /// What was durable when a partition was first seen poisoned.
    var failed: [Int?]
    /// Where the next opening found the partitions' ends.
    var found: [Int]?

    init(_ wal: SimulatedWal, _ parts: [SimulatedWal.Partition], instance: Int, isMapped: Bool) {
        self.wal = wal
        self.parts = parts
        self.instance = instance
        self.isMapped = isMapped
        durable = Array(repeating: 0, count: parts.count)
        failed = Array(repeating: nil, count: parts.count)
    }

    func place(_ p: Int) -> Place { Place(writer: self, p: p) }
}

/// A partition, and the log object through which it is used.
struct Place: @unchecked Sendable {
    // Sendable: see History.
    let writer: Writer
    let p: Int
    var partition: SimulatedWal.Partition { writer.parts[p] }
}
