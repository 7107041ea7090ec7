internal import WalTesting
internal import WriteAheadLog

/// One simulated history of a log: lives of a writer that end in crashes, faults or closing, each checked against the model.
///
/// Everything happens on the thread that calls ``run()``; the order in which tasks and background jobs take turns follows from the
/// seed.
package final class History: @unchecked Sendable {
    // Sendable: the simulated disk runs all tasks and jobs on one thread.
    package let plan: HistoryPlan
    let disk: SimulatedDisk
    var random: SeededGenerator
    var model: LogModel
    package internal(set) var counts = Counts()
    /// A violation found where it can't be thrown.
    var found: Violation?
    /// What was done, last first; kept for ``trace``.
    package private(set) var trace: [String] = []
    private let keepsTrace: Bool

    /// The log that is open.
    var writer: Writer?
    var places: [Place] { writer.map { writer in writer.parts.indices.map(writer.place) } ?? [] }
    /// Somebody closes the log and opens it again.
    var isChanging = false
    /// How often somebody began to.
    var changes = 0
    /// How many are trying to open it beside the writer.
    var secondOpens = 0
    /// Tails and watches, which keep the log that they follow.
    var companions = 0
    /// A log object whose handles are gone may hold the lock as long as it has work.
    var mayBeHeld = false
    /// The last opening found it so.
    var isHeld = false
    private var faultsBefore = 0
    private var resourceFaultsBefore = 0
    private var isCapped: Bool { disk.capacity != .max }
    private var planned = SimulatedDisk.Crash.kill
    /// Looks at what a crash would leave are not looked at themselves.
    private var isLooking = false

    package init(_ plan: HistoryPlan, keepsTrace: Bool = false) {
        self.plan = plan
        self.keepsTrace = keepsTrace
        disk = SimulatedDisk(seed: plan.seed)
        disk.exposesFreedBlocks = plan.exposesFreedBlocks
        random = SeededGenerator(seed: plan.seed ^ 0x0917)
        model = LogModel(partitions: plan.partitions)
    }

    func note(_ text: @autoclosure () -> String) {
        if keepsTrace { trace.append("[\(disk.operations)] \(text())") }
    }

    /// - Throws: ``Violation``.
    package func run() throws {
        counts.histories = 1
        defer {
            counts.operations = disk.operations
            counts.faults = disk.faultsSoFar
        }
        for _ in 0..<plan.lives { try live() }
        // Whatever went wrong before: on a disk that works it opens, and closes clean.
        disk.restart()
        disk.capacity = .max
        disk.slowOperations = nil
        model.crashed(.kill)
        try runOnDisk { [self] in
            guard try await open() else {
                if model.isLied { return }
                throw Violation("the log does not open on a disk that works")
            }
            do {
                try await closeLog()
            } catch let error as WalError {
                if !model.isLied { throw Violation("closing failed on a disk that works: \(error)") }
            }
        }
        try rethrowFound()
        // Whose blocks may hold what they held before is not clean byte by byte.
        guard !model.isLied, !disk.exposesFreedBlocks else { return }
        guard let verification = try verified(disk) else { throw Violation("no log is there in the end") }
        guard !verification.isDamaged, verification.partitions.allSatisfy(\.isClean) else {
            throw Violation("after a clean end `verify` finds \(verification.damage), \(verification.partitions)")
        }
    }

    func runOnDisk(_ body: @escaping @Sendable () async throws -> Void) throws {
        do {
            try disk.run(body)
        } catch let error as SimulationError {
            throw Violation(error.description)
        }
        try checkMisuse()
    }

    private func checkMisuse() throws {
        if let misuse = disk.misuseOfName { throw Violation(misuse) }
        if plan.judgesOperations, let misuse = disk.misuse { throw Violation(misuse) }
    }

    func rethrowFound() throws { if let found { throw found } }

    /// Nil where there is no log yet.
    func verified(_ disk: SimulatedDisk) throws -> WalVerification? {
        do throws(WalError) {
            return try disk.verify()
        } catch {
            if error.code == .notFound || error.code == .notALog, model.partitions.allSatisfy({ $0.durable == 0 }) {
                return nil
            }
            throw Violation("`verify` failed: \(error)")
        }
    }

    // MARK: A life

    private func live() throws {
        model.life += 1
        counts.lies = disk.hasLied ? 1 : 0
        faultsBefore = disk.faultsSoFar
        resourceFaultsBefore = disk.resourceFaultsSoFar
        let ending = random.below(8)
        if random.chance(2) {
            planned = random.chance(3) ? .kill : .powerLoss
            let distance = [8, 40, 150, 500][random.below(4)]
            disk.crash(planned, beforeOperation: disk.operations + 1 + random.below(distance))
            note("life \(model.life); a \(planned) is planned")
        } else {
            note("life \(model.life)")
        }
        planTrouble(atOpen: true)
        disk.slowOperations = plan.slowOnceIn.map { SlowOperations(oneIn: $0) }
        disk.beforeEachOperation { [self] _, operation, path in
            note("    \(operation) \(path)")
            look()
        }
        defer { disk.beforeEachOperation(nil) }
        try runOnDisk { [self] in
            guard try await open() else { return }
            planTrouble(atOpen: false)
            try await work()
            if !disk.isDown, ending < 2 {
                do {
                    try await closeLog()
                } catch let error as WalError {
                    try judge(error, "close")
                }
            }
        }
        try rethrowFound()
        if disk.isDown { for call in disk.interruptedOperations { counts.pairs.add(SlowCall(call), .crash) } }
        try end(ending)
        mayBeHeld = false
        try checkMisuse()
    }

    /// The writer's process is gone, one way or another.
    private func end(_ ending: Int) throws {
        if disk.isDown {
            note("\(planned), as planned")
            count(planned)
            model.crashed(planned)
            writer = nil
            disk.restart()
            return
        }
        switch ending {
        case 0, 1:
            // Closed, or it failed and somebody knows.
            writer = nil
            model.crashed(.kill)
            disk.settle()
        case 2:
            // Handles are dropped without `close`.
            note("abandoned")
            model.crashed(.kill)
            writer = nil
            disk.settle()
        case 3:
            if let place = places.first, !disk.hasStandingSteps { try crashAmidStores(place) }
            fallthrough
        default:
            let crash: SimulatedDisk.Crash = random.chance(3) ? .kill : .powerLoss
            if !disk.isDown {
                note("\(crash)")
                disk.crash(crash)
                for call in disk.interruptedOperations { counts.pairs.add(SlowCall(call), .crash) }
                count(crash)
                model.crashed(crash)
            }
            writer = nil
            disk.restart()
        }
        if random.chance(2) {
            disk.heal()
            disk.capacity = .max
        }
    }

    private func count(_ crash: SimulatedDisk.Crash) {
        if crash == .kill { counts.kills += 1 } else { counts.powerLosses += 1 }
    }

    /// The process or the machine stops between the stores of one append.
    private func crashAmidStores(_ place: Place) throws {
        let attempt = model.begin(UInt16(place.p), count: 1, size: size())
        let record = model.records(of: attempt)[0]
        disk.slowOperations = nil
        disk.beginTearableStores()
        try runOnDisk { [self] in
            do throws(WalError) {
                _ = try place.partition.append(record)
            } catch {
                // Then there is nothing to tear; what it did is uncertain.
                note("append amid stores: \(error.code)")
            }
        }
        let crash: SimulatedDisk.Crash = disk.isDown ? planned : random.chance(2) ? .kill : .powerLoss
        note("\(crash) amid stores")
        if !disk.isDown { disk.crashAmidStores(crash) }
        count(crash)
        model.crashed(crash)
    }

    func planTrouble(atOpen: Bool) {
        switch plan.trouble {
        case .none: return
        case .fullDisk:
            guard !atOpen, random.chance(2) else { return }
            let used = disk.files().values.reduce(0) { $0 + $1.count }
            disk.capacity = used + random.below(60_000)
            note("the disk is full at \(disk.capacity) bytes")
        case .faults:
            guard random.chance(atOpen ? 6 : 2) else { return }
            // A sync that fails and leaves clean pages which are not on the disk is the rarest to show, so it comes most often.
            let effects: [DiskFault.Effect] = [
                .ioError, .ioError, .dropsDirtyPages, .dropsDirtyPages, .dropsDirtyPages, .shortWrite, .noSpace,
                .tooManyFiles, .outOfMemory,
            ]
            var operations: Set<DiskFault.Operation> = []
            for _ in 0...random.below(3) {
                operations.insert(DiskFault.Operation.allCases[random.below(DiskFault.Operation.allCases.count)])
            }
            var effect = effects[random.below(effects.count)]
            // An effect that the operation can't have would be none.
            switch effect {
            case .dropsDirtyPages: operations = [.sync, .writeSynced]
            case .shortWrite: operations = [.write, .writeSynced]
            case .noSpace:
                operations = operations.intersection([.create, .write, .allocate, .openDirectory, .truncate])
            case .tooManyFiles, .outOfMemory:
                operations = operations.intersection([.list, .open, .create, .openDirectory, .map])
                if operations.isEmpty { operations = [.open, .create, .openDirectory] }
            default: break
            }
            if operations.isEmpty {
                effect = .ioError
                operations = [.sync, .syncDirectory]
            }
            let fault = DiskFault(
                effect, on: operations, of: ["", "", "partition-00000/", "STATE", ".wal"][random.below(5)],
                skipping: random.below(12), times: random.chance(3) ? nil : 1 + random.below(3))
            disk.inject(fault)
            note(
                "fault: \(fault.effect) on \(fault.operations.map(\.rawValue).sorted()) of '\(fault.name)', \(fault.skipping) go well"
            )
        case .lies:
            guard random.chance(2) else { return }
            if random.chance(2) {
                disk.inject(
                    DiskFault(
                        random.chance(2) ? .lostWrite : .misplacedWrite, on: [.sync, .writeSynced],
                        skipping: random.below(20), times: 1))
            } else if !atOpen {
                let files = disk.files().filter { !$0.value.isEmpty }
                if let path = random.element(files.keys.sorted()), let content = files[path] {
                    disk.flip(bit: random.below(content.count * 8), of: path)
                    model.isLied = true
                }
            }
        }
    }

    /// Whether an error has a cause that the simulation knows of; a violation where it has none.
    func judge(_ error: WalError, _ doing: String, _ writer: Writer? = nil) throws {
        note("\(doing): \(error.code)")
        if disk.isDown { return }
        // Somebody else closed it; what its segments were is another log object's by now.
        if writer?.isClosing == true, [.closed, .missing, .segmentReplaced, .purged, .notFound].contains(error.code) {
            return
        }
        if disk.hasLied { model.isLied = true }
        if model.isLied, error.code == .corrupt || error.code == .missing || error.code == .poisoned { return }
        // Places in the pool of files are not waited for, however soon one would be free: see `Campaign.poolWaits`.
        if error.code == .tooManyFiles, !Campaign.poolWaits, plan.slowOnceIn != nil { return }
        let hasCause = disk.faultsSoFar > faultsBefore || isCapped
        // A failure that says nothing of the data poisons nothing (promise 8).
        if Campaign.resourcesPoisonNothing, error.code == .poisoned, !isCapped,
            disk.faultsSoFar - faultsBefore == disk.resourceFaultsSoFar - resourceFaultsBefore
        {
            throw Violation("\(doing): no descriptor or memory for a moment has poisoned a partition: \(error)")
        }
        guard hasCause, error.isOfFault else { throw Violation("\(doing) failed without a cause: \(error)") }
        // Space that was not reserved may run out under frames that were accepted.
        if isCapped, plan.trouble == .fullDisk, writer?.isMapped == true, error.code != .noSpace {
            throw Violation("\(doing) on a full disk: \(error)")
        }
    }

    // MARK: Opening

    private func configuration() -> SimulatedWal.Configuration {
        var configuration = SimulatedWal.Configuration(
            codec: .bytes(), readableCodecs: SimulatedWal.Configuration.simulatedCodecs)
        configuration.minimumSegmentSize = 13_000
        configuration.segmentSize = [13_400, 16_384, 16_384, 24_000, 65_536][random.below(5)]
        for p in 0..<plan.partitions where random.chance(3) {
            configuration.partitionCodecs[PartitionID(rawValue: UInt16(p))] =
                random.chance(2) ? .init(InvertingCodec()) : .init(PackingCodec())
        }
        if random.chance(4) { configuration.recompression[0] = .init(PackingCodec()) }
        configuration.writes = random.chance(4) ? .written : .mapped
        configuration.fillsSegments = random.chance(4)
        configuration.reads = random.chance(4) ? .pread : .automatic
        configuration.check = random.chance(6) ? .full : .tail
        configuration.idleMarkNanoseconds = random.chance(2) ? 1_000_000_000 : 50_000
        if random.chance(4) { configuration.maximumOpenSegments = 4 }
        configuration.disabledMeasures = plan.disabled
        return configuration
    }

    /// Opens the log and checks everything in it; false where it can't be opened for a good reason.
    func open() async throws -> Bool {
        isHeld = false
        if disk.hasLied { model.isLied = true }
        if !model.isLied, random.chance(6) {
            try await lookReadOnly(disk)
            if random.chance(2), !disk.isDown, disk.faultsSoFar == faultsBefore {
                let copy = disk.clone(after: .kill, seed: random.next())
                if let verification = try verified(copy), verification.isDamaged, !model.isLied,
                    !disk.exposesFreedBlocks
                {
                    throw Violation("`verify` finds damage where there is none: \(verification.damage)")
                }
            }
        }
        var configuration = configuration()
        let instance = disk.newInstance()
        configuration.observer = WalObserver { [weak self] event in self?.hear(event, instance) }
        let secondsBefore = secondOpens
        let wal: SimulatedWal
        do throws(WalError) {
            wal = try await disk.open(configuration, instance: instance)
        } catch {
            disk.end(instance: instance)
            if error.code == .alreadyOpen, mayBeHeld || secondOpens > 0 || secondsBefore > 0 {
                note("open: the lock is held")
                isHeld = true
                return false
            }
            try judge(error, "open")
            model.crashed(.kill)
            return false
        }
        mayBeHeld = false
        counts.recoveries += 1
        var parts: [SimulatedWal.Partition] = []
        for p in 0..<plan.partitions {
            do throws(WalError) { parts.append(try wal.partition(PartitionID(rawValue: UInt16(p)))) } catch {
                throw Violation("partition \(p): \(error)")
            }
        }
        for p in parts.indices {
            guard let records = try readAll(parts[p]) else {
                // It is dropped, and lets go of the lock when its work is done.
                mayBeHeld = true
                isHeld = true
                return false
            }
            let first = Int(parts[p].firstRetainedLSN.rawValue)
            let last = Int(parts[p].lastLSN.rawValue)
            try model.check(p, first: first, records: records, last: last)
            if last < model.partitions[p].acknowledged { counts.cuts += 1 }
            model.settle(p, first: first, last: last)
            guard Int(parts[p].mark.durable.rawValue) == last else {
                throw Violation("partition \(p): recovered to \(last), durable \(parts[p].mark.durable)")
            }
        }
        let opened = Writer(wal, parts, instance: instance, isMapped: configuration.writes == .mapped)
        opened.durable = model.partitions.map(\.durable)
        for old in earlier { old.writer?.found = model.partitions.map(\.durable) }
        earlier = earlier.filter { $0.writer != nil } + [Earlier(writer: opened)]
        writer = opened
        note(
            "opened: \(parts.map { "\($0.firstRetainedLSN)…\($0.lastLSN)" }), \(configuration.segmentSize) \(configuration.writes)"
        )
        return true
    }

    /// Everything in a partition; nil where a crash, a fault or a lie kept it from being read.
    func readAll(
        _ partition: SimulatedWal.Partition, isBesideWriter: Bool = false
    ) throws -> [(lsn: Int, payload: Payload)]? {
        var records: [(lsn: Int, payload: Payload)] = []
        do throws(WalError) {
            var cursor = try partition.entries().makeCursor()
            while let entry = try cursor.next() { records.append((Int(entry.lsn.rawValue), entry.record)) }
        } catch {
            if isBesideWriter, error.code == .purged { return nil }
            try judge(error, "read partition \(partition.id)")
            if model.isLied {
                for (lsn, payload) in records { try model.see(Int(partition.id.rawValue), lsn, payload) }
            }
            return nil
        }
        return records
    }

    func closeLog() async throws {
        guard let writer else { return }
        note("close")
        writer.isClosing = true
        defer {
            if !disk.isDown {
                disk.end(instance: writer.instance)
                if plan.judgesOperations, disk.isLocked(by: writer.instance) {
                    found = found ?? Violation("`close` did not let go of the lock")
                }
                overtook(.close)
            }
        }
        try await writer.wal.close()
        guard !disk.isDown else { return }
        // Everything that was accepted is durable now.
        for p in model.partitions.indices { model.partitions[p].durable = model.partitions[p].acknowledged }
    }

    /// What may keep a log whose handles are gone.
    var holders: String {
        "\(earlier.count { $0.writer != nil }) of \(earlier.count) handles, \(disk.suspendedOperations), standing: \(disk.hasStandingSteps)"
    }

    /// Log objects that were opened, for as long as somebody has them.
    private struct Earlier { weak var writer: Writer? }
    private var earlier: [Earlier] = []

    // MARK: Slow operations

    /// Counts what has just been done, for each operation of the disk that is suspended meanwhile.
    func overtook(_ what: Overtaking) {
        guard plan.slowOnceIn != nil, !disk.isDown else { return }
        for call in disk.suspendedOperations { counts.pairs.add(SlowCall(call), what) }
    }

    private func hear(_ event: WalEvent, _ instance: Int) {
        guard !disk.isDown else { return }
        switch event {
        case .rotated: overtook(.rotate)
        case .recompressed: overtook(.recompress)
        case .poisoned(let id, _):
            overtook(.failure)
            disk.notePoisoned(id, instance: instance)
        default: break
        }
    }

    // MARK: What a crash would leave

    /// Before an operation of the disk, sometimes: opens what a crash at this moment would leave, on a disk of its own.
    private func look() {
        guard found == nil, !isLooking, !disk.isDown, !model.isLied, !disk.hasLied, random.chance(plan.lookOnceIn)
        else {
            return
        }
        isLooking = true
        defer { isLooking = false }
        let crash: SimulatedDisk.Crash = random.chance(3) ? .kill : .powerLoss
        do {
            try look(after: crash, seed: random.next())
        } catch {
            found = Violation("a \(crash) before operation \(disk.operations + 1): \(error)")
        }
    }

    /// Opens, checks, appends and opens again what a crash now would leave, on a copy of disk and model.
    func look(after crash: SimulatedDisk.Crash, seed: UInt64, sectors: (@Sendable (Int) -> Bool)? = nil) throws {
        count(crash)
        let copy = disk.clone(after: crash, seed: seed, sectors: sectors)
        copy.capacity = .max
        let twin = History(copying: self, on: copy, seed: seed)
        twin.model.crashed(crash)
        do {
            try twin.recoverTwice()
        } catch {
            for line in twin.trace { note("        \(line)") }
            throw error
        }
        counts.recoveries += twin.counts.recoveries
        counts.cuts += twin.counts.cuts
    }

    private init(copying other: History, on disk: SimulatedDisk, seed: UInt64) {
        plan = other.plan
        self.disk = disk
        random = SeededGenerator(seed: seed)
        model = other.model
        model.life += 1
        keepsTrace = other.keepsTrace
        isLooking = true
        faultsBefore = disk.faultsSoFar
        resourceFaultsBefore = disk.resourceFaultsSoFar
    }

    private func recoverTwice() throws {
        disk.beforeEachOperation { [unowned self] _, operation, path in note("    \(operation) \(path)") }
        for isLast in [false, true] {
            try runOnDisk { [self] in
                guard try await open() else { throw Violation("it can't be opened") }
                guard !isLast else { return }
                for place in places { try await appendOne(place, synced: random.chance(2)) }
                try checkPositions()
            }
            writer = nil
            let crash: SimulatedDisk.Crash = random.chance(2) ? .kill : .powerLoss
            disk.crash(crash)
            disk.restart()
            model.crashed(crash)
            model.life += 1
        }
    }

    /// A reader without the lock must see what is promised, before anything was mended.
    func lookReadOnly(_ disk: SimulatedDisk) async throws {
        var configuration = SimulatedWal.Configuration(
            codec: .bytes(), readableCodecs: SimulatedWal.Configuration.simulatedCodecs)
        configuration.minimumSegmentSize = 13_000
        configuration.disabledMeasures = plan.disabled
        let before = model.partitions.map(\.first)
        let writer = writer
        let reader: SimulatedWal
        do throws(WalError) {
            reader = try await disk.openReadOnly(configuration)
        } catch {
            if error.code == .notFound { return }
            // There may be no file of it yet, or no more.
            if error.code == .notALog, model.partitions.allSatisfy({ $0.durable == 0 }) { return }
            return try judge(error, "open for reading")
        }
        for id in reader.partitionIDs where Int(id.rawValue) < plan.partitions {
            let p = Int(id.rawValue)
            let partition: SimulatedWal.Partition
            do throws(WalError) { partition = try reader.partition(id) } catch { throw Violation("\(error)") }
            guard let records = try readAll(partition, isBesideWriter: plan.slowOnceIn != nil) else { return }
            let first = Int(partition.firstRetainedLSN.rawValue)
            let last = Int(partition.lastLSN.rawValue)
            // Another log object's records may be others.
            guard self.writer === writer, !isChanging else { return }
            try model.check(p, first: first, records: records, last: last, leastFirst: before[p])
        }
    }
}
