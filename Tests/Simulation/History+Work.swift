internal import WalTesting
internal import WriteAheadLog

extension History {
    /// What a writer does in a life.
    func work() async throws {
        let isAccompanied = random.chance(3)
        let tasks = plan.slowOnceIn == nil ? 1 : 1 + random.below(4)
        await withTaskGroup(of: Void.self) { group in
            if isAccompanied, let place = randomPlace() {
                companions += 1
                group.addTask { [self] in
                    await noting { try await tail(place) }
                    companions -= 1
                }
            }
            // A watch cancels tasks of its own, see below.
            if plan.slowOnceIn == nil, random.chance(6), let place = randomPlace() {
                companions += 1
                group.addTask { [self] in
                    await noting { try await watch(place) }
                    companions -= 1
                }
            }
            let operations = 1 + random.below(plan.operationsPerLife)
            await withTaskGroup(of: Void.self) { actors in
                for _ in 0..<tasks {
                    actors.addTask { [self] in
                        await noting { for _ in 0..<operations where goesOn { try await step() } }
                    }
                }
                await actors.waitForAll()
            }
            // What ends a tail takes a lock within the runtime's own, which would wait for whoever stands with it.
            disk.slowOperationsHurry = true
            for _ in 0..<10_000 where disk.hasStandingSteps { await Task.yield() }
            group.cancelAll()
            await group.waitForAll()
            disk.slowOperationsHurry = false
        }
    }

    private var goesOn: Bool { !disk.isDown && found == nil }

    /// Keeps a violation for the end of the run: a group that throws would cancel its tasks.
    private func noting(_ body: () async throws -> Void) async {
        do { try await body() } catch {
            found = found ?? (error as? Violation) ?? Violation("\(error)")
        }
    }

    private func randomPlace() -> Place? { random.element(places) }

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
        guard writer != nil else {
            if isChanging { return await Task.yield() }
            return try await reopen()
        }
        let kind = random.below(plan.slowOnceIn == nil ? 34 : 41)
        // Not with a handle in hand.
        if kind == 36 { return try await dropAndReopen() }
        guard let place = randomPlace() else { return }
        switch kind {
        case 0..<8: try await appendOne(place, synced: false)
        case 8..<12: try await appendOne(place, synced: true)
        case 12, 13: try await batch(place, synced: random.chance(2))
        case 14..<18: try await group()
        case 18, 19: try await sync(place)
        case 20: try await syncAll()
        case 21, 22: try purge(place)
        case 23, 24: try read(place)
        case 25: try checkPositions()
        case 26: await Task.yield()
        case 27:
            disk.advanceClock(nanoseconds: 1_500_000_000)
            await Task.yield()
        case 28: disk.writeBackSome()
        case 29: try await secondOpen()
        case 30:
            for _ in 0..<(1 + random.below(30)) where goesOn { try await appendOne(place, synced: false) }
        case 31: if !model.isLied, !isChanging { try await lookReadOnly(disk) }
        case 32, 33: try recompress(place)
        case 34, 35: try await closeAndReopen()
        case 37: fail()
        default: try await appendOne(place, synced: random.chance(2))
        }
    }

    /// The next thing that somebody does with a segment fails, whatever else is under way.
    private func fail() {
        guard plan.trouble == .faults, random.chance(2) else { return planTrouble(atOpen: false) }
        disk.inject(
            DiskFault(
                .ioError, on: [.write, .allocate, .truncate, .create], of: ".wal", skipping: random.below(3), times: 1))
    }

    // MARK: Closing and opening amid the work of others

    private func closeAndReopen() async throws {
        guard let writer, !isChanging else { return await Task.yield() }
        isChanging = true
        changes += 1
        defer { isChanging = false }
        do {
            try await closeLog()
        } catch let error as WalError {
            try judge(error, "close")
        }
        guard goesOn else { return }
        model.crashed(.kill)
        if self.writer === writer { self.writer = nil }
        if !random.chance(6) { try await openAgain() }
    }

    /// Nobody closes the log; those who still have a handle go on with it.
    private func dropAndReopen() async throws {
        guard writer != nil, !isChanging, companions == 0 else { return await Task.yield() }
        isChanging = true
        defer { isChanging = false }
        changes += 1
        note("handles dropped")
        mayBeHeld = true
        model.crashed(.kill)
        writer = nil
        overtook(.drop)
        try await openAgain()
    }

    private func reopen() async throws {
        isChanging = true
        defer { isChanging = false }
        try await openAgain()
    }

    private func openAgain() async throws {
        for round in 0... where goesOn {
            if try await open() { return overtook(.reopen) }
            guard goesOn, isHeld, writer == nil else { break }
            guard round < 1_000 else { throw Violation("a log without handles keeps its lock: \(holders)") }
            // Whoever waits until nothing else goes on may be what holds it.
            if round > 50 { disk.slowOperationsHurry = true }
            await Task.yield()
        }
        disk.slowOperationsHurry = false
    }

    // MARK: Appending

    func appendOne(_ place: Place, synced: Bool) async throws {
        let attempt = model.begin(UInt16(place.p), count: 1, size: size())
        let record = model.records(of: attempt)[0]
        try await outcome(attempt, place, synced, synced ? .synced : .append) {
            synced
                ? try await place.partition.append(record, durability: .synced) : try place.partition.append(record)
        }
    }

    func batch(_ place: Place, synced: Bool, count: Int? = nil) async throws {
        let size = plan.onlySize ?? min(size(), 2_000)
        let attempt = model.begin(
            UInt16(place.p), count: count ?? 1 + random.below(random.chance(6) ? 40 : 6), size: size)
        let records = model.records(of: attempt)
        try await outcome(attempt, place, synced, .batch) {
            synced
                ? try await place.partition.append(contentsOf: records, durability: .synced)
                : try place.partition.append(contentsOf: records)
        }
    }

    /// Does an append and tells the model how it went.
    private func outcome(
        _ attempt: Int, _ place: Place, _ synced: Bool, _ kind: Overtaking, _ body: () async throws -> Receipt
    ) async throws {
        let before = place.partition.lastLSN
        do {
            let receipt = try await body()
            // An answer of a machine that is down reaches nobody.
            guard !disk.isDown else { return }
            counts.appends += 1
            note("partition \(place.p): attempt \(attempt) got \(receipt.lsn)\(synced ? ", synced" : "")")
            if synced, let failed = place.writer.failed[place.p], receipt.lsn.rawValue > UInt64(failed) {
                throw Violation("LSN \(receipt.lsn) was called synced, but the partition was poisoned at \(failed)")
            }
            try model.returned(attempt, receipt, isDurable: synced)
            overtook(kind)
        } catch let error as WalError {
            guard !disk.isDown else { return }
            try model.failed(attempt, isRefused: error.code == .noSpace)
            try judge(error, "append attempt \(attempt) to \(place.p)", place.writer)
            if error.isOfFault { overtook(.failure) }
            if error.code == .noSpace, place.partition.lastLSN < before { throw Violation("LSNs went back") }
        }
        try observeDurable(place)
    }

    /// What is called durable now must survive.
    func observeDurable(_ place: Place) throws {
        let (writer, p) = (place.writer, place.p)
        let mark = place.partition.mark
        guard !disk.isDown else { return }
        let durable = Int(mark.durable.rawValue)
        guard mark.durable <= mark.appended else { throw Violation("durable \(mark.durable) of \(mark.appended)") }
        guard durable >= writer.durable[p] else {
            throw Violation("partition \(p): durable went back from \(writer.durable[p]) to \(durable)")
        }
        writer.durable[p] = durable
        if let failed = writer.failed[p] {
            guard durable <= failed else {
                throw Violation("partition \(p): poisoned at \(failed), and then durable is \(durable)")
            }
        } else if mark.failure != nil {
            writer.failed[p] = durable
            disk.notePoisoned(PartitionID(rawValue: UInt16(p)), instance: writer.instance)
        }
        if let found = writer.found {
            guard durable <= found[p] || model.isLied else {
                throw Violation(
                    "partition \(p): a closed log calls \(durable) durable, the next one found \(found[p])")
            }
        } else {
            model.partitions[p].durable = max(model.partitions[p].durable, durable)
        }
    }

    /// Several tasks at once.
    func group(_ only: Place? = nil, tasks: Int? = nil) async throws {
        let tasks = tasks ?? 2 + random.below(5)
        let isOnePartition = only != nil || random.chance(2)
        let one = only ?? randomPlace()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<tasks {
                guard let place = isOnePartition ? one : randomPlace() else { return }
                let rounds = 1 + random.below(3)
                group.addTask { [self] in
                    await noting {
                        for _ in 0..<rounds where goesOn {
                            switch random.below(8) {
                            case 0..<4: try await appendOne(place, synced: true)
                            case 4: try await appendOne(place, synced: false)
                            case 5: try await batch(place, synced: true)
                            case 6: try await sync(place)
                            default: await Task.yield()
                            }
                        }
                    }
                }
            }
            await group.waitForAll()
        }
        try rethrowFound()
    }

    private func sync(_ place: Place) async throws {
        let p = place.p
        let before = model.partitions[p].acknowledged
        do {
            try await place.partition.sync()
            guard !disk.isDown else { return }
            overtook(.sync)
            note("partition \(p) synced, at least to \(before)")
            if place.writer.found == nil {
                model.partitions[p].durable = max(model.partitions[p].durable, before)
            }
            try observeDurable(place)
        } catch let error as WalError {
            try judge(error, "sync \(p)", place.writer)
        }
    }

    func syncAll() async throws {
        guard let writer else { return }
        let before = model.partitions.map(\.acknowledged)
        do {
            try await writer.wal.sync()
            guard !disk.isDown else { return }
            overtook(.sync)
            if writer.found == nil {
                for p in before.indices { model.partitions[p].durable = max(model.partitions[p].durable, before[p]) }
            }
            for p in before.indices { try observeDurable(writer.place(p)) }
        } catch let error as WalError {
            try judge(error, "sync all", writer)
        }
    }

    // MARK: Purging and reading

    func purge(_ place: Place) throws {
        let (partition, p) = (place.partition, place.p)
        let last = Int(partition.lastLSN.rawValue)
        guard last > 0 else { return }
        let before = 1 + random.below(last + 2)
        // Others may append meanwhile.
        model.partitions[p].mayBeFirst = max(
            model.partitions[p].mayBeFirst, plan.slowOnceIn == nil ? min(before, last + 1) : before)
        do throws(WalError) {
            let count = try partition.purge(before: LSN(UInt64(before)))
            guard !disk.isDown else { return }
            overtook(.purge)
            let first = Int(partition.firstRetainedLSN.rawValue)
            guard place.writer.found == nil, !place.writer.isClosing else { return }
            note("partition \(p): purged before \(before), \(count) segments, first is \(first)")
            guard first <= model.partitions[p].mayBeFirst, first >= model.partitions[p].first else {
                throw WalError(.invalidArgument, "purged before \(before), but the first is \(first)")
            }
            // What an earlier purge could not finish may still happen at the next open.
            model.partitions[p].first = first
        } catch {
            if error.code == .invalidArgument, !disk.isDown { throw Violation("\(error)") }
            try judge(error, "purge \(p)", place.writer)
        }
    }

    func recompress(_ place: Place) throws {
        let (partition, p) = (place.partition, place.p)
        let last = Int(partition.lastLSN.rawValue)
        do throws(WalError) {
            let done = try partition.recompress(
                with: .init(PackingCodec()), before: random.chance(2) ? .max : LSN(UInt64(1 + random.below(last + 1))),
                blockSize: [1024, 4096, 65_536][random.below(3)])
            note("partition \(p): \(done)")
            counts.recompressed += done.segments
            if done.segments > 0 { overtook(.recompress) }
        } catch {
            // Somebody else is at it, or purged what it read.
            if plan.slowOnceIn != nil, error.code == .invalidArgument || error.code == .missing || error.code == .purged
            {
                return
            }
            try judge(error, "recompress \(p)", place.writer)
        }
    }

    private func read(_ place: Place) throws {
        let (partition, p) = (place.partition, place.p)
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
            if error.code == .purged, model.partitions[p].mayBeFirst > next { return }
            return try judge(error, "read \(p) from \(start)", place.writer)
        }
        overtook(.read)
        guard !disk.isDown, !model.isLied, !place.writer.isClosing, place.writer.found == nil else { return }
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
        for place in places {
            let (partition, p) = (place.partition, place.p)
            guard !disk.isDown, !model.isLied, let note = random.element(model.partitions[p].positions) else {
                continue
            }
            let fate = model.fate(note, p)
            let last = partition.lastLSN.rawValue
            do throws(WalError) {
                let start: ReadStart = random.chance(2) ? .after(note.position) : .after(LSN(UInt64(note.lsn)))
                if start == .after(LSN(UInt64(note.lsn))), case .lost = fate { continue }
                var cursor = try partition.entries(from: start).makeCursor()
                let entry = try cursor.next()
                let lsn: Int
                switch fate {
                case .reads(let next), .purgedOrReads(let next): lsn = next
                case _ where place.writer.isClosing: continue
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
                } else if last >= UInt64(lsn) {
                    throw WalError(.invalidArgument, "a position led to the end, expected \(fate)")
                }
            } catch {
                if place.writer.isClosing { continue }
                switch (error.code, model.fate(note, p)) {
                case (.positionLost, .lost(let common)) where error.lsn?.rawValue == UInt64(common): continue
                case (.purged, .purged), (.purged, .purgedOrReads): continue
                case (.invalidArgument, _), (.positionLost, _), (.purged, _):
                    throw Violation("partition \(p): \(error); expected \(fate) for \(note)")
                default: try judge(error, "read from a position", place.writer)
                }
            }
        }
    }

    // MARK: Others beside the writer

    /// A second writer must not be let in.
    private func secondOpen() async throws {
        guard !isChanging, writer != nil else { return }
        secondOpens += 1
        defer { secondOpens -= 1 }
        let before = changes
        var configuration = SimulatedWal.Configuration(
            codec: .bytes(), readableCodecs: SimulatedWal.Configuration.simulatedCodecs)
        configuration.minimumSegmentSize = 13_000
        configuration.disabledMeasures = plan.disabled
        let instance = disk.newInstance()
        do {
            let second = try await disk.open(configuration, instance: instance)
            guard changes != before, goesOn else { throw Violation("a second writer was let in") }
            // The first was closed, or let go.
            note("opened between two others")
            try await second.close()
            disk.end(instance: instance)
        } catch let error as WalError {
            disk.end(instance: instance)
            if error.code == .alreadyOpen { return }
            return try judge(error, "open a second time")
        }
    }

    private func tail(_ place: Place) async throws {
        let (partition, p) = (place.partition, place.p)
        let visibility: Visibility = random.chance(3) ? .appended : .durable
        var next = Int(partition.firstRetainedLSN.rawValue)
        do {
            for try await entry in try partition.tail(from: .lsn(LSN(UInt64(next))), upTo: visibility) {
                guard !disk.isDown else { return }
                guard Int(entry.lsn.rawValue) == next else {
                    throw Violation("a tail showed LSN \(entry.lsn) where \(next) should come")
                }
                try model.see(p, next, entry.record)
                if visibility == .durable, place.writer.found == nil {
                    model.partitions[p].durable = max(model.partitions[p].durable, next)
                }
                next += 1
            }
        } catch let error as WalError {
            if error.code == .purged, model.partitions[p].mayBeFirst > next { return }
            try judge(error, "tail \(p)", place.writer)
        }
    }

    private func watch(_ place: Place) async throws {
        let (partition, p) = (place.partition, place.p)
        var last = partition.mark
        for await mark in partition.watch() {
            guard !disk.isDown else { return }
            guard mark.appended >= last.appended, mark.durable >= last.durable, mark.durable <= mark.appended else {
                throw Violation(
                    "a watch showed \(mark.appended)/\(mark.durable) after \(last.appended)/\(last.durable)")
            }
            if place.writer.found == nil {
                model.partitions[p].durable = max(model.partitions[p].durable, Int(mark.durable.rawValue))
            }
            last = mark
        }
    }
}
