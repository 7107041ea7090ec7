/// A file that gives up its descriptor between two uses: a partition may have more segments than the process may have files
/// open.
///
/// For recovery, which is alone with the log; not to be shared between threads.
final class ReopeningFile: WalFile, @unchecked Sendable {
    // Sendable: one thread recovers a partition.
    private let directory: any WalDirectory
    private let name: String
    private let access: FileAccess
    private var opened: (any WalFile)?

    init(_ name: String, _ access: FileAccess, in directory: any WalDirectory) throws(WalError) {
        self.directory = directory
        self.name = name
        self.access = access
        opened = try directory.openFile(name, access)
    }

    private func file() throws(WalError) -> any WalFile {
        if let opened { return opened }
        let file = try directory.openFile(name, access)
        opened = file
        return file
    }

    /// The next use opens it again.
    func close() {
        opened?.close()
        opened = nil
    }

    func size() throws(WalError) -> UInt64 { try file().size() }
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(WalError) -> Int {
        try file().read(into: buffer, at: offset)
    }
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) {
        try file().write(bytes, at: offset)
    }
    func writeSynced(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) -> Bool {
        try file().writeSynced(bytes, at: offset)
    }
    func allocate(from: UInt64, to: UInt64) throws(WalError) { try file().allocate(from: from, to: to) }
    func truncate(to size: UInt64) throws(WalError) { try file().truncate(to: size) }
    func sync() throws(WalError) { try file().sync() }
    func map(count: Int, writable: Bool) throws(WalError) -> any WalMapping {
        try file().map(count: count, writable: writable)
    }
    func content(from offset: UInt64) throws(WalError) -> [Range<UInt64>] { try file().content(from: offset) }
    func identity() throws(WalError) -> FileIdentity { try file().identity() }
    func lock() throws(WalError) -> Bool { try file().lock() }
}
