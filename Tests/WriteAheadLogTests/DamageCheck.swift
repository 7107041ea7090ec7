import Testing
import WalTesting
import WriteAheadLog

/// Opens a damaged log in every way there is and compares with the oracle. What is wrong comes back as sentences, so that a table of
/// thousands of rows says which rows failed.
struct DamageCheck: Sendable {
    let log: DamagedLog
    private let oracle: DamageOracle
    var disabled: SafetyMeasures = []

    init(_ log: DamagedLog) {
        self.log = log
        oracle = DamageOracle(log)
    }

    /// - Parameter row: its number, by which some of the ways are left out, for all of them take long, and verification ten times as
    ///   long as the others; nil for all of them.
    func complaints(row: Int? = nil) -> [String] {
        func takesPart(_ way: Int, oneIn n: Int) -> Bool { row.map { $0 % n == way } ?? true }
        do {
            return try asWriter(.tail, goesOn: takesPart(0, oneIn: 3))
                + (takesPart(1, oneIn: 3) ? asWriter(.full, goesOn: row == nil) : [])
                + (takesPart(2, oneIn: 3) ? asReader() : []) + (takesPart(2, oneIn: 11) ? verified() : [])
        } catch {
            return ["\(error)"]
        }
    }

    // MARK: Support

    private func disk() -> SimulatedDisk { SimulatedDisk(seed: 7, files: log.files) }

    private func configuration(
        _ check: CheckLevel, _ onDamage: DamagePolicy = .throw, _ events: EventLog = EventLog()
    ) -> BytesWal.Configuration {
        var configuration = BytesWal.Configuration(
            segmentSize: 16 << 10, codec: .bytes(), onDamage: onDamage, check: check, observer: events.observer)
        configuration.minimumSegmentSize = 16 << 10
        configuration.disabledMeasures = disabled
        return configuration
    }

    private func untouched(_ disk: SimulatedDisk) -> Bool {
        var files = disk.files()
        files[FileFormat.lockFileName] = nil
        return files == log.files
    }

    private static func compare(_ error: WalError, _ place: DamageOracle.Place, _ what: String) -> [String] {
        if error.code == place.code, error.partition?.rawValue == UInt16(LogImage.partition),
            error.segment?.rawValue == place.segment, error.offset == place.offset.map({ UInt64($0) }),
            error.lsn?.rawValue == place.lsn
        {
            return []
        }
        return ["\(what) says \(error) where \(place) was expected"]
    }

    /// Reads everything: what recovery left, which ends before `end`, and `more` records; or up to damage in what was left, which
    /// must be named.
    private func read(
        _ partition: BytesWal.Partition, upTo end: UInt64, andMore more: UInt64 = 0, _ what: String
    ) -> [String] {
        var wrong: [String] = []
        let place = oracle.stop(readsAll: true).place
        let goal = place.lsn < end ? place.lsn : end + more
        var next = oracle.first
        do throws(WalError) {
            var cursor = try partition.entries().makeCursor()
            while let entry = try cursor.next() {
                if entry.lsn.rawValue != next || entry.record.bytes != LogImage.payload(next) {
                    return ["\(what) reads LSN \(entry.lsn) or other bytes where \(next) should be"]
                }
                next += 1
            }
            if place.lsn < end { wrong.append("\(what) reads on over \(place)") }
        } catch {
            wrong +=
                place.lsn < end
                ? Self.compare(error, place, "\(what), reading,") : ["\(what), reading, fails with \(error)"]
        }
        if next != goal { wrong.append("\(what) reads up to \(next), not to \(goal)") }
        return wrong
    }

    // MARK: Ways to look

    private func asReader() throws -> [String] {
        let disk = disk()
        var wrong: [String] = try disk.run {
            do throws(WalError) {
                let wal = try await disk.openReadOnly(configuration(.tail))
                guard case .ends(let end, _) = oracle.outcome(readsAll: false) else {
                    return ["a reader opens it"]
                }
                let partition = try wal.partition(1)
                guard partition.lastLSN.rawValue + 1 == end else {
                    return ["a reader finds the end at \(partition.lastLSN), not before \(end)"]
                }
                return read(partition, upTo: end, "a reader")
            } catch {
                if case .foreign = oracle.outcome(readsAll: false), error.code == .foreign { return [] }
                guard case .refused(let place) = oracle.outcome(readsAll: false) else {
                    return ["a reader gets \(error)"]
                }
                return Self.compare(error, place, "a reader")
            }
        }
        if disk.files() != log.files { wrong.append("a reader changes files") }
        return wrong
    }

    private func verified() throws -> [String] {
        let disk = disk()
        let found = try #require(try disk.verify().partitions.first)
        var wrong: [String] = []
        if disk.files() != log.files { wrong.append("verify changes files") }
        let stop = oracle.stop(readsAll: true).place
        if case .foreign = oracle.outcome(readsAll: true) {
            return found.damage.map(\.code) == [.foreign] ? wrong : wrong + ["verify says \(found.damage)"]
        }
        switch oracle.outcome(readsAll: true) {
        case .foreign: break
        case .refused(let place):
            if !found.damage.contains(where: { Self.compare($0, place, "").isEmpty }) {
                wrong.append("verify does not name \(place), but \(found.damage)")
            }
        case .ends(let end, let bytes):
            // Slots that are not whole cost no record.
            let records = found.damage.filter { $0.lsn != nil && ![4_096, 8_192].contains($0.offset) }
            let wasClosed =
                log.states.contains { $0?.isClean == true && $0.map { $0.durable >= stop.segment } == true }
            if !records.isEmpty, !wasClosed { wrong.append("verify calls a torn end damage: \(records)") }
            if records.isEmpty, bytes.lowerBound > 0 {
                if found.tornTail?.lsn.rawValue != end || found.tornTail.map({ bytes ~= Int($0.bytes) }) != true {
                    wrong.append("verify says \(String(describing: found.tornTail)), not \(bytes) bytes from \(end)")
                }
            }
        }
        if found.durableLSN.rawValue != oracle.durable {
            wrong.append("verify says that \(found.durableLSN) is durable, not \(oracle.durable)")
        }
        return wrong
    }

    /// - Parameter goesOn: looks at what comes after that, too.
    private func asWriter(_ check: CheckLevel, goesOn: Bool) throws -> [String] {
        let disk = disk()
        let what = "a writer (\(check))"
        switch oracle.outcome(readsAll: check == .full) {
        case .foreign:
            // In quarantine it is set aside: what belongs elsewhere is not read as this partition's.
            var wrong: [String] = try disk.run {
                do throws(WalError) {
                    _ = try await disk.open(configuration(check))
                    return ["\(what) opens it, though a file belongs elsewhere"]
                } catch {
                    return error.code == .foreign ? [] : ["\(what) gets \(error)"]
                }
            }
            disk.restart()
            wrong += try disk.run {
                let wal = try await disk.open(configuration(check, .quarantine))
                let partition = try wal.partition(1)
                var wrong: [String] = []
                do throws(WalError) {
                    _ = try partition.entries()
                    wrong.append("\(what) (quarantine) reads what belongs elsewhere")
                } catch {
                    if error.code != .foreign { wrong.append("\(what) (quarantine), reading, gets \(error)") }
                }
                do throws(WalError) {
                    try partition.append(Payload([1]))
                    wrong.append("\(what) (quarantine) takes a record")
                } catch {
                    if error.code != .poisoned { wrong.append("\(what) (quarantine) answers an append with \(error)") }
                }
                try await wal.close()
                return wrong
            }
            disk.restart()
            if !untouched(disk) { wrong.append("\(what) changes files though it is refused") }
            return wrong
        case .refused(let place):
            var wrong: [String] = []
            // A second look must find the same.
            for _ in 0..<(goesOn ? 2 : 1) {
                wrong += try disk.run {
                    do throws(WalError) {
                        _ = try await disk.open(configuration(check))
                        return ["\(what) opens it, though \(place)"]
                    } catch {
                        return Self.compare(error, place, what)
                    }
                }
                disk.restart()
                if !untouched(disk) { wrong.append("\(what) changes files though it is refused") }
            }
            return try goesOn ? wrong + quarantined(disk, check, place) : wrong
        case .ends(let end, let bytes):
            let wrong = try recovered(disk, check, end, bytes)
            return try goesOn ? wrong + self.goesOn(disk, check, end) : wrong
        }
    }

    private func quarantined(_ disk: SimulatedDisk, _ check: CheckLevel, _ place: DamageOracle.Place) throws -> [String]
    {
        let what = "a writer (\(check), quarantine)"
        let events = EventLog()
        let first = oracle.stop(readsAll: true).place
        var wrong: [String] = try disk.run {
            let wal = try await disk.open(configuration(check, .quarantine, events))
            let partition = try wal.partition(1)
            var wrong: [String] = []
            // Without STATE nobody knows where it should begin: then it does where the files do.
            if !oracle.hasUnknownBeginning {
                var next = oracle.first
                do throws(WalError) {
                    var cursor = try partition.entries().makeCursor()
                    while let entry = try cursor.next(), entry.lsn.rawValue == next {
                        if entry.record.bytes != LogImage.payload(next) { wrong.append("\(what) reads other bytes") }
                        next += 1
                    }
                } catch {
                    wrong += Self.compare(error, first, "\(what), reading,")
                }
                if next != first.lsn { wrong.append("\(what) reads up to \(next), not to \(first)") }
            }
            do throws(WalError) {
                try partition.append(Payload([1]))
                wrong.append("\(what) takes a record")
            } catch {
                if error.code != .poisoned { wrong.append("\(what) answers an append with \(error)") }
            }
            try await wal.close()
            return wrong
        }
        for case .quarantined(_, let error) in events.events { wrong += Self.compare(error, place, what) }
        if events.events.count != 1 { wrong.append("\(what) reports \(events.events)") }
        if !untouched(disk) { wrong.append("\(what) changes files") }
        return wrong
    }

    private func recovered(
        _ disk: SimulatedDisk, _ check: CheckLevel, _ end: UInt64, _ bytes: ClosedRange<Int>
    ) throws -> [String] {
        let what = "a writer (\(check))"
        let events = EventLog()
        var wrong: [String] = try disk.run {
            let wal = try await disk.open(configuration(check, .throw, events))
            let partition = try wal.partition(1)
            let mark = partition.mark
            guard mark.appended.rawValue == end - 1, mark.durable.rawValue == end - 1 else {
                return ["\(what) ends at \(mark), not before \(end)"]
            }
            return read(partition, upTo: end, what)
        }
        let names = disk.files().keys.filter { $0.hasSuffix(".wal") }.sorted()
        let kept = oracle.kept(end).map(\.path)
        if names != kept { wrong.append("\(what) leaves \(names), not \(kept)") }
        for event in events.events {
            guard case .recovered(1, let last, let from, let cut) = event else {
                wrong.append("\(what) reports \(event)")
                continue
            }
            let isRight =
                last.rawValue == end - 1 && bytes ~= Int(cut) && from?.rawValue == (cut > 0 ? end : nil)
            if !isRight { wrong.append("\(what) reports \(event), not a cut of \(bytes) bytes before \(end)") }
        }
        if events.events.count != (oracle.isClean ? 0 : 1) { wrong.append("\(what) reports \(events.events)") }
        return wrong
    }

    /// After recovery: clean, and what is appended stands in a segment of its own.
    private func goesOn(_ disk: SimulatedDisk, _ check: CheckLevel, _ end: UInt64) throws -> [String] {
        let what = "after it (\(check)), a writer"
        let events = EventLog()
        var wrong: [String] = []
        // Nothing was written since: the next opening has nothing to mend; the third finds a log that was closed.
        for round in 0..<2 as Range<UInt64> {
            disk.restart()
            wrong += try disk.run {
                let wal = try await disk.open(configuration(check, .throw, events))
                let partition = try wal.partition(1)
                var wrong = read(partition, upTo: end, andMore: round, what)
                if partition.lastLSN.rawValue + 1 != end + round {
                    wrong.append("\(what) ends at \(partition.lastLSN), not before \(end + round)")
                }
                if round == 0 {
                    let receipt = try await partition.append(Payload(LogImage.payload(end)), durability: .synced)
                    if receipt.lsn.rawValue != end || receipt.position.segment.rawValue != end {
                        wrong.append("\(what) gives out \(receipt), not LSN \(end) in a new segment")
                    }
                    try await wal.close()
                }
                return wrong
            }
        }
        if !events.events.isEmpty { wrong.append("\(what) reports \(events.events)") }
        let old = log.segments.map(\.image)
        let (salt, incarnation) = Self.identity(disk.files()[LogImage.path(end)] ?? [])
        if old.contains(where: { $0.salt == salt || $0.incarnation >= incarnation }) {
            wrong.append("\(what) goes on with salt \(salt) in incarnation \(incarnation), which are old")
        }
        return wrong
    }

    /// Salt and incarnation, as a header has them.
    private static func identity(_ header: [UInt8]) -> (salt: UInt64, incarnation: UInt64) {
        func integer(_ offset: Int) -> UInt64 {
            guard header.count >= offset + 8 else { return 0 }
            return (0..<8).reduce(0) { $0 | UInt64(header[offset + $1]) << UInt64(8 * $1) }
        }
        return (integer(48), integer(40))
    }
}
