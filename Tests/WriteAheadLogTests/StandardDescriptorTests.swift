import CWalShims
import Foundation
import Testing
import WriteAheadLog

/// Descriptors 0 to 2 belong to the app, also where it was started without them: what it prints must not land in a segment.
@Suite("Descriptors 0 to 2", .timeLimit(.minutes(5)))
struct StandardDescriptorTests {
    @Test("are never those of a log's file, whichever of them are closed")
    func log() async throws {
        try await withTemporaryDirectory { path in
            await #expect(processExitsWith: .exitCode(42)) { [path = path as String] in
                let nothing = fcntl(open("/dev/null", O_RDWR), F_DUPFD, 10)
                for closed in 0..<8 as Range<Int32> {
                    for number in 0...2 as ClosedRange<Int32> {
                        if closed >> number & 1 == 1 { close(number) } else { _ = dup2(nothing, number) }
                    }
                    let wal = try BytesWal.openAndWait(at: "\(path)/\(closed)", configuration: small())
                    let partition = try wal.partition(1)
                    for k in 1...2_000 {
                        _ = try partition.append(Payload(record(k)))
                        if k % 200 == 0 {
                            // What nobody expects to go anywhere.
                            for number in 1...2 as ClosedRange<Int32> { _ = write(number, "printed\n", 8) }
                            guard (0...2).allSatisfy({ Self.target($0)?.contains(path) != true }) else { exit(1) }
                        }
                    }
                    try partition.syncAndWait()
                    try partition.purge(before: 1_000)
                    try wal.closeAndWait()
                }
                exit(42)
            }
            for closed in 0..<8 {
                let verification = try await WalVerification.verify(at: "\(path)/\(closed)")
                #expect(verification.damage.isEmpty)
            }
        }
    }

    /// What a descriptor stands for; nil where it is closed.
    private static func target(_ number: Int) -> String? {
        try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(number)")
    }

    @Test("are not those of a copy of a descriptor either")
    func copies() async {
        await #expect(processExitsWith: .exitCode(42)) {
            let file = wal_openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0)
            for number in 0...2 as ClosedRange<Int32> { close(number) }
            for _ in 0..<5 {
                guard wal_duplicate(file) > 2, wal_openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY, 0) > 2 else { exit(1) }
            }
            // And those stay closed.
            for number in 0...2 as ClosedRange<Int32> { guard fcntl(number, F_GETFD) < 0 else { exit(2) } }
            exit(42)
        }
    }
}
