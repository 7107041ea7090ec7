import Testing
import WalTesting
import WriteAheadLog

@Suite struct `Reading beside a live writer` {
    @Test(.timeLimit(.minutes(15)))
    func `opening for reading sees no damage where a writer is at work`() async throws {
        try await withTemporaryDirectory { path in
            let configuration = Wal<Payload>.Configuration(segmentSize: 64 << 10, codec: .bytes())
            let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
            let partition = try wal.partition(0)
            try partition.append(Payload(record(1)))
            let writer = Task.detached {
                var k = 1
                while !Task.isCancelled {
                    let batch = (k + 1...k + 3).map { Payload(record($0)) }
                    try await partition.append(contentsOf: batch, durability: .synced)
                    k += 3
                }
            }
            for _ in 0..<60 {
                let reader = try await Wal<Payload>.openReadOnly(at: path, configuration: configuration)
                var cursor = try reader.partition(0).entries().makeCursor()
                var next = 1
                while let entry = try cursor.next() {
                    #expect(entry.lsn.rawValue == UInt64(next))
                    next += 1
                }
                try await reader.close()
            }
            writer.cancel()
            try await writer.value
            try await wal.close()
        }
    }

    @Test(.timeLimit(.minutes(15)))
    func `a segment that is begun and synced after the reader listed the names is not missing`() async throws {
        try await withTemporaryDirectory { path in
            let configuration = small()
            let wal = try await BytesWal.open(at: path, configuration: configuration)
            let partition = try wal.partition(1)
            // Each fills a segment.
            let large = Payload([UInt8](repeating: 1, count: 40_000))
            for _ in 1...2 { try await partition.append(large, durability: .synced) }
            let storage = FaultyStorage(runsWorkers: false)
            // Each time that the reader comes to STATE.
            let looks = Locked(0)
            for _ in 0..<10 {
                storage.before([.openFile], of: FileFormat.stateFileName) {
                    looks.withLock { $0 += 1 }
                    for _ in 1...2 { _ = try? partition.append(large) }
                    _ = try? partition.syncAndWait()
                }
            }
            let reader = try await BytesWal.open(
                at: path, configuration: configuration, storage: storage, isReadOnly: true)
            #expect(looks.withLock { $0 } == 2, "before the names and after, and not again")
            #expect(try reader.partition(1).lastLSN == 4)
            // Nor need the tools.
            #expect(try WalInspection.inspect(at: path, storage: storage).partitions.allSatisfy { $0.damage.isEmpty })
            #expect(looks.withLock { $0 } == 4)
            #expect(try WalVerification.verify(at: path, storage: storage).damage.isEmpty)
            // Verification looks at STATE's slots one by one, too.
            #expect(looks.withLock { $0 } == 7)
            storage.heal()
            try await reader.close()
            try await wal.close()
        }
    }
}
