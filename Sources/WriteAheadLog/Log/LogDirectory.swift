/// A log's directory, or one within, on file systems that can't sync a directory: there the sync is left out and noted.
final class LogDirectory: WalDirectory {
    private let base: any WalDirectory
    private let notes: LogNotes

    init(_ base: any WalDirectory, notes: LogNotes) {
        self.base = base
        self.notes = notes
    }

    func list() throws(WalError) -> [(name: String, kind: EntryKind)] { try base.list() }
    func openDirectory(_ name: String, create: Bool) throws(WalError) -> any WalDirectory {
        LogDirectory(try base.openDirectory(name, create: create), notes: notes)
    }
    func openFile(_ name: String, _ access: FileAccess) throws(WalError) -> any WalFile {
        try base.openFile(name, access)
    }
    func rename(_ from: String, to: String) throws(WalError) { try base.rename(from, to: to) }
    func remove(_ name: String) throws(WalError) { try base.remove(name) }

    func sync() throws(WalError) { try tolerating { () throws(WalError) in try base.sync() } }
    func syncParent() throws(WalError) { try tolerating { () throws(WalError) in try base.syncParent() } }

    private func tolerating(_ sync: () throws(WalError) -> Void) throws(WalError) {
        do throws(WalError) {
            try sync()
        } catch {
            guard error.isUnsupportedOperation else { throw error }
            notes.note(
                WalFallback(
                    .directorySync,
                    "\(error.message). New files are as durable as the file system makes them by itself: after a loss of power, records that were called durable may be missing with the file that held them",
                    errno: error.errno))
        }
    }

    func currentPath() -> String? { base.currentPath() }
    func guaranteesAllocation() -> Bool { base.guaranteesAllocation() }
    func probeMapping() -> MappingProbe { base.probeMapping() }
    var fileSystemName: String? { base.fileSystemName }
    func lock() throws(WalError) -> Bool { try base.lock() }
    func unlock() { base.unlock() }
}
