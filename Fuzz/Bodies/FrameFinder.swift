internal import Foundation
internal import WriteAheadLog

/// The records that stand in a log's files.
struct FoundRecords: Sendable {
    struct Place: Hashable, Sendable {
        var partition: PartitionID
        var lsn: UInt64
    }

    /// Of two segments that both hold an LSN, both records.
    private var records: [Place: [[UInt8]]] = [:]

    mutating func insert(_ bytes: [UInt8], _ partition: PartitionID, _ lsn: UInt64) {
        records[Place(partition: partition, lsn: lsn), default: []].append(bytes)
    }

    func contains(_ bytes: [UInt8], _ partition: PartitionID, _ lsn: UInt64) -> Bool {
        records[Place(partition: partition, lsn: lsn)]?.contains { FrameFinder.isSame($0, bytes) } ?? false
    }
}

/// Finds every record in a whole frame, wherever in a segment file it stands: a second reader of the file format, which follows
/// nothing and believes nothing but checksums.
enum FrameFinder {
    static func records(in files: [String: [UInt8]]) -> FoundRecords {
        var found = FoundRecords()
        for (path, bytes) in files where path.hasSuffix(".wal") && bytes.count > 12_288 {
            let parts = path.split(separator: "/")
            guard parts.count == 2, let number = UInt16(parts[0].suffix(5)) else { continue }
            let partition = PartitionID(rawValue: number)
            let salt: UInt64 = integer(bytes, 48)
            for offset in stride(from: 12_288, through: bytes.count - 16, by: 8) {
                let length = Int(integer(bytes, offset) as UInt32)
                let padded = (length + 7) / 8 * 8
                guard length >= 16, padded <= bytes.count - offset, bytes[offset + 15] <= 1 else { continue }
                let word: UInt64 = integer(bytes, offset + 8)
                var sum = Checksum()
                sum.add(bytes[(offset + 16)..<(offset + padded)])
                sum.add(UInt64(length))
                sum.add(word ^ salt)
                guard sum.value == integer(bytes, offset + 4) else { continue }
                let payload = Array(bytes[(offset + 16)..<(offset + length)])
                let lsn = word & 0x00FF_FFFF_FFFF_FFFF
                guard bytes[offset + 15] == 1 else {
                    found.insert(payload, partition, lsn)
                    continue
                }
                for (place, record) in records(ofBatch: payload).enumerated() {
                    found.insert(record, partition, lsn &+ UInt64(place))
                }
            }
        }
        return found
    }

    /// By one comparison: element by element it would fill the fuzzer's table of compared values.
    static func isSame(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count
            && a.withUnsafeBytes { a in
                b.withUnsafeBytes { b in
                    a.isEmpty || memcmp(a.baseAddress.unsafelyUnwrapped, b.baseAddress.unsafelyUnwrapped, a.count) == 0
                }
            }
    }

    static func isSame(_ a: [String: [UInt8]], _ b: [String: [UInt8]]) -> Bool {
        a.count == b.count && a.allSatisfy { path, bytes in b[path].map { isSame($0, bytes) } ?? false }
    }

    private static func records(ofBatch payload: [UInt8]) -> [[UInt8]] {
        var records: [[UInt8]] = []
        guard payload.count >= 4 else { return [] }
        var left = integer(payload, 0) as UInt32
        var offset = 4
        while left > 0, offset + 4 <= payload.count {
            let length = Int(integer(payload, offset) as UInt32)
            guard length <= payload.count - offset - 4 else { break }
            records.append(Array(payload[(offset + 4)..<(offset + 4 + length)]))
            offset += 4 + length
            left -= 1
        }
        return records
    }

    /// Little endian.
    static func integer<T: FixedWidthInteger & BitwiseCopyable>(_ bytes: [UInt8], _ offset: Int) -> T {
        precondition(offset >= 0 && offset + MemoryLayout<T>.size <= bytes.count)
        return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
    }
}

/// CRC32C by its definition, a table and nothing else.
struct Checksum {
    private static let table: [UInt32] = (0..<256).map { (byte: UInt32) in
        (0..<8).reduce(byte) { value, _ in value & 1 == 1 ? value >> 1 ^ 0x82F6_3B78 : value >> 1 }
    }
    private var state = UInt32.max

    mutating func add(_ bytes: some Sequence<UInt8>) {
        Self.table.withUnsafeBufferPointer { table in
            for byte in bytes { state = state >> 8 ^ table[Int(UInt8(truncatingIfNeeded: state) ^ byte)] }
        }
    }

    mutating func add(_ value: UInt64) { add((0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }) }

    var value: UInt32 { ~state }
}
