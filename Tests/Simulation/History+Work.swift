internal import WalTesting
internal import WriteAheadLog

extension History {
    /// What a writer does in a life.
    func work() async throws {
        let isAccompanied = random.chance(3)
        try await withThrowingTaskGroup(of: Void.self) { group in
            if isAccompanied, let partition = randomPartition() {
                group.addTask { [self] in try await tail(partition) }
            }
            if random.chance(6), let partition = randomPartition() {
                group.addTask { [self] in try await watch(partition) }
            }
            let operations = 1 + random.below(plan.operationsPerLife)
            for _ in 0..<operations where !disk.isDown && found == nil { try await step() }
            group.cancelAll()
            try await group.waitForAll()
        }
    }

    private func randomPartition() -> SimulatedWal.Partition? { random.element(parts) }

    /// Mostly small; sometimes over pages, rarely over a segment.
    func size() -> Int {
        if let only = plan.onlySize { return only }
        switch random.below(16) {
        case 0..<9: return SimulatedRecord.smallest + random.below(90)
        case 9..<12: return SimulatedRecord.smallest + random.below(700)
        case 12..<15: return SimulatedRecord.smallest + random.below(5_000)
        default: return SimulatedRecord.smallest + random.below(30_000)
        }
    }

    private func step() async throws {
        guard let partition = randomPartition() else { return }
        switch random.below(34) {
        case 0..<8: try await appendOne(partition, synced: false)
        case 8..<12: try await appendOne(partition, synced: true)
        case 12, 13: try await batch(partition, synced: random.chance(2))
        case 14..<18: try await group()
        case 18, 19: try await sync(partition)
        case 20: try await syncAll()
        case 21, 22: try purge(partition)
        case 23, 24: try read(partition)
        case 25: try checkPositions()
        case 26: await Task.yield()
        case 27:
            disk.advanceClock(nanoseconds: 1_500_000_000)
            await Task.yield()
        case 28: disk.writeBackSome()
        case 29: try await secondOpen()
        case 30:
            for _ in 0..<(1 + random.below(30)) where !disk.isDown { try await appendOne(partition, synced: false) }
        case 31: if !model.isLied { try await lookReadOnly(disk) }
        default: try recompress(partition)
        }
    }

    // MARK: Appending

    func appendOne(_ partition: SimulatedWal.Partition, synced: Bool) async throws {
        let attempt = model.begin(partition.id.rawValue, count: 1, size: size())
        let record = model.records(of: attempt)[0]
        try await outcome(attempt, partition, synced) {
            synced ? try await partition.append(record, durability: .synced) : try partition.append(record)
        }
    }

    func batch(_ partition: SimulatedWal.Partition, synced: Bool, count: Int? = nil) async throws {
        let size = plan.onlySize ?? min(size(), 2_000)
        let attempt = model.begin(
            partition.id.rawValue, count: count ?? 1 + random.below(random.chance(6) ? 40 : 6), size: size)
        let records = model.records(of: attempt)
        try await outcome(attempt, partition, synced) {
            synced
                ? try await partition.append(contentsOf: records, durability: .synced)
                : try partition.append(contentsOf: records)
        }
    }

    /// Does an append and tells the model how it went.
    private func outcome(
        _ attempt: Int, _ partition: SimulatedWal.Partition, _ synced: Bool, _ body: () async throws -> Receipt
    ) async throws {
        let before = partition.lastLSN
        do {
            let receipt = try await body()
            // An answer of a machine that is down reaches nobody.
            guard !disk.isDown else { return }
            counts.appends += 1
            note("partition \(partition.id): attempt \(attempt) got \(receipt.lsn)\(synced ? ", synced" : "")")
            try model.returned(attempt, receipt, isDurable: synced)
        } catch let error as WalError {
            guard !disk.isDown else { return }
            model.attempts[attempt].fate = error.code == .noSpace ? .refused : .uncertain
            try judge(error, "append attempt \(attempt) to \(partition.id)")
            if error.code == .noSpace, partition.lastLSN < before { throw Violation("LSNs went back") }
        }
        try observeDurable(partition)
    }

    /// What is called durable now must survive.
    func observeDurable(_ partition: SimulatedWal.Partition) throws {
        let mark = partition.mark
        guard !disk.isDown else { return }
        let p = Int(partition.id.rawValue)
        guard mark.durable <= mark.appended else { throw Violation("durable \(mark.durable) of \(mark.appended)") }
        guard Int(mark.durable.rawValue) >= model.partitions[p].durable else {
            throw Violation("partition \(p): durable went back from \(model.partitions[p].durable) to \(mark.durable)")
        }
        model.partitions[p].durable = Int(mark.durable.rawValue)
    }

    /// Several tasks at once.
    func group(_ only: SimulatedWal.Partition? = nil, tasks: Int? = nil) async throws {
        let tasks = tasks ?? 2 + random.below(5)
        let isOnePartition = only != nil || random.chance(2)
        let one = only ?? randomPartition()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                guard let partition = isOnePartition ? one : randomPartition() else { return }
                let rounds = 1 + random.below(3)
                group.addTask { [self] in
                    for _ in 0..<rounds where !disk.isDown {
                        switch random.below(8) {
                        case 0..<4: try await appendOne(partition, synced: true)
                        case 4: try await appendOne(partition, synced: false)
                        case 5: try await batch(partition, synced: true)
                        case 6: try await sync(partition)
                        default: await Task.yield()
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    private func sync(_ partition: SimulatedWal.Partition) async throws {
        let p = Int(partition.id.rawValue)
        let before = model.partitions[p].acknowledged
        do {
            try await partition.sync()
            guard !disk.isDown else { return }
            note("partition \(p) synced, at least to \(before)")
            model.partitions[p].durable = max(model.partitions[p].durable, before)
            try observeDurable(partition)
        } catch let error as WalError {
            try judge(error, "sync \(p)")
        }
    }

    func syncAll() async throws {
        guard let wal else { return }
        let before = model.partitions.map(\.acknowledged)
        do {
            try await wal.sync()
            guard !disk.isDown else { return }
            for p in before.indices { model.partitions[p].durable = max(model.partitions[p].durable, before[p]) }
            for partition in parts { try observeDurable(partition) }
        } catch let error as WalError {
            try judge(error, "sync all")
        }
    }

    // MARK: Purging and reading

    func purge(_ partition: SimulatedWal.Partition) throws {
        let p = Int(partition.id.rawValue)
        let last = Int(partition.lastLSN.rawValue)
        guard last > 0 else { return }
        let before = 1 + random.below(last + 2)
        model.partitions[p].mayBeFirst = max(model.partitions[p].mayBeFirst, min(before, last + 1))
        do throws(WalError) {
            let count = try partition.purge(before: LSN(UInt64(before)))
            guard !disk.isDown else { return }
            let first = Int(partition.firstRetainedLSN.rawValue)
            note("partition \(p): purged before \(before), \(count) segments, first is \(first)")
            guard first <= model.partitions[p].mayBeFirst, first >= model.partitions[p].first else {
                throw WalError(.io, "purged before \(before), but the first is \(first)")
            }
            // What an earlier purge could not finish may still happen at the next open.
            model.partitions[p].first = first
        } catch {
            if error.errno == nil, error.code == .io, !disk.isDown { throw Violation("\(error)") }
            try judge(error, "purge \(p)")
        }
    }

    func recompress(_ partition: SimulatedWal.Partition) throws {
        let p = Int(partition.id.rawValue)
        let last = Int(partition.lastLSN.rawValue)
        do throws(WalError) {
            let done = try partition.recompress(
                with: .init(PackingCodec()), before: random.chance(2) ? .max : LSN(UInt64(1 + random.below(last + 1))),
                blockSize: [1024, 4096, 65_536][random.below(3)])
            note("partition \(p): \(done)")
            counts.recompressed += done.segments
        } catch {
            try judge(error, "recompress \(p)")
        }
    }

    private func read(_ partition: SimulatedWal.Partition) throws {
        let p = Int(partition.id.rawValue)
        let first = Int(partition.firstRetainedLSN.rawValue)
        let last = Int(partition.lastLSN.rawValue)
        let start = first + random.below(last - first + 2)
        let visibility: Visibility = random.chance(3) ? .durable : .appended
        let durable = Int(partition.mark.durable.rawValue)
        var next = start
        let limit = random.chance(2) ? Int.max : 1 + random.below(20)
        do throws(WalError) {
            var cursor = try partition.entries(from: .lsn(LSN(UInt64(start))), upTo: visibility).makeCursor()
            while next - start < limit, let entry = try cursor.next() {
                guard Int(entry.lsn.rawValue) == next else {
                    throw WalError(.invalidArgument, "read LSN \(entry.lsn) where \(next) should come")
                }
                do { try model.see(p, next, entry.record) } catch {
                    throw WalError(.invalidArgument, "\(error)")
                }
                next += 1
            }
        } catch {
            if error.code == .invalidArgument { throw Violation("reading: \(error)") }
            return try judge(error, "read \(p) from \(start)")
        }
        guard !disk.isDown, !model.isLied else { return }
        let least = visibility == .durable ? durable : last
        guard next - start >= limit || next > least else {
            throw Violation("partition \(p): read up to \(next - 1), \(visibility) is \(least)")
        }
        if visibility == .durable, next > start, next - 1 > Int(partition.mark.durable.rawValue) {
            throw Violation("partition \(p): a reader of what is durable saw \(next - 1)")
        }
    }

    /// Positions of this life and earlier ones lead where they should, or to the right error.
    func checkPositions() throws {
        for partition in parts {
            let p = Int(partition.id.rawValue)
            guard !disk.isDown, !model.isLied, let note = random.element(model.partitions[p].positions) else {
                continue
            }
            let fate = model.fate(note, p)
            do throws(WalError) {
                let start: ReadStart = random.chance(2) ? .after(note.position) : .after(LSN(UInt64(note.lsn)))
                if start == .after(LSN(UInt64(note.lsn))), case .lost = fate { continue }
                var cursor = try partition.entries(from: start).makeCursor()
                let entry = try cursor.next()
                let lsn: Int
                switch fate {
                case .reads(let next), .purgedOrReads(let next): lsn = next
                case .lost, .purged:
                    throw WalError(.invalidArgument, "a position behind LSN \(note.lsn) was taken, expected \(fate)")
                }
                if let entry {
                    guard Int(entry.lsn.rawValue) == lsn else {
                        throw WalError(.invalidArgument, "a position led to LSN \(entry.lsn), expected \(fate)")
                    }
                    do { try model.see(p, lsn, entry.record) } catch {
                        throw WalError(.invalidArgument, "\(error)")
                    }
                } else if partition.lastLSN.rawValue >= UInt64(lsn) {
                    throw WalError(.invalidArgument, "a position led to the end, expected \(fate)")
                }
            } catch {
                switch (error.code, fate) {
                case (.positionLost, .lost(let common)) where error.lsn?.rawValue == UInt64(common): continue
                case (.purged, .purged), (.purged, .purgedOrReads): continue
                case (.invalidArgument, _), (.positionLost, _), (.purged, _):
                    throw Violation("partition \(p): \(error); expected \(fate) for \(note)")
                default: try judge(error, "read from a position")
                }
            }
        }
    }

    // MARK: Others beside the writer

    /// A second writer must not be let in.
    private func secondOpen() async throws {
        var configuration = SimulatedWal.Configuration(codec: .bytes())
        configuration.disabledMeasures = plan.disabled
        do throws(WalError) {
            _ = try await disk.open(configuration)
        } catch {
            if error.code == .alreadyOpen { return }
            return try judge(error, "open a second time")
        }
        throw Violation("a second writer was let in")
    }

    private func tail(_ partition: SimulatedWal.Partition) async throws {
        let p = Int(partition.id.rawValue)
        let visibility: Visibility = random.chance(3) ? .appended : .durable
        var next = Int(partition.firstRetainedLSN.rawValue)
        do {
            for try await entry in try partition.tail(from: .lsn(LSN(UInt64(next))), upTo: visibility) {
                guard !disk.isDown else { return }
                guard Int(entry.lsn.rawValue) == next else {
                    throw Violation("a tail showed LSN \(entry.lsn) where \(next) should come")
                }
                try model.see(p, next, entry.record)
                if visibility == .durable { model.partitions[p].durable = max(model.partitions[p].durable, next) }
                next += 1
            }
        } catch let error as WalError {
            if error.code == .purged, model.partitions[p].mayBeFirst > next { return }
            try judge(error, "tail \(p)")
        }
    }

    private func watch(_ partition: SimulatedWal.Partition) async throws {
        var last = partition.mark
        for await mark in partition.watch() {
            guard !disk.isDown else { return }
            guard mark.appended >= last.appended, mark.durable >= last.durable, mark.durable <= mark.appended else {
                throw Violation(
                    "a watch showed \(mark.appended)/\(mark.durable) after \(last.appended)/\(last.durable)")
            }
            let p = Int(partition.id.rawValue)
            model.partitions[p].durable = max(model.partitions[p].durable, Int(mark.durable.rawValue))
            last = mark
        }
    }
}
