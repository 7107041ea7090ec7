import CTestShims
import Foundation
import Testing
import WriteAheadLog

/// A limit of file sizes (RLIMIT_FSIZE) does not end the process, whose author never heard of SIGXFSZ.
@Suite("Promise 8: a limit of file sizes", .timeLimit(.minutes(5)))
struct FileSizeLimitTests {
    @Test(
        "bounds segments; what is larger is refused, changes nothing, and is taken once the limit is raised",
        arguments: [WriteMode.automatic, .written], [0, 1, 4_096, 20_000, 65_536, 100_000, 1 << 20])
    func limit(writes: WriteMode, bytes: Int) async throws {
        try await withTemporaryDirectory { path in
            let isWritten = writes == .written
            await #expect(processExitsWith: .exitCode(42)) {
                [path = path as String, isWritten = isWritten as Bool, bytes = bytes as Int] in
                guard test_limit_file_size(UInt64(bytes)) == 0 else { exit(1) }
                let configuration = BytesWal.Configuration(
                    segmentSize: 1 << 20, codec: .bytes(), writes: isWritten ? .written : .automatic)
                func open() throws -> BytesWal? {
                    do {
                        return try BytesWal.openAndWait(at: path, configuration: configuration)
                    } catch let error as WalError {
                        guard error.code == .noSpace, error.message.contains("\(bytes) bytes") else { throw error }
                        return nil
                    }
                }
                var wal = try open()
                var last = 0
                if let partition = try wal?.partition(1) {
                    do throws(WalError) {
                        for k in 1...30_000 {
                            _ = try partition.append(Payload(record(k)))
                            last = k
                        }
                    } catch {
                        guard error.code == .noSpace, error.errno == EFBIG, error.message.contains("\(bytes) bytes")
                        else { exit(3) }
                    }
                    // Enough for a segment is enough for any number of them.
                    if bytes >= 65_536, last != 30_000 { exit(4) }
                    guard partition.lastLSN.rawValue == UInt64(last), partition.mark.failure == nil else { exit(5) }
                    // More than any file may hold.
                    do throws(WalError) {
                        try partition.append(Payload([UInt8](repeating: 1, count: 2 << 20)))
                        exit(6)
                    } catch {
                        guard error.code == .noSpace, error.errno == EFBIG else { exit(7) }
                    }
                }
                guard test_limit_file_size(.max) == 0 else { exit(8) }
                if wal == nil { wal = try open() }
                guard let wal else { exit(9) }
                let partition = try wal.partition(1)
                _ = try partition.append(Payload(record(last + 1)))
                try partition.syncAndWait()
                try wal.closeAndWait()
                let again = try BytesWal.openAndWait(at: path, configuration: configuration)
                try expectRecords(again.partition(1), 1...(last + 1))
                try again.closeAndWait()
                exit(42)
            }
        }
    }

    @Test("that comes while the log is open is an error too")
    func lowered() async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String] in
                let wal = try BytesWal.openAndWait(at: path, configuration: small())
                let partition = try wal.partition(1)
                try partition.appendRecords(1...10)
                try partition.syncAndWait()
                guard test_limit_file_size(8_192) == 0 else { exit(1) }
                var last = 10
                do throws(WalError) {
                    while last < 5_000 {
                        _ = try partition.append(Payload(record(last + 1)))
                        last += 1
                    }
                    exit(2)
                } catch {
                    guard error.code == .noSpace, error.errno == EFBIG else { exit(3) }
                }
                guard test_limit_file_size(.max) == 0 else { exit(4) }
                try partition.appendRecords((last + 1)...5_000)
                try expectRecords(partition, 1...5_000)
                try wal.closeAndWait()
                exit(42)
            }
        }
    }
}
