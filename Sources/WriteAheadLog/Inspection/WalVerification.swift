/// What a check of every byte of a log found.
///
/// ```swift
/// let result = try await WalVerification.verify(at: "wal_data")
/// for damage in result.damage { print(damage) }
/// ```
///
/// It reads the files and nothing else: it needs neither the record's type nor a codec, takes no lock, works beside a live
/// writer and writes nothing. Records are checked by their checksums; that a codec can decode them is not tried.
public struct WalVerification: Sendable {
    /// Where a crash ended a partition: bytes above the last mark that are no whole frames any more. Opening the log for
    /// writing drops them. That is no damage, for nobody was told that they were durable.
    public struct TornTail: Sendable, Hashable {
        /// The first LSN of the segment file.
        public var segment: LSN
        /// Bytes from the start of that file.
        public var offset: UInt64
        /// The LSN that the next record gets.
        public var lsn: LSN
        /// How many bytes are there, later segments included.
        public var bytes: UInt64
    }

    /// What was found in one partition.
    public struct Partition: Sendable {
        public var id: PartitionID
        public var segments = 0
        /// Records in whole frames.
        public var records: UInt64 = 0
        /// Size of the segment files.
        public var bytes: UInt64 = 0
        /// The first and the last LSN that can be read; nil where there is none.
        public var firstLSN: LSN?
        public var lastLSN: LSN?
        /// The greatest LSN that a mark or STATE calls durable.
        public var durableLSN: LSN = .none
        /// It was closed in order; else a writer has it open, or ended without closing.
        public var isClean = false
        public var tornTail: TornTail?
        /// LSNs whose records were lost and of which salvage left a note, in order; at most 1,000. No damage: the note is whole.
        public var lost: [ClosedRange<LSN>] = []
        /// Each place where bytes that were durable are not what was written, in order; at most 1,000.
        ///
        /// The code is `.corrupt`, `.missing`, `.notALog` for what is no regular file, `.io` for what can't be read; the
        /// LSN is the first that is concerned.
        public var damage: [WalError] = []
        /// What is odd but costs no record, and goes when the log is next opened for writing.
        public var remarks: [WalError] = []
    }

    /// How far a verification has got.
    public struct Progress: Sendable {
        public var partitionsDone: Int
        public var partitions: Int
        public var bytesRead: UInt64
    }

    /// Which log it is; nil where neither the file LOG nor a partition tells.
    public internal(set) var logID: LogID?
    /// What is wrong with the log as a whole.
    public internal(set) var logDamage: [WalError] = []
    /// In order.
    public internal(set) var partitions: [Partition] = []

    /// Of the log as a whole, and of all partitions.
    public var damage: [WalError] { logDamage + partitions.flatMap(\.damage) }
    /// Of all partitions.
    public var records: UInt64 { partitions.reduce(0) { $0 + $1.records } }
    public var isDamaged: Bool { !logDamage.isEmpty || partitions.contains { !$0.damage.isEmpty } }

    /// Checks a log.
    ///
    /// - Parameter progress: called now and then, on another thread.
    /// - Throws: where nothing can be said about the log: `.notFound`, `.notALog`, `.permissionDenied`,
    ///   `.unsupportedFormat`. Damage is a result.
    /// - Complexity: O(bytes).
    public static func verify(
        at path: String, progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws(WalError) -> WalVerification {
        let storage = PosixStorage()
        return try await blocking(on: storage, named: "wal-verify") { () throws(WalError) in
            try verify(at: path, storage: storage, progress: progress)
        }
    }

    /// The same on the calling thread, which it may block: for threads and `main.swift`.
    public static func verifyAndWait(
        at path: String, progress: (Progress) -> Void = { _ in }
    ) throws(WalError) -> WalVerification {
        try verify(at: path, storage: PosixStorage(), progress: progress)
    }

    package static func verify(
        at path: String, storage: any WalStorage, progress: (Progress) -> Void = { _ in }
    ) throws(WalError) -> WalVerification {
        let files = try LogFiles(at: path, storage: storage)
        var result = WalVerification()
        result.logID = files.logID
        if let problem = files.identityProblem { result.logDamage.append(problem) }
        var read: UInt64 = 0
        for (place, entry) in files.partitions.enumerated() {
            func report(_ bytes: UInt64) {
                progress(
                    Progress(partitionsDone: place, partitions: files.partitions.count, bytesRead: read + bytes))
            }
            guard entry.kind == .directory else {
                var partition = Partition(id: entry.id)
                partition.damage.append(
                    WalError(
                        .notALog, "\(FileFormat.partitionName(entry.id)) is not a directory and is not followed",
                        partition: entry.id))
                result.partitions.append(partition)
                continue
            }
            let partition = try PartitionVerifier.verify(entry.id, files, report)
            read += partition.bytes
            result.partitions.append(partition)
        }
        progress(
            Progress(
                partitionsDone: files.partitions.count, partitions: files.partitions.count, bytesRead: read))
        return result
    }
}
