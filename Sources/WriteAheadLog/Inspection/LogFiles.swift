/// The files of a log, for tools that look at them without opening it: no lock, no codec, nothing written.
package struct LogFiles {
    package let root: any WalDirectory
    /// Which log it is: nil where neither LOG nor the partitions tell.
    package let logID: LogID?
    /// LOG is not whole, or what is there contradicts itself.
    package let identityProblem: WalError?
    /// In order. What is not a directory stands in a partition's place.
    package private(set) var partitions: [(id: PartitionID, kind: EntryKind)] = []

    /// - Throws: `.notALog` where the directory holds nothing that a log would have there, and what the file system says.
    package init(at path: String, storage: any WalStorage = PosixStorage()) throws(WalError) {
        root = try storage.openRoot(path, create: false)
        for entry in try Self.checkIsLog(root, path) {
            guard let id = FileFormat.partition(ofDirectoryNamed: entry.name) else { continue }
            partitions.append((id, entry.kind))
        }
        partitions.sort { $0.id < $1.id }
        do throws(WalError) {
            let identity = try LogIdentity.find(in: root)
            logID = identity.id
            identityProblem = identity.problem
        } catch {
            // What is wrong with a partition is said of that.
            logID = nil
            identityProblem = error.code == .foreign || error.partition == nil ? error : nil
        }
    }

    /// - Returns: what the directory holds.
    /// - Throws: `.notALog` where it holds nothing that a log would have there.
    @discardableResult
    static func checkIsLog(
        _ root: any WalDirectory, _ path: String
    ) throws(WalError) -> [(name: String, kind: EntryKind)] {
        let entries = try root.list()
        let isLog = entries.contains {
            $0.name == FileFormat.lockFileName || $0.name == FileFormat.logFileName
                || FileFormat.partition(ofDirectoryNamed: $0.name) != nil
        }
        guard isLog else {
            throw WalError(
                .notALog, "\(path) holds no log: neither a partition nor a LOG or LOCK file is in it; check the path")
        }
        return entries
    }

    /// Bytes of a partition's segment files; 0 where there is none.
    package func segmentBytes(of id: PartitionID) throws(WalError) -> UInt64 {
        guard partitions.contains(where: { $0.id == id && $0.kind == .directory }) else { return 0 }
        let directory = try root.openDirectory(FileFormat.partitionName(id), create: false)
        var sum: UInt64 = 0
        for entry in try directory.list() where entry.kind == .file {
            guard FileFormat.firstLSN(ofSegmentNamed: entry.name) != nil else { continue }
            do throws(WalError) {
                sum += try directory.openFile(entry.name, .read).size()
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        return sum
    }

    /// Looks at a partition beside whoever may be writing to it. What is wrong with its files is a result.
    func look(at id: PartitionID, readsAllMarks: Bool = false) throws(WalError) -> PartitionLook {
        let directory = try root.openDirectory(FileFormat.partitionName(id), create: false)
        return try PartitionLook.besideWriter(check: .tail) { () throws(WalError) in
            try PartitionEvidence.collect(
                id, logID: logID, conflict: identityProblem, in: directory, isShared: true, toleratesFailures: true,
                readsAllMarks: readsAllMarks)
        }
    }
}
