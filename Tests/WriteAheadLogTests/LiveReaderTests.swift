import Testing
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
}
