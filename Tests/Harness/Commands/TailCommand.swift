import ArgumentParser
import Foundation
import WriteAheadLog

/// What must hold of the records that a tail shows: each is genuine, and comes behind the one before.
struct TailCheck {
    private let partition: UInt16
    private var last: UInt64?
    private(set) var records = 0
    private(set) var isAtEnd = false

    init(_ partition: UInt16) { self.partition = partition }

    /// - Returns: what is wrong.
    mutating func note(_ entry: Entry<Sample>) -> String? {
        let lsn = entry.lsn.rawValue
        defer { last = lsn }
        records += 1
        isAtEnd = entry.record.task == .max
        if let last, lsn != last + 1 { return "LSN \(lsn) comes behind \(last)" }
        if !entry.record.isGenuine || entry.record.partition != partition {
            return "LSN \(lsn) has other bytes than were written"
        }
        if entry.record.lsn != 0, entry.record.lsn != lsn { return "LSN \(lsn) was appended as \(entry.record.lsn)" }
        return nil
    }
}

/// A process that reads a log beside its writer.
struct TailCommand: AsyncParsableCommand {
    enum Manner: String, ExpressibleByArgument {
        /// One tail that goes on for as long as it can.
        case durable, appended
        /// The same, dawdling, so that purges overtake it.
        case slow
        /// Opens the log anew, reads what is there and closes it, over and over.
        case reopening
    }

    static let configuration = CommandConfiguration(
        commandName: "tail", abstract: "Reads partition 0 beside a live writer until its last record.")

    @Argument var directory: String
    @Option var manner = Manner.durable

    private struct Tally {
        var records = 0
        var openings = 0
        var purged = 0
        var segments: Set<UInt64> = []
        var greatest: UInt64 = 0
    }

    func run() async throws {
        var tally = Tally()
        var isDone = false
        while !isDone {
            do throws(WalError) {
                let wal = try await Wal<Sample>.openReadOnly(at: directory, configuration: .init())
                tally.openings += 1
                isDone = try await read(try wal.partition(0), &tally)
                try await wal.close()
            } catch {
                // The writer may not have begun, or just made the directory; who started both gives up at some time.
                guard error.code == .notFound || error.code == .notALog, tally.records == 0 else {
                    fail("\(manner.rawValue): \(error)")
                }
                usleep(1_000)
            }
        }
        print(
            "\(manner.rawValue): \(tally.records) records to LSN \(tally.greatest), \(tally.segments.count) segments, \(tally.openings) openings, \(tally.purged) times overtaken by a purge"
        )
    }

    /// - Returns: whether the writer's last record was read.
    private func read(_ partition: Wal<Sample>.Partition, _ tally: inout Tally) async throws(WalError) -> Bool {
        while true {
            var check = TailCheck(0)
            do throws(WalError) {
                return try await read(partition, &check, &tally)
            } catch {
                guard error.code == .purged else { throw error }
                // What was to be read is gone: begin again with the first that is kept.
                tally.purged += 1
            }
        }
    }

    private func read(
        _ partition: Wal<Sample>.Partition, _ check: inout TailCheck, _ tally: inout Tally
    ) async throws(WalError) -> Bool {
        if manner == .reopening {
            var cursor = try partition.entries().makeCursor()
            while let entry = try cursor.next() { note(entry, &check, &tally) }
            return check.isAtEnd
        }
        let visibility: Visibility = manner == .durable ? .durable : .appended
        var iterator = try partition.tail(from: .first, upTo: visibility).makeAsyncIterator()
        while let entry = try await iterator.next(isolation: nil) {
            note(entry, &check, &tally)
            if check.isAtEnd { return true }
            // So slow that purges overtake it.
            if manner == .slow, check.records % 200 == 0 { usleep(30_000) }
        }
        fail("\(manner.rawValue): the tail ended before the last record")
    }

    private func note(_ entry: Entry<Sample>, _ check: inout TailCheck, _ tally: inout Tally) {
        if let problem = check.note(entry) { fail("\(manner.rawValue): \(problem)") }
        tally.records += 1
        tally.greatest = max(tally.greatest, entry.lsn.rawValue)
        tally.segments.insert(entry.position.segment.rawValue)
    }
}
