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
            identityProblem = nil
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
        let files = try PartitionFiles(id: id, root: root, logID: logID)
        var sum: UInt64 = 0
        for segment in files.segments {
            do throws(WalError) {
                sum += try files.directory.openFile(segment.name, .read).size()
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        return sum
    }
}

/// What a partition's directory holds, by name, and what STATE says.
struct PartitionFiles {
    let id: PartitionID
    let logID: LogID?
    let directory: any WalDirectory
    let state: Result<PartitionState?, WalError>
    /// Oldest first.
    private(set) var segments: [(name: String, firstLSN: UInt64)] = []
    /// Directories, links and others in a segment's place.
    private(set) var strangers: [(name: String, firstLSN: UInt64)] = []

    init(id: PartitionID, root: any WalDirectory, logID: LogID?) throws(WalError) {
        self.id = id
        self.logID = logID
        directory = try root.openDirectory(FileFormat.partitionName(id), create: false)
        do throws(WalError) {
            state = .success(try PartitionState.read(in: directory, partition: id, logID: logID))
        } catch {
            state = .failure(error)
        }
        for entry in try directory.list() {
            if let lsn = FileFormat.firstLSN(ofSegmentNamed: entry.name) {
                if entry.kind == .file {
                    segments.append((entry.name, lsn))
                } else {
                    strangers.append((entry.name, lsn))
                }
            }
        }
        segments.sort { $0.firstLSN < $1.firstLSN }
        strangers.sort { $0.firstLSN < $1.firstLSN }
    }

    func open(_ segment: (name: String, firstLSN: UInt64)) throws(WalError) -> SegmentFile {
        try SegmentFile(
            name: segment.name, firstLSN: segment.firstLSN, place: LogPlace(logID: logID, partition: id),
            file: try directory.openFile(segment.name, .read))
    }
}

/// Looks again while a writer or a purge changes what is looked at: a name is gone that was listed just now.
func retryingRaces<R>(_ body: () throws(WalError) -> R) throws(WalError) -> R {
    var attempts = 0
    while true {
        do throws(WalError) {
            return try body()
        } catch {
            attempts += 1
            guard error.code == .notFound, attempts < 20 else { throw error }
        }
    }
}
