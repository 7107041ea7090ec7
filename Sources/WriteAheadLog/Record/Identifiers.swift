/// A log sequence number: the place of a record in its partition.
///
/// The first record of a partition has LSN 1, and each one after it the next number, without a gap. ``none`` (0) is
/// before the first record. The largest is 2^56 − 1: the file format keeps the upper byte for flags.
public struct LSN: RawRepresentable, Comparable, Hashable, Sendable, ExpressibleByIntegerLiteral,
    CustomStringConvertible
{
    public var rawValue: UInt64

    @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }
    @inlinable public init(integerLiteral value: UInt64) { rawValue = value }
    @inlinable public init(_ value: UInt64) { rawValue = value }

    @inlinable public static func < (a: LSN, b: LSN) -> Bool { a.rawValue < b.rawValue }

    /// Before the first record.
    public static let none = LSN(0)
    /// The first record of a partition.
    public static let first = LSN(1)
    /// The greatest that the file format can hold.
    public static let max = LSN((1 << 56) - 1)

    public var description: String { String(rawValue) }
}

/// The number of a partition, 0 to 65,535.
///
/// A literal out of range does not compile; for a value that is computed there is ``init(exactly:)``.
public struct PartitionID: RawRepresentable, Comparable, Hashable, Sendable, ExpressibleByIntegerLiteral,
    CustomStringConvertible
{
    public var rawValue: UInt16

    @inlinable public init(rawValue: UInt16) { self.rawValue = rawValue }
    @inlinable public init(integerLiteral value: UInt16) { rawValue = value }

    /// Nil where `value` is not in 0 … 65,535.
    @inlinable public init?(exactly value: some BinaryInteger) {
        guard let exact = UInt16(exactly: value) else { return nil }
        rawValue = exact
    }

    @inlinable public static func < (a: PartitionID, b: PartitionID) -> Bool { a.rawValue < b.rawValue }

    public var description: String { String(rawValue) }
}

/// Where the record *after* some record starts: what to keep in order to go on reading later.
///
/// The history and the LSN say which record is meant; segment and offset are a hint that is verified when it is used, so that
/// a position can be slow, or refused with ``WalError/Code/positionLost``, but never lead to another record.
public struct Position: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The writer's history in which this position was given out; it grows each time that a crash may have cut records.
    public var history: UInt64
    /// The LSN of the record that starts here, or will start here once it is appended.
    public var lsn: LSN
    /// The first LSN of the segment file.
    public var segment: LSN
    /// Bytes from the start of the segment file; for a record within a batch, of the batch's frame.
    public var offset: UInt64

    @inlinable public init(history: UInt64, lsn: LSN, segment: LSN, offset: UInt64) {
        self.history = history
        self.lsn = lsn
        self.segment = segment
        self.offset = offset
    }

    public var description: String { "history \(history), LSN \(lsn), segment \(segment), offset \(offset)" }
}

extension LSN: Codable {
    public init(from decoder: any Decoder) throws { rawValue = try UInt64(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try rawValue.encode(to: encoder) }
}

extension PartitionID: Codable {
    public init(from decoder: any Decoder) throws { rawValue = try UInt16(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try rawValue.encode(to: encoder) }
}

/// What an append returns.
public struct Receipt: Hashable, Sendable {
    /// The LSN of the record; of the last record, where several were appended as a batch.
    public var lsn: LSN
    /// Where the next record will start.
    public var position: Position

    @inlinable public init(lsn: LSN, position: Position) {
        self.lsn = lsn
        self.position = position
    }
}

/// A record read back.
public struct Entry<Record: Sendable>: Sendable {
    public var lsn: LSN
    public var record: Record
    /// Where the next record starts; hand it to `entries(from: .after(…))` to go on.
    public var position: Position

    @inlinable public init(lsn: LSN, record: consuming Record, position: Position) {
        self.lsn = lsn
        self.record = record
        self.position = position
    }
}

extension Entry: Equatable where Record: Equatable {}

/// What an append waits for.
public struct Durability: Hashable, Sendable {
    let isSynced: Bool
    /// The record is on stable storage, and so is every earlier one of the partition: it survives a loss of power.
    public static let synced = Durability(isSynced: true)
    /// The record is in the operating system, and so is every earlier one of the partition: it survives the process.
    public static let handedToOS = Durability(isSynced: false)
}

/// Where reading begins.
public struct ReadStart: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case first
        case lsn(LSN, inclusive: Bool)
        case position(Position)
        case record(LSN, at: Position)
    }
    let kind: Kind

    /// The oldest record that is still kept.
    public static let first = ReadStart(kind: .first)
    /// The record with this LSN. One past the last record is allowed: there is nothing to read yet.
    public static func lsn(_ lsn: LSN) -> ReadStart { ReadStart(kind: .lsn(lsn, inclusive: true)) }
    /// The record behind the one with this LSN.
    public static func after(_ lsn: LSN) -> ReadStart { ReadStart(kind: .lsn(lsn, inclusive: false)) }
    /// The record that starts at this position, which a ``Receipt`` or an ``Entry`` gave.
    public static func after(_ position: Position) -> ReadStart { ReadStart(kind: .position(position)) }
    /// The record with this LSN, found at this position; another record there is ``WalError/Code/positionLost``.
    public static func lsn(_ lsn: LSN, at position: Position) -> ReadStart {
        ReadStart(kind: .record(lsn, at: position))
    }
}

/// Which records a tail or a watch shows.
public enum Visibility: Sendable, Hashable {
    /// Only what is on stable storage: what was shown can no longer be lost.
    case durable
    /// Everything that was appended, also what a loss of power may still take away.
    case appended
}

/// How far a partition has got.
public struct Mark: Sendable {
    /// The last LSN that is in the operating system.
    public var appended: LSN
    /// The last LSN that is on stable storage.
    public var durable: LSN
    /// Set once the partition is poisoned: nothing will be appended or become durable any more.
    public var failure: WalError?
}
