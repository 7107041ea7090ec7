import WriteAheadLog

/// Compares a log with what its writers said.
struct LogCheck {
    let ledger: Ledger
    private(set) var problems: [String]
    /// All records that were read.
    private(set) var records = 0
    /// Operations that were acknowledged and are there.
    private(set) var acknowledged = 0
    /// Operations that are there though nobody was told so: they were on their way.
    private(set) var unacknowledged = 0
    /// The same log's state, to go on from: every operation that is there must be there for ever.
    private(set) var facts = ""

    init(_ ledger: Ledger) {
        self.ledger = ledger
        problems = ledger.problems
    }

    mutating func object(_ problem: String) { problems.append(problem) }

    /// Reads all of `wal`. - Returns: each partition's last LSN and a sum over all its records.
    mutating func read(_ wal: Wal<Sample>) -> [UInt16: Digest] {
        var found: [UInt16: Digest] = [:]
        records = 0
        acknowledged = 0
        unacknowledged = 0
        facts = ledger.runs.sorted().map { Acknowledgement.run($0).line }.joined()
        for id in Set(wal.partitionIDs.map(\.rawValue)).union(ledger.partitions.keys).sorted() {
            do {
                let partition = try wal.partition(PartitionID(rawValue: id))
                found[id] = try read(partition, ledger.partitions[id] ?? .init())
            } catch {
                object("partition \(id): \(error)")
            }
        }
        return found
    }

    struct Digest: Equatable {
        var first: UInt64
        var last: UInt64
        var sum = 0
    }

    private mutating func read(_ partition: Wal<Sample>.Partition, _ said: Ledger.Partition) throws -> Digest {
        let id = partition.id.rawValue
        let first = partition.firstRetainedLSN.rawValue
        if first < said.floorAtLeast {
            object("partition \(id): begins with \(first), but \(said.floorAtLeast) was left by a purge")
        }
        if first > said.floorAtMost {
            object("partition \(id): begins with \(first), but only what is before \(said.floorAtMost) was purged")
        }

        var last: [Sample.Author: UInt32] = [:]
        var onTheirWay: [Sample.Author: Int] = [:]
        var digest = Digest(first: first, last: first - 1)
        var hasher = Hasher()
        var matched = 0
        /// The batch that the reader is in.
        var batch: Sample?
        var cursor = try partition.entries().makeCursor()
        while let entry = try cursor.next() {
            let sample = entry.record
            let lsn = entry.lsn.rawValue
            let place = "partition \(id), LSN \(lsn)"
            records += 1
            if lsn != digest.last + 1 { object("\(place): comes behind \(digest.last)") }
            digest.last = lsn
            hasher.combine(sample)
            if !sample.isGenuine { object("\(place): has other bytes than were written") }
            if sample.partition != id { object("\(place): is a record of partition \(sample.partition)") }
            if sample.lsn != 0, sample.lsn != lsn { object("\(place): was appended as \(sample.lsn)") }
            if !ledger.runs.contains(sample.run) { object("\(place): nobody wrote it (run \(sample.run))") }
            if let before = batch {
                if sample.author != before.author || sample.operation != before.operation
                    || sample.count != before.count
                    || sample.index != before.index + 1
                {
                    object("\(place): the batch before it has only \(before.index + 1) of \(before.count) records")
                }
            } else if sample.index != 0 {
                object("\(place): the beginning of its batch is missing")
            }
            let isLast = sample.index + 1 == sample.count
            batch = isLast ? nil : sample
            guard sample.index == 0 else { continue }

            let operation = Ledger.Operation(author: sample.author, number: sample.operation, count: sample.count)
            if let told = said.operations[lsn] {
                matched += 1
                if told != operation { object("\(place): holds \(operation), but \(told) was acknowledged") }
            } else {
                // A task begins with the next only when it has said what became of the last.
                onTheirWay[sample.author, default: 0] += 1
                unacknowledged += 1
                if onTheirWay[sample.author] == 2 {
                    object("\(place): task \(sample.task) was not told of its last two")
                }
            }
            let expected = last[sample.author].map { $0 + 1 } ?? (first == 1 ? 1 : sample.operation)
            if sample.operation != expected {
                object(
                    "\(place): task \(sample.task) of run \(sample.run) has operation \(sample.operation) where \(expected) should be"
                )
            }
            last[sample.author] = sample.operation
            facts += Acknowledgement.synced(partition: id, first: lsn, operation).line
        }
        if let batch {
            object("partition \(id): ends within a batch, with \(batch.index + 1) of \(batch.count) records")
        }
        if digest.last < said.required {
            object("LOST: partition \(id) ends with LSN \(digest.last), but \(said.required) was acknowledged")
        }
        let visible = said.operations.keys.count { (first...max(first, digest.last)).contains($0) && $0 <= digest.last }
        if visible != matched {
            object("partition \(id): \(visible - matched) acknowledged operations are not where they should be")
        }
        acknowledged += matched
        if digest.last != partition.lastLSN.rawValue {
            object("partition \(id): says that \(partition.lastLSN) is its last, but the last record is \(digest.last)")
        }
        facts += Acknowledgement.purging(partition: id, before: first).line
        facts += Acknowledgement.purged(partition: id, first: first).line
        facts += Acknowledgement.opened(partition: id, first: first, last: digest.last).line
        digest.sum = hasher.finalize()
        return digest
    }
}
