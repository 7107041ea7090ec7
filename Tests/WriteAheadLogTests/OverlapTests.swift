import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promises 1 and 8: what is under way when a partition is poisoned or its log is closed acknowledges and changes nothing
/// afterwards.
@Suite("What is under way at a failure or a close", .serialized, .timeLimit(.minutes(15)))
struct OverlapTests {
    struct Held: Sendable, CustomTestStringConvertible {
        var operations: Set<FaultyStorage.Operation>
        var name: String
        var testDescription: String { "\(operations) \(name)" }
    }

    /// Every call of a sync.
    static let calls = [
        Held(operations: [.writeSynced], name: "0001.wal"), Held(operations: [.sync], name: "0001.wal"),
        Held(operations: [.syncDirectory], name: "partition-00001"), Held(operations: [.write], name: "STATE"),
        Held(operations: [.sync], name: "STATE"), Held(operations: [.syncDirectory], name: "/"),
    ]
    private static let changes: Set<FaultyStorage.Operation> = [
        .write, .writeSynced, .sync, .syncDirectory, .rename, .remove, .truncate, .allocate,
    ]

    /// A sync of a new partition, or of one that was synced before where only that makes the call.
    private func begin(
        _ held: Held, _ path: String, _ storage: FaultyStorage, _ writes: WriteMode
    ) async throws -> (BytesWal, BytesWal.Partition, Gate) {
        let wal = try await BytesWal.open(at: path, configuration: small(writes), storage: storage)
        let partition = try wal.partition(1)
        if held.operations == [.writeSynced] || held.name.hasSuffix("wal") {
            try partition.appendRecords(1...1)
            try await partition.sync()
        }
        if held.operations == [.sync], held.name.hasSuffix("wal") {
            // Something unsynced before it: the sync can't be ranged.
            try partition.append(Payload([1]))
        }
        // A new partition's STATE is written once, before the first sync.
        if held.operations == [.write], held.name == "STATE" { try partition.append(Payload([1])) }
        return (wal, partition, storage.hold(held.operations, of: held.name))
    }

    @Test(
        "C2: a sync that a failure overtakes acknowledges nothing, raises no mark, writes nothing more",
        arguments: calls, [WriteMode.mapped, .written])
    func poisonedMeanwhile(_ held: Held, _ writes: WriteMode) async throws {
        // It writes first, and syncs then.
        if writes == .written, held.operations == [.writeSynced] { return }
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let (wal, partition, gate) = try await begin(held, path, storage, writes)
            let durable = partition.mark.durable
            let synced = OnThread { () -> WalError.Code? in
                do throws(WalError) {
                    try partition.appendAndWait(Payload([2]))
                    return nil
                } catch {
                    return error.code
                }
            }
            #expect(gate.waitForArrival())
            // A large frame is written by the append itself, whatever the mode.
            storage.fail([.write], of: "0001.wal", times: 1, errno: EIO)
            await expectError(.io) { try partition.append(Payload([UInt8](repeating: 3, count: 40_000))) }
            #expect(partition.mark.failure?.errno == EIO)
            storage.forgetCalls()
            gate.open()
            let told = synced.end()
            #expect(told == .some(WalError.Code.io))
            #expect(partition.mark.durable == durable)
            // STATE is written and synced as a whole, once it was begun.
            let changed = storage.calls(Self.changes).filter {
                !(held.operations == [.write] && $0.operation == .sync && $0.path.hasSuffix("STATE"))
            }
            #expect(changed.isEmpty, "\(changed)")
            await expectError(.io) { try await wal.close() }
            let again = try await BytesWal.open(at: path, configuration: small(writes))
            #expect(try again.partition(1).lastLSN >= durable)
            try await again.close()
        }
    }

    @Test(
        "4: a segment that is sealed while a sync is under way is synced with its footer before the log is called clean"
    )
    func sealedMeanwhile() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(.mapped), storage: storage)
            let partition = try wal.partition(1)
            try partition.append(Payload([1]))
            let gate = storage.hold([.sync], of: "STATE")
            let synced = OnThread { () -> WalError.Code? in
                do throws(WalError) {
                    try partition.syncAndWait()
                    return nil
                } catch {
                    return error.code
                }
            }
            #expect(gate.waitForArrival())
            // The rotation seals, and then finds no space for the next segment.
            storage.fail([.openFile], of: "0002.wal", errno: ENOSPC)
            await expectError(.noSpace) { try partition.append(Payload([UInt8](repeating: 2, count: 60_000))) }
            storage.forgetCalls()
            let closed = OnThread { () -> WalError.Code? in
                do throws(WalError) {
                    try wal.closeAndWait()
                    return nil
                } catch {
                    return error.code
                }
            }
            // Closing has begun, and waits for the sync that is under way.
            var refusal: WalError.Code?
            while refusal != .closed {
                do throws(WalError) { try partition.append(Payload([3])) } catch { refusal = error.code }
                await Task.yield()
            }
            gate.open()
            #expect(synced.end() == .some(nil))
            #expect(closed.end() == .some(nil))
            let calls = storage.calls([.sync, .write])
            let footer = try #require(calls.lastIndex { $0.operation == .sync && $0.path.hasSuffix("0001.wal") })
            let clean = try #require(calls.lastIndex { $0.operation == .write && $0.path.hasSuffix("STATE") })
            #expect(footer < clean, "\(calls)")
        }
    }

    @Test("control: without that look at the partition, what the failure overtook is called durable")
    func poisonedMeanwhileControl() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            var configuration = small(.written)
            configuration.disabledMeasures = .phaseAfterSync
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            let partition = try wal.partition(1)
            let gate = storage.hold([.sync], of: "0001.wal")
            let synced = OnThread { _ = try? partition.appendAndWait(Payload([2])) }
            #expect(gate.waitForArrival())
            storage.fail([.write], of: "0001.wal", times: 1, errno: EIO)
            await expectError(.io) { try partition.append(Payload([UInt8](repeating: 3, count: 40_000))) }
            gate.open()
            synced.end()
            #expect(partition.mark.durable == 1)
            await expectError(.io) { try await wal.close() }
        }
    }

    /// What closing must wait for: how it is begun, and where it stands then.
    enum Work: CaseIterable {
        case sync, idleMark, purge, preparing
    }

    @Test("C2, C23: closing waits for what is under way, and nothing comes after it", arguments: Work.allCases)
    func closedMeanwhile(_ work: Work) async throws {
        try await withTemporaryDirectory { path in
            for k in 1...3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                try wal.partition(1).appendRecords(k...k)
                try await wal.close()
            }
            let storage = FaultyStorage()
            var configuration = small(.mapped)
            if work == .idleMark { configuration.idleMarkNanoseconds = 1 }
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            let partition = try wal.partition(1)
            try partition.append(Payload([4]))
            if work != .idleMark { try await partition.sync() }
            let gate: Gate
            let other: OnThread<Void>
            switch work {
            case .sync:
                gate = storage.hold([.writeSynced, .sync], of: "0004.wal")
                other = OnThread { _ = try? partition.appendAndWait(Payload([5])) }
            case .idleMark:
                gate = storage.hold([.sync], of: "0004.wal", skipping: 1)
                try await partition.sync()
                // It is scheduled after the sync was told of: by the clock of then.
                for _ in 0..<20 {
                    storage.advanceClock(nanoseconds: 1_000_000_000)
                    if gate.waitForArrival(seconds: 1) { break }
                }
                other = OnThread {}
            case .purge:
                gate = storage.hold([.remove], of: "0002.wal")
                other = OnThread { _ = try? partition.purge(before: 4) }
            case .preparing:
                gate = storage.hold([.allocate, .map], of: "next-")
                for _ in 0..<200 { try partition.append(Payload([UInt8](repeating: 1, count: 1_000))) }
                other = OnThread {}
            }
            #expect(gate.waitForArrival())
            let wasOpen = Locked<Bool?>(nil)
            let isOver =
                finishes {
                    Thread.detachNewThread {
                        _ = try? wal.closeAndWait()
                        let isOpen = gate.isOpen
                        storage.forgetCalls()
                        wasOpen.withLock { $0 = isOpen }
                    }
                    for _ in 0..<2_000 { sched_yield() }
                    #expect(wasOpen.withLock { $0 } == nil)
                    gate.open()
                    while wasOpen.withLock({ $0 }) == nil { sched_yield() }
                }
            #expect(isOver)
            #expect(wasOpen.withLock { $0 } == true)
            other.end()
            let again = try await BytesWal.open(at: path, configuration: small(.mapped))
            try again.partition(1).append(Payload([9]))
            try await again.close()
            #expect(storage.calls(Self.changes).isEmpty, "\(storage.calls(Self.changes))")
            let names = try FileManager.default.contentsOfDirectory(atPath: partitionPath(path))
            #expect(!names.contains { $0.hasSuffix(FileFormat.preparedSuffix) }, "\(names)")
        }
    }

    @Test("C5, C15: a synced append waits for no purge, no prepared file, no observer")
    func nobodyWaits() async throws {
        try await withTemporaryDirectory { path in
            for k in 1...3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                try wal.partition(1).appendRecords(k...k)
                try await wal.close()
            }
            let storage = FaultyStorage()
            let heard = Gate()
            let wal = try await BytesWal.open(
                at: path, configuration: small(.mapped, observer: WalObserver { _ in heard.pass() }), storage: storage)
            let partition = try wal.partition(1)
            let purged = storage.hold([.remove], of: "0001.wal")
            let made = storage.hold([.openFile], of: "next-")
            let purge = OnThread { _ = try? partition.purge(before: 3) }
            #expect(purged.waitForArrival())
            for _ in 0..<200 { try partition.append(Payload([UInt8](repeating: 1, count: 1_000))) }
            #expect(made.waitForArrival() && heard.waitForArrival())
            #expect(
                finishes {
                    for _ in 0..<10 { _ = try? partition.appendAndWait(Payload([1])) }
                })
            let last = try await partition.append(Payload([1]), durability: .synced).lsn
            #expect(partition.mark.durable == last)
            // The rotation after it needs no prepared file.
            for _ in 0..<200 { try partition.append(Payload([UInt8](repeating: 1, count: 1_000))) }
            for gate in [purged, made, heard] { gate.open() }
            purge.end()
            try await wal.close()
        }
    }

    @Test(
        "events come one after the other, in order, and all before close returns; closing from within one is no deadlock"
    )
    func observers() async throws {
        try await withTemporaryDirectory { path in
            let sealed = Locked<[UInt64]>([])
            let within = Locked(0)
            let handle = Locked<BytesWal?>(nil)
            let observer = WalObserver { event in
                let entered = within.withLock { (count: inout Int) -> Int in
                    count += 1
                    return count
                }
                #expect(entered == 1)
                if case .rotated(_, let lsn, _) = event { sealed.withLock { $0.append(lsn.rawValue) } }
                if sealed.withLock({ $0.count }) == 3 { _ = try? handle.withLock { $0 }?.closeAndWait() }
                within.withLock { $0 -= 1 }
            }
            let wal = try await BytesWal.open(at: path, configuration: small(observer: observer))
            let partition = try wal.partition(1)
            for _ in 0..<400 { try partition.append(Payload([UInt8](repeating: 1, count: 2_000))) }
            try await wal.close()
            let first = sealed.withLock { $0 }
            #expect(first.count >= 10 && first == first.sorted())

            let other = try await BytesWal.open(at: path, configuration: small(observer: observer))
            sealed.withLock { $0 = [] }
            handle.withLock { $0 = other }
            let again = try other.partition(1)
            #expect(
                finishes {
                    while (try? again.append(Payload([UInt8](repeating: 1, count: 2_000)))) != nil {}
                })
            handle.withLock { $0 = nil }
            #expect(
                finishes {
                    // The lock was let go.
                    while true {
                        if let reopened = try? BytesWal.openAndWait(at: path, configuration: small()) {
                            try? reopened.closeAndWait()
                            return
                        }
                    }
                })
        }
    }
}

/// Promise 8: a failure that says nothing of the data poisons nothing; promise 9: close always lets the lock go.
@Suite("Threads, descriptors and memory run out", .timeLimit(.minutes(15)))
struct ScarcityTests {
    @Test("C3: without threads a log is not opened, with an error that says so; opened, it goes on, and closes")
    func noThreads() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.refusesThreads = true
            let refused = await expectError(.outOfResources) {
                try await BytesWal.open(at: path, configuration: small(), storage: storage)
            }
            #expect(refused?.errno == 11)
            for isAsync in [false, true] {
                storage.refusesThreads = false
                let events = EventLog()
                let wal = try await BytesWal.open(
                    at: path, configuration: small(observer: events.observer), storage: storage)
                storage.refusesThreads = true
                let partition = try wal.partition(1)
                for _ in 0..<300 { try partition.append(Payload([UInt8](repeating: 1, count: 2_000))) }
                try await partition.append(Payload([1]), durability: .synced)
                try partition.syncAndWait()
                try await partition.sync()
                #expect(partition.mark.durable == partition.lastLSN)
                #expect(events.events.isEmpty)
                if isAsync { try await wal.close() } else { try wal.closeAndWait() }
                #expect(events.events.count >= 9)
                let again = try BytesWal.openAndWait(at: path, configuration: small())
                try again.closeAndWait()
            }
        }
    }

    @Test(
        "C28: no descriptor, no memory at any one moment: an error at most, never poison, and all goes on",
        arguments: [
            FaultyStorage.Operation.openDirectory, .openFile, .map, .allocate,
        ], [EMFILE, Int32(12)])
    func anyMoment(_ operation: FaultyStorage.Operation, _ errno: Int32) async throws {
        // So many of the calls that follow go well first.
        for skipping in 0..<24 {
            try await withTemporaryDirectory { path in
                let storage = FaultyStorage(runsWorkers: false)
                let wal = try await BytesWal.open(at: path, configuration: small(.mapped), storage: storage)
                let partition = try wal.partition(1)
                storage.fail([operation], of: "partition-00001", skipping: skipping, times: 1, errno: errno)
                var refusals: [WalError] = []
                func attempt(_ body: () throws -> Void) {
                    do { try body() } catch {
                        if let error = error as? WalError { refusals.append(error) }
                    }
                }
                for round in 0..<3 {
                    attempt { try partition.append(Payload([1])) }
                    attempt { try partition.syncAndWait() }
                    attempt { try partition.appendAndWait(Payload([2])) }
                    attempt { for _ in 0..<40 { try partition.append(Payload([UInt8](repeating: 1, count: 2_000))) } }
                    attempt { try partition.rotateAndWait() }
                    attempt { _ = try partition.purge(before: partition.mark.durable) }
                    if round == 1 { attempt { try partition.syncAndWait() } }
                }
                #expect(partition.mark.failure == nil, "\(skipping): \(refusals)")
                #expect(
                    refusals.count <= 1
                        && refusals.allSatisfy { $0.code == .tooManyFiles || $0.code == .outOfResources },
                    "\(skipping): \(refusals)")
                storage.heal()
                try partition.append(Payload([3]))
                try partition.syncAndWait()
                let (first, last) = (partition.firstRetainedLSN.rawValue, partition.lastLSN.rawValue)
                try wal.closeAndWait()
                let again = try await BytesWal.open(at: path, configuration: small(.mapped))
                #expect(try again.partition(1).readAll().lsns == Array(first...last))
                try await again.close()
            }
        }
    }

    @Test("C32: a segment that can't be mapped is written to, and said; readers read it")
    func unmapped() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let events = EventLog()
            let wal = try await BytesWal.open(
                at: path, configuration: small(.mapped, observer: events.observer), storage: storage)
            let partition = try wal.partition(1)
            storage.fail([.map], of: "", errno: 12)
            for k in 1...1_000 {
                if k % 10 == 0 {
                    try await partition.append(Payload(record(k)), durability: .synced)
                } else {
                    try partition.appendRecords(k...k)
                }
            }
            try expectRecords(partition, 1...1_000)
            storage.heal()
            for k in 1_001...3_000 { try partition.appendRecords(k...k) }
            try expectRecords(partition, 1...3_000)
            try await wal.close()
            #expect(events.fallbacks(.writes) == 1)
            let again = try await BytesWal.open(at: path, configuration: small(.mapped))
            try expectRecords(again.partition(1), 1...3_000)
            try await again.close()
        }
    }

    @Test(
        "C6: synced appends that find no space are told so, take no LSN, and all goes on once there is room",
        arguments: Writing.all, [0, 9])
    func noSpaceForStaged(_ writing: Writing, _ partial: Int) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(
                at: path, configuration: small(writing.writes, fills: writing.fills), storage: storage)
            let partition = try wal.partition(1)
            var kept: [UInt64: UInt8] = [:]
            for round in UInt8(0)..<12 {
                if round % 2 == 1 {
                    storage.fail([.write, .writeSynced], of: "0001.wal", times: 1, errno: ENOSPC, partial: partial)
                }
                let results = await withTaskGroup(of: (UInt64, UInt8)?.self) { group in
                    for k in 0..<8 {
                        group.addTask { () -> (UInt64, UInt8)? in
                            let byte = round * 16 + UInt8(k)
                            do throws(WalError) {
                                let receipt = try await partition.append(Payload([byte]), durability: .synced)
                                return (receipt.lsn.rawValue, byte)
                            } catch {
                                #expect(error.code == .noSpace, "\(error)")
                                return nil
                            }
                        }
                    }
                    var results: [(UInt64, UInt8)] = []
                    for await found in group {
                        if let found { results.append(found) }
                    }
                    return results
                }
                for (lsn, byte) in results {
                    let before = kept.updateValue(byte, forKey: lsn)
                    #expect(before == nil)
                }
                storage.heal()
                #expect(partition.mark.failure == nil)
                if round % 3 == 0 {
                    let plain = try partition.append(Payload([250])).lsn.rawValue
                    kept[plain] = 250
                }
                try partition.syncAndWait()
                #expect(partition.lastLSN.rawValue == UInt64(kept.count))
            }
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small(writing.writes))
            var cursor = try again.partition(1).entries(from: .first).makeCursor()
            var lsn: UInt64 = 0
            while let entry = try cursor.next() {
                lsn += 1
                #expect(entry.lsn.rawValue == lsn && entry.record.bytes == [kept[lsn] ?? 0])
            }
            #expect(lsn == UInt64(kept.count))
            try await again.close()
        }
    }

    @Test("C27: what was removed under a writer is noticed by the next sync", arguments: ["", "/partition-00001"])
    func removed(_ part: String) async throws {
        try await withTemporaryDirectory { base in
            let path = "\(base)/log"
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            for k in 1...3 { try await partition.append(Payload(record(k)), durability: .synced) }
            try FileManager.default.removeItem(atPath: path + part)
            await expectError(.removed) { try await partition.append(Payload(record(4)), durability: .synced) }
            let poisoned = await expectError(.poisoned) { try partition.append(Payload(record(4))) }
            #expect((poisoned?.underlying as? WalError)?.code == .removed)
            #expect(partition.mark.durable == 3)
            await expectError(.removed) { try await wal.close() }
        }
    }

    @Test("C27: the log's directory renamed under a writer is an event, and the log goes on")
    func renamed() async throws {
        try await withTemporaryDirectory { base in
            let events = EventLog()
            let wal = try await BytesWal.open(
                at: "\(base)/log", configuration: small(observer: events.observer))
            let partition = try wal.partition(1)
            try await partition.append(Payload(record(1)), durability: .synced)
            try FileManager.default.moveItem(atPath: "\(base)/log", toPath: "\(base)/moved")
            for k in 2...1_500 { try partition.appendRecords(k...k) }
            try await partition.sync()
            try await wal.close()
            #expect(events.fallbacks(.renamed) == 1)
            let again = try await BytesWal.open(at: "\(base)/moved", configuration: small())
            try expectRecords(again.partition(1), 1...1_500)
            try await again.close()
        }
    }

    @Test("C29: memory for staged frames is shared, bounded, and given back")
    func staging() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small(.mapped))
            for k in 0..<100 {
                let partition = try wal.partition(.init(rawValue: UInt16(k)))
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<4 {
                        group.addTask { try await partition.append(Payload([1]), durability: .synced) }
                    }
                    try await group.waitForAll()
                }
            }
            #expect(wal.stagingBuffersInUse == 0)
            // All at once, more than there is memory for.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for k in 0..<100 {
                    let partition = try wal.partition(.init(rawValue: UInt16(k)))
                    for _ in 0..<4 {
                        group.addTask { try await partition.append(Payload([1]), durability: .synced) }
                    }
                }
                try await group.waitForAll()
            }
            #expect(wal.stagingBuffersInUse == 0)
            for k in 0..<100 { #expect(try wal.partition(.init(rawValue: UInt16(k))).mark.durable == 8) }
            try await wal.close()
        }
    }
}

@Suite("Sealing on demand", .timeLimit(.minutes(5)))
struct RotateTests {
    @Test(
        "11: rotate seals what holds records; purge takes it, and LSNs go on, closed or killed",
        arguments: [true, false])
    func rotateAndPurge(_ closes: Bool) async throws {
        for writes in [WriteMode.mapped, .written] {
            try await withTemporaryDirectory { path in
                var next = 1
                for _ in 0..<3 {
                    let wal = try await BytesWal.open(
                        at: path, configuration: small(writes), storage: FaultyStorage(runsWorkers: false))
                    let partition = try wal.partition(1)
                    #expect(partition.lastLSN.rawValue == UInt64(next - 1))
                    try partition.rotateBlocking()
                    try partition.appendRecords(next...next + 4)
                    try partition.rotateBlocking()
                    try partition.rotateBlocking()
                    try expectRecords(partition, next...next + 4)
                    next += 5
                    #expect(try partition.purge(before: .max) == 1)
                    #expect(partition.readAll().lsns.isEmpty && partition.firstRetainedLSN.rawValue == UInt64(next))
                    try partition.appendRecords(next...next + 1)
                    try await partition.rotate()
                    try partition.appendRecords(next + 2...next + 2)
                    try partition.syncAndWait()
                    try expectRecords(partition, next...next + 2)
                    next += 3
                    #expect(try partition.purge(before: .max) == 1)
                    try partition.rotateBlocking()
                    #expect(try partition.purge(before: .max) == 1)
                    #expect(try segmentNames(path).isEmpty)
                    if closes { try await wal.close() }
                }
                let wal = try await BytesWal.open(at: path, configuration: small(writes))
                try wal.partition(1).appendRecords(next...next)
                try expectRecords(wal.partition(1), next...next)
                try await wal.close()
            }
        }
    }

    @Test("a partition without records, one that is parked, and a closed one")
    func edges() async throws {
        try await withTemporaryDirectory { path in
            var configuration = small()
            configuration.maximumOpenSegments = 4
            let wal = try await BytesWal.open(at: path, configuration: configuration)
            try await wal.partition(9).rotate()
            for id in 1...12 { try wal.partition(.init(rawValue: UInt16(id))).appendRecords(1...1) }
            for id in 1...12 {
                let partition = try wal.partition(.init(rawValue: UInt16(id)))
                try await partition.rotate()
                try partition.appendRecords(2...2)
                #expect(try segmentNames(path, UInt16(id)).count == 2)
            }
            try await wal.close()
            await expectError(.closed) { try await wal.partition(1).rotate() }
        }
    }
}

/// What runs on a thread of its own: a test that blocks holds one of the few that tasks have.
private final class OnThread<Value: Sendable>: Sendable {
    private let result = Locked<Value?>(nil)
    private let monitor = Monitor()

    init(_ body: @escaping @Sendable () -> Value) {
        Thread.detachNewThread { [self] in
            let value = body()
            result.withLock { $0 = value }
            monitor.withLock { monitor.broadcast() }
        }
    }

    /// Nil where it did not end in time.
    @discardableResult
    func end() -> Value? {
        let deadline = PosixStorage().monotonicNow() + 20_000_000_000
        return monitor.withLock {
            while true {
                if let value = result.withLock({ $0 }) { return value }
                guard PosixStorage().monotonicNow() < deadline else { return nil }
                monitor.wait(nanoseconds: 50_000_000)
            }
        }
    }
}

extension BytesWal.Partition {
    /// Within a task of a test.
    fileprivate func rotateBlocking() throws { try rotateAndWait() }
}

extension EventLog {
    fileprivate func fallbacks(_ kind: WalFallback.Kind) -> Int {
        events.count { if case .fellBack(let fallback) = $0 { fallback.kind == kind } else { false } }
    }
}
