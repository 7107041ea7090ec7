import Foundation
import Testing
import WriteAheadLog

/// What the operating system refuses is told by a sentence that is true of it, and by a code that says what it means for the log.
@Suite("Errors of the operating system")
struct SystemErrorTests {
    static let operations = [
        "open", "open directory", "create directory", "list", "read", "write", "write and sync", "allocate space for",
        "truncate", "sync", "sync directory", "map", "lock", "lock directory", "start thread", "rename to x", "remove",
        "stat",
    ]
    /// Where a device, or whoever stands for one, did fail.
    static let deviceErrors: Set<Int32> = [EIO, ENXIO, ENODEV, ESTALE, 117]

    struct Row: CustomTestStringConvertible {
        var errno: Int32
        var operation: String
        var code: WalError.Code
        /// What the remedy must name.
        var says: String
        var testDescription: String { "\(operation): errno \(errno)" }
    }

    static let rows = [
        Row(errno: EAGAIN, operation: "start thread", code: .outOfResources, says: "ulimit -u"),
        Row(errno: ENOMEM, operation: "start thread", code: .outOfResources, says: "threads"),
        Row(errno: ENOMEM, operation: "map", code: .outOfResources, says: "ulimit -v"),
        Row(errno: ENOMEM, operation: "write", code: .outOfResources, says: "memory"),
        Row(errno: ENODEV, operation: "map", code: .unsupported, says: ".written"),
        Row(errno: EMFILE, operation: "open", code: .tooManyFiles, says: "ulimit -n"),
        Row(errno: ENFILE, operation: "open", code: .tooManyFiles, says: "file-max"),
        Row(errno: ENOSPC, operation: "write", code: .noSpace, says: "df"),
        Row(errno: EDQUOT, operation: "allocate space for", code: .noSpace, says: "quota"),
        Row(errno: EFBIG, operation: "write", code: .noSpace, says: "ulimit -f"),
        Row(errno: EROFS, operation: "open", code: .permissionDenied, says: "openReadOnly"),
        Row(errno: EACCES, operation: "open", code: .permissionDenied, says: "access"),
        Row(errno: ENOLCK, operation: "lock", code: .unsupported, says: "lockd"),
        Row(errno: EPERM, operation: "lock", code: .permissionDenied, says: "sandbox"),
        Row(errno: EOPNOTSUPP, operation: "allocate space for", code: .unsupported, says: ".written"),
        Row(errno: ENOSYS, operation: "lock directory", code: .unsupported, says: "locks"),
        Row(errno: EINVAL, operation: "sync directory", code: .unsupported, says: "directory"),
        // Of a file's own bytes it says that they may not be there.
        Row(errno: EINVAL, operation: "sync", code: .io, says: "another file system"),
        Row(errno: EIO, operation: "sync", code: .io, says: "device failed"),
        Row(errno: ESTALE, operation: "read", code: .io, says: "server"),
        Row(errno: ETIMEDOUT, operation: "write", code: .io, says: "network"),
        Row(errno: EBADF, operation: "write", code: .io, says: "closed a descriptor"),
        Row(errno: EMLINK, operation: "create directory", code: .unsupported, says: "directories"),
        Row(errno: ENAMETOOLONG, operation: "open directory", code: .invalidArgument, says: "too long"),
        Row(errno: ENOENT, operation: "open", code: .notFound, says: "path"),
        Row(errno: ENOTDIR, operation: "open", code: .notALog, says: "file"),
        Row(errno: ELOOP, operation: "open", code: .notALog, says: "symbolic link"),
    ]

    @Test("have a code and a remedy of their own", arguments: rows)
    func row(_ row: Row) {
        let error = SystemError.error(row.errno, row.operation, "l/LOCK")
        #expect(error.code == row.code)
        #expect(error.errno == row.errno)
        #expect(error.message.hasPrefix("cannot \(row.operation) l/LOCK: "))
        #expect(error.message.contains(row.says), "\(error.message)")
    }

    @Test("never call a failed device what is none, from any call", arguments: operations)
    func everyErrno(operation: String) {
        for number in 1...133 as ClosedRange<Int32> {
            let error = SystemError.error(number, operation, "x")
            #expect(error.errno == number)
            let known = Self.rows.map(\.errno)
            guard known.contains(number), !Self.deviceErrors.contains(number) else { continue }
            #expect(!error.message.contains("device failed; check"), "\(number): \(error.message)")
        }
    }

    @Test("of a file name the name that it has now")
    func presentName() throws {
        try withTemporaryDirectorySync { path in
            let directory = try PosixStorage().openRoot(path, create: false)
            let file = try directory.openFile("next", .createNew)
            try directory.rename("next", to: "segment")
            var told: WalError?
            do throws(WalError) { try file.truncate(to: .max) } catch { told = error }
            #expect(told?.message.contains("\(path)/segment:") == true, "\(String(describing: told))")
            try directory.remove("segment")
            do throws(WalError) { try file.truncate(to: .max) } catch { told = error }
            #expect(told?.message.contains("\(path)/next:") == true, "\(String(describing: told))")
        }
    }
}

/// As ``withTemporaryDirectory(_:)``.
func withTemporaryDirectorySync<R>(_ body: (String) throws -> R) throws -> R {
    let path = NSTemporaryDirectory() + "wal-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}
