import Foundation

/// What acknowledgements say about a log: what must be in it, what may be, and who may have written it.
struct Ledger {
    /// A record or a batch.
    struct Operation: Equatable {
        var author: Sample.Author
        var number: UInt32
        var count: UInt16
    }

    struct Partition {
        /// By the LSN of the first record.
        var operations: [UInt64: Operation] = [:]
        /// Everything up to here must be there, except what was purged.
        var required: UInt64 = 0
        /// A purge returned that left this as the first.
        var floorAtLeast: UInt64 = 1
        /// The most that purges were asked for.
        var floorAtMost: UInt64 = 1
    }

    /// What the log went through since the acknowledgements.
    enum Loss {
        /// The process was killed: every append that returned must be there.
        case process
        /// The power failed: what was synced must be there.
        case power
    }

    var partitions: [UInt16: Partition] = [:]
    var runs: Set<UInt32> = []
    var problems: [String] = []

    /// Reads acknowledgements from a file.
    ///
    /// - Parameters:
    ///   - binding: bytes from the start that were there before the loss. What stands behind them was said while it happened: it
    ///     tells what may be there, not what must.
    ///   - end: how far the file is read.
    init(_ path: String, loss: Loss, binding: Int? = nil, end: Int? = nil) throws {
        let data = try Data(contentsOf: URL(fileURLWithPath: path), options: .mappedIfSafe)
        data.withUnsafeBytes { bytes in
            var start = 0
            let end = min(end ?? bytes.count, bytes.count)
            // What follows the last line's end was not said.
            while start < end, let newline = bytes[start..<end].firstIndex(of: 10) {
                guard let said = Acknowledgement(bytes[start..<newline]) else {
                    problems.append("the acknowledgements have a line that is none, at byte \(start)")
                    return
                }
                note(said, loss, isBinding: newline < binding ?? Int.max)
                start = newline + 1
            }
        }
    }

    private mutating func note(_ said: Acknowledgement, _ loss: Loss, isBinding: Bool) {
        switch said {
        case .run(let number): runs.insert(number)
        case .opened(let partition, _, let last), .syncedUpTo(let partition, let last):
            if isBinding { partitions[partition, default: .init()].require(last) }
        case .appended(let partition, let first, let operation):
            note(operation, partition, first, isRequired: isBinding && loss == .process)
        case .synced(let partition, let first, let operation):
            note(operation, partition, first, isRequired: isBinding)
        case .purging(let partition, let before):
            partitions[partition, default: .init()].floorAtMost = max(
                before, partitions[partition]?.floorAtMost ?? 1)
        case .purged(let partition, let first):
            guard isBinding else { return }
            partitions[partition, default: .init()].floorAtLeast = max(
                first, partitions[partition]?.floorAtLeast ?? 1)
        case .refused: break
        }
    }

    private mutating func note(_ operation: Operation, _ partition: UInt16, _ first: UInt64, isRequired: Bool) {
        if let other = partitions[partition, default: .init()].operations.updateValue(operation, forKey: first),
            other != operation
        {
            problems.append("partition \(partition): LSN \(first) was given out twice, to \(other) and \(operation)")
        }
        if isRequired { partitions[partition]?.require(first + UInt64(operation.count) - 1) }
    }
}

extension Ledger.Partition {
    mutating func require(_ lsn: UInt64) { required = max(required, lsn) }
}
