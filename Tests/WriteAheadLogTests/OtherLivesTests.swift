import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Whole files that belong to another partition, another log or another time: promise 4.
///
/// Each row puts something in the place of something else and opens the log in every way. The table states what must come of it;
/// besides, in every row: all ways agree, an opening that is refused changes nothing, what is read are the log's own records, and
/// nothing whole is deleted.
@Suite("Files of another life", .timeLimit(.minutes(15)))
struct OtherLivesTests {
    enum Thing: String, CaseIterable, Sendable {
        case state = "STATE"
        case log = "LOG"
        case first = "first segment"
        case middle = "middle segment"
        case last = "last segment"
        case partition = "partition"
        case all = "whole log"
    }

    enum Life: String, CaseIterable, Sendable {
        case otherPartition = "another partition's"
        case otherLog = "another log's"
        case older = "of an older backup"
        case newer = "of a newer one"
        case linked = "hard-linked"
        case missing
        case empty
        case renamed
    }

    struct Row: CustomTestStringConvertible, Sendable {
        var thing: Thing
        var life: Life
        var expected: String
        /// What verification says beyond what opening refuses.
        var verify = ""
        var testDescription: String { "\(thing.rawValue) \(life.rawValue)" }
    }

    /// "1…15" are the records that can be read, whoever opens it.
    static let rows: [Row] = [
        Row(thing: .state, life: .otherPartition, expected: "foreign"),
        Row(thing: .state, life: .otherLog, expected: "foreign"),
        Row(thing: .state, life: .older, expected: "1…15"),
        Row(thing: .state, life: .newer, expected: "6…15"),
        Row(thing: .state, life: .linked, expected: "1…15"),
        // Nothing is lost with it, and a verifier says so.
        Row(thing: .state, life: .missing, expected: "1…15", verify: "missing"),
        Row(thing: .state, life: .empty, expected: "1…15", verify: "missing"),
        Row(thing: .log, life: .otherLog, expected: "foreign"),
        Row(thing: .log, life: .older, expected: "1…15"),
        Row(thing: .log, life: .linked, expected: "1…15"),
        Row(thing: .log, life: .missing, expected: "1…15"),
        Row(thing: .log, life: .empty, expected: "1…15"),
        Row(thing: .first, life: .otherPartition, expected: "foreign"),
        Row(thing: .first, life: .otherLog, expected: "foreign"),
        Row(thing: .first, life: .older, expected: "1…15"),
        Row(thing: .first, life: .linked, expected: "1…15"),
        Row(thing: .first, life: .missing, expected: "missing"),
        Row(thing: .first, life: .empty, expected: "corrupt"),
        Row(thing: .first, life: .renamed, expected: "foreign"),
        Row(thing: .middle, life: .otherPartition, expected: "foreign"),
        Row(thing: .middle, life: .otherLog, expected: "foreign"),
        Row(thing: .middle, life: .older, expected: "1…15"),
        Row(thing: .middle, life: .linked, expected: "1…15"),
        Row(thing: .middle, life: .missing, expected: "missing"),
        Row(thing: .middle, life: .empty, expected: "corrupt"),
        Row(thing: .middle, life: .renamed, expected: "foreign"),
        Row(thing: .last, life: .otherPartition, expected: "foreign"),
        Row(thing: .last, life: .otherLog, expected: "foreign"),
        Row(thing: .last, life: .older, expected: "corrupt"),
        // The segment after it, too: it goes on where this log ends.
        Row(thing: .last, life: .newer, expected: "1…20"),
        Row(thing: .last, life: .linked, expected: "1…15"),
        Row(thing: .last, life: .missing, expected: "missing"),
        Row(thing: .last, life: .empty, expected: "corrupt"),
        Row(thing: .last, life: .renamed, expected: "foreign"),
        Row(thing: .partition, life: .otherPartition, expected: "foreign"),
        Row(thing: .partition, life: .otherLog, expected: "foreign"),
        Row(thing: .partition, life: .older, expected: "1…10"),
        Row(thing: .partition, life: .newer, expected: "6…20"),
        Row(thing: .partition, life: .linked, expected: "1…15"),
        Row(thing: .partition, life: .empty, expected: "none"),
        Row(thing: .partition, life: .renamed, expected: "foreign"),
        Row(thing: .all, life: .older, expected: "1…10"),
        Row(thing: .all, life: .newer, expected: "6…20"),
        Row(thing: .all, life: .linked, expected: "1…15"),
        Row(thing: .all, life: .renamed, expected: "1…15"),
    ]

    // MARK: Making

    /// A log of segments 1, 6 and 11 in partition 1, and others in partition 2; and its other lives.
    private struct World {
        let path: String
        var log: String { "\(path)/log" }
        var older: String { "\(path)/older" }
        var newer: String { "\(path)/newer" }
        var other: String { "\(path)/other" }

        static func write(
            _ log: String, _ range: ClosedRange<Int>, purge: Int? = nil, whileOpen: () throws -> Void = {}
        )
            async throws
        {
            let wal = try await BytesWal.open(
                at: log, configuration: small(), storage: FaultyStorage(runsWorkers: false))
            try wal.partition(1).appendRecords(range)
            for k in range { try wal.partition(2).append(Payload(record(1_000 + k))) }
            try whileOpen()
            if let purge {
                try wal.partition(1).syncAndWait()
                try wal.partition(1).purge(before: LSN(UInt64(purge)))
            }
            try await wal.close()
        }

        init(_ path: String) async throws {
            self.path = path
            let manager = FileManager.default
            let (log, older) = (log, older)
            try await Self.write(log, 1...5)
            try await Self.write(log, 6...10)
            try manager.copyItem(atPath: log, toPath: older)
            let mid = segmentPath(older, 1, 11)
            try await Self.write(log, 11...15) {
                // Not sealed yet.
                try manager.copyItem(atPath: segmentPath(log, 1, 11), toPath: "\(path)/mid")
            }
            try manager.copyItem(atPath: log, toPath: newer)
            try await Self.write(newer, 16...20, purge: 6)
            try await Self.write(other, 1...5)
            try await Self.write(other, 6...10)
            try await Self.write(other, 11...15)
            _ = mid
        }

        func source(_ thing: Thing, _ life: Life) -> String {
            let root = life == .older ? older : life == .newer ? newer : life == .otherLog ? other : log
            let partition: UInt16 = life == .otherPartition ? 2 : 1
            switch thing {
            case .state: return "\(partitionPath(root, partition))/STATE"
            case .log: return "\(root)/LOG"
            case .first: return segmentPath(root, partition, 1)
            case .middle: return segmentPath(root, partition, 6)
            case .last:
                if life == .older { return "\(path)/mid" }
                return segmentPath(root, partition, life == .newer ? 16 : 11)
            case .partition: return partitionPath(root, partition)
            case .all: return root
            }
        }

        /// Puts it in place; returns where a second name of what is hard-linked stands.
        func apply(_ thing: Thing, _ life: Life) throws -> String? {
            let manager = FileManager.default
            var target = source(thing, .missing)
            switch life {
            case .otherPartition, .otherLog, .older, .newer:
                let from = source(thing, life)
                if thing == .last, life == .newer { target = segmentPath(log, 1, 16) }
                var isDirectory: ObjCBool = false
                _ = manager.fileExists(atPath: from, isDirectory: &isDirectory)
                if isDirectory.boolValue {
                    try manager.removeItem(atPath: target)
                    try manager.copyItem(atPath: from, toPath: target)
                } else {
                    // As `cp` does: into the file that is there.
                    try writeFile(target, readFile(from))
                }
            case .linked:
                let name = "\(path)/linked"
                try hardLink(target, name)
                return name
            case .missing: try manager.removeItem(atPath: target)
            case .empty:
                if thing == .partition {
                    try manager.removeItem(atPath: target)
                    try manager.createDirectory(atPath: target, withIntermediateDirectories: false)
                } else {
                    try writeFile(target, [])
                }
            case .renamed:
                switch thing {
                case .partition: try manager.moveItem(atPath: target, toPath: partitionPath(log, 7))
                case .all:
                    try manager.moveItem(atPath: log, toPath: "\(path)/moved")
                    try manager.moveItem(atPath: "\(path)/moved", toPath: log)
                default:
                    let lsn: UInt64 = thing == .first ? 2 : thing == .middle ? 7 : 16
                    try manager.moveItem(atPath: target, toPath: segmentPath(log, 1, lsn))
                }
            }
            return nil
        }

        private func hardLink(_ from: String, _ to: String) throws {
            let manager = FileManager.default
            var isDirectory: ObjCBool = false
            _ = manager.fileExists(atPath: from, isDirectory: &isDirectory)
            guard isDirectory.boolValue else {
                try manager.linkItem(atPath: from, toPath: to)
                return
            }
            try manager.createDirectory(atPath: to, withIntermediateDirectories: true)
            for name in try manager.contentsOfDirectory(atPath: from) where name != "LOCK" {
                try hardLink("\(from)/\(name)", "\(to)/\(name)")
            }
        }
    }

    // MARK: Looking

    /// The records of partition 1 that can be read, or the error's code. A wrong record is an issue.
    private static func outcome(_ wal: BytesWal, _ id: PartitionID) -> String {
        do throws(WalError) {
            let partition = try wal.partition(id)
            var cursor = try partition.entries().makeCursor()
            var lsns: [UInt64] = []
            while let entry = try cursor.next() {
                lsns.append(entry.lsn.rawValue)
                if entry.record.bytes != record(Int(entry.lsn.rawValue)) { return "a wrong record at \(entry.lsn)" }
            }
            guard let first = lsns.first, let last = lsns.last else { return "none" }
            return lsns == Array(first...last) ? "\(first)…\(last)" : "a gap: \(lsns)"
        } catch {
            return error.code.description
        }
    }

    private static func open(
        _ log: String, _ id: PartitionID, readOnly: Bool, _ onDamage: DamagePolicy = .throw
    ) -> (String, WalError?) {
        var configuration = small()
        configuration.onDamage = onDamage
        do throws(WalError) {
            let wal = try BytesWal.openAndWait(at: log, configuration: configuration, readOnly: readOnly)
            let found = outcome(wal, id)
            try wal.closeAndWait()
            return (found, nil)
        } catch {
            return (error.code.description, error)
        }
    }

    private static func contents(_ path: String) throws -> Set<[UInt8]> {
        Set(try snapshot(path).filter { $0.key.hasSuffix(".wal") || $0.key.hasSuffix(".aside") }.values)
    }

    @Test(arguments: rows) func `is opened, or refused and left alone, alike by all`(_ row: Row) async throws {
        try await withTemporaryDirectory { path in
            let world = try await World(path)
            let log = world.log
            let second = try world.apply(row.thing, row.life)
            let linked = try second.map {
                try
                    (FileManager.default.fileExists(atPath: "\($0)/STATE") || row.thing == .all
                    ? snapshot($0) : ["": readFile($0)])
            }
            let id: PartitionID = row.thing == .partition && row.life == .renamed ? 7 : 1
            let before = try snapshot(log)
            let segments = try Self.contents(log)

            // Readers and tools first, for they change nothing.
            let (reader, readerError) = Self.open(log, id, readOnly: true)
            #expect(reader == row.expected)
            let info = try await WalInspection.inspect(at: log)
            let infoCodes = (info.damage + info.partitions.flatMap(\.damage)).map(\.code.description)
            let verified = try await WalVerification.verify(at: log)
            let isRefused = readerError != nil
            #expect(infoCodes.isEmpty != isRefused)
            #expect(infoCodes.allSatisfy { $0 == row.expected })
            if row.verify.isEmpty {
                #expect(verified.isDamaged == isRefused)
                #expect(!isRefused || verified.damage.first?.code.description == row.expected)
            } else {
                #expect(verified.damage.map(\.code.description) == [row.verify])
            }
            if let readerError, readerError.code == .foreign {
                // The same words.
                #expect(info.partitions.flatMap(\.damage).contains { $0.message == readerError.message })
                #expect(verified.damage.contains { $0.message == readerError.message })
                #expect(readerError.message.contains("Nothing was changed"))
            }
            #expect(try snapshot(log) == before)

            let (writer, writerError) = Self.open(log, id, readOnly: false)
            #expect(writer == row.expected)
            #expect(writerError?.message == readerError?.message)
            if isRefused { #expect(try snapshot(log) == before) }
            // Nothing whole is deleted, whatever it is called now.
            #expect(try Self.contents(log).isSuperset(of: segments))
            if isRefused {
                // Set aside, and the rest works.
                let (found, error) = Self.open(log, id, readOnly: false, .quarantine)
                #expect(error == nil)
                if row.expected == "foreign" { #expect(found == "foreign") }
                #expect(
                    try snapshot(log).filter { $0.key.contains("00001") } == before.filter { $0.key.contains("00001") })
            } else {
                // Once it was opened for writing, it is an ordinary log.
                #expect(Self.open(log, id, readOnly: true).0 == row.expected)
                #expect(try await !WalVerification.verify(at: log).isDamaged)
                let wal = try await BytesWal.open(at: log, configuration: small())
                let next = try wal.partition(id).lastLSN.rawValue + 1
                #expect(
                    try await wal.partition(id).append(Payload(record(Int(next))), durability: .synced).lsn == LSN(next)
                )
                try await wal.close()
            }
            if let second, let linked {
                let now = linked[""] == nil ? try snapshot(second) : ["": try readFile(second)]
                #expect(now == linked, "what has another name stays what it is there")
            }
        }
    }

    // MARK: Copies of a live log

    private static func copyOrders(_ names: [String]) -> [(String, [String])] {
        let segments = names.filter { $0.hasSuffix(".wal") }.sorted()
        return [
            ("STATE first", ["STATE"] + segments), ("STATE last", segments + ["STATE"]),
            ("newest first", segments.reversed() + ["STATE"]),
            ("STATE in the middle", Array(segments.prefix(2)) + ["STATE"] + segments.dropFirst(2)),
        ]
    }

    @Test(arguments: [0, 1, 2, 3], [false, true])
    func `a copy of a log that is written to opens to a true prefix`(_ order: Int, _ purges: Bool) async throws {
        try await withTemporaryDirectory { path in
            let (log, copy) = ("\(path)/log", "\(path)/copy")
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: log, configuration: small(), storage: storage)
            let partition = try wal.partition(1)
            var next = 1
            func write(_ count: Int) throws {
                try partition.appendRecords(next...next + count - 1)
                next += count
                try partition.syncAndWait()
            }
            for _ in 0..<6 { try write(400) }
            try FileManager.default.createDirectory(atPath: partitionPath(copy), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(log)/LOG", toPath: "\(copy)/LOG")
            let names = try FileManager.default.contentsOfDirectory(atPath: partitionPath(log))
            for name in Self.copyOrders(names)[order].1 {
                // Gone since, as for `cp`.
                try? FileManager.default.copyItem(
                    atPath: "\(partitionPath(log))/\(name)", toPath: "\(partitionPath(copy))/\(name)")
                try write(300)
                if purges { try partition.purge(before: LSN(UInt64(next - 1_200))) }
            }
            try await wal.close()
            let before = try Self.contents(copy)

            #expect(try await !WalVerification.verify(at: copy).isDamaged)
            #expect(try await WalInspection.inspect(at: copy).partitions.allSatisfy { $0.damage.isEmpty })
            let reader = try await BytesWal.openReadOnly(at: copy, configuration: small())
            let shown = Self.outcome(reader, 1)
            try await reader.close()
            #expect(shown.contains("…"), "\(shown)")
            let events = EventLog()
            let copied = try await BytesWal.open(at: copy, configuration: small(observer: events.observer))
            #expect(Self.outcome(copied, 1) == shown)
            let last = try copied.partition(1).lastLSN.rawValue
            try await copied.partition(1).append(Payload(record(Int(last + 1))), durability: .synced)
            try await copied.close()
            for case .copied(_, let end, let names) in events.events {
                #expect(end.rawValue == last)
                #expect(names.allSatisfy { FileManager.default.fileExists(atPath: "\(partitionPath(copy))/\($0)") })
            }
            // What was cut is beside it.
            let after = try Self.contents(copy)
            let missing = before.subtracting(after)
            #expect(missing.allSatisfy { old in after.contains { $0.count <= old.count + 4_096 } })
            #expect(missing.count <= 1)
            // It is no copy any more: what is lost now is damage.
            let again = try await BytesWal.open(at: copy, configuration: small(observer: events.observer))
            #expect(Self.outcome(again, 1).hasSuffix("…\(last + 1)"))
            try await again.close()
            #expect(try await !WalVerification.verify(at: copy).isDamaged)
        }
    }

    @Test func `a backup made of hard links stays what it was while the log goes on`() async throws {
        try await withTemporaryDirectory { path in
            let world = try await World(path)
            let log = world.log
            let wal = try await BytesWal.open(at: log, configuration: small())
            try await wal.partition(1).append(Payload(record(16)), durability: .synced)
            let backup = try #require(try world.apply(.all, .linked))
            let state = try readFile("\(partitionPath(backup))/STATE")
            // The link appeared while the log runs.
            try wal.partition(1).purge(before: 11)
            for k in 17...20 { try await wal.partition(1).append(Payload(record(k)), durability: .synced) }
            try await wal.close()
            #expect(try readFile("\(partitionPath(backup))/STATE") == state)
            #expect(Self.open(log, 1, readOnly: true).0 == "11…20")
            #expect(Self.open(backup, 1, readOnly: true).0.hasPrefix("1…"))
            let before = try snapshot(log)
            #expect(Self.open(backup, 1, readOnly: false).0.hasPrefix("1…"))
            #expect(try snapshot(log) == before, "opening the backup changes nothing in the log")
        }
    }

    @Test func `the table of verdicts`() {
        for row in Self.rows {
            print("| \(row.thing.rawValue) | \(row.life.rawValue) | \(row.expected) | \(row.verify) |")
        }
        #expect(Self.rows.count == 45)
    }
}
