import ArgumentParser
import Foundation
import WriteAheadLog

/// Reopens a log and compares it with what its writers said.
struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Reopens a log and compares it with what its writers said.")

    @Argument var directory: String
    @Option(help: "The writers' acknowledgements.") var acks: String
    @Option(help: "So many bytes of them were said before the loss; what follows, while it happened.") var binding: Int?
    @Option(help: "What follows was said afterwards.") var end: Int?
    @Flag(help: "After a loss of power: only what was synced must be there.") var powerLoss = false
    @Flag(help: "What repaired the file system may have changed what was synced: a log that is refused is no problem.")
    var mayBeRefused = false
    @Flag(help: "Opens for reading only and leaves recovery to the next writer.") var readOnly = false
    @Option(help: "Writes what is known now, to go on from instead of the acknowledgements.") var facts: String?

    func run() async throws {
        let ledger = try Ledger(acks, loss: powerLoss ? .power : .process, binding: binding, end: end)
        var check = LogCheck(ledger)
        var summary = ""
        do {
            if mayBeRefused, try await isRefused(&check) {
                var refused = CheckSummary()
                refused.refused = 1
                summary = refused.text
            } else {
                summary = try await compare(&check)
            }
        } catch {
            check.object("\(error)")
        }
        guard check.problems.isEmpty else {
            for problem in check.problems.prefix(12) { complain(problem) }
            complain("\(check.problems.count) problems in \(directory)")
            throw ExitCode(1)
        }
        if let facts { try Data(check.facts.utf8).write(to: URL(fileURLWithPath: facts)) }
        print(summary)
    }

    /// What a log may say that can't be opened, or whose records can't all be read.
    private static let refusals: Set<WalError.Code> = [.corrupt, .missing, .foreign, .notALog, .unsupportedFormat]

    private static func isRefusal(_ error: WalError) -> Bool {
        // EUCLEAN: the file system itself says that it is damaged, also after it was repaired.
        refusals.contains(error.code) || error.errno == 117
    }

    /// Whether verification says that something is wrong. Opening it must not fail otherwise then.
    private func isRefused(_ check: inout LogCheck) async throws -> Bool {
        do throws(WalError) {
            guard try await WalVerification.verify(at: directory).isDamaged else { return false }
        } catch {
            guard Self.isRefusal(error) else { throw error }
        }
        do throws(WalError) {
            try await Wal<Sample>.open(at: directory, configuration: .init()).close()
        } catch {
            if !Self.isRefusal(error) { check.object("a damaged log is refused with \(error)") }
        }
        return true
    }

    private func compare(_ check: inout LogCheck) async throws -> String {
        // Killed before it made the directory: there is nothing to look at, nor may anything be missing.
        guard FileManager.default.fileExists(atPath: directory) || !check.ledger.partitions.isEmpty else {
            return CheckSummary().text
        }
        var summary = CheckSummary()
        let verification = try await WalVerification.verify(at: directory)
        for damage in verification.damage { check.object("before opening, verify says: \(damage)") }
        for partition in verification.partitions {
            if let tail = partition.tornTail {
                summary.torn += 1
                summary.cutBytes += tail.bytes
            }
            if !partition.isClean { summary.unclean += 1 }
        }

        let configuration = Wal<Sample>.Configuration()
        let found: [UInt16: LogCheck.Digest]
        if readOnly {
            let wal = try await Wal<Sample>.openReadOnly(at: directory, configuration: configuration)
            found = check.read(wal)
            try await wal.close()
        } else {
            let wal = try await Wal<Sample>.open(at: directory, configuration: configuration)
            found = check.read(wal)
            for id in wal.partitionIDs {
                let mark = try wal.partition(id).mark
                // What recovery serves, it has made durable.
                if mark.durable != mark.appended { check.object("partition \(id): \(mark) after opening") }
                if let failure = mark.failure { check.object("partition \(id): \(failure)") }
            }
            if powerLoss { try await goOn(wal, in: found.keys.map { PartitionID(rawValue: $0) }) }
            try await wal.close()
        }
        for partition in verification.partitions {
            let last = found[partition.id.rawValue]?.last
            if let lastLSN = partition.lastLSN, lastLSN.rawValue != last {
                check.object("partition \(partition.id): verify found \(lastLSN) to be the last, opening \(last ?? 0)")
            }
        }
        summary.records = check.records
        summary.acknowledged = check.acknowledged
        summary.unacknowledged = check.unacknowledged
        guard !readOnly else { return summary.text }

        // Once more, with every byte checked: nothing may be otherwise.
        var again = Wal<Sample>.Configuration()
        again.check = .full
        let wal = try await Wal<Sample>.openReadOnly(at: directory, configuration: again)
        for (id, before) in found {
            let partition = try wal.partition(PartitionID(rawValue: id))
            let after = try digest(partition, upTo: before.last)
            if after != before {
                check.object(
                    "partition \(id): held \(before) when it was opened, and \(after) when it was opened again")
            }
            if powerLoss, partition.lastLSN.rawValue != before.last + 1 {
                check.object("partition \(id): the record appended after recovery is not there")
            }
        }
        try await wal.close()
        return summary.text
    }

    /// A recovered log takes records.
    private func goOn(_ wal: Wal<Sample>, in partitions: [PartitionID]) async throws {
        for id in partitions {
            let partition = try wal.partition(id)
            let next = partition.lastLSN.rawValue + 1
            let receipt = try await partition.append(
                Sample(partition: id.rawValue, author: .init(run: .max, task: 0), operation: 1, lsn: next),
                durability: .synced)
            if receipt.lsn.rawValue != next {
                throw ValidationError("partition \(id): got \(receipt.lsn) where \(next) comes")
            }
        }
    }

    private func digest(_ partition: Wal<Sample>.Partition, upTo last: UInt64) throws -> LogCheck.Digest {
        var digest = LogCheck.Digest(
            first: partition.firstRetainedLSN.rawValue, last: partition.firstRetainedLSN.rawValue - 1)
        var hasher = Hasher()
        var cursor = try partition.entries().makeCursor()
        while let entry = try cursor.next(), entry.lsn.rawValue <= last {
            digest.last = entry.lsn.rawValue
            hasher.combine(entry.record)
        }
        digest.sum = hasher.finalize()
        return digest
    }
}

/// What a check found, as one line.
struct CheckSummary {
    var records = 0
    var acknowledged = 0
    var unacknowledged = 0
    /// Partitions that were not closed in order, that had a torn end, and how much was cut from them.
    var unclean = 0
    var torn = 0
    var cutBytes: UInt64 = 0
    /// Logs that were refused, where that may be.
    var refused = 0

    var text: String {
        "records=\(records) acknowledged=\(acknowledged) unacknowledged=\(unacknowledged) unclean=\(unclean) torn=\(torn) cut=\(cutBytes) refused=\(refused)"
    }

    init() {}

    /// Nil where `text` is none.
    init?(_ text: String) {
        let numbers = text.split(separator: " ").compactMap { part in
            part.split(separator: "=").last.flatMap { UInt64($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
        }
        guard numbers.count == 7 else { return nil }
        records = Int(numbers[0])
        acknowledged = Int(numbers[1])
        unacknowledged = Int(numbers[2])
        unclean = Int(numbers[3])
        torn = Int(numbers[4])
        cutBytes = numbers[5]
        refused = Int(numbers[6])
    }

    static func += (sum: inout CheckSummary, other: CheckSummary) {
        sum.records += other.records
        sum.acknowledged += other.acknowledged
        sum.unacknowledged += other.unacknowledged
        sum.unclean += other.unclean
        sum.torn += other.torn
        sum.cutBytes += other.cutBytes
        sum.refused += other.refused
    }
}
