import CBaseline
import Foundation
import WriteAheadLog

extension Place {
    /// Opening a log of 1,000,000 records of 65 bytes, in milliseconds.
    var opens: [Measurement] {
        [
            Measurement(
                name: "reopen_1m_clean", unit: "ms", target: 1, ours: { try await reopen(isClean: true, unsynced: 0) }),
            // 11,000 records and their frames are a little under a MiB.
            Measurement(
                name: "reopen_1m_crashed", unit: "ms", target: 10,
                ours: { try await reopen(isClean: false, unsynced: 11_000) }),
            Measurement(
                name: "reopen_1m_unsynced", unit: "ms", limitIs: "writing the same bytes and one fdatasync",
                ours: { try await reopen(isClean: false, unsynced: Self.count) },
                limit: { baseline_write_and_sync(directory, UInt(Self.count * 88)) * 1e3 }),
        ]
    }

    private static let count = 1_000_000

    /// Another process writes the log and closes it or is killed; this one opens it, and reads every record.
    private func reopen(isClean: Bool, unsynced: Int) async throws -> Double {
        try removeIfThere(log.path)
        let writer = Process()
        writer.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        writer.arguments = [
            WriterToBeKilled.argument, log.path, String(Self.count - unsynced), String(unsynced),
            isClean ? "close" : "kill",
        ]
        try writer.run()
        writer.waitUntilExit()
        let wasKilled = writer.terminationReason == .uncaughtSignal && writer.terminationStatus == SIGKILL
        guard isClean ? writer.terminationReason == .exit && writer.terminationStatus == 0 : wasKilled else {
            throw WalError(.io, "the process that writes the log failed")
        }
        var opened: Wal<Payload>?
        let taken = try await seconds { opened = try await Wal<Payload>.open(at: log.path, configuration: .raw) }
        guard let again = opened, try again.partition(1).lastLSN == LSN(UInt64(Self.count)) else {
            throw WalError(.corrupt, "the log does not hold \(Self.count) records")
        }
        var found = 0
        try again.partition(1).entries().forEachPayload { _, payload in
            guard payload.byteCount == recordA.count else { return }
            found += 1
        }
        guard found == Self.count else { throw WalError(.corrupt, "the log holds \(found) records") }
        try await again.close()
        try removeIfThere(log.path)
        return taken * 1e3
    }
}

/// This program, as a process that writes a log and is killed, or closes it.
enum WriterToBeKilled {
    static let argument = "write-and-end"

    static func main(_ arguments: ArraySlice<String>) async throws {
        let path = arguments[arguments.startIndex]
        let counts = arguments.dropFirst().prefix(2).compactMap { Int($0) }
        let wal = try await Wal<Payload>.open(at: path, configuration: .raw)
        let partition = try wal.partition(1)
        for _ in 0..<counts[0] { try partition.append(payload: recordA.span.bytes) }
        try await partition.sync()
        for _ in 0..<counts[1] { try partition.append(payload: recordA.span.bytes) }
        if arguments.last == "close" { try await wal.close() } else { kill(getpid(), SIGKILL) }
    }
}
