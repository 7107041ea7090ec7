import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 1: names are durable, up to that of the log's own directory, before a record is called so.
@Suite("Promise 1: durable names", .timeLimit(.minutes(5)))
struct DirectorySyncTests {
    @Test("the log's own name is synced before the first synced append returns, in a new log and in one that was moved")
    func parent() async throws {
        try await withTemporaryDirectory { path in
            for round in 1...3 {
                let storage = FaultyStorage()
                let log = "\(path)/log\(round)"
                let wal = try await BytesWal.open(at: log, configuration: small(), storage: storage)
                _ = try await wal.partition(1).append(Payload(record(round)), durability: .synced)
                #expect(storage.calls([.syncParent]).count == 1)
                try await wal.close()
                rename(log, "\(path)/log\(round + 1)")
            }
        }
    }

    @Test("a failed sync of the parent is that of a name")
    func parentFails() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: "\(path)/log", configuration: small(), storage: storage)
            storage.fail([.syncParent], of: "", errno: EIO)
            await expectError(.io) { try await wal.partition(1).append(Payload(record(1)), durability: .synced) }
            await expectError(.poisoned) { try wal.partition(1).append(Payload(record(2))) }
            try? await wal.close()
        }
    }

    @Test(
        "a file system that can't sync a directory is put up with, and said once",
        arguments: [EINVAL, EOPNOTSUPP, ENOSYS])
    func refused(errno: Int32) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.fail([.syncDirectory, .syncParent], of: "", errno: errno)
            let heard = Heard()
            var configuration = small()
            configuration.observer = heard.observer
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            for id in 1...3 as ClosedRange<UInt16> {
                let partition = try wal.partition(PartitionID(rawValue: id))
                try partition.appendRecords(1...2_000)
                _ = try await partition.append(Payload(record(2_001)), durability: .synced)
                #expect(partition.mark.durable == 2_001)
                #expect(try partition.purge(before: 1_500) > 0)
            }
            try await wal.close()
            #expect(heard.fallbacks.map(\.kind) == [.directorySync])
            #expect(heard.fallbacks.first?.errno == errno)
            let again = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            #expect(try again.partition(2).lastLSN == 2_001)
            try await again.close()
        }
    }

    @Test("any other failure poisons as ever", arguments: [EIO, ENOSPC, EDQUOT])
    func fails(errno: Int32) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            storage.fail([.syncDirectory], of: "partition-00001", errno: errno)
            await expectError(.io) { try await wal.partition(1).append(Payload(record(1)), durability: .synced) }
            await expectError(.poisoned) { try wal.partition(1).append(Payload(record(2))) }
            try? await wal.close()
        }
    }
}
