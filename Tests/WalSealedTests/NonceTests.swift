#if Crypto
import Crypto
import Foundation
import Testing
import WalSealed
import WalTesting
import WriteAheadLog

#if canImport(Glibc)
private let ENOSPC = Glibc.ENOSPC
#endif

/// One nonce for two records under one key gives both away: it must not happen, whatever happens to the log.
@Suite(.timeLimit(.minutes(15)))
struct NonceTests {
    private let codec: NonceRecordingCodec
    init() throws { codec = NonceRecordingCodec(base: SealedCodec(.bytes(), keys: try keyring())) }

    private func configuration(_ writes: WriteMode) -> BytesWal.Configuration {
        BytesWal.Configuration(segmentSize: 64 << 10, codec: AnyWalCodec(codec), writes: writes)
    }

    private func expectEachOnce(atLeast count: Int, _ location: SourceLocation = #_sourceLocation) {
        let nonces = codec.log.nonces
        #expect(nonces.count >= count, sourceLocation: location)
        #expect(Set(nonces).count == nonces.count, sourceLocation: location)
    }

    @Test(arguments: [WriteMode.mapped, .written])
    func `no nonce comes twice by rotation, batches, staging and concurrent appends`(writes: WriteMode) async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: configuration(writes))
            let partition = try wal.partition(1)
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<6 {
                    group.addTask {
                        for k in 0..<150 {
                            do {
                                switch (task + k) % 5 {
                                case 0: try await partition.append(record(k), durability: .synced)
                                case 1: try partition.append(contentsOf: (0..<4).map(record))
                                case 2: try await partition.append(contentsOf: (0..<4).map(record), durability: .synced)
                                default: try partition.append(record(k))
                                }
                            } catch {
                                Issue.record("\(error)")
                            }
                        }
                    }
                }
            }
            try await wal.close()
            #expect(try segmentPaths(path).count > 1)
            expectEachOnce(atLeast: 900)
        }
    }

    @Test func `no nonce comes twice where a crash cut the log and the same LSNs are written again`() async throws {
        try await withTemporaryDirectory { path in
            for round in 0..<6 {
                // Ends without `close`.
                let storage = FaultyStorage(runsWorkers: false)
                do {
                    let wal = try await BytesWal.open(
                        at: path, configuration: configuration(.written), storage: storage)
                    let partition = try wal.partition(1)
                    for k in 0..<20 { try partition.append(record(round * 100 + k)) }
                    if round % 2 == 0 { try partition.syncAndWait() }
                    for k in 20..<30 { try partition.append(record(round * 100 + k)) }
                }
                // What was not synced is torn: the same LSNs come again, in a new segment.
                let last = try #require(try segmentPaths(path).last)
                var bytes = try readFile(last)
                if let frame = frames(of: bytes).last {
                    bytes[frame.lowerBound + 30] ^= 1
                    try writeFile(last, bytes)
                }
            }
            expectEachOnce(atLeast: 180)
            let wal = try await BytesWal.open(at: path, configuration: configuration(.written))
            var cursor = try wal.partition(1).entries().makeCursor()
            while let entry = try cursor.next() { #expect(entry.record.bytes.starts(with: marker)) }
            try await wal.close()
        }
    }

    @Test func `no nonce comes twice where a copy of the log is restored and written to`() async throws {
        try await withTemporaryDirectory { path in
            let (original, copy) = ("\(path)/original", "\(path)/copy")
            var wal = try await BytesWal.open(at: original, configuration: configuration(.automatic))
            for k in 0..<20 { try wal.partition(1).append(record(k)) }
            try await wal.sync()
            try FileManager.default.copyItem(atPath: original, toPath: copy)
            for k in 20..<40 { try wal.partition(1).append(record(k)) }
            try await wal.close()
            wal = try await BytesWal.open(at: copy, configuration: configuration(.automatic))
            for k in 20..<40 { try wal.partition(1).append(record(k + 1000)) }
            try await wal.close()
            expectEachOnce(atLeast: 60)
        }
    }

    @Test func `no nonce comes twice where the disk was full`() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage(runsWorkers: false)
            let wal = try await BytesWal.open(at: path, configuration: configuration(.written), storage: storage)
            let partition = try wal.partition(1)
            try partition.append(record(1))
            var refused = 0
            for k in 2...60 {
                storage.fail([.write], of: "0001.wal", times: 1, errno: ENOSPC)
                do throws(WalError) {
                    try partition.append(record(1000 + k))
                } catch {
                    #expect(error.code == .noSpace)
                    refused += 1
                }
                storage.heal()
                if partition.lastLSN.rawValue < UInt64(k) { try partition.append(record(k)) }
            }
            #expect(refused > 50 && partition.lastLSN == 60)
            expectEachOnce(atLeast: 60 + refused)
            try expectRecords(partition, 1...60)
        }
    }

    @Test func `no nonce comes twice where the disk took a part of a frame`() async throws {
        try await withTemporaryDirectory { path in
            for k in 1...20 {
                let storage = FaultyStorage(runsWorkers: false)
                let wal = try await BytesWal.open(at: path, configuration: configuration(.written), storage: storage)
                let partition = try wal.partition(1)
                try partition.append(record(2 * k - 1))
                storage.fail([.write], of: ".wal", times: 1, errno: ENOSPC, partial: 3 * k)
                // What is there of it is cut off before anybody is told. Its number is used up all the same.
                await expectError(.noSpace) { try partition.append(record(1000 + k)) }
                try partition.append(record(2 * k))
                try await wal.close()
            }
            expectEachOnce(atLeast: 60)
            let wal = try await BytesWal.open(at: path, configuration: configuration(.written))
            try expectRecords(wal.partition(1), 1...40)
            try await wal.close()
        }
    }
}
#endif
