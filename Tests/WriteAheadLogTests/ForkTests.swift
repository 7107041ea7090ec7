import CTestShims
import Foundation
import Testing
import WriteAheadLog

/// Promise 9: a child of fork neither keeps the writer's lock nor writes to its parent's log.
@Suite("Promise 9: fork", .timeLimit(.minutes(5)))
struct ForkTests {
    /// Of a log that does nothing by itself, so that whatever changes is a child's doing.
    private static var quiet: BytesWal.Configuration {
        var configuration = small()
        configuration.idleMarkNanoseconds = 3_600_000_000_000
        return configuration
    }

    /// With and without the handlers of pthread_atfork.
    @Test(
        "a child can neither append, sync, purge, close nor begin to read, and changes no file",
        arguments: [false, true])
    func child(isBare: Bool) async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String, isBare = isBare as Bool] in
                let wal = try BytesWal.openAndWait(at: path, configuration: Self.quiet)
                let partition = try wal.partition(1)
                try partition.appendRecords(1...300)
                try partition.syncAndWait()
                var cursor = try partition.entries().makeCursor()
                _ = try cursor.next()
                let before = try snapshot(path)
                let child = isBare ? test_bare_fork() : test_fork()
                if child < 0 { exit(isBare && errno == ENOSYS ? 42 : 1) }
                if child == 0 {
                    alarm(20)
                    func refuses(_ step: Int32, _ body: () throws -> Void) {
                        do { try body() } catch {
                            if (error as? WalError)?.code == .forked { return }
                        }
                        _exit(step)
                    }
                    refuses(10) { try partition.append(Payload(record(1))) }
                    refuses(11) { try partition.append(contentsOf: [Payload(record(1)), Payload(record(2))]) }
                    refuses(12) { try partition.syncAndWait() }
                    refuses(13) { try partition.purge(before: 100) }
                    refuses(14) { _ = try partition.entries().makeCursor() }
                    // What a cursor sees already does no harm.
                    do throws(WalError) {
                        while try cursor.next() != nil {}
                    } catch {
                        if error.code != .forked { _exit(15) }
                    }
                    refuses(16) { _ = try wal.partition(2) }
                    refuses(17) { try wal.syncAndWait() }
                    refuses(18) { try wal.closeAndWait() }
                    refuses(19) { try partition.append(Payload([UInt8](repeating: 1, count: 100_000))) }
                    if partition.mark.failure?.code != .forked { _exit(20) }
                    _exit(0)
                }
                var status: Int32 = 0
                waitpid(child, &status, 0)
                guard status == 0 else { exit(status >> 8) }
                guard try snapshot(path) == before else { exit(2) }
                try partition.appendRecords(301...3_000)
                try expectRecords(partition, 1...3_000)
                try wal.closeAndWait()
                exit(42)
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...3_000)
            try await wal.close()
        }
    }

    @Test(
        "a child that lives on keeps nobody out once its parent has closed the log, or is dead",
        arguments: [false, true])
    func lock(isKilled: Bool) async throws {
        try await withTemporaryDirectory { path in
            let end: ExitTest.Condition = isKilled ? .signal(SIGKILL) : .exitCode(42)
            await #expect(processExitsWith: end) { [path = path as String, isKilled = isKilled as Bool] in
                let wal = try BytesWal.openAndWait(at: path, configuration: small())
                try wal.partition(1).appendRecords(1...10)
                let child = test_fork()
                if child == 0 {
                    // It keeps nothing open but what is the log's: whoever runs the test waits for the ends of pipes.
                    // Their numbers may be high, where many tests run at a time.
                    let open = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
                    for number in open.compactMap({ Int32($0) }) {
                        let target = try? FileManager.default.destinationOfSymbolicLink(
                            atPath: "/proc/self/fd/\(number)")
                        if target?.contains(path) != true { close(number) }
                    }
                    sleep(600)
                    _exit(0)
                }
                try writeFile("\(path).child", Array("\(child)".utf8))
                if isKilled { kill(getpid(), SIGKILL) }
                try wal.closeAndWait()
                let again = try BytesWal.openAndWait(at: path, configuration: small())
                try again.closeAndWait()
                exit(42)
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...10)
            try await wal.close()
            let child = try #require(Int32(String(decoding: readFile("\(path).child"), as: UTF8.self)))
            unlink("\(path).child")
            #expect(kill(child, SIGKILL) == 0)
        }
    }

    @Test("handles that a child lets go of touch neither the files nor the lock of its parent")
    func deinitialization() async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String] in
                var wal: BytesWal? = try BytesWal.openAndWait(at: path, configuration: Self.quiet)
                try wal?.partition(1).appendRecords(1...300)
                let before = try snapshot(path)
                let child = test_fork()
                if child == 0 {
                    alarm(20)
                    wal = nil
                    _exit(0)
                }
                var status: Int32 = 0
                waitpid(child, &status, 0)
                guard status == 0, try snapshot(path) == before else { exit(1) }
                do {
                    _ = try BytesWal.openAndWait(at: path, configuration: small())
                    exit(2)
                } catch {
                    guard (error as? WalError)?.code == .alreadyOpen else { exit(3) }
                }
                try wal?.closeAndWait()
                exit(42)
            }
        }
    }

    @Test("what other threads held when the child was made does not stop it")
    func busyThreads() async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String] in
                let wal = try BytesWal.openAndWait(at: path, configuration: small())
                for id in 1...3 as ClosedRange<UInt16> {
                    let partition = try wal.partition(PartitionID(rawValue: id))
                    Thread.detachNewThread {
                        var k = 0
                        while true {
                            k += 1
                            do {
                                _ = try partition.append(Payload(record(k % 90)))
                                if k % 50 == 0 { try partition.syncAndWait() }
                                if k % 500 == 0 { try partition.purge(before: partition.lastLSN) }
                            } catch {
                                exit(1)
                            }
                        }
                    }
                }
                for _ in 0..<60 {
                    let child = test_fork()
                    if child == 0 {
                        alarm(10)
                        for id in 1...3 as ClosedRange<UInt16> {
                            do throws(WalError) {
                                try wal.partition(PartitionID(rawValue: id)).append(Payload([1]))
                            } catch {
                                if error.code == .forked { continue }
                            }
                            _exit(2)
                        }
                        do throws(WalError) {
                            try wal.closeAndWait()
                        } catch {
                            if error.code == .forked { _exit(0) }
                        }
                        _exit(3)
                    }
                    var status: Int32 = 0
                    waitpid(child, &status, 0)
                    guard status == 0 else { exit(status & 127 == SIGALRM ? 9 : status >> 8) }
                    usleep(500)
                }
                exit(42)
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            #expect(try wal.partition(1).mark.failure == nil)
            try await wal.close()
        }
    }

    @Test("a child opens logs of its own, and its parent's for reading")
    func ownLog() async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String] in
                let wal = try BytesWal.openAndWait(at: "\(path)/parent", configuration: small())
                try wal.partition(1).appendRecords(1...100)
                let child = test_fork()
                if child == 0 {
                    alarm(20)
                    do {
                        let reader = try BytesWal.openAndWait(
                            at: "\(path)/parent", configuration: small(), readOnly: true)
                        guard try reader.partition(1).lastLSN == 100 else { _exit(1) }
                        let own = try BytesWal.openAndWait(at: "\(path)/child", configuration: small())
                        try own.partition(1).appendRecords(1...3_000)
                        try own.partition(1).syncAndWait()
                        try own.closeAndWait()
                    } catch {
                        _exit(2)
                    }
                    _exit(0)
                }
                var status: Int32 = 0
                waitpid(child, &status, 0)
                guard status == 0 else { exit(1) }
                try wal.partition(1).appendRecords(101...200)
                try wal.closeAndWait()
                exit(42)
            }
            let own = try await BytesWal.open(at: "\(path)/child", configuration: small())
            try expectRecords(own.partition(1), 1...3_000)
            try await own.close()
        }
    }
}
