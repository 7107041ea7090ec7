package import WalTesting
internal import WriteAheadLog

/// What a history does that may overtake an operation of the disk which is suspended.
package enum Overtaking: String, Sendable, CaseIterable {
    case append, synced, batch, sync, rotate, failure, purge, recompress, read, close, drop, reopen, crash
}

/// An operation of the disk, and what it is done to.
package struct SlowCall: Sendable, Hashable, Comparable, CustomStringConvertible {
    package enum Target: String, Sendable, CaseIterable {
        case segment, prepared, state = "STATE", lock = "LOCK", name = "LOG", partition, log, other
    }
    package let operation: DiskFault.Operation
    package let target: Target

    package init(_ operation: DiskFault.Operation, _ target: Target) {
        self.operation = operation
        self.target = target
    }

    package init(_ operation: SuspendedOperation) {
        self.operation = operation.operation
        let parts = operation.path.split(separator: "/")
        target =
            switch parts.last {
            case nil: .log
            case FileFormat.stateFileName[...]: .state
            case FileFormat.lockFileName[...]: .lock
            case FileFormat.logFileName[...]: .name
            case .some(let name) where name.hasSuffix(".wal"): .segment
            case .some(let name) where name.hasSuffix(FileFormat.preparedSuffix): .prepared
            case .some(let name) where parts.count == 1 && name.hasPrefix("partition"): .partition
            default: .other
            }
    }

    package var description: String { "\(operation) \(target.rawValue)" }

    package static func < (a: SlowCall, b: SlowCall) -> Bool { a.description < b.description }
}

/// How often what overtook what.
package struct Pairs: Sendable {
    package private(set) var counts: [SlowCall: [Int]] = [:]

    package init() {}

    package mutating func add(_ call: SlowCall, _ by: Overtaking, _ count: Int = 1) {
        guard let column = Overtaking.allCases.firstIndex(of: by) else { return }
        counts[call, default: Array(repeating: 0, count: Overtaking.allCases.count)][column] += count
    }

    package mutating func add(_ other: Pairs) {
        for (call, row) in other.counts {
            counts[call, default: Array(repeating: 0, count: row.count)] =
                zip(counts[call] ?? Array(repeating: 0, count: row.count), row).map { $0 + $1 }
        }
    }

    package subscript(_ call: SlowCall, _ by: Overtaking) -> Int {
        guard let row = counts[call], let column = Overtaking.allCases.firstIndex(of: by) else { return 0 }
        return row[column]
    }
}

extension Pairs {
    /// The calls that a log makes, each of which was to be suspended.
    package var rows: [SlowCall] { counts.keys.sorted() }

    /// As a table of lines: a suspended operation each, and how often what overtook it.
    package var table: [String] {
        let columns = Overtaking.allCases.map(\.rawValue)
        let label = rows.map(\.description.count).max() ?? 0
        func padded(_ text: String, _ width: Int) -> String {
            String(repeating: " ", count: max(0, width - text.count)) + text
        }
        let head = "suspended" + String(repeating: " ", count: max(1, label - 9)) + " "
        return [head + columns.map { padded($0, max(8, $0.count + 1)) }.joined()]
            + rows.map { row in
                row.description + String(repeating: " ", count: label - row.description.count + 1)
                    + Overtaking.allCases.map { column in
                        padded("\(self[row, column])", max(8, column.rawValue.count + 1))
                    }.joined()
            }
    }
}

// MARK: Which pairs there can be

extension Pairs {
    /// From so many histories on each pair that can exist must have been seen.
    package static let leastHistories = 20_000

    /// Pairs that can't exist, with the reason; a few are counted all the same, where a task tells late what it did before.
    package static let exclusions: [(what: String, why: String)] = [
        (
            "any change × close, reopen",
            "close waits for what the log began, and the next opening for the lock, which is let go after that"
        ),
        (
            "lock, write and truncate LOCK, create and write LOG × all but crash",
            "whoever is there has the log's lock, so that no log is open"
        ),
    ]

    private static func isExcluded(_ call: SlowCall, _ by: Overtaking) -> Bool {
        if call.operation.isChange, by == .close || by == .reopen { return true }
        let isOpening =
            [.lock, .name].contains(call.target) && (call.operation.isChange || call == SlowCall(.lock, .lock))
        return isOpening && by != .crash
    }

    /// What a log with segments that are mapped and written, purged and recompressed asks of a disk.
    private static let expected: [SlowCall] =
        [.create, .allocate, .map, .open, .read, .size, .write, .writeSynced, .sync, .truncate, .remove].map {
            SlowCall($0, .segment)
        } + [.create, .allocate, .map, .write, .sync, .rename, .remove].map { SlowCall($0, .prepared) }
        + [.create, .open, .read, .size, .write, .sync].map { SlowCall($0, .state) }
        + [.openDirectory, .list, .syncDirectory].map { SlowCall($0, .partition) }
        + [.list, .syncDirectory, .lock].map { SlowCall($0, .log) }
        + [.open, .read, .lock, .write, .truncate].map { SlowCall($0, .lock) }
        + [.open, .read].map { SlowCall($0, .name) }

    /// Pairs that can exist and were not seen.
    package var missing: [(SlowCall, Overtaking)] {
        var missing: [(SlowCall, Overtaking)] = []
        for call in Set(Self.expected).union(counts.keys).sorted() {
            for by in Overtaking.allCases where !Self.isExcluded(call, by) && self[call, by] == 0 {
                missing.append((call, by))
            }
        }
        return missing
    }
}
