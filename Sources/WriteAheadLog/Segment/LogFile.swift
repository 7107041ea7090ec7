/// The file `LOG` in a log's directory: which log it is. Written once.
package struct LogFile: Equatable, Sendable {
    package var id: LogID
    /// Nanoseconds since 1970.
    package var created: UInt64

    package init(id: LogID, created: UInt64) {
        self.id = id
        self.created = created
    }

    package static let size = 64
    private static let sumOffset = 60

    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.append(integer: FileFormat.logMagic)
        bytes.append(integer: FileFormat.version)
        bytes.append(integer: UInt32(0))  // flags: none in version 2
        bytes.append(id)
        bytes.append(integer: created)
        bytes.append(contentsOf: repeatElement(0, count: Self.sumOffset - bytes.count))
        bytes.append(integer: bytes.crc32c(0..<Self.sumOffset))
        return bytes
    }

    /// Nil where it is not whole.
    ///
    /// - Throws: `.unsupportedFormat` where it is a newer one.
    package init?(decoding bytes: UnsafeRawBufferPointer) throws(WalError) {
        let reader = ByteReader(bytes)
        guard let summed = reader.slice(0, Self.sumOffset), reader.integer(Self.sumOffset) == crc32c(summed),
            reader.integer(0) == FileFormat.logMagic, let version: UInt32 = reader.integer(8),
            let flags: UInt32 = reader.integer(12), let id = reader.logID(16), let created: UInt64 = reader.integer(32)
        else { return nil }
        try FileFormat.check(version, of: "the file LOG")
        guard flags == 0 else {
            throw WalError(
                .unsupportedFormat, "the file LOG has flags that this release does not know; use a newer release")
        }
        self.init(id: id, created: created)
    }

    /// What LOG in the log's directory says; nil where it is missing, or not whole.
    package static func read(in root: any WalDirectory) throws(WalError) -> LogFile? {
        let file: any WalFile
        do throws(WalError) {
            file = try root.openFile(FileFormat.logFileName, .read)
        } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        defer { file.close() }
        let bytes = try file.read(size, at: 0)
        return try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
            try LogFile(decoding: UnsafeRawBufferPointer(bytes))
        }
    }

    /// Writes and syncs it; its name becomes durable with the directory.
    package func write(in root: any WalDirectory) throws(WalError) {
        let file = try root.openFile(FileFormat.logFileName, .createOrOpen)
        defer { file.close() }
        try file.write(encoded(), at: 0)
        try file.truncate(to: UInt64(Self.size))
        try file.sync()
    }
}
