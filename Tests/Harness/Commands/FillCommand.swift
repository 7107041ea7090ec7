import ArgumentParser
import Foundation
import WriteAheadLog

/// A process that fills the disk, makes room, and fills it again.
struct FillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill",
        abstract: "Appends until the disk is full, makes room and goes on; acknowledges as `write` does.")

    @Argument var directory: String
    @Option var mode = Mode.automatic
    @Option(help: "Files that take up room, removed one after the other.") var ballast: [String] = []
    @Flag(help: "Ends by SIGKILL instead of closing.") var kill = false
    @Option(help: "Which records, for their sizes follow from it.") var run: UInt32 = 1

    private static let partitions: UInt16 = 4

    func run() async throws {
        Acknowledgement.run(run).say()
        var wal = try await Wal<Sample>.open(at: directory, configuration: .init(mode: mode))
        var fillers = try (0..<Self.partitions).map { id in
            Filler(try wal.partition(PartitionID(rawValue: id)), run, isSynced: id % 2 == 1, mode)
        }
        try await fill(&fillers, "on the empty disk", expected: fillers.count)
        // Full: to ask again changes nothing.
        try await fill(&fillers, "on the full disk", expected: 0)

        // Purging makes room, on a full disk and in a poisoned partition.
        var purged = 0
        for filler in fillers { purged += try filler.purge() }
        if purged == 0 { fail("a purge on the full disk removed nothing") }
        if fillers.contains(where: { !$0.isPoisoned }) { try await fill(&fillers, "after a purge", expected: 1) }

        for file in ballast.dropLast() {
            guard unlink(file) == 0 else { fail("cannot remove \(file)") }
            if fillers.contains(where: \.isPoisoned) {
                do throws(WalError) {
                    try await wal.close()
                    fail("a log with a poisoned partition closed as if nothing were wrong")
                } catch {
                    // It says what is wrong; the others are closed all the same.
                }
                wal = try await Wal<Sample>.open(at: directory, configuration: .init(mode: mode))
                for place in fillers.indices { try fillers[place].go(on: wal) }
            }
            try await fill(&fillers, "after a file was removed", expected: fillers.count)
        }
        let refused = fillers.reduce(0) { $0 + $1.refused }
        let poisoned = fillers.reduce(0) { $0 + $1.timesPoisoned }
        FileHandle.standardError.write(Data("\(refused) refused, \(poisoned) poisoned, \(purged) segments purged".utf8))
        if refused + poisoned == 0 { fail("the disk never was full") }
        if kill { raise(SIGKILL) }
        try await endBesideOthers(wal, &fillers)
    }

    /// Somebody else fills the disk while the log has all that it needs: marks, purges, reads and closing need no room then.
    private func endBesideOthers(_ before: Wal<Sample>, _ fillers: inout [Filler]) async throws {
        do throws(WalError) {
            try await before.close()
        } catch {
            // A poisoned partition has nothing more to promise, and says so.
            if !fillers.contains(where: \.isPoisoned) { fail("closing on the full disk: \(error)") }
        }
        if let last = ballast.last, unlink(last) != 0 { fail("cannot remove \(last)") }
        var configuration = Wal<Sample>.Configuration(mode: mode)
        // Soon, so that it comes while the disk is full.
        configuration.idleMarkNanoseconds = 20_000_000
        let wal = try await Wal<Sample>.open(at: directory, configuration: configuration)
        for place in fillers.indices {
            try fillers[place].go(on: wal)
            for _ in 1...4 { try await fillers[place].step() }
            if fillers[place].isPoisoned || fillers[place].lastRefusal != "" {
                fail("with room: \(fillers[place].lastRefusal)")
            }
        }
        try await wal.sync()
        let file = open("\(directory)/../by-others", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        // To the last byte.
        for size in [65_536, 4_096, 512, 1] { while write(file, [UInt8](repeating: 1, count: size), size) > 0 {} }
        guard file >= 0, errno == ENOSPC else {
            fail("the disk could not be filled: \(String(cString: strerror(errno)))")
        }
        close(file)
        // A quiet time, for what the log does by itself then; nothing is concluded from its length.
        usleep(200_000)
        for filler in fillers {
            try filler.readBack()
            _ = try filler.purge()
            try filler.readBack()
        }
        try await wal.sync()
        for id in wal.partitionIDs {
            if let failure = try wal.partition(id).mark.failure {
                fail("after a quiet time on the full disk: \(failure)")
            }
        }
        // There is room again by what was purged.
        for size in [65_536, 4_096, 512, 1] {
            let more = open("\(directory)/../by-others", O_WRONLY | O_APPEND | O_CLOEXEC)
            while write(more, [UInt8](repeating: 1, count: size), size) > 0 {}
            close(more)
        }
        try await wal.close()
    }

    /// Has the partitions append in turn until none takes any more.
    private func fill(_ fillers: inout [Filler], _ occasion: String, expected: Int) async throws {
        for place in fillers.indices { fillers[place].begin() }
        while fillers.contains(where: { !$0.isDone }) {
            for place in fillers.indices where !fillers[place].isDone { try await fillers[place].step() }
        }
        let took = fillers.count { $0.accepted > 0 }
        if took < expected {
            let why = fillers.map { "\($0.accepted) accepted, \($0.lastRefusal)" }.joined(separator: "\n")
            fail("\(occasion): only \(took) of \(expected) partitions took a record:\n\(why)")
        }
        // What is there can be read while nothing can be written.
        for filler in fillers { try filler.readBack() }
    }
}

/// Appends to one partition until it is refused.
private struct Filler {
    private var partition: Wal<Sample>.Partition
    private let author: Sample.Author
    private let isSynced: Bool
    private let mode: Mode
    private(set) var isPoisoned = false
    private(set) var timesPoisoned = 0
    private(set) var refused = 0
    private(set) var lastRefusal = ""
    /// Since `begin`.
    private(set) var accepted = 0
    private var refusedInARow = 0
    private var operation: UInt32 = 1
    private var next: UInt64 = 1

    init(_ partition: Wal<Sample>.Partition, _ run: UInt32, isSynced: Bool, _ mode: Mode) {
        self.partition = partition
        author = Sample.Author(run: run, task: partition.id.rawValue)
        self.isSynced = isSynced
        self.mode = mode
    }

    var isDone: Bool { refusedInARow >= 3 || isPoisoned }

    mutating func begin() {
        accepted = 0
        refusedInARow = 0
    }

    /// A batch now and then, and in the place of a record that is larger than the room that a test makes.
    private var count: UInt16 {
        let alone = Sample(partition: partition.id.rawValue, author: author, operation: operation)
        return operation % 5 == 0 || alone.filler.count > 60_000 ? 3 : 1
    }

    mutating func step() async throws {
        let id = partition.id.rawValue
        let count = self.count
        let samples = (0..<count).map {
            Sample(partition: id, author: author, operation: operation, index: $0, count: count, lsn: next + UInt64($0))
        }
        let durability: Durability = isSynced ? .synced : .handedToOS
        do throws(WalError) {
            let receipt =
                count > 1
                ? try await partition.append(contentsOf: samples, durability: durability)
                : try await partition.append(samples[0], durability: durability)
            if receipt.lsn.rawValue != next + UInt64(count) - 1 { fail("partition \(id): got LSN \(receipt.lsn)") }
            let said = Ledger.Operation(author: author, number: operation, count: count)
            if isSynced {
                Acknowledgement.synced(partition: id, first: next, said).say()
            } else {
                Acknowledgement.appended(partition: id, first: next, said).say()
            }
            moveOn()
            accepted += 1
            refusedInARow = 0
        } catch {
            Acknowledgement.refused(partition: id, author: author, operation: operation).say()
            lastRefusal = "\(error)"
            switch error.code {
            case .noSpace:
                // The same is tried again: if anything of it was kept after all, the check finds it twice.
                refused += 1
                refusedInARow += 1
                if partition.lastLSN.rawValue != next - 1 {
                    fail("partition \(id): ends with \(partition.lastLSN) after a refusal, not with \(next - 1)")
                }
            case .io, .poisoned:
                // Space that was not allocated may end within a frame, or behind one that was accepted.
                guard mode == .written else { fail("partition \(id): \(error)") }
                isPoisoned = true
                timesPoisoned += 1
            default: fail("partition \(id): \(error)")
            }
        }
    }

    private mutating func moveOn() {
        next += UInt64(count)
        operation += 1
    }

    /// The log was opened again. What poisoned the partition may have been kept, for it was accepted.
    mutating func go(on wal: Wal<Sample>) throws {
        partition = try wal.partition(partition.id)
        isPoisoned = false
        lastRefusal = ""
        Acknowledgement.opened(
            partition: partition.id.rawValue, first: partition.firstRetainedLSN.rawValue,
            last: partition.lastLSN.rawValue
        ).say()
        if partition.lastLSN.rawValue >= next { moveOn() }
        if partition.lastLSN.rawValue != next - 1 {
            fail("partition \(partition.id) ends with \(partition.lastLSN), not \(next - 1)")
        }
    }

    func readBack() throws {
        var last = partition.firstRetainedLSN.rawValue - 1
        var cursor = try partition.entries().makeCursor()
        while let entry = try cursor.next() {
            guard entry.lsn.rawValue == last + 1, entry.record.isGenuine else {
                fail("LSN \(entry.lsn) is not what was written")
            }
            last += 1
        }
        if last < next - 1 { fail("partition \(partition.id) reads to LSN \(last), not to \(next - 1)") }
    }

    func purge() throws -> Int {
        let before = (partition.firstRetainedLSN.rawValue + next) / 2
        Acknowledgement.purging(partition: partition.id.rawValue, before: before).say()
        let removed = try partition.purge(before: LSN(before))
        Acknowledgement.purged(partition: partition.id.rawValue, first: partition.firstRetainedLSN.rawValue).say()
        return removed
    }
}
