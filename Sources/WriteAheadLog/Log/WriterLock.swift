internal import CWalShims

/// What keeps a second writer out (promise 9): a lock of the log's directory and one of the file LOCK in it. Either does it alone
/// where the system refuses the other; both, so that neither a removed LOCK nor a writer of an older release gets past.
final class WriterLock: Sendable {
    private let root: any WalDirectory
    /// Nil where it could not be made.
    private let file: (any WalFile)?
    private let isReleased = Locked(false)
    private let token: UInt64
    let holdsDirectory: Bool
    let holdsFile: Bool

    private init(_ root: any WalDirectory, _ file: (any WalFile)?, holdsDirectory: Bool, holdsFile: Bool) {
        self.root = root
        self.file = file
        self.holdsDirectory = holdsDirectory
        self.holdsFile = holdsFile
        token = wal_process_token()
    }

    deinit { release() }

    /// Lets a next writer in, whoever may have copies of the descriptors. A child of fork has nothing to let go of.
    func release() {
        guard token == wal_process_token() else { return }
        let wasReleased = isReleased.withLock { isReleased in
            defer { isReleased = true }
            return isReleased
        }
        guard !wasReleased else { return }
        if holdsFile { file?.unlock() }
        if holdsDirectory { root.unlock() }
        file?.close()
    }

    /// - Throws: `.alreadyOpen` where another writer has the log.
    static func take(
        _ root: any WalDirectory, _ path: String, _ storage: any WalStorage, _ notes: LogNotes
    ) throws(WalError) -> WriterLock {
        var file = try openLockFile(root)
        // Whoever comes while the holder is not written yet waits for that.
        file?.beginAnnouncing()
        defer { file?.endAnnouncing() }
        let taker = Taker(path: path, storage: storage)
        let directoryRefusal = try taker.take(file) { () throws(WalError) in try root.lock() }
        var isTaken = false
        defer { if !isTaken, directoryRefusal == nil { root.unlock() } }
        if file == nil {
            // Somebody removed it: that is no reason to be without.
            do throws(WalError) {
                file = try root.openFile(FileFormat.lockFileName, .createOrOpen)
                file?.beginAnnouncing()
            } catch {
                guard error.code == .noSpace, directoryRefusal == nil else { throw error }
                notes.note(oneAlone("the directory", error))
            }
        }
        guard let file else {
            isTaken = true
            return WriterLock(root, nil, holdsDirectory: true, holdsFile: false)
        }
        let fileRefusal = try taker.take(file) { () throws(WalError) in try file.lock() }
        switch (directoryRefusal, fileRefusal) {
        case (nil, nil): break
        case (let refusal?, nil): notes.note(oneAlone("the file LOCK", refusal))
        case (nil, let refusal?): notes.note(oneAlone("the directory", refusal))
        case (let directory?, let refusal?):
            throw WalError(
                .unsupported,
                "nothing can keep a second writer out of the log at \(path): \(refusal.message); \(directory.message). On NFS, run lockd (rpcbind, rpc.statd) or mount version 4, and without `nolock`; on Lustre, mount with `flock`; in a sandbox, allow flock and fcntl; or put the log on a local file system",
                errno: refusal.errno)
        }
        announce(file)
        isTaken = true
        return WriterLock(root, file, holdsDirectory: directoryRefusal == nil, holdsFile: fileRefusal == nil)
    }

    /// Nil where a log has none any more: whether it may be made, the directory's lock says.
    private static func openLockFile(_ root: any WalDirectory) throws(WalError) -> (any WalFile)? {
        do throws(WalError) {
            return try root.openFile(FileFormat.lockFileName, .readWrite)
        } catch {
            guard error.code == .notFound else { throw error }
        }
        let isLog = try root.list().contains { FileFormat.partition(ofDirectoryNamed: $0.name) != nil }
        return isLog ? nil : try root.openFile(FileFormat.lockFileName, .createOrOpen)
    }

    private static func oneAlone(_ kept: String, _ refusal: WalError) -> WalFallback {
        WalFallback(
            .lock, "\(refusal.message). The lock of \(kept) alone keeps other writers out", errno: refusal.errno)
    }

    /// Who holds it, for the error of the next who tries. The lock is the descriptor's, not the content's: that there is no room
    /// for it changes nothing.
    private static func announce(_ file: any WalFile) {
        do throws(WalError) {
            let text = Array("\(ProcessInformation.id)\n".utf8)
            try file.truncate(to: 0)
            try file.write(text, at: 0)
        } catch {}
    }
}

private struct Taker {
    let path: String
    let storage: any WalStorage

    /// - Returns: nil once it is taken, or why the system refuses such locks.
    func take(_ file: (any WalFile)?, _ lock: () throws(WalError) -> Bool) throws(WalError) -> WalError? {
        var attempts = 0
        while true {
            let isTaken: Bool
            do throws(WalError) { isTaken = try lock() } catch { return error }
            if isTaken { return nil }
            let holder = file.flatMap(holder(in:))
            // A log of this process whose handles are gone, without `close`, lets go once its work in the background is done.
            attempts += 1
            if holder == ProcessInformation.id, attempts < 50, storage.pause(nanoseconds: 2_000_000) { continue }
            // What it says may be older than who holds the directory, as where it was removed.
            let who = holder.map { ProcessInformation.isThere($0) ? " by process \($0)" : "" } ?? ""
            throw WalError(
                .alreadyOpen,
                "the log at \(path) is already open for writing\(who); close it there, or open it with `openReadOnly`")
        }
    }

    /// What LOCK says, where it says anything.
    private func holder(in file: any WalFile) -> Int32? {
        do throws(WalError) {
            return Int32(String(decoding: try file.read(20, at: 0).prefix { $0 >= 48 && $0 <= 57 }, as: UTF8.self))
        } catch {
            return nil
        }
    }
}
