import Foundation
import Testing
import WriteAheadLog

/// Whose a log's files are, and what is said to whoever may not touch them (promise 16).
@Suite("Promise 16: owners", .timeLimit(.minutes(5)))
struct OwnershipTests {
    private static let isRoot = geteuid() == 0
    private static let nobody: UInt32 = 65_534

    private func everything(below path: String) -> [String] {
        (FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []).map { "\(path)/\($0)" }
    }

    private func status(_ path: String) -> stat {
        var status = stat()
        #expect(lstat(path, &status) == 0, "\(path)")
        return status
    }

    @Test(
        "what root appends to the log of a user stays the user's, and nobody else gets to it",
        .enabled(if: isRoot, "only root gives files away"))
    func root() async throws {
        try await withTemporaryDirectory { path in
            #expect(chown(path, Self.nobody, Self.nobody) == 0)
            let log = "\(path)/log"
            for _ in 0..<2 {
                let wal = try await BytesWal.open(at: log, configuration: small())
                for id in 1...2 as ClosedRange<UInt16> {
                    let partition = try wal.partition(PartitionID(rawValue: id))
                    for k in 1...2_000 { _ = try partition.append(Payload(record(k))) }
                    try await partition.sync()
                    try partition.purge(before: 1_000)
                }
                try await wal.close()
            }
            for file in everything(below: path) {
                let status = status(file)
                #expect(status.st_uid == Self.nobody && status.st_gid == Self.nobody, "\(file)")
                let isDirectory = status.st_mode & S_IFMT == S_IFDIR
                #expect(status.st_mode & 0o7777 == (isDirectory ? 0o700 : 0o600), "\(file)")
            }
        }
    }

    @Test(
        "who may not open a log is told whose it is, who asks, and what to type",
        .enabled(if: isRoot, "only root can become another user"),
        arguments: ["", "LOCK", "LOG", "partition-00001", "partition-00001/STATE"])
    func denied(name: String) async throws {
        try await withTemporaryDirectory { path in
            let log = "\(path)/log"
            let wal = try await BytesWal.open(at: log, configuration: small())
            for k in 1...10 { _ = try wal.partition(1).append(Payload(record(k))) }
            try await wal.close()
            chmod(path, 0o755)
            for file in everything(below: path) { #expect(chown(file, Self.nobody, Self.nobody) == 0) }
            let culprit = name.isEmpty ? log : "\(log)/\(name)"
            #expect(chown(culprit, 0, 0) == 0)
            await #expect(processExitsWith: .exitCode(42)) { [log = log as String, culprit = culprit as String] in
                guard setegid(65_534) == 0, seteuid(65_534) == 0 else { exit(1) }
                do {
                    _ = try BytesWal.openAndWait(at: log, configuration: small())
                    exit(2)
                } catch let error as WalError {
                    guard error.code == .permissionDenied else { exit(3) }
                    for part in ["'\(culprit)'", "root (uid 0)", "uid 65534", "sudo chown -R"]
                    where !error.message.contains(part) {
                        exit(4)
                    }
                }
                exit(42)
            }
        }
    }
}
