import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// How segments are written follows what the file system can do, and the log says so (promises 8 and 17).
@Suite("Write modes and Wal.info", .timeLimit(.minutes(5)))
struct WriteModeTests {
    @Test(
        "`.automatic` writes where a probe of space or a mapping is refused, and says so",
        arguments: [EOPNOTSUPP, ENOSYS, EINVAL])
    func automatic(errno: Int32) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.fail([.probe, .allocate], of: "", errno: errno)
            let heard = Heard()
            let wal = try await BytesWal.open(
                at: path, configuration: small(observer: heard.observer), storage: storage)
            #expect(wal.info.writes == .written)
            #expect(!wal.info.writesReason.isEmpty)
            #expect(wal.info.fallbacks.map(\.kind) == [.writes])
            #expect(heard.fallbacks.map(\.kind) == [.writes])
            try wal.partition(1).appendRecords(1...3_000)
            _ = try await wal.partition(1).append(Payload(record(3_001)), durability: .synced)
            try expectRecords(wal.partition(1), 1...3_001)
            try await wal.close()
        }
    }

    @Test("`.mapped` where that is refused is an error at open")
    func mapped() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.fail([.probe], of: "", errno: EOPNOTSUPP)
            let error = await expectError(.unsupported) {
                try await BytesWal.open(at: path, configuration: small(.mapped), storage: storage)
            }
            #expect(error?.message.contains("writes: .mapped") == true)
            // The lock is free.
            let wal = try await BytesWal.open(at: path, configuration: small())
            try await wal.close()
        }
    }

    @Test("a probe that could not be made says nothing against mapping", arguments: [ENOSPC, EMFILE, EDQUOT])
    func unknown(errno: Int32) async throws {
        try await withTemporaryDirectory { path in
            let expected = try await BytesWal.open(at: path, configuration: small())
            try await expected.close()
            let storage = FaultyStorage()
            storage.fail([.probe], of: "", errno: errno)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            #expect(wal.info.writes == expected.info.writes)
            try await wal.close()
        }
    }

    @Test("info tells how a log is open, and a reader's too")
    func info() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small(.written))
            #expect(wal.info.path == path)
            #expect(!wal.info.isReadOnly)
            #expect(wal.info.writes == .written)
            #expect(wal.info.reads == .pread)
            #expect(wal.info.lock?.directory == true && wal.info.lock?.file == true)
            #expect(wal.info.segmentSize == 64 << 10)
            #expect(wal.info.fallbacks.isEmpty)
            #expect(wal.info.fileSystem?.isEmpty == false)
            let reader = try await BytesWal.openReadOnly(at: path, configuration: small())
            #expect(reader.info.isReadOnly)
            #expect(reader.info.lock == nil)
            try await reader.close()
            try await wal.close()
        }
    }

    @Test("info keeps what opening reported")
    func report() async throws {
        try await withTemporaryDirectory { path in
            try await abandonedLog(at: path) { partition in try partition.appendRecords(1...10) }
            let wal = try await BytesWal.open(at: path, configuration: small())
            let recovered = wal.info.events.compactMap { event in
                if case .recovered(let id, let last, _, _) = event { (id, last) } else { nil }
            }
            #expect(recovered.count == 1)
            #expect(recovered.first?.1 == 10)
            try await wal.close()
        }
    }

    @Test("a probe leaves nothing in the directory")
    func leavesNothing() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small(.mapped))
            let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
            #expect(Set(names).isSubset(of: ["LOCK", "LOG"]))
            try await wal.close()
        }
    }

    @Test("opening for reading only a directory that holds no log is an error, and writes nothing there")
    func emptyDirectory() async throws {
        try await withTemporaryDirectory { path in
            await expectError(.notALog) { try await BytesWal.openReadOnly(at: path, configuration: small()) }
            try writeFile("\(path)/notes.txt", [1])
            await expectError(.notALog) { try await BytesWal.openReadOnly(at: path, configuration: small()) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["notes.txt"])
        }
    }
}
