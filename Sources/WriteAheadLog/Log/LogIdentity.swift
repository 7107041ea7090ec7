/// Which log a directory holds.
struct LogIdentity: Sendable {
    /// Nil where nothing tells.
    var id: LogID?
    /// The file LOG is there and whole.
    var isWritten = false
    /// LOG does not tell, and the partitions do not agree.
    var problem: WalError?

    /// What LOG says; where it is missing or not whole, what the partitions agree on.
    ///
    /// - Throws: `.unsupportedFormat` where LOG is of another version.
    static func find(in root: any WalDirectory) throws(WalError) -> LogIdentity {
        if let log = try LogFile.read(in: root) { return LogIdentity(id: log.id, isWritten: true) }
        var found: (id: LogID, partition: PartitionID)?
        var partitions: [PartitionID] = []
        for entry in try root.list() where entry.kind == .directory {
            if let id = FileFormat.partition(ofDirectoryNamed: entry.name) { partitions.append(id) }
        }
        for partition in partitions.sorted() {
            let directory = try root.openDirectory(FileFormat.partitionName(partition), create: false)
            let stated: LogID
            do throws(WalError) {
                guard let id = try self.stated(by: directory, partition) else { continue }
                stated = id
            } catch {
                // Of that partition more is said when it is looked at.
                guard error.code == .foreign || error.code == .unsupportedFormat else { throw error }
                continue
            }
            guard let known = found else {
                found = (stated, partition)
                continue
            }
            guard known.id == stated else {
                let problem = WalError(
                    .foreign,
                    "partition \(known.partition) belongs to the log \(known.id), partition \(partition) to \(stated), and the file LOG, which would tell which of them this is, is missing or damaged. Nothing was changed: restore LOG from a backup, or move what does not belong here out of the log",
                    partition: partition)
                return LogIdentity(problem: problem)
            }
        }
        return LogIdentity(id: found?.id)
    }

    /// What a partition's STATE says, or the first header that is whole.
    private static func stated(
        by directory: any WalDirectory, _ partition: PartitionID
    ) throws(WalError) -> LogID? {
        if let state = try PartitionState.read(in: directory, partition: partition, logID: nil) { return state.logID }
        var names: [(name: String, firstLSN: UInt64)] = []
        for entry in try directory.list() where entry.kind == .file {
            if let lsn = FileFormat.firstLSN(ofSegmentNamed: entry.name) { names.append((entry.name, lsn)) }
        }
        for (name, lsn) in names.sorted(by: { $0.firstLSN < $1.firstLSN }) {
            let file: any WalFile
            do throws(WalError) {
                file = try directory.openFile(name, .read)
            } catch {
                // Purged by a writer beside us.
                guard error.code == .notFound else { throw error }
                continue
            }
            defer { file.close() }
            let segment = try SegmentFile(
                name: name, firstLSN: lsn, place: LogPlace(logID: nil, partition: partition), file: file)
            if let header = segment.header { return header.logID }
        }
        return nil
    }
}
