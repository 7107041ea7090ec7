import Testing
import WalTesting
import WriteAheadLog

/// Bugs that simulated histories found, each as the shortest story that shows it.
@Suite("Found by simulation", .timeLimit(.minutes(15)))
struct FoundBySimulationTests {
    private static func tiny(
        _ writes: WriteMode = .mapped, check: CheckLevel = .tail, openSegments: Int? = nil, segmentSize: Int = 13_400
    ) -> BytesWal.Configuration {
        var configuration = BytesWal.Configuration(
            segmentSize: segmentSize, codec: .bytes(), writes: writes, check: check, maximumOpenSegments: openSegments)
        configuration.minimumSegmentSize = 13_000
        return configuration
    }

    /// Two of them fill a tiny segment.
    private static func large(_ k: Int) -> Payload { Payload([UInt8](repeating: UInt8(k), count: 400)) }

    /// Calls `body` with what losses of power now may leave: nothing that is unsynced, and what some seeds say.
    private static func afterPowerLoss(_ disk: SimulatedDisk, _ body: (SimulatedDisk) throws -> Void) throws {
        try body(disk.clone(after: .powerLoss, seed: 1) { _ in false })
        for seed in 0..<30 { try body(disk.clone(after: .powerLoss, seed: UInt64(seed))) }
    }

    private static func kill(_ disk: SimulatedDisk) {
        disk.crash(.kill)
        disk.restart()
    }

    private static func expectLarge(_ partition: BytesWal.Partition, _ range: ClosedRange<Int>) throws {
        var next = range.lowerBound
        var cursor = try partition.entries().makeCursor()
        while let entry = try cursor.next() {
            #expect(entry.lsn == LSN(UInt64(next)) && entry.record == large(next))
            next += 1
        }
        #expect(next == range.upperBound + 1)
    }

    @Test(
        "5: recovery makes a footer durable that was written behind records that were durable before",
        arguments: [CheckLevel.tail, .full])
    func footer(_ check: CheckLevel) throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let partition = try await disk.open(Self.tiny()).partition(0)
            for k in 1...2 { try await partition.append(Self.large(k), durability: .synced) }
            // A second of quiet, so that a mark says so.
            disk.advanceClock(nanoseconds: 2_000_000_000)
            for _ in 0..<8 { await Task.yield() }
            // Seals the first segment; no sync follows.
            try partition.append(Self.large(3))
        }
        Self.kill(disk)
        try disk.run {
            let partition = try await disk.open(Self.tiny(check: check)).partition(0)
            #expect(partition.mark.durable == 3)
        }
        try Self.afterPowerLoss(disk) { after in
            try after.run { try await Self.expectLarge(after.open(Self.tiny()).partition(0), 1...3) }
        }
    }

    /// Stops the machine right before the `k`-th such operation of `body`; false where there is none.
    private static func stopping(
        _ disk: SimulatedDisk, _ crash: SimulatedDisk.Crash, before operation: DiskFault.Operation, of path: String,
        skipping: Int = 0, _ body: @escaping @Sendable () async throws -> Void
    ) throws {
        let left = Locked(skipping)
        disk.beforeEachOperation { number, found, at in
            guard found == operation, at == path else { return }
            let isIt = left.withLock { left in
                left -= 1
                return left == -1
            }
            if isIt { disk.crash(crash, beforeOperation: number) }
        }
        try disk.run { _ = try? await body() }
        disk.beforeEachOperation(nil)
        #expect(disk.isDown, "there was no \(operation) of '\(path)'")
        disk.restart()
    }

    @Test("1: a partition that is found clean may have a name that is not durable yet")
    func name() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            _ = try await disk.open(Self.tiny()).partition(0).append(Self.large(1))
        }
        Self.kill(disk)
        // Recovery makes the partition clean, and is killed before it syncs the log's own directory.
        try Self.stopping(disk, .kill, before: .syncDirectory, of: "") { _ = try await disk.open(Self.tiny()) }
        try disk.run {
            let partition = try await disk.open(Self.tiny()).partition(0)
            #expect(partition.lastLSN == 1)
            try await partition.append(Self.large(2), durability: .synced)
        }
        try Self.afterPowerLoss(disk) { after in
            try after.run { try await Self.expectLarge(after.open(Self.tiny()).partition(0), 1...2) }
        }
    }

    /// Seven records in four segments, closed.
    private static func sealedLog() throws -> SimulatedDisk {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let wal = try await disk.open(Self.tiny())
            for k in 1...7 { try wal.append(large(k), to: 0) }
            try await wal.close()
        }
        return disk
    }

    @Test("11: no file is removed because of a STATE that is in the cache alone")
    func stateInCache() throws {
        let disk = try Self.sealedLog()
        // A purge writes STATE, and is killed before it is synced: the second sync, for the first is of what it said before.
        try Self.stopping(disk, .kill, before: .sync, of: "partition-00000/STATE", skipping: 1) {
            try await disk.open(Self.tiny()).partition(0).purge(before: 6)
        }
        // The next opening takes the files for left over. Then the power goes, at each of its operations.
        let looks = Locked<[SimulatedDisk]>([])
        disk.beforeEachOperation { number, _, _ in
            for seed in 0..<8 {
                let copy = disk.clone(after: .powerLoss, seed: UInt64(number * 8 + seed))
                looks.withLock { $0.append(copy) }
            }
        }
        try disk.run { _ = try await disk.open(Self.tiny()) }
        disk.beforeEachOperation(nil)
        for look in looks.withLock({ $0 }) {
            try look.run {
                let partition = try await look.open(Self.tiny()).partition(0)
                let first = Int(partition.firstRetainedLSN.rawValue)
                #expect(first == 1 || first == 5)
                try Self.expectLarge(partition, first...7)
            }
        }
    }

    @Test("11: a loss of power never takes both slots of STATE")
    func slots() throws {
        let disk = try Self.sealedLog()
        try disk.run {
            let wal = try await disk.open(Self.tiny())
            try wal.partition(0).purge(before: 6)
            try wal.append(Self.large(8), to: 0)
        }
        Self.kill(disk)
        // Recovery writes a slot and is killed before it is synced.
        try Self.stopping(disk, .kill, before: .sync, of: "partition-00000/STATE") {
            _ = try await disk.open(Self.tiny())
        }
        // The next writer must make it durable before it touches the other one.
        let looks = Locked<[SimulatedDisk]>([])
        disk.beforeEachOperation { number, operation, _ in
            guard operation == .sync || operation == .syncDirectory else { return }
            for seed in 0..<40 {
                let look = disk.clone(after: .powerLoss, seed: UInt64(number * 64 + seed))
                looks.withLock { $0.append(look) }
            }
        }
        try disk.run {
            _ = try await disk.open(Self.tiny()).partition(0).append(Self.large(9), durability: .synced)
        }
        disk.beforeEachOperation(nil)
        for look in looks.withLock({ $0 }) {
            try look.run {
                let partition = try await look.open(Self.tiny()).partition(0)
                #expect(partition.firstRetainedLSN == 5)
            }
        }
    }

    @Test("11: a purge that can't open its directory leaves the segments where they are")
    func purgeWithoutDirectory() throws {
        let disk = try Self.sealedLog()
        try disk.run {
            let partition = try await disk.open(Self.tiny()).partition(0)
            disk.inject(DiskFault(.tooManyFiles, on: [.openDirectory], times: 1))
            await expectError(.tooManyFiles) { try partition.purge(before: 6) }
            #expect(partition.firstRetainedLSN == 1)
            try Self.expectLarge(partition, 1...7)
        }
    }

    @Test("11: an LSN below what was purged is refused, also where no segment is left")
    func nothingKept() throws {
        let disk = try Self.sealedLog()
        try disk.run {
            let wal = try await disk.open(Self.tiny())
            let partition = try wal.partition(0)
            try partition.append(Self.large(8))
            try partition.purge(before: 8)
            #expect(partition.firstRetainedLSN == 8)
        }
        // Record 8 is lost with its segment.
        let after = disk.clone(after: .powerLoss, seed: 1) { _ in false }
        try after.run {
            let partition = try await after.open(Self.tiny()).partition(0)
            #expect(partition.firstRetainedLSN == 8 && partition.lastLSN == 7)
            for lsn: LSN in [1, 4, 7] { await expectError(.purged) { try partition.entries(from: .lsn(lsn)) } }
            var cursor = try partition.entries(from: .lsn(8)).makeCursor()
            #expect(try cursor.next() == nil)
        }
    }

    /// It could not be told from one of which the beginning and STATE are lost.
    @Test("2: of a partition that was never synced no later segment's name survives alone, nor is it damage")
    func laterNameAlone() throws {
        for seed in 0..<60 {
            let disk = SimulatedDisk(seed: 1)
            try disk.run {
                let wal = try await disk.open(Self.tiny())
                for k in 1...7 { try wal.append(Self.large(k), to: 0) }
            }
            let look = disk.clone(after: .powerLoss, seed: UInt64(seed))
            let names = look.files().keys.filter { $0.hasSuffix(".wal") }.sorted()
            #expect(names.first.map { $0.hasSuffix("00001.wal") } ?? true)
            try look.run {
                let partition = try await look.open(Self.tiny()).partition(0)
                let last = Int(partition.lastLSN.rawValue)
                if last > 0 { try Self.expectLarge(partition, 1...last) }
                #expect(try partition.append(Self.large(last + 1)).lsn.rawValue == UInt64(last + 1))
            }
        }
    }

    @Test("15: places in the pool of files are not kept by partitions that could make no segment")
    func placesOnFullDisk() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let wal = try await disk.open(Self.tiny(openSegments: 4))
            disk.capacity = disk.files().values.reduce(0) { $0 + $1.count } + 20_000
            for id: UInt16 in 0..<8 {
                await expectError(.noSpace) {
                    try wal.append(Payload([UInt8](repeating: 1, count: 9_000)), to: .init(rawValue: id))
                }
            }
            disk.capacity = .max
            for id: UInt16 in 0..<8 { #expect(try wal.append(Self.large(1), to: .init(rawValue: id)).lsn == 1) }
            try await wal.close()
        }
    }

    @Test("8: STATE takes its space when it is made, so that a full disk can't keep a sync from saying what it did")
    func stateOnFullDisk() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let wal = try await disk.open(Self.tiny())
            try wal.append(Self.large(1), to: 0)
            disk.capacity = disk.files().values.reduce(0) { $0 + $1.count }
            try await wal.sync()
            try await wal.append(Self.large(2), to: 0, durability: .synced)
            try await wal.close()
        }
    }

    @Test(
        "14: a cursor that goes back behind its window reads the file again, not what lies before the window in memory")
    func cursorGoesBack() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let partition = try await disk.open(Self.tiny(.written)).partition(0)
            // Behind the last record stands the mark frame of a synced append that came to nothing.
            let position = try await partition.append(Self.large(1), durability: .synced).position
            disk.inject(DiskFault(.ioError, on: [.write], of: ".wal", skipping: 1))
            await expectError(.io) { try partition.append(Self.large(2)) }
            var cursor = try partition.entries(from: .after(position)).makeCursor()
            #expect(try cursor.next() == nil)
        }
    }

    @Test("15: a parked segment without a record may be no longer than its header")
    func parkedEmptySegment() throws {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let wal = try await disk.open(Self.tiny(.written, openSegments: 4))
            // A segment is made, its first record finds no room.
            disk.capacity = disk.files().values.reduce(0) { $0 + $1.count } + 4608 + 4096 + 100
            await expectError(.noSpace) { try wal.append(Self.large(1), to: 0) }
            disk.capacity = .max
            // Others need its place.
            for id: UInt16 in 1..<8 { try wal.append(Self.large(1), to: .init(rawValue: id)) }
            #expect(try wal.append(Self.large(1), to: 0).lsn == 1)
            try await wal.close()
        }
    }

    @Test("4: a crash between a footer and the cut behind it, or amid a mark, is no damage to `verify`")
    func verifyAfterCrash() throws {
        let disk = SimulatedDisk(seed: 1)
        let looks = Locked<[SimulatedDisk]>([])
        for round in 0..<2 {
            if round == 1 {
                disk.beforeEachOperation { number, operation, _ in
                    guard [.truncate, .sync, .syncDirectory].contains(operation) else { return }
                    for seed in 0..<12 {
                        let crash: SimulatedDisk.Crash = seed == 0 ? .kill : .powerLoss
                        let copy = disk.clone(after: crash, seed: UInt64(number * 16 + seed))
                        looks.withLock { $0.append(copy) }
                    }
                }
            }
            try disk.run {
                let wal = try await disk.open(Self.tiny())
                for k in 1...5 {
                    try await wal.append(Self.large(k), to: 0, durability: k == 2 ? .synced : .handedToOS)
                }
                try await wal.close()
            }
        }
        disk.beforeEachOperation(nil)
        for look in looks.withLock({ $0 }) where look.files().keys.contains(where: { $0.hasSuffix("STATE") }) {
            #expect(try look.verify().damage.isEmpty)
            try look.run {
                let wal = try await look.open(Self.tiny())
                try await wal.close()
            }
            // Nothing that a crash tore is left, either.
            #expect(try look.verify().partitions.allSatisfy { $0.isClean && $0.damage.isEmpty && $0.remarks.isEmpty })
        }
    }

    @Test("8, 11: a purge on a poisoned partition takes nothing that was never durable")
    func purgeOfPoisoned() throws {
        let disk = SimulatedDisk(seed: 1)
        let configuration = Self.tiny(openSegments: 8)
        try disk.run {
            let wal = try await disk.open(configuration)
            let partition = try wal.partition(0)
            for k in 1...2 { try await partition.append(Self.large(k), durability: .synced) }
            for k in 3...8 { try partition.append(Self.large(k)) }
            // Of the segments that are synced next the second fails.
            disk.inject(DiskFault(.ioError, on: [.sync], of: ".wal", skipping: 1))
            await expectError(.io) { try await partition.sync() }
            disk.heal()
            // The files that it held open go to others.
            for id in UInt16(1)...8 {
                try await wal.partition(PartitionID(rawValue: id)).append(Self.large(1), durability: .synced)
            }
            #expect(try partition.purge(before: 8) == 1)
            #expect(partition.firstRetainedLSN == 3)
        }
        Self.kill(disk)
        try disk.run { try await Self.expectLarge(disk.open(configuration).partition(0), 3...8) }
    }

    @Test("5: a mark between the last durable record and a footer that recovery wrote is made durable with it")
    func markBeforeFooter() throws {
        let configuration = Self.tiny(segmentSize: 24_000)
        // So long that the mark behind it lies across the boundary of two sectors.
        let record = Payload([UInt8](repeating: 1, count: 960))
        for seed in 0..<10 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            try disk.run {
                let partition = try await disk.open(configuration).partition(0)
                try await partition.append(record, durability: .synced)
                // Of a mark and a record the mark gets through, and perhaps some of the record.
                disk.inject(DiskFault(.shortWrite, on: [.write, .writeSynced], of: ".wal", times: 1))
                await expectError(.io) { try await partition.append(record, durability: .synced) }
            }
            Self.kill(disk)
            let looks = Locked<[SimulatedDisk]>([])
            disk.beforeEachOperation { number, operation, path in
                guard [.sync, .read].contains(operation), path.hasSuffix(".wal") else { return }
                for seed in 0..<20 {
                    let look = disk.clone(after: .powerLoss, seed: UInt64(number * 32 + seed))
                    looks.withLock { $0.append(look) }
                }
            }
            try disk.run { _ = try await disk.open(configuration) }
            disk.beforeEachOperation(nil)
            for look in looks.withLock({ $0 }) {
                try look.run {
                    var cursor = try await look.open(configuration).partition(0).entries().makeCursor()
                    #expect(try cursor.next()?.record == record)
                    #expect(try cursor.next() == nil)
                }
            }
        }
    }
}
