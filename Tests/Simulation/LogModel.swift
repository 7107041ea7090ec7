internal import WalTesting
internal import WriteAheadLog

/// What a log must hold after what was asked of it: the oracle. Knows nothing of files.
struct LogModel {
    struct Attempt {
        enum Fate {
            /// Nobody has said yet how it went.
            case open
            /// An error said that nothing was changed.
            case refused
            /// An error said that it is uncertain.
            case uncertain
            /// It has an LSN.
            case returned
            /// A crash took it.
            case lost
        }
        let partition: UInt16
        let count: Int
        let size: Int
        var first: Int?
        var fate = Fate.open
    }

    struct Slot: Equatable {
        var attempt: Int
        var index: Int
    }

    struct Partition {
        /// By LSN − 1: what stands there, as far as somebody was told.
        var slots: [Slot?] = []
        /// The last LSN that an append returned or a reader saw after recovery.
        var acknowledged = 0
        /// The last LSN that anything called durable.
        var durable = 0
        /// The first LSN that is kept is between these: they differ while a purge is under way.
        var first = 1
        var mayBeFirst = 1
        /// Where recoveries found the end.
        var ends: [(life: Int, last: Int)] = []
        var positions: [(position: Position, lsn: Int, life: Int)] = []
        /// Attempts that a crash may still take.
        var unsettled: [Int] = []
        /// The worst crash since it was last seen whole.
        var pending: SimulatedDisk.Crash?
    }

    var attempts: [Attempt] = []
    var partitions: [Partition]
    var life = 0
    /// The disk has lied: only what is read must be genuine.
    var isLied = false

    init(partitions: Int) { self.partitions = Array(repeating: Partition(), count: partitions) }

    // MARK: Appending

    mutating func begin(_ partition: UInt16, count: Int, size: Int) -> Int {
        attempts.append(Attempt(partition: partition, count: count, size: size))
        partitions[Int(partition)].unsettled.append(attempts.count - 1)
        return attempts.count - 1
    }

    func records(of attempt: Int) -> [Payload] {
        let it = attempts[attempt]
        return (0..<it.count).map {
            SimulatedRecord(attempt: attempt, index: $0, count: it.count, partition: it.partition, size: it.size)
                .payload
        }
    }

    mutating func returned(_ attempt: Int, _ receipt: Receipt, isDurable: Bool) throws {
        let p = Int(attempts[attempt].partition)
        let last = Int(receipt.lsn.rawValue)
        let first = last - attempts[attempt].count + 1
        guard attempts[attempt].fate != .lost else {
            throw Violation(
                "attempt \(attempt) returned with LSN \(last), but the log that was opened since has no such record")
        }
        guard first > 0 else { throw Violation("an append of \(attempts[attempt].count) records got LSN \(last)") }
        if let known = attempts[attempt].first, known != first {
            throw Violation("a reader saw attempt \(attempt) at LSN \(known), its receipt says \(first)")
        }
        for index in 0..<attempts[attempt].count { try put(p, first + index, Slot(attempt: attempt, index: index)) }
        attempts[attempt].first = first
        attempts[attempt].fate = .returned
        partitions[p].acknowledged = max(partitions[p].acknowledged, last)
        if isDurable { partitions[p].durable = max(partitions[p].durable, last) }
        guard receipt.position.lsn.rawValue == UInt64(last + 1) else {
            throw Violation("the position behind LSN \(last) says \(receipt.position)")
        }
        partitions[p].positions.append((receipt.position, last, life))
    }

    /// An append threw: nothing was changed, or that is uncertain.
    mutating func failed(_ attempt: Int, isRefused: Bool) throws {
        if isRefused, let lsn = attempts[attempt].first {
            throw Violation("attempt \(attempt) was refused with nothing changed, but was seen at LSN \(lsn)")
        }
        // A log that was opened meanwhile may have settled it.
        guard attempts[attempt].fate == .open else { return }
        attempts[attempt].fate = isRefused ? .refused : .uncertain
    }

    private mutating func put(_ p: Int, _ lsn: Int, _ slot: Slot) throws {
        while partitions[p].slots.count < lsn { partitions[p].slots.append(nil) }
        if let there = partitions[p].slots[lsn - 1], there != slot {
            throw Violation("partition \(p): LSN \(lsn) is of attempt \(there.attempt) and of \(slot.attempt)")
        }
        partitions[p].slots[lsn - 1] = slot
    }

    // MARK: Reading

    /// A record as somebody read it.
    @discardableResult
    mutating func see(_ p: Int, _ lsn: Int, _ payload: Payload) throws -> SimulatedRecord {
        func wrong(_ what: String) -> Violation { Violation("partition \(p), LSN \(lsn): \(what)") }
        guard let record = SimulatedRecord(payload), record.attempt < attempts.count else {
            throw wrong("bytes that nobody appended: \(payload.bytes.prefix(40))")
        }
        let attempt = attempts[record.attempt]
        guard Int(record.partition) == p, attempt.partition == record.partition, attempt.count == record.count,
            attempt.size == record.size, record.index < record.count
        else { throw wrong("a record of another place or size: \(record)") }
        if isLied { return record }
        switch attempt.fate {
        case .refused: throw wrong("attempt \(record.attempt) was refused with nothing changed, and is there")
        case .lost: throw wrong("attempt \(record.attempt) was cut, and is back")
        case .open, .uncertain, .returned: break
        }
        let first = lsn - record.index
        if let known = attempt.first, known != first {
            throw wrong("attempt \(record.attempt), index \(record.index), was at LSN \(known + record.index)")
        }
        attempts[record.attempt].first = first
        try put(p, lsn, Slot(attempt: record.attempt, index: record.index))
        return record
    }

    /// What a crash of that kind must have left at least.
    func promised(_ p: Int, _ crash: SimulatedDisk.Crash) -> Int {
        crash == .kill ? partitions[p].acknowledged : partitions[p].durable
    }

    mutating func crashed(_ crash: SimulatedDisk.Crash) {
        for p in partitions.indices where partitions[p].pending != .powerLoss { partitions[p].pending = crash }
    }

    /// Everything that a partition holds, read after a crash or just so. Does not change what is known of its end.
    ///
    /// - Parameter leastFirst: what was purged before anybody looked.
    mutating func check(
        _ p: Int, first: Int, records: [(lsn: Int, payload: Payload)], last: Int, leastFirst: Int? = nil
    ) throws {
        var next = first
        var open: SimulatedRecord?
        for (lsn, payload) in records {
            guard lsn == next else { throw Violation("partition \(p): LSN \(lsn) where \(next) should come") }
            let record = try see(p, lsn, payload)
            if let before = open {
                guard record.attempt == before.attempt, record.index == before.index + 1 else {
                    throw Violation("partition \(p): a batch is torn at LSN \(lsn): \(before), then \(record)")
                }
            } else if record.index != 0, !isLied {
                throw Violation("partition \(p): a batch begins amid at LSN \(lsn): \(record)")
            }
            open = record.index == record.count - 1 ? nil : record
            next += 1
        }
        if let open { throw Violation("partition \(p) ends within a batch: \(open)") }
        guard next == last + 1 else {
            throw Violation("partition \(p): records end with LSN \(next - 1), its last is said to be \(last)")
        }
        if isLied { return }
        let least = leastFirst ?? partitions[p].first
        guard first >= least || last < first else {
            throw Violation("partition \(p): purged up to \(least), but begins with \(first)")
        }
        guard first <= partitions[p].mayBeFirst || last < first else {
            throw Violation(
                "partition \(p) begins with LSN \(first), purged was at most up to \(partitions[p].mayBeFirst)")
        }
        if let crash = partitions[p].pending {
            let least = promised(p, crash)
            guard last >= least else {
                throw Violation("partition \(p): LSN \(least) survives a \(crash), but the log ends with \(last)")
            }
        }
    }

    /// A writer has opened the log and holds this: it counts as durable, and what is not there is gone for good.
    mutating func settle(_ p: Int, first: Int, last: Int) {
        for attempt in partitions[p].unsettled {
            if let begin = attempts[attempt].first, begin <= last {
                attempts[attempt].fate = .returned
            } else if attempts[attempt].fate != .refused {
                attempts[attempt].fate = .lost
            }
        }
        partitions[p].unsettled = []
        if partitions[p].slots.count > last { partitions[p].slots.removeLast(partitions[p].slots.count - last) }
        partitions[p].acknowledged = last
        partitions[p].durable = last
        partitions[p].first = first
        partitions[p].mayBeFirst = first
        partitions[p].ends.append((life, last))
        partitions[p].pending = nil
    }

    // MARK: Positions

    enum PositionFate: Equatable {
        /// The record before it did not survive; the last LSN that both have in common.
        case lost(common: Int)
        case purged
        /// A purge that failed, or is under way, may have taken it.
        case purgedOrReads(Int)
        /// Reading goes on with this LSN.
        case reads(Int)
    }

    func fate(_ note: (position: Position, lsn: Int, life: Int), _ p: Int) -> PositionFate {
        let cut = partitions[p].ends.filter { $0.life > note.life && $0.last < note.lsn }.map(\.last).min()
        if let cut { return .lost(common: cut) }
        if note.lsn + 1 < partitions[p].first { return .purged }
        return note.lsn + 1 < partitions[p].mayBeFirst ? .purgedOrReads(note.lsn + 1) : .reads(note.lsn + 1)
    }

    /// The log was wiped on purpose.
    mutating func truncated() {
        for p in partitions.indices {
            for attempt in partitions[p].unsettled where attempts[attempt].fate != .refused {
                attempts[attempt].fate = .lost
            }
            for slot in partitions[p].slots { if let slot { attempts[slot.attempt].fate = .lost } }
            partitions[p] = Partition(ends: [(life, 0)], positions: partitions[p].positions)
        }
    }
}
