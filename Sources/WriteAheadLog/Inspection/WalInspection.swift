/// What a log says of itself: partitions, segments, LSNs, codecs and types, without opening it.
///
/// Headers, footers and marks are read, and of a segment that is still written to the frames behind its last mark. It needs
/// neither the record's type nor a codec, takes no lock, works beside a live writer and on a damaged log, and writes
/// nothing. To check every byte there is ``WalVerification``.
public struct WalInspection: Sendable {
    /// One segment file.
    public struct Segment: Sendable {
        public var name: String
        /// From the name.
        public var firstLSN: LSN
        /// `firstLSN − 1` where it holds no record; nil where the file can't tell.
        public var lastLSN: LSN?
        /// Nothing is appended to it any more.
        public var isSealed = false
        /// Size of the file.
        public var fileBytes: UInt64 = 0
        /// Where the frames end, from the start of the file.
        public var dataEnd: UInt64?
        /// Which records its LSNs mean: greater in each segment that was begun after records may have been taken back.
        public var history: UInt64?
        /// Of the opening that wrote it: greater with each.
        public var incarnation: UInt64?
        /// Nanoseconds since 1970.
        public var created: UInt64?
        public var codecID: UInt32?
        public var codecName: String?
        public var codecParameters: [UInt8]?
        public var typeName: String?
        /// What its records look like, in a line; nil where their type did not say.
        public var schema: String?
        /// Why there is nothing more to say.
        public var damage: WalError?

        /// How many records it holds, where that is known.
        public var recordCount: UInt64? { lastLSN.map { $0.rawValue + 1 - firstLSN.rawValue } }
    }

    /// One partition.
    public struct Partition: Sendable {
        public var id: PartitionID
        /// Oldest first.
        public var segments: [Segment] = []
        /// The greatest LSN that a mark or STATE calls durable.
        public var durableLSN: LSN = .none
        /// It was closed in order; else a writer has it open, or ended without closing.
        public var isClean = false
        /// It was removed, and nothing was appended since.
        public var isRemoved = false
        /// Which records the LSNs of the newest segment mean, and the greatest incarnation of an opening that wrote here; nil where
        /// neither STATE nor a segment tells.
        public var history: UInt64?
        public var incarnation: UInt64?
        /// No record below it is shown; 1 where nothing was purged.
        public var firstVisibleLSN: LSN = .first
        /// What is wrong at first sight.
        public var damage: [WalError] = []

        /// The oldest LSN that is kept; nil where there is no record.
        public var firstLSN: LSN? {
            segments.first { ($0.recordCount ?? 1) > 0 }.map { max($0.firstLSN, firstVisibleLSN) }
        }
        /// Nil where there is no record.
        public var lastLSN: LSN? { segments.last { ($0.recordCount ?? 0) > 0 }?.lastLSN }
        /// As far as is known.
        public var recordCount: UInt64 { segments.reduce(0) { $0 + ($1.recordCount ?? 0) } }
        /// Size of the segment files.
        public var bytes: UInt64 { segments.reduce(0) { $0 + $1.fileBytes } }
    }

    /// Which log it is; nil where neither the file LOG nor a partition tells.
    public internal(set) var logID: LogID?
    /// The version of the file format that this release reads; a file of another one is damage with the code `.unsupportedFormat`.
    public var formatVersion: Int { Int(FileFormat.version) }
    /// What is wrong with the log as a whole.
    public internal(set) var damage: [WalError] = []
    /// In order.
    public internal(set) var partitions: [Partition] = []

    /// Looks at a log.
    ///
    /// - Throws: where nothing can be said about it: `.notFound`, `.notALog`, `.permissionDenied`. Damage, also a newer
    ///   format, is a result.
    /// - Complexity: O(segments), and the bytes behind the last mark of each partition.
    public static func inspect(at path: String) async throws(WalError) -> WalInspection {
        try await blocking(on: PosixStorage(), named: "wal-inspect") { () throws(WalError) in
            try inspectAndWait(at: path)
        }
    }

    /// The same on the calling thread, which it may block: for threads and `main.swift`.
    ///
    /// - Parameter progress: is told how many partitions of how many are done.
    public static func inspectAndWait(
        at path: String, progress: (_ done: Int, _ partitions: Int) -> Void = { _, _ in }
    ) throws(WalError) -> WalInspection {
        try inspect(at: path, storage: PosixStorage(), progress: progress)
    }

    package static func inspect(
        at path: String, storage: any WalStorage, progress: (_ done: Int, _ partitions: Int) -> Void = { _, _ in }
    ) throws(WalError) -> WalInspection {
        let files = try LogFiles(at: path, storage: storage)
        var result = WalInspection()
        result.logID = files.logID
        if let problem = files.identityProblem { result.damage.append(problem) }
        for (place, entry) in files.partitions.enumerated() {
            progress(place, files.partitions.count)
            guard entry.kind == .directory else {
                var partition = Partition(id: entry.id)
                partition.damage.append(
                    WalError(
                        .notALog, "\(FileFormat.partitionName(entry.id)) is not a directory and is not followed",
                        partition: entry.id))
                result.partitions.append(partition)
                continue
            }
            result.partitions.append(Partition(try files.look(at: entry.id)))
        }
        return result
    }
}

extension WalInspection.Partition {
    fileprivate init(_ look: PartitionLook) {
        self.init(id: look.evidence.id)
        durableLSN = LSN(look.durable)
        isClean = look.wasOrderly
        let state = look.evidence.state
        isRemoved = state?.isRemoved ?? false
        history = state?.history
        incarnation = state?.incarnation
        firstVisibleLSN = LSN(state?.firstVisible ?? 1)
        for case let header? in look.files.map(\.header) {
            history = max(history ?? 0, header.history)
            incarnation = max(incarnation ?? 0, header.incarnation)
        }
        // What opening it would say.
        if let error = look.error { damage.append(error) }
        damage += look.evidence.unreadable.map(\.error)
        for (place, file) in look.files.enumerated() {
            var segment = WalInspection.Segment(file)
            // Nothing but reading its frames tells where one ends that is not sealed.
            if file.footer == nil, place == look.kept - 1 {
                segment.lastLSN = LSN(look.stopLSN - 1)
                segment.dataEnd = look.endOffset
            }
            segments.append(segment)
        }
    }
}

extension WalInspection.Segment {
    fileprivate init(_ file: SegmentFile) {
        self.init(name: file.name, firstLSN: LSN(file.firstLSN))
        fileBytes = file.size
        guard let header = file.header else {
            damage = file.headerError
            return
        }
        history = header.history
        incarnation = header.incarnation
        created = header.created
        codecID = header.codecID
        codecName = header.codecName
        codecParameters = header.codecParameters
        typeName = header.typeName
        schema = header.schema.isEmpty ? nil : header.schema
        if let footer = file.footer {
            isSealed = true
            lastLSN = LSN(footer.lastLSN)
            dataEnd = footer.dataEnd
        }
    }
}
