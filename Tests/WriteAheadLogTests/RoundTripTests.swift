import Testing
import WalTesting
import WriteAheadLog

@Suite("A log round-trips")
struct RoundTripTests {
    @Test("what was appended is read back, in order, also after reopening")
    func roundTrip() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            let partition = try wal.partition(1)
            for k in 1...1000 {
                let receipt = try partition.append(Payload(record(k)))
                #expect(receipt.lsn.rawValue == UInt64(k))
            }
            try expectRecords(partition, 1...1000)
            try await wal.sync()
            #expect(partition.mark.durable == 1000)
            try await wal.close()
            let again = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            let reopened = try again.partition(1)
            #expect(reopened.mark.durable == 1000)
            try expectRecords(reopened, 1...1000)
            #expect(try reopened.append(Payload(record(1001))).lsn == 1001)
            try expectRecords(reopened, 1...1001)
            try await again.close()
        }
    }

    @Test("synced appends from many tasks each get an LSN, and all are there", .timeLimit(.minutes(15)))
    func synced() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            let partition = try wal.partition(1)
            let lsns = try await withThrowingTaskGroup(of: [UInt64].self) { group in
                for task in 0..<16 {
                    group.addTask {
                        var lsns: [UInt64] = []
                        for k in 0..<50 {
                            let receipt = try await partition.append(
                                Payload(Array("\(task) \(k)".utf8)), durability: .synced)
                            #expect(partition.mark.durable >= receipt.lsn)
                            lsns.append(receipt.lsn.rawValue)
                        }
                        return lsns
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(lsns.sorted() == Array(1...800))
            try await wal.close()
            let again = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            var count = 0
            try again.partition(1).entries().forEach { _ in count += 1 }
            #expect(count == 800)
            try await again.close()
        }
    }

    @Test("segments rotate, and reading goes on across them from any LSN", arguments: [WriteMode.automatic, .written])
    func rotation(_ writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            let configuration = Wal<Payload>.Configuration(segmentSize: 64 << 10, codec: .bytes(), writes: writes)
            let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
            let partition = try wal.partition(9)
            var positions: [Position] = []
            for k in 1...5000 {
                positions.append(try partition.append(Payload(record(k))).position)
                if k % 700 == 0 { try await partition.sync() }
            }
            try expectRecords(partition, 1...5000)
            for start in [1, 2, 699, 700, 701, 2500, 4999, 5000, 5001] {
                try expectRecords(partition, start..<5001, from: .lsn(LSN(UInt64(start))))
                if start > 1 { try expectRecords(partition, start..<5001, from: .after(positions[start - 2])) }
            }
            try await wal.close()
            let again = try await Wal<Payload>.open(at: path, configuration: configuration)
            let reopened = try again.partition(9)
            for start in [1, 2, 699, 700, 701, 2500, 4999, 5000, 5001] {
                try expectRecords(reopened, start..<5001, from: .lsn(LSN(UInt64(start))))
                if start > 1 { try expectRecords(reopened, start..<5001, from: .after(positions[start - 2])) }
            }
            try await again.close()
        }
    }

    @Test("batches are one unit, and positions lead into them")
    func batches() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(
                at: path, configuration: .init(segmentSize: 64 << 10, codec: .bytes()))
            let partition = try wal.partition(0)
            var next = 1
            for size in [1, 3, 1000, 2, 5000, 1] {
                let receipt = try partition.append(contentsOf: (next..<(next + size)).map { Payload(record($0)) })
                next += size
                #expect(receipt.lsn.rawValue == UInt64(next - 1))
            }
            try expectRecords(partition, 1...(next - 1))
            try expectRecords(partition, 500...(next - 1), from: .lsn(500))
            var cursor = try partition.entries().makeCursor()
            while let entry = try cursor.next(), entry.lsn < 700 {}
            try expectRecords(partition, 701...(next - 1), from: .after(cursor.position))
            try await wal.close()
        }
    }

    @Test("a segment that ends where an index entry was due reads back after reopening")
    func rotationAtIndexEntry() async throws {
        try await withTemporaryDirectory { path in
            let configuration = Wal<Payload>.Configuration(segmentSize: 1 << 20, codec: .bytes())
            let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
            let partition = try wal.partition(0)
            for batch in 0..<40 {
                try partition.append(contentsOf: (1...1000).map { Payload(record(batch * 1000 + $0)) })
            }
            try await wal.close()
            let again = try await Wal<Payload>.open(at: path, configuration: configuration)
            try expectRecords(try again.partition(0), 1...40_000)
            try await again.close()
        }
    }

    @Test("a crash without a sync loses nothing that was appended, while the machine goes on")
    func abandoned() async throws {
        try await withTemporaryDirectory { path in
            do {
                let wal = try await Wal<Payload>.open(
                    at: path, configuration: .init(segmentSize: 64 << 10, codec: .bytes()))
                let partition = try wal.partition(3)
                for k in 1...3000 { try partition.append(Payload(record(k))) }
                try await partition.append(Payload(record(3001)), durability: .synced)
            }
            let wal = try await Wal<Payload>.open(
                at: path, configuration: .init(segmentSize: 64 << 10, codec: .bytes()))
            let partition = try wal.partition(3)
            try expectRecords(partition, 1...3001)
            #expect(try partition.append(Payload(record(3002))).lsn == 3002)
            try await wal.close()
        }
    }

    @Test("a tail shows what is durable as it becomes so, and ends with the log", .timeLimit(.minutes(15)))
    func tail() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(
                at: path, configuration: .init(segmentSize: 64 << 10, codec: .bytes()))
            let partition = try wal.partition(3)
            let tail = try partition.tail()
            let reader = Task {
                var lsns: [UInt64] = []
                for try await entry in tail { lsns.append(entry.lsn.rawValue) }
                return lsns
            }
            for k in 1...2000 {
                try partition.append(Payload(record(k)))
                if k % 100 == 0 { try await partition.sync() }
            }
            try await wal.close()
            #expect(try await reader.value == Array(1...2000))
        }
    }

    @Test("purge removes whole segments below an LSN, and LSNs go on")
    func purge() async throws {
        try await withTemporaryDirectory { path in
            let configuration = Wal<Payload>.Configuration(segmentSize: 64 << 10, codec: .bytes())
            let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
            let partition = try wal.partition(3)
            for k in 1...5000 { try partition.append(Payload(record(k))) }
            let removed = try partition.purge(before: 3000)
            #expect(removed > 0)
            let first = partition.firstRetainedLSN
            #expect(first > 1 && first <= 3000)
            try expectRecords(partition, Int(first.rawValue)...5000)
            #expect(throws: WalError.self) { try partition.entries(from: .lsn(1)) }
            try await wal.close()
            let again = try await Wal<Payload>.open(at: path, configuration: configuration)
            let reopened = try again.partition(3)
            #expect(reopened.firstRetainedLSN == first)
            try expectRecords(reopened, Int(first.rawValue)...5000)
            _ = try reopened.purge(before: 6000)
            try await again.close()
            let third = try await Wal<Payload>.open(at: path, configuration: configuration)
            #expect(try third.partition(3).append(Payload(record(5001))).lsn == 5001)
            try await third.close()
        }
    }
}
