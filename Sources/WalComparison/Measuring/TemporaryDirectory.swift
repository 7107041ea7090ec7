internal import WriteAheadLog

/// A directory for logs, made with a name that nothing had before.
struct TemporaryDirectory: Sendable {
    let path: String

    init(in parent: String) throws(WalError) {
        let name = String(PosixStorage().random(), radix: 16)
        path = "\(parent)/wal-comparison-\(name)"
        try Libc.makeDirectory(path)
    }

    /// Removes it, with the logs in it: their files by name, and nothing through a symbolic link.
    func remove() throws(WalError) { try Self.remove(path, depth: 2) }

    static func removeLog(_ path: String) throws(WalError) { try remove(path, depth: 1) }

    private static func remove(_ path: String, depth: Int) throws(WalError) {
        let directory = try PosixStorage().openRoot(path, create: false)
        for entry in try directory.list() {
            // A log has partitions and nothing deeper.
            if entry.kind == .directory, depth >= 0 {
                try remove("\(path)/\(entry.name)", depth: depth - 1)
            } else {
                try directory.remove(entry.name)
            }
        }
        try Libc.removeDirectory(path)
    }
}
