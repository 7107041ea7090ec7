import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Promise 9: what keeps a second writer out where files are removed, paths are spelled otherwise, and locks are refused.
@Suite("Promise 9: the writer's lock", .timeLimit(.minutes(5)))
struct LockingTests {
    enum Tampering: CaseIterable { case removed, replaced, truncated, renamed }

    @Test("a LOCK that somebody removes or replaces lets no second writer in", arguments: Tampering.allCases)
    func tampering(_ tampering: Tampering) async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(1...5)
            let lock = "\(path)/LOCK"
            switch tampering {
            case .removed: unlink(lock)
            case .replaced:
                unlink(lock)
                try writeFile(lock, Array("1\n".utf8))
            case .truncated: truncate(lock, 0)
            case .renamed: rename(lock, "\(path)/LOCK.old")
            }
            await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            try wal.partition(1).appendRecords(6...10)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(again.partition(1), 1...10)
            try await again.close()
        }
    }

    @Test("an open that is refused makes no new LOCK")
    func refusedChangesNothing() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(1...5)
            unlink("\(path)/LOCK")
            await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            #expect(access("\(path)/LOCK", F_OK) != 0)
            try await wal.close()
        }
    }

    @Test("every spelling of a path locks the same log")
    func spellings() async throws {
        try await withTemporaryDirectory { path in
            #expect(symlink("log", "\(path)/link") == 0)
            let working = FileManager.default.currentDirectoryPath
            let up = working.split(separator: "/").map { _ in ".." }.joined(separator: "/")
            let spellings = [
                "\(path)/log", "\(path)/log/", "\(path)//log//", "\(path)/./log", "\(path)/log/.", "\(path)/link",
                "\(path)/link/", "\(path)/log/../log", "\(path)/link/../log", "/\(path)/log",
                (up.isEmpty ? "." : up) + "\(path)/log",
            ]
            let first = try await BytesWal.open(at: "\(path)/log", configuration: small())
            try await first.close()
            for holder in spellings {
                let wal = try await BytesWal.open(at: holder, configuration: small())
                for other in spellings {
                    await expectError(.alreadyOpen) { try await BytesWal.open(at: other, configuration: small()) }
                }
                try await wal.close()
            }
        }
    }

    @Test(
        "where one kind of lock is refused the other keeps writers out, and an event says so",
        arguments: [ENOLCK, ENOSYS, EOPNOTSUPP, EINVAL, EPERM, EBADF, EIO], ["LOCK", "/"])
    func oneRefused(errno: Int32, name: String) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.fail([.lock], of: name, errno: errno)
            let heard = Heard()
            var configuration = small()
            configuration.observer = heard.observer
            let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
            #expect(heard.fallbacks.map(\.kind) == [.lock])
            #expect(heard.fallbacks.first?.errno == errno)
            // Of the others, one that is refused the same and one that is not.
            for other in [storage, FaultyStorage()] {
                await expectError(.alreadyOpen) {
                    try await BytesWal.open(at: path, configuration: small(), storage: other)
                }
            }
            try wal.partition(1).appendRecords(1...3)
            try await wal.close()
            let again = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(again.partition(1), 1...3)
            try await again.close()
        }
    }

    @Test("where both are refused the error says what is missing, and nothing was opened")
    func bothRefused() async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.fail([.lock], of: "", errno: ENOLCK)
            let error = await expectError(.unsupported) {
                try await BytesWal.open(at: path, configuration: small(), storage: storage)
            }
            #expect(error?.message.contains("lockd") == true)
            #expect(error?.errno == ENOLCK)
            let wal = try await BytesWal.open(at: path, configuration: small())
            try await wal.close()
        }
    }

    @Test("that there is no room for the holder's pid does not matter", arguments: [ENOSPC, EDQUOT, EIO, EFBIG])
    func noRoomForPid(errno: Int32) async throws {
        try await withTemporaryDirectory { path in
            let storage = FaultyStorage()
            storage.fail([.write, .truncate], of: "LOCK", errno: errno)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            try wal.partition(1).appendRecords(1...3)
            await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            try await wal.close()
        }
    }

    @Test("a log whose LOCK was removed opens on a disk without room for a new one")
    func noRoomForLock() async throws {
        try await withTemporaryDirectory { path in
            let before = try await BytesWal.open(at: path, configuration: small())
            try before.partition(1).appendRecords(1...3)
            try await before.close()
            unlink("\(path)/LOCK")
            let storage = FaultyStorage()
            storage.fail([.openFile], of: "LOCK", skipping: 1, errno: ENOSPC)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            try expectRecords(wal.partition(1), 1...3)
            await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            try await wal.close()
        }
    }

    @Test("a second close lets nobody else's lock go")
    func closedTwice() async throws {
        try await withTemporaryDirectory { path in
            let first = try await BytesWal.open(at: path, configuration: small())
            try await first.close()
            let second = try await BytesWal.open(at: path, configuration: small())
            try await first.close()
            await expectError(.alreadyOpen) { try await BytesWal.open(at: path, configuration: small()) }
            try await second.close()
        }
    }
}

/// Collects a log's events.
final class Heard: Sendable {
    private let state = Locked<[WalEvent]>([])
    var events: [WalEvent] { state.withLock { $0 } }
    var fallbacks: [WalFallback] {
        events.compactMap { if case .fellBack(let fallback) = $0 { fallback } else { nil } }
    }
    var observer: WalObserver { WalObserver { [self] event in state.withLock { $0.append(event) } } }
}
