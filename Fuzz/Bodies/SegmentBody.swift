internal import WalTesting
internal import WriteAheadLog

/// A log's files, made or changed as the input says, on a disk in memory: everything that reads them must cope.
enum SegmentBody {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        let plan = input.byte()
        let choices = LogExercise.Choices(&input)
        let files: [String: [UInt8]]
        if plan & 3 == 0 {
            files = LogComposer.compose(&input)
        } else {
            var editor = LogEditor(LogSamples.all[Int(plan & 3) - 1])
            editor.edit(&input)
            if plan & 4 == 0 { editor.mendSums() }
            files = editor.files
        }
        let size = files.values.reduce(0) { $0 + $1.count }
        try FuzzTarget.bounded((4 << 20) + 16 * size) { () throws(FuzzFailure) in
            try LogExercise(files: files, choices: choices).run()
        }
    }
}

/// Everything that can be done with a log's files.
struct LogExercise {
    struct Choices: Sendable {
        var seed: UInt64
        var checksAll: Bool
        var quarantines: Bool
        var writes: Bool
        var start: UInt64
        var position: Position

        init(_ input: inout FuzzInput) {
            let flags = input.byte()
            seed = UInt64(flags >> 4)
            checksAll = flags & 1 != 0
            quarantines = flags & 2 != 0
            writes = flags & 4 != 0
            start = input.number()
            position = Position(
                history: input.number(), lsn: LSN(input.number()), segment: LSN(input.number()), offset: input.number())
        }
    }

    let files: [String: [UInt8]]
    let choices: Choices

    /// What an unreadable log may say.
    private static let refusals: Set<WalError.Code> = [.corrupt, .missing, .unsupportedFormat, .notALog, .foreign]
    /// What a start that is not in the log may be told.
    private static let misplaced: Set<WalError.Code> = [.purged, .outOfRange, .positionLost, .invalidArgument]

    private struct Read: Equatable {
        var first: UInt64?
        var next: UInt64 = 0
        var payloads: [[UInt8]] = []
        var error: WalError?

        static func == (a: Self, b: Self) -> Bool {
            a.first == b.first && a.next == b.next && a.payloads == b.payloads && a.error?.code == b.error?.code
        }
    }

    func run() throws(FuzzFailure) {
        do {
            try steps()
        } catch let failure as FuzzFailure {
            throw failure
        } catch {
            // Also a simulation in which nothing can go on: a hang.
            throw FuzzFailure("\(error)")
        }
    }

    private func configuration() -> Wal<Payload>.Configuration {
        Wal<Payload>.Configuration(
            segmentSize: 64 << 10, codec: .bytes(), onDamage: choices.quarantines ? .quarantine : .throw,
            check: choices.checksAll ? .full : .tail, createIfMissing: false)
    }

    private func allow(_ error: any Error, _ codes: Set<WalError.Code>, _ what: String) throws {
        guard let error = error as? WalError, codes.contains(error.code) else {
            throw FuzzFailure("\(what): \(error)")
        }
        guard !error.description.isEmpty else { throw FuzzFailure("an error without a text") }
    }

    private func steps() throws {
        let disk = SimulatedDisk(seed: choices.seed, files: files)
        let found = FrameFinder.records(in: files)
        // Tools first: they write nothing.
        do { _ = try disk.verify() } catch { try allow(error, Self.refusals, "verify") }
        do { _ = try WalInspection.inspect(at: "log", storage: disk.storage) } catch {
            try allow(error, Self.refusals, "inspect")
        }
        guard FrameFinder.isSame(disk.files(), files) else { throw FuzzFailure("a tool has changed the files") }
        try disk.run { try await self.readOnly(disk, found) }
        guard FrameFinder.isSame(disk.files(), files) else { throw FuzzFailure("a reader has changed the files") }
        guard choices.writes else { return }
        try disk.run { try await self.write(disk, found) }
        do { _ = try disk.verify() } catch { try allow(error, Self.refusals, "verify after writing") }
    }

    // MARK: Reading

    private func readOnly(_ disk: SimulatedDisk, _ found: FoundRecords) async throws {
        let wal: Wal<Payload>
        do { wal = try await disk.openReadOnly(configuration()) } catch {
            return try allow(error, Self.refusals, "open for reading")
        }
        for id in wal.partitionIDs {
            let partition = try wal.partition(id)
            let all = try read(partition, .first, found)
            try readPayloads(partition, all)
            _ = try read(partition, .lsn(LSN(choices.start)), found)
            _ = try read(partition, .after(LSN(choices.start)), found)
            _ = try read(partition, .after(choices.position), found)
            var near = choices.position
            near.lsn = partition.lastLSN
            _ = try read(partition, .after(near), found)
            _ = try read(partition, .lsn(near.lsn, at: near), found)
            // From the middle, and where the hint is right.
            if let first = all.first, all.next > first + 1 {
                let middle = LSN(first + (all.next - first) / 2)
                let part = try read(partition, .lsn(middle), found)
                if part.error == nil, all.error == nil, part.next != all.next || part.first != middle.rawValue {
                    throw FuzzFailure("reading from LSN \(middle) differs from reading all")
                }
            }
        }
        try await wal.close()
    }

    /// Reads from `start` to the end: LSNs must follow each other, and every record must be one that stands in the files.
    private func read(
        _ partition: Wal<Payload>.Partition, _ start: ReadStart, _ found: FoundRecords
    ) throws -> Read {
        var result = Read()
        do {
            var cursor = try partition.entries(from: start).makeCursor()
            while let entry = try cursor.next() {
                if result.first == nil {
                    result.first = entry.lsn.rawValue
                    result.next = entry.lsn.rawValue
                }
                guard entry.lsn.rawValue == result.next else {
                    throw FuzzFailure("LSN \(entry.lsn) came where \(result.next) was due")
                }
                guard found.contains(entry.record.bytes, partition.id, entry.lsn.rawValue) else {
                    throw FuzzFailure("LSN \(entry.lsn) of partition \(partition.id) is in no frame that is whole")
                }
                result.next += 1
                result.payloads.append(entry.record.bytes)
            }
        } catch let failure as FuzzFailure {
            throw failure
        } catch {
            try allow(error, Self.refusals.union(Self.misplaced).union([.unknownCodec]), "reading")
            result.error = error as? WalError
        }
        return result
    }

    private func readPayloads(_ partition: Wal<Payload>.Partition, _ all: Read) throws {
        var payloads: [[UInt8]] = []
        do {
            try partition.entries().forEachPayload { (_, bytes) throws(WalError) in
                payloads.append(bytes.withUnsafeBytes { Array($0) })
            }
        } catch {
            // A frame that only a codec can take apart, in a segment that names one that can't.
            try allow(error, Self.refusals.union([.unknownCodec]), "reading payloads")
            if error.code == .unknownCodec {
                if !all.payloads.starts(with: payloads) {
                    throw FuzzFailure("forEachPayload shows other records first")
                }
                return
            }
        }
        // Other frames need no codec.
        if all.error?.code == .unknownCodec { return }
        if payloads != all.payloads { throw FuzzFailure("forEachPayload shows other records than a cursor") }
    }

    // MARK: Writing

    /// Recovers, appends, closes, and reads again: what was read before is still there, and what was appended is behind it.
    private func write(_ disk: SimulatedDisk, _ found: FoundRecords) async throws {
        let wal: Wal<Payload>
        do { wal = try await disk.open(configuration()) } catch {
            return try allow(error, Self.refusals, "open for writing")
        }
        var before: [PartitionID: Read] = [:]
        var appended: [PartitionID: LSN] = [:]
        for id in wal.partitionIDs {
            let partition = try wal.partition(id)
            before[id] = try read(partition, .first, found)
            do {
                appended[id] = try await partition.append(Payload([0xA5]), durability: .synced).lsn
                _ = try partition.append(contentsOf: [Payload([]), Payload([1])])
                _ = try partition.purge(before: LSN(choices.start))
            } catch {
                // A partition that was set aside takes nothing; one at the end of its LSNs neither.
                let codes = Self.refusals.union([.outOfRange, .invalidArgument])
                try allow(error, choices.quarantines ? codes.union([.poisoned]) : codes, "append")
            }
        }
        do { try await wal.close() } catch { try allow(error, Self.refusals, "close") }

        let again: Wal<Payload>
        do { again = try await disk.open(configuration()) } catch {
            guard before.values.contains(where: { $0.error != nil }) || appended.count < before.count else {
                throw FuzzFailure("a log that was recovered can't be opened again: \(error)")
            }
            return try allow(error, Self.refusals, "open again")
        }
        let all = FrameFinder.records(in: disk.files())
        for (id, old) in before {
            guard let lsn = appended[id] else { continue }
            let partition = try again.partition(id)
            let now = try read(partition, .first, all)
            if old.error != nil { continue }
            if let first = old.first, old.next != lsn.rawValue, first < lsn.rawValue {
                throw FuzzFailure("LSN \(lsn) was given to the record behind LSN \(old.next - 1)")
            }
            guard now.error == nil, now.next == lsn.rawValue + 3 else {
                throw FuzzFailure(
                    "what was appended as LSN \(lsn) can't be read: \(now.next), \(String(describing: now.error))")
            }
            // Purge may have taken whole segments from the front.
            let kept = now.payloads.dropLast(3)
            guard kept.count <= old.payloads.count, old.payloads.suffix(kept.count).elementsEqual(kept),
                now.payloads.suffix(3).elementsEqual([[0xA5], [], [1]])
            else { throw FuzzFailure("records changed when the log was opened again") }
        }
        try await again.close()
    }
}
