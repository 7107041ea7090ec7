import ArgumentParser
import Foundation
import Synchronization
import WalTesting
import WriteAheadLog

/// How segments are written, as an argument.
enum Mode: String, ExpressibleByArgument {
    case automatic, mapped, written
    /// Mapped, and filled before.
    case filled

    var writes: WriteMode {
        switch self {
        case .automatic: .automatic
        case .mapped, .filled: .mapped
        case .written: .written
        }
    }
}

/// A process that appends until it is killed or told to stop.
struct WriteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "write", abstract: "Appends, syncs and purges until it is killed; SIGTERM has it close the log.",
        discussion: "Acknowledgements go to standard output, which is to be a file opened for appending.")

    @Argument var directory: String
    @Option(help: "Which process this is, of those that write the log.") var run: UInt32 = 1
    @Option var seed: UInt64 = 1
    @Option var segmentSize = 64 << 10
    @Option var mode = Mode.automatic
    @Option(help: "About how many records a partition keeps.") var keep: UInt64 = 2_000
    @Option(help: "Ends after so many segments were sealed in partition 0, which then is the only one.") var seals: Int?
    @Option(help: "Each task ends after so many operations.") var operations = UInt32.max
    @Flag(help: "Tails its own partitions.") var tails = false
    @Flag(help: "Calls synced what was not: a check must notice.") var lie = false
    @Option(help: "Leaves out a safety measure of the log, by name.") var without: String?

    func run() async throws {
        Acknowledgement.run(run).say()
        signal(SIGTERM) { _ in isStopping.store(true, ordering: .relaxed) }
        var configuration = Wal<Sample>.Configuration(segmentSize: segmentSize, mode: mode)
        if let without {
            guard let found = SafetyMeasures.all.first(where: { $0.name == without }) else {
                throw ValidationError("no safety measure is called \(without)")
            }
            configuration.disabledMeasures = found.measure
        }
        configuration.observer = WalObserver { event in
            if case .rotated(0, _, _) = event { rotations.add(1, ordering: .relaxed) }
            if case .poisoned(_, let error) = event { complain("poisoned: \(error)") }
        }
        let wal = try await Wal<Sample>.open(at: directory, configuration: configuration)
        for id in wal.partitionIDs {
            let partition = try wal.partition(id)
            Acknowledgement.opened(
                partition: id.rawValue, first: partition.firstRetainedLSN.rawValue, last: partition.lastLSN.rawValue
            ).say()
        }
        let begun = Array(Habit.all.prefix(seals == nil ? Habit.all.count : 1))
        if tails {
            for (id, _) in begun.enumerated() {
                let partition = try wal.partition(PartitionID(rawValue: UInt16(id)))
                for visibility in [Visibility.appended, .durable] {
                    Task.detached { await follow(partition, visibility) }
                }
            }
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (id, habit) in begun.enumerated() {
                for task in 0..<habit.tasks {
                    let partition = try wal.partition(PartitionID(rawValue: UInt16(id)))
                    let writer = Writer(
                        partition: partition, habit: habit, command: self,
                        author: .init(run: run, task: UInt16(id * 16 + task)), isAlone: habit.tasks == 1,
                        mayPurge: task == 0)
                    group.addTask { try await writer.work() }
                }
            }
            if seals == nil { group.addTask { try await openPartitions(wal) } }
            try await group.waitForAll()
        }
        try await wal.close()
    }

    /// Partitions come to be, with a record or a few in each.
    private func openPartitions(_ wal: Wal<Sample>) async throws {
        var generator = SeededGenerator(seed: seed &+ UInt64(run))
        var next: UInt16 = 0
        while !isStopping.load(ordering: .relaxed), next < 48 {
            let partition = try wal.partition(
                PartitionID(rawValue: 100 + (UInt16(truncatingIfNeeded: run) &* 7 &+ next) % 48))
            next += 1
            var author = Writer(
                partition: partition, habit: Habit(tasks: 1, plain: 1, synced: 2, batches: 1), command: self,
                author: .init(run: run, task: UInt16.max - 1), isAlone: true, mayPurge: false)
            author.limit = UInt32(1 + generator.next() % 3)
            try await author.work()
            // A pace for the work, so that kills meet all its phases; nothing waits for it.
            try await Task.sleep(for: .milliseconds(generator.next() % 40))
        }
    }

    /// A tail within the writing process, which reads through mappings.
    private func follow(_ partition: Wal<Sample>.Partition, _ visibility: Visibility) async {
        while !isStopping.load(ordering: .relaxed) {
            var tail = TailCheck(partition.id.rawValue)
            do throws(WalError) {
                var iterator = try partition.tail(from: .first, upTo: visibility).makeAsyncIterator()
                while let entry = try await iterator.next(isolation: nil) {
                    if let problem = tail.note(entry) { fail("tail: \(problem)") }
                }
                return
            } catch {
                if error.code == .closed { return }
                if error.code != .purged { fail("tail of partition \(partition.id): \(error)") }
            }
        }
    }
}

private let isStopping = Atomic(false)
private let rotations = Atomic(0)

/// What a partition's tasks like to do.
private struct Habit: Sendable {
    var tasks: Int
    /// Weights.
    var plain: UInt64
    var synced: UInt64
    /// One in so many operations is a batch.
    var batches: UInt64
    var syncs: UInt64 = 0

    static let all = [
        // Much that is not synced, over several segments.
        Habit(tasks: 1, plain: 400, synced: 1, batches: 8, syncs: 1),
        // Callers that share a sync.
        Habit(tasks: 3, plain: 1, synced: 6, batches: 5),
        Habit(tasks: 2, plain: 20, synced: 2, batches: 3, syncs: 1),
        Habit(tasks: 1, plain: 6, synced: 1, batches: 2, syncs: 1),
    ]
}

/// One task of a writing process.
private struct Writer: Sendable {
    let partition: Wal<Sample>.Partition
    let habit: Habit
    let command: WriteCommand
    let author: Sample.Author
    /// No other task appends to the partition, so that LSNs are foreseeable.
    let isAlone: Bool
    let mayPurge: Bool
    var limit: UInt32 = .max

    init(
        partition: Wal<Sample>.Partition, habit: Habit, command: WriteCommand, author: Sample.Author, isAlone: Bool,
        mayPurge: Bool
    ) {
        self.partition = partition
        self.habit = habit
        self.command = command
        self.author = author
        self.isAlone = isAlone
        self.mayPurge = mayPurge
        limit = command.operations
    }

    func work() async throws {
        let id = partition.id.rawValue
        var generator = SeededGenerator(
            seed: command.seed &+ UInt64(author.run) << 20 &+ UInt64(author.task) &+ UInt64(id) << 40)
        var next = isAlone ? partition.lastLSN.rawValue + 1 : 0
        var untilPurge = generator.next() % 800
        var purgedAt = rotations.load(ordering: .relaxed)
        var purges = 0
        var number: UInt32 = 0
        while number < limit, !isStopping.load(ordering: .relaxed) {
            number += 1
            let count = generator.next() % habit.batches == 0 ? UInt16(2 + generator.next() % 30) : 1
            let samples = (0..<count).map { index in
                Sample(
                    partition: id, author: author, operation: number, index: index, count: count,
                    lsn: isAlone ? next + UInt64(index) : 0)
            }
            let isSynced = generator.next() % (habit.plain + habit.synced) < habit.synced
            let durability: Durability = isSynced && !command.lie ? .synced : .handedToOS
            let receipt: Receipt
            if count > 1 {
                receipt =
                    isSynced
                    ? try await partition.append(contentsOf: samples, durability: durability)
                    : try partition.append(contentsOf: samples)
            } else {
                receipt =
                    isSynced
                    ? try await partition.append(samples[0], durability: durability) : try partition.append(samples[0])
            }
            let first = receipt.lsn.rawValue + 1 - UInt64(count)
            let operation = Ledger.Operation(author: author, number: number, count: count)
            let said: Acknowledgement =
                isSynced
                ? .synced(partition: id, first: first, operation) : .appended(partition: id, first: first, operation)
            said.say()
            if isAlone, first != next { fail("partition \(id): got LSN \(first) where \(next) comes") }
            next = receipt.lsn.rawValue + 1

            if generator.next() % 300 < habit.syncs {
                let last = partition.lastLSN
                if !command.lie { try await partition.sync() }
                Acknowledgement.syncedUpTo(partition: id, last: last.rawValue).say()
            }
            if mayPurge {
                if let seals = command.seals {
                    let seen = rotations.load(ordering: .relaxed)
                    if seen > purgedAt, try purge() { purges += 1 }
                    purgedAt = seen
                    if seen >= seals, purges >= seals {
                        try finish(next)
                        return
                    }
                } else if untilPurge == 0 {
                    try purge()
                    untilPurge = generator.next() % 800
                } else {
                    untilPurge -= 1
                }
            }
            // Not to make more than the checks can read.
            if generator.next() % 40 == 0 { try await Task.sleep(for: .microseconds(generator.next() % 3_000)) }
        }
    }

    /// - Returns: whether something was removed.
    @discardableResult
    private func purge() throws -> Bool {
        let last = partition.lastLSN.rawValue
        guard last > command.keep else { return false }
        let before = last - command.keep
        Acknowledgement.purging(partition: partition.id.rawValue, before: before).say()
        let removed = try partition.purge(before: LSN(before))
        Acknowledgement.purged(partition: partition.id.rawValue, first: partition.firstRetainedLSN.rawValue).say()
        return removed > 0
    }

    /// The record at which tails stop.
    private func finish(_ lsn: UInt64) throws {
        try partition.append(
            Sample(
                partition: partition.id.rawValue, author: .init(run: author.run, task: .max), operation: 1, lsn: lsn))
        isStopping.store(true, ordering: .relaxed)
    }
}
