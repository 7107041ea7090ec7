import Testing
import WalTesting
import WriteAheadLog

/// The simulated disk does to files what real ones may, and no more.
@Suite("Simulated disk", .timeLimit(.minutes(15)))
struct SimulatedDiskTests {
    private func folder(_ disk: SimulatedDisk) throws -> any WalDirectory {
        try disk.storage.openRoot("log", create: true)
    }

    private func make(_ name: String, _ bytes: [UInt8], _ disk: SimulatedDisk) throws -> any WalFile {
        let file = try folder(disk).openFile(name, .createOrOpen)
        try file.write(bytes, at: 0)
        return file
    }

    private static let content = [UInt8](repeating: 7, count: 3_000)

    @Test("what was synced, with its name, survives every loss of power")
    func synced() throws {
        for seed in 0..<50 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            try make("a", Self.content, disk).sync()
            try folder(disk).sync()
            disk.crash(.powerLoss)
            disk.restart()
            #expect(disk.files()["a"] == Self.content)
        }
    }

    @Test("what was not synced survives in some losses of power, in part in others, and not at all in others")
    func unsynced() throws {
        var kinds: Set<String> = []
        for seed in 0..<200 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            let file = try make("a", [UInt8](repeating: 1, count: 3_000), disk)
            try file.sync()
            try folder(disk).sync()
            try file.write(Self.content, at: 0)
            disk.crash(.powerLoss)
            disk.restart()
            let found = try #require(disk.files()["a"])
            #expect(found.allSatisfy { $0 == 1 || $0 == 7 })
            kinds.insert(found == Self.content ? "new" : found.contains(7) ? "part" : "old")
            // A torn sector is the new one's beginning and the old one's end.
            for sector in 0..<5 {
                let bytes = Array(found[(sector * 512)..<(sector * 512 + 512)])
                let turn = bytes.firstIndex(of: 1) ?? 512
                #expect(bytes[turn...].allSatisfy { $0 == 1 } && turn % 8 == 0)
            }
        }
        #expect(kinds == ["new", "part", "old"])
    }

    @Test("a kill takes nothing, neither of writes nor of stores through a mapping")
    func kill() throws {
        let disk = SimulatedDisk(seed: 1)
        let file = try make("a", Self.content, disk)
        let mapping = try file.map(count: 4096, writable: true)
        mapping.base.storeBytes(of: 42, toByteOffset: 100, as: UInt8.self)
        disk.crash(.kill)
        disk.restart()
        #expect(try #require(disk.files()["a"])[100] == 42)
        // The old process's mapping no longer reaches the file.
        mapping.base.storeBytes(of: 43, toByteOffset: 100, as: UInt8.self)
        #expect(try #require(disk.files()["a"])[100] == 42)
        #expect(throws: WalError.self) { try file.size() }
    }

    @Test("a name is durable with its directory's sync, not with its file's")
    func names() throws {
        var survived = 0
        for seed in 0..<60 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            try make("a", Self.content, disk).sync()
            disk.crash(.powerLoss)
            disk.restart()
            if disk.files()["a"] != nil { survived += 1 }
        }
        #expect(survived > 5 && survived < 55)
    }

    @Test("a rename is there or not, and never takes both names or leaves both")
    func rename() throws {
        var names: Set<[String]> = []
        for seed in 0..<60 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            try make("a", Self.content, disk).sync()
            try folder(disk).sync()
            try folder(disk).rename("a", to: "b")
            disk.crash(.powerLoss)
            disk.restart()
            names.insert(disk.files().keys.sorted())
        }
        #expect(names == [["a"], ["b"]])
    }

    @Test("a synced range is durable, and nothing else of the file")
    func range() throws {
        var lost = 0
        for seed in 0..<60 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            let file = try make("a", [UInt8](repeating: 0, count: 4_096), disk)
            try file.sync()
            try folder(disk).sync()
            try file.write([UInt8](repeating: 9, count: 512), at: 0)
            let isSynced = try [UInt8](repeating: 8, count: 512).withUnsafeBytes { (bytes) throws(WalError) in
                try file.writeSynced(bytes, at: 2_048)
            }
            #expect(isSynced)
            disk.crash(.powerLoss)
            disk.restart()
            let found = try #require(disk.files()["a"])
            #expect(found[2_048..<2_560].allSatisfy { $0 == 8 })
            if found[0] != 9 { lost += 1 }
        }
        #expect(lost > 5)
    }

    @Test("a failed sync that drops what was dirty leaves it in the cache, and the next sync has nothing to do")
    func droppedPages() throws {
        var lost = 0
        for seed in 0..<40 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            let file = try make("a", [UInt8](repeating: 1, count: 4_096), disk)
            try file.sync()
            try folder(disk).sync()
            try file.write([UInt8](repeating: 2, count: 4_096), at: 0)
            disk.inject(DiskFault(.dropsDirtyPages, on: [.sync], times: 1))
            #expect(throws: WalError.self) { try file.sync() }
            try file.sync()
            #expect(disk.files()["a"]?.first == 2)
            let after = disk.clone(after: .powerLoss, seed: 1) { _ in false }
            if after.files()["a"]?.first == 1 { lost += 1 }
            // Written again, it gets there.
            try file.write([UInt8](repeating: 2, count: 4_096), at: 0)
            try file.sync()
            #expect(disk.clone(after: .powerLoss, seed: 1) { _ in false }.files()["a"]?.first == 2)
        }
        #expect(lost > 5)
    }

    @Test("faults come when and where they were asked for, and as often")
    func faults() throws {
        let disk = SimulatedDisk(seed: 1)
        let a = try make("a", Self.content, disk)
        let b = try make("b", Self.content, disk)
        disk.inject(DiskFault(.ioError, on: [.write], of: "a", skipping: 1, times: 2))
        try a.write([1], at: 0)
        #expect(throws: WalError.self) { try a.write([1], at: 0) }
        try b.write([1], at: 0)
        #expect(throws: WalError.self) { try a.write([1], at: 0) }
        try a.write([1], at: 0)
        #expect(disk.faultsSoFar == 2)
        disk.inject(DiskFault(.noSpace, on: [.allocate]))
        for _ in 0..<5 {
            do {
                try a.allocate(from: 0, to: 100_000)
                Issue.record("there was space")
            } catch {
                #expect(error.code == .noSpace)
            }
        }
        disk.heal()
        try a.allocate(from: 0, to: 100_000)
        disk.capacity = 100_000
        #expect(throws: WalError.self) { try b.allocate(from: 0, to: 10_000) }
    }

    @Test("lying disks say that they wrote: a page is gone, or is where another was")
    func lies() throws {
        for effect in [DiskFault.Effect.lostWrite, .misplacedWrite] {
            let disk = SimulatedDisk(seed: 3)
            let file = try make("a", [UInt8](repeating: 1, count: 16_384), disk)
            try file.sync()
            try folder(disk).sync()
            disk.inject(DiskFault(effect, on: [.sync], times: 1))
            try file.write([UInt8](repeating: 2, count: 4_096), at: 4_096)
            try file.sync()
            #expect(disk.hasLied)
            let found = try #require(disk.clone(after: .powerLoss, seed: 1) { _ in true }.files()["a"])
            #expect(found.count == 16_384)
            #expect(found[4_096] == 1 || effect == .misplacedWrite)
        }
    }

    @Test("stores that a crash tears are there word by word or not")
    func tornStores() throws {
        var kinds: Set<Int> = []
        for seed in 0..<40 {
            let disk = SimulatedDisk(seed: UInt64(seed))
            let file = try make("a", [UInt8](repeating: 0, count: 4_096), disk)
            let mapping = try file.map(count: 4_096, writable: true)
            disk.beginTearableStores()
            for k in 0..<8 { mapping.base.storeBytes(of: UInt64.max, toByteOffset: 8 * k, as: UInt64.self) }
            disk.crashAmidStores(.kill)
            disk.restart()
            let found = try #require(disk.files()["a"])
            let words = (0..<8).map { k in Array(found[(8 * k)..<(8 * k + 8)]) }
            #expect(words.allSatisfy { Set($0).count == 1 })
            kinds.insert(words.filter { $0[0] == 255 }.count)
        }
        #expect(kinds.count > 3)
    }

    @Test("an app's own recovery can be tested: what it was told is durable is there after any crash at any moment")
    func appStory() throws {
        for moment in stride(from: 1, to: 60, by: 3) {
            let disk = SimulatedDisk(seed: UInt64(moment))
            disk.crash(.powerLoss, beforeOperation: moment)
            let acknowledged = Locked(0)
            try disk.run {
                do {
                    let wal = try await disk.open(small())
                    for k in 1...20 {
                        try await wal.append(Payload(record(k)), to: 3, durability: .synced)
                        if !disk.isDown { acknowledged.withLock { $0 = k } }
                    }
                } catch {
                    #expect(disk.isDown)
                }
            }
            disk.restart()
            let least = acknowledged.withLock { $0 }
            try disk.run {
                let partition = try await disk.open(small()).partition(3)
                let last = Int(partition.lastLSN.rawValue)
                #expect(last >= least)
                if last > 0 { try expectRecords(partition, 1...last) }
            }
        }
    }

    @Test("what waits for something else than the disk is an error, not a hang")
    func foreignWait() throws {
        let disk = SimulatedDisk(seed: 1)
        #expect(throws: SimulationError.self) {
            try disk.run {
                await withUnsafeContinuation { (_: UnsafeContinuation<Void, Never>) in }
            }
        }
    }
}
