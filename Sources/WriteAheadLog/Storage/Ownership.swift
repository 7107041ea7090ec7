internal import CWalShims

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// Whose files are whose. A log that was once appended to as root stays its owner's.
enum Ownership {
    /// Gives what was just made to the owner and group of the directory that holds it, where this process may. What belongs to
    /// the process's own user stays as it is: only who may give files away makes any for others.
    static func adopt(_ made: Int32, from directory: Int32) {
        guard geteuid() == 0 else { return }
        var above = stat()
        var own = stat()
        guard fstat(directory, &above) == 0, fstat(made, &own) == 0 else { return }
        guard own.st_uid != above.st_uid || own.st_gid != above.st_gid else { return }
        // Refused in a user namespace that does not know the owner: then it stays root's.
        _ = fchown(made, above.st_uid, above.st_gid)
    }

    /// The error of something that this user may not do, with whose it is and what to type.
    ///
    /// - Parameters:
    ///   - directory: where `name` is looked up; AT_FDCWD for a path.
    ///   - shown: the path as the caller knows it.
    static func denied(_ code: Int32, _ operation: String, _ directory: Int32, _ name: String, shown: String)
        -> WalError
    {
        let plain = SystemError.error(code, operation, shown)
        guard code == EACCES || code == EPERM else { return plain }
        var (candidate, shownCandidate) = (name, shown)
        var status = stat()
        // What can't even be looked at lies in a directory that may not be entered; what is not there, in one that may not be
        // written to.
        while fstatat(directory, candidate, &status, 0) != 0 {
            guard let shorter = parent(of: candidate) else {
                guard directory != AT_FDCWD, fstat(directory, &status) == 0 else { return plain }
                shownCandidate = parent(of: shown) ?? "."
                break
            }
            candidate = shorter
            shownCandidate = parent(of: shownCandidate) ?? "."
        }
        if isAccessible(status), let above = parent(of: shownCandidate) {
            // It is its directory that stands in the way, as where a file is to be made or removed.
            var holder = stat()
            if directory == AT_FDCWD ? stat(above, &holder) == 0 : fstat(directory, &holder) == 0 {
                status = holder
                shownCandidate = above
            }
        }
        let mode = String(status.st_mode & 0o7777, radix: 8)
        let owner = user(status.st_uid)
        return WalError(
            .permissionDenied,
            "cannot \(operation) \(shown): \(String(cString: strerror(code))); \(shownCandidate) belongs to \(owner), group \(group(status.st_gid)), mode 0\(mode), and this process runs as \(user(geteuid())). Run as \(owner), or type: sudo chown -R \(bareUser(geteuid())) '\(shownCandidate)'",
            errno: code)
    }

    private static func isAccessible(_ status: stat) -> Bool {
        if geteuid() == 0 { return true }
        let mode = UInt32(status.st_mode)
        let wanted: UInt32 = status.st_mode & S_IFMT == S_IFDIR ? 7 : 6
        if status.st_uid == geteuid() { return (mode >> 6) & wanted == wanted }
        if status.st_gid == getegid() { return (mode >> 3) & wanted == wanted }
        return mode & wanted == wanted
    }

    private static func parent(of path: String) -> String? {
        var parts = path.split(separator: "/", omittingEmptySubsequences: true)
        guard !parts.isEmpty else { return nil }
        parts.removeLast()
        if path.hasPrefix("/") { return "/" + parts.joined(separator: "/") }
        return parts.isEmpty ? nil : parts.joined(separator: "/")
    }

    private static func name(_ id: UInt32, _ look: (UnsafeMutablePointer<CChar>, Int) -> Bool) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let base = buffer.baseAddress, look(base, buffer.count) else { return nil }
            return String(cString: base)
        }
    }

    private static func userName(_ id: uid_t) -> String? { name(id) { wal_user_name(id, $0, $1) == 0 } }
    private static func bareUser(_ id: uid_t) -> String { userName(id) ?? "\(id)" }
    private static func user(_ id: uid_t) -> String { userName(id).map { "\($0) (uid \(id))" } ?? "uid \(id)" }
    private static func group(_ id: gid_t) -> String {
        name(id) { wal_group_name(id, $0, $1) == 0 }.map { "\($0) (gid \(id))" } ?? "gid \(id)"
    }
}
