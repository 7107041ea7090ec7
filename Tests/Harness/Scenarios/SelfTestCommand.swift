import ArgumentParser
import Foundation
import WriteAheadLog

/// Shows that the check objects: to logs that were tampered with, and to acknowledgements that promise too much.
struct SelfTestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "self-test", abstract: "Spoils logs in many ways, each of which the check must notice.")

    @OptionGroup var options: ScenarioOptions

    /// A log with its acknowledgements, to be spoiled.
    private struct Victim: Sendable {
        var log: String
        var acks: String
        /// Of partition 1.
        var last: UInt64

        /// Segments of partition 1, oldest first.
        var segments: [String] {
            get throws {
                let directory = "\(log)/partition-00001"
                return try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".wal") }
                    .sorted().map { "\(directory)/\($0)" }
            }
        }

        func say(_ said: Acknowledgement...) throws {
            let file = try FileHandle(forUpdating: URL(fileURLWithPath: acks))
            try file.seekToEnd()
            for one in said { try file.write(contentsOf: Array(one.line.utf8)) }
            try file.close()
        }

        /// Appends what no writer of the harness would.
        func append(_ sample: Sample) async throws {
            let wal = try await Wal<Sample>.open(at: log, configuration: .init())
            try await wal.partition(1).append(sample, durability: .handedToOS)
            try await wal.close()
        }

        func remove(_ path: String) throws { try FileManager.default.removeItem(atPath: path) }

        func change(_ path: String, _ body: (inout Data) -> Void) throws {
            var data = try Data(contentsOf: URL(fileURLWithPath: path))
            body(&data)
            try data.write(to: URL(fileURLWithPath: path))
        }
    }

    private struct Spoiling: Sendable {
        var what: String
        /// What the check must say, among other things.
        var objection: String
        var spoil: @Sendable (Victim) async throws -> Void
    }

    private static let stranger = Sample.Author(run: 1, task: 999)

    private static let spoilings = [
        Spoiling(what: "a flipped bit in the middle of a segment", objection: "corrupt") { victim in
            try victim.change(try victim.segments[0]) { $0[$0.count / 2] ^= 1 }
        },
        Spoiling(what: "a segment that is a byte shorter", objection: "corrupt") { victim in
            let newest = try victim.segments.last ?? ""
            try victim.change(newest) { $0.removeLast() }
        },
        Spoiling(what: "a segment without its last record", objection: "LSN") { victim in
            let newest = try victim.segments.last ?? ""
            try victim.change(newest) { $0.removeLast($0.count / 3) }
        },
        Spoiling(what: "no first segment", objection: "missing") { victim in try victim.remove(try victim.segments[0])
        },
        Spoiling(what: "no segment in the middle", objection: "missing") { victim in
            try victim.remove(try victim.segments[1])
        },
        Spoiling(what: "no newest segment", objection: "missing") { victim in
            try victim.remove(try victim.segments.last ?? "")
        },
        Spoiling(what: "no partition", objection: "LOST") { victim in try victim.remove("\(victim.log)/partition-00001")
        },
        Spoiling(what: "an acknowledged record that is not there", objection: "LOST") { victim in
            let operation = Ledger.Operation(author: stranger, number: 1, count: 1)
            try victim.say(.synced(partition: 1, first: victim.last + 1, operation))
        },
        Spoiling(what: "a sync of more than there is", objection: "LOST") { victim in
            try victim.say(.syncedUpTo(partition: 1, last: victim.last + 1))
        },
        Spoiling(what: "another record at an acknowledged LSN", objection: "was acknowledged") { victim in
            try await victim.append(Sample(partition: 1, author: stranger, operation: 1))
            try victim.say(
                .appended(partition: 1, first: victim.last + 1, .init(author: stranger, number: 2, count: 1)))
        },
        Spoiling(what: "one LSN for two", objection: "given out twice") { victim in
            try victim.say(
                .appended(partition: 1, first: 3, .init(author: stranger, number: 1, count: 1)),
                .appended(partition: 1, first: 3, .init(author: stranger, number: 2, count: 1)))
        },
        Spoiling(what: "purged records that are back", objection: "left by a purge") { victim in
            try victim.say(.purging(partition: 1, before: victim.last), .purged(partition: 1, first: victim.last - 1))
        },
        Spoiling(what: "records that were purged by nobody", objection: "was purged") { victim in
            let wal = try await Wal<Sample>.open(at: victim.log, configuration: .init())
            try wal.partition(1).purge(before: .max)
            try await wal.close()
        },
        Spoiling(what: "a record of a process that never was", objection: "nobody wrote it") { victim in
            try await victim.append(Sample(partition: 1, author: .init(run: 77, task: 16), operation: 1))
        },
        Spoiling(what: "an operation that comes twice", objection: "should be") { victim in
            for _ in 1...2 { try await victim.append(Sample(partition: 1, author: stranger, operation: 1)) }
        },
        Spoiling(what: "an operation that was left out", objection: "should be") { victim in
            for number: UInt32 in [1, 3] {
                try await victim.append(Sample(partition: 1, author: stranger, operation: number))
            }
        },
        Spoiling(what: "two records that nobody was told of, of one task", objection: "was not told") { victim in
            for number: UInt32 in 1...2 {
                try await victim.append(Sample(partition: 1, author: stranger, operation: number))
            }
        },
        Spoiling(what: "the first record of a batch alone", objection: "within a batch") { victim in
            try await victim.append(Sample(partition: 1, author: stranger, operation: 1, index: 0, count: 3))
        },
        Spoiling(what: "a batch without its first record", objection: "beginning of its batch") { victim in
            try await victim.append(Sample(partition: 1, author: stranger, operation: 1, index: 1, count: 2))
        },
        Spoiling(what: "other bytes under a right checksum", objection: "other bytes") { victim in
            var sample = Sample(partition: 1, author: stranger, operation: 1)
            sample.filler.append(0)
            try await victim.append(sample)
        },
        Spoiling(what: "a record of another partition", objection: "is a record of partition 3") { victim in
            try await victim.append(Sample(partition: 3, author: stranger, operation: 1))
        },
        Spoiling(what: "a record at another LSN than its own", objection: "was appended as") { victim in
            try await victim.append(Sample(partition: 1, author: stranger, operation: 1, lsn: 5))
        },
    ]

    func run() async throws {
        var options = options
        options.also = "echo 0 1 00; true"
        let scenario = try Scenario("self-test", options)
        let log = scenario.path("log")
        let acks = scenario.path("acks")
        let end = try scenario.writer(log, acks, run: 1, ["--operations", "150"]).wait()
        guard end == .exited(0) else { throw Trouble("the writer \(end)\(scenario.errors())") }
        let summary = try scenario.check(log, ["--acks", acks])
        let said = try Ledger(acks, loss: .process)
        let last = (said.partitions[1]?.operations ?? [:]).map { $0.key + UInt64($0.value.count) - 1 }.max() ?? 0
        guard summary.acknowledged > 100, summary.unacknowledged == 0, last > 10 else {
            throw Trouble("the log to be spoiled is too small: \(summary.text)")
        }

        for (number, spoiling) in Self.spoilings.enumerated() {
            let victim = Victim(log: scenario.path("log-\(number)"), acks: scenario.path("acks-\(number)"), last: last)
            try Child.run("cp", "-R", log, victim.log)
            try Child.run("cp", acks, victim.acks)
            // In a copy, what is missing is an event; one that was opened for writing is an original.
            try await Wal<Sample>.open(at: victim.log, configuration: .init()).close()
            try await spoiling.spoil(victim)
            do {
                _ = try scenario.check(victim.log, ["--acks", victim.acks])
            } catch let objection as Objection {
                guard objection.description.contains(spoiling.objection) else {
                    throw Trouble("\(spoiling.what): the check objected to something else: \(objection)")
                }
                try FileManager.default.removeItem(atPath: victim.log)
                continue
            }
            throw Trouble("NOT NOTICED: \(spoiling.what)")
        }
        // A reader that prints something else.
        var isNoticed = false
        do { try scenario.compare(log) } catch { isNoticed = true }
        guard isNoticed else { throw Trouble("NOT NOTICED: another reader that prints other records") }
        report("self-test \(Self.spoilings.count + 1)/\(Self.spoilings.count + 1): each way to spoil a log was noticed")
    }
}
