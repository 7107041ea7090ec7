import Testing
import WalTesting
import WriteAheadLog

/// Promise 10: a position cannot lie, however long ago it was given out.
@Suite("Promise 10: positions of long ago", .timeLimit(.minutes(15)))
struct OldPositionTests {
    private func open(_ disk: SimulatedDisk) async throws -> BytesWal { try await disk.open(small()) }

    @Test(
        "a position whose record was cut is refused after more openings than STATE remembers, when all of its time was purged"
    )
    func forgottenHistories() throws {
        let disk = SimulatedDisk(seed: 1)
        // LSN 1 is durable; 2 is given out, and lost with the power.
        let old = try disk.run {
            let partition = try await open(disk).partition(1)
            try await partition.append(Payload(record(1)), durability: .synced)
            return try partition.append(Payload(record(2))).position
        }
        let lost = disk.clone(after: .powerLoss, seed: 2) { _ in false }
        // Another record gets LSN 2, and so many openings follow that STATE forgets when.
        for k in 2...255 {
            try lost.run {
                let wal = try await open(lost)
                let partition = try wal.partition(1)
                #expect(try partition.append(Payload([UInt8(k)])).lsn.rawValue == UInt64(k))
                if k == 4 { try partition.purge(before: 3) }
                try await wal.close()
            }
        }
        try lost.run {
            let partition = try await open(lost).partition(1)
            #expect(partition.firstRetainedLSN == 3)
            #expect(old.lsn == 3)
            await expectError(.positionLost) { try partition.entries(from: .after(old)) }
        }
    }
}
