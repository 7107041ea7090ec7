/// Why something failed, what it was about, and what to do.
///
/// One word wide, so that `throws(WalError)` costs nothing on the path where nothing is thrown.
public struct WalError: Error, Sendable {
    /// What kind of failure it is. New kinds may be added in minor releases: keep a `default` when you switch.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        package let name: String
        package init(_ name: String) { self.name = name }
        public var description: String { name }

        /// The log, or this handle of it, was closed.
        public static let closed = Code("closed")
        /// Another process, or another instance in this one, has the log open for writing.
        public static let alreadyOpen = Code("alreadyOpen")
        /// The log was opened for reading only.
        public static let readOnly = Code("readOnly")
        /// There was no room for the record, or a limit of the process forbids larger files (`errno` is `EFBIG` then). Nothing was
        /// changed; append again once there is room.
        public static let noSpace = Code("noSpace")
        /// An earlier failure made the end of this partition uncertain; it takes no more records until it is reopened.
        public static let poisoned = Code("poisoned")
        /// The operating system refused something; `errno` says what.
        public static let io = Code("io")
        /// Bytes that were durable are not what was written.
        public static let corrupt = Code("corrupt")
        /// A segment file that should be there is not.
        public static let missing = Code("missing")
        /// Files of the log were removed or renamed while it was open.
        public static let removed = Code("removed")
        /// The record or batch is over the limit that the configuration sets.
        public static let recordTooLarge = Code("recordTooLarge")
        /// Nothing is at that path.
        public static let notFound = Code("notFound")
        /// Something at that path is not what a log would have there: a file for a directory, a symbolic link.
        public static let notALog = Code("notALog")
        /// A whole file that belongs to another log or another partition: it was moved or copied here. Nothing was changed.
        public static let foreign = Code("foreign")
        /// Permissions forbid it.
        public static let permissionDenied = Code("permissionDenied")
        /// The file was written by a newer release, or holds a flag that this one does not know.
        public static let unsupportedFormat = Code("unsupportedFormat")
        /// A segment names a codec that the configuration does not.
        public static let unknownCodec = Code("unknownCodec")
        /// A segment was sealed with a key that is not among those given.
        public static let unknownKey = Code("unknownKey")
        /// A segment was sealed with another key than the one that has its id now.
        public static let wrongKey = Code("wrongKey")
        /// The checksum of something sealed is right, and it is still not what was sealed: somebody changed it, or put it where it
        /// does not belong.
        public static let notAuthentic = Code("notAuthentic")
        /// A segment holds records of another type.
        public static let recordTypeMismatch = Code("recordTypeMismatch")
        /// The codec could not encode a record.
        public static let encoding = Code("encoding")
        /// The codec could not decode a record whose checksum was right.
        public static let decoding = Code("decoding")
        /// Records that could not be read when a broken log was salvaged stood here; `lsn` is the first. Reading again goes on after
        /// them.
        public static let lost = Code("lost")
        /// The record was purged.
        public static let purged = Code("purged")
        /// The LSN is beyond the end of the partition.
        public static let outOfRange = Code("outOfRange")
        /// The record before this position did not survive a crash or truncation; `lsn` is the last that both have in common.
        public static let positionLost = Code("positionLost")
        /// An argument or the configuration makes no sense.
        public static let invalidArgument = Code("invalidArgument")
        /// A reader comes to a segment that was recompressed since it looked; it looks again.
        package static let segmentReplaced = Code("segmentReplaced")
        /// There are more open files than the process may have.
        public static let tooManyFiles = Code("tooManyFiles")
        /// The system has no memory, address space or thread left for it. Nothing was changed; try again once there is.
        public static let outOfResources = Code("outOfResources")
        /// The file system or the kernel lacks something that the log, or its configuration, needs.
        public static let unsupported = Code("unsupported")
        /// This process is a child of the one that opened the log, made by `fork`. It has to open the log itself.
        public static let forked = Code("forked")
    }

    private final class Storage: Sendable {
        let code: Code
        let message: String
        let partition: PartitionID?
        let segment: LSN?
        let offset: UInt64?
        let lsn: LSN?
        let errno: Int32?
        let underlying: (any Error)?
        let codingPath: [String]
        let recordOffset: Int?
        let explanation: (@Sendable () -> Explanation)?
        init(
            code: Code, message: String, partition: PartitionID?, segment: LSN?, offset: UInt64?, lsn: LSN?,
            errno: Int32?, underlying: (any Error)?, codingPath: [String], recordOffset: Int?,
            explanation: (@Sendable () -> Explanation)?
        ) {
            self.explanation = explanation
            self.recordOffset = recordOffset
            self.code = code
            self.message = message
            self.partition = partition
            self.segment = segment
            self.offset = offset
            self.lsn = lsn
            self.errno = errno
            self.underlying = underlying
            self.codingPath = codingPath
        }
    }
    private let storage: Storage

    /// What kind of failure it is.
    public var code: Code { storage.code }
    /// What happened and what can be done, in a sentence or two.
    public var message: String { storage.explanation.map { storage.message + $0().text } ?? storage.message }
    /// The partition, where one is concerned.
    public var partition: PartitionID? { storage.partition }
    /// The first LSN of the segment file, where one is concerned.
    public var segment: LSN? { storage.segment }
    /// Bytes from the start of the segment file.
    public var offset: UInt64? { storage.offset }
    /// The record, where one is concerned.
    public var lsn: LSN? { storage.lsn }
    /// What the operating system said, where it was asked.
    public var errno: Int32? { storage.errno }
    /// What a codec threw.
    public var underlying: (any Error)? { storage.underlying }
    /// Where in the record the codec was, outermost first.
    public var codingPath: [String] { storage.explanation.map { $0().codingPath } ?? storage.codingPath }

    public init(
        _ code: Code, _ message: String, partition: PartitionID? = nil, segment: LSN? = nil, offset: UInt64? = nil,
        lsn: LSN? = nil, errno: Int32? = nil, underlying: (any Error)? = nil, codingPath: [String] = []
    ) {
        storage = Storage(
            code: code, message: message, partition: partition, segment: segment, offset: offset, lsn: lsn,
            errno: errno, underlying: underlying, codingPath: codingPath, recordOffset: nil,
            explanation: nil)
    }

    /// - Parameter recordOffset: where in a record's bytes the value begins that can't be read.
    package init(_ code: Code, _ message: String, recordOffset: Int) {
        storage = Storage(
            code: code, message: message, partition: nil, segment: nil, offset: nil, lsn: nil, errno: nil,
            underlying: nil, codingPath: [], recordOffset: recordOffset, explanation: nil)
    }

    /// What is found out about a failure only once somebody asks: readers may skip many records that they can't decode.
    package struct Explanation {
        /// Behind the message.
        var text: String
        var codingPath: [String]
    }

    package func explained(by explanation: @escaping @Sendable () -> Explanation) -> WalError {
        WalError(
            Storage(
                code: code, message: storage.message, partition: partition, segment: segment, offset: offset, lsn: lsn,
                errno: errno, underlying: underlying, codingPath: storage.codingPath, recordOffset: recordOffset,
                explanation: explanation))
    }

    /// The error of a record that can't be read, with what its segment's header says that records look like.
    func inSegment(writtenWith schema: String, reading type: (some WalCodable).Type) -> WalError {
        guard code == .decoding, !schema.isEmpty else { return self }
        let (known, path) = (storage.explanation, storage.codingPath)
        return explained {
            var found = known?() ?? Explanation(text: "", codingPath: path)
            found.text += "; the build that wrote the segment had \(schema)"
            // A codec that compares has said so.
            let wanted = known == nil ? SegmentHeader.schema(of: type) : ""
            if !wanted.isEmpty { found.text += ", this one reads \(wanted)" }
            return found
        }
    }

    private init(_ storage: Storage) { self.storage = storage }

    package var recordOffset: Int? { storage.recordOffset }

    /// The same error with more said at the end of its message.
    func adding(_ text: String) -> WalError {
        WalError(
            Storage(
                code: code, message: storage.message + text, partition: partition, segment: segment, offset: offset,
                lsn: lsn, errno: errno, underlying: underlying, codingPath: storage.codingPath,
                recordOffset: recordOffset, explanation: storage.explanation))
    }

    /// The same error with the places filled in that it leaves open.
    public func at(
        partition: PartitionID? = nil, segment: LSN? = nil, offset: UInt64? = nil, lsn: LSN? = nil
    ) -> WalError {
        WalError(
            Storage(
                code: code, message: storage.message, partition: self.partition ?? partition,
                segment: self.segment ?? segment, offset: self.offset ?? offset, lsn: self.lsn ?? lsn, errno: errno,
                underlying: underlying, codingPath: storage.codingPath, recordOffset: recordOffset,
                explanation: storage.explanation))
    }
}

extension WalError: CustomStringConvertible {
    public var description: String {
        var text = "\(code): \(message)"
        if !codingPath.isEmpty { text += " (at \(codingPath.joined(separator: ".")))" }
        var places: [String] = []
        if let partition { places.append("partition \(partition)") }
        if let segment { places.append("segment \(segment)") }
        if let offset { places.append("offset \(offset)") }
        if let lsn { places.append("LSN \(lsn)") }
        if let errno { places.append("errno \(errno)") }
        if !places.isEmpty { text += " [\(places.joined(separator: ", "))]" }
        if let underlying { text += ": \(underlying)" }
        return text
    }
}
