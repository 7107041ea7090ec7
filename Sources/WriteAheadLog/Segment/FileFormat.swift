internal import CWalShims

/// Numbers of the file format, version 2. The `FileFormat` article has them in prose, for readers in other languages.
package enum FileFormat {
    package static let version: UInt32 = 2
    /// "SWIFTWAL", read as a little-endian integer.
    package static let headerMagic: UInt64 = 0x4C41_5754_4649_5753
    /// "WALMARK2"
    package static let markMagic: UInt64 = 0x324B_5241_4D4C_4157
    /// "WALSEAL2"
    package static let trailerMagic: UInt64 = 0x324C_4145_534C_4157
    /// "WALSTATE"
    package static let stateMagic: UInt64 = 0x4554_4154_534C_4157
    /// "WALLOGID"
    package static let logMagic: UInt64 = 0x4449_474F_4C4C_4157

    /// A page of its own for the header and for each mark, so that writing one can't tear another.
    package static let headerSize = 4096
    package static let markOffsets: [UInt64] = [4096, 8192]
    package static let markSize = 80
    /// Where the first frame starts.
    package static let dataStart: UInt64 = 12_288

    package static let frameHeaderSize = 16
    package static let markFrameSize = 48
    package static let trailerSize = 32
    package static let footerFixedSize = 40
    package static let indexEntrySize = 24
    /// An index entry for each so many bytes of frames, or at the next frame after.
    package static let indexInterval: UInt64 = 65_536

    /// A frame's length has 32 bits; half of them are enough for anybody and keep sums far from overflow.
    package static let largestFrame = 1 << 30

    /// Histories, incarnations and sequences are read from files and then counted up: none beyond this was ever written.
    package static let largestCounter: UInt64 = 1 << 62

    /// Whether a file may state such a history or incarnation.
    package static func isCounter(_ number: UInt64) -> Bool { number >= 1 && number <= largestCounter }

    package static let stateFileName = "STATE"
    package static let lockFileName = "LOCK"
    package static let logFileName = "LOG"
    package static let preparedSuffix = ".prepared"
    package static let asideSuffix = ".aside"
    /// What files are made ready for: the next segment, or a recompressed one in the place of the old.
    package static let preparedPurposes = ["next", "recompressed", "mended", "state"]

    /// The name of a file that is made ready for a purpose. `maker` is random: nobody but who made the file touches it, so that
    /// what an earlier opening of the log left running cannot take away, or give a name to, a later one's file.
    package static func preparedName(_ purpose: String, maker: UInt64) -> String {
        let digits = String(maker, radix: 16)
        return "\(purpose)-\(String(repeating: "0", count: 16 - digits.utf8.count))\(digits)\(preparedSuffix)"
    }

    /// Whether a log gave that name to a file that it made ready. Only a regular file of such a name is a leftover, which the next
    /// opening for writing removes; any other `….prepared` is somebody else's.
    package static func isPreparedName(_ name: String) -> Bool {
        preparedPurposes.contains { purpose in
            let digits = name.utf8.dropFirst(purpose.utf8.count + 1).prefix(16)
            return name.utf8.count == purpose.utf8.count + 17 + preparedSuffix.utf8.count
                && name.hasPrefix("\(purpose)-") && name.hasSuffix(preparedSuffix)
                && digits.allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
        }
    }

    /// Throws where a file whose checksum is right has another version than this release reads.
    package static func check(_ version: UInt32, of what: String) throws(WalError) {
        guard version != self.version else { return }
        throw WalError(
            .unsupportedFormat,
            version < self.version
                ? "\(what) has format version \(version), which was never released and is not read; this release reads version \(self.version). Make the log anew"
                : "\(what) has format version \(version), this release reads version \(self.version); use a newer release"
        )
    }

    @inline(__always) package static func padded(_ count: Int) -> Int { (count &+ 7) & ~7 }

    package static func segmentName(_ firstLSN: UInt64) -> String {
        let digits = String(firstLSN)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits + ".wal"
    }

    /// The first LSN that a segment file's name states; nil where it is no such name.
    package static func firstLSN(ofSegmentNamed name: String) -> UInt64? {
        let bytes = Array(name.utf8)
        guard bytes.count == 24, name.hasSuffix(".wal"), bytes[..<20].allSatisfy({ $0 >= 48 && $0 <= 57 }),
            let lsn = UInt64(String(decoding: bytes[..<20], as: UTF8.self)), lsn >= 1, lsn <= LSN.max.rawValue
        else { return nil }
        return lsn
    }

    package static func partitionName(_ id: PartitionID) -> String {
        let digits = String(id.rawValue)
        return "partition-" + String(repeating: "0", count: 5 - digits.utf8.count) + digits
    }

    package static func partition(ofDirectoryNamed name: String) -> PartitionID? {
        guard name.hasPrefix("partition-"), name.utf8.count == 15,
            name.utf8.dropFirst(10).allSatisfy({ $0 >= 48 && $0 <= 57 }), let number = UInt16(name.dropFirst(10))
        else { return nil }
        return PartitionID(rawValue: number)
    }
}

/// Bytes in memory with checked little-endian access: for headers, footers and other cold things.
package struct ByteReader {
    package let bytes: UnsafeRawBufferPointer
    package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    package func integer<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as: T.Type = T.self) -> T? {
        guard offset >= 0, offset <= bytes.count - MemoryLayout<T>.size else { return nil }
        return T(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    package func slice(_ offset: Int, _ count: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
    }
}

extension Array where Element == UInt8 {
    package mutating func store<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value.littleEndian, toByteOffset: offset, as: T.self) }
    }

    package mutating func append<T: FixedWidthInteger & BitwiseCopyable>(integer value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    package func crc32c(_ range: Range<Int>) -> UInt32 {
        withUnsafeBytes { WriteAheadLog.crc32c(UnsafeRawBufferPointer(rebasing: $0[range])) }
    }
}

package func crc32c(_ bytes: UnsafeRawBufferPointer) -> UInt32 { wal_crc32c(0, bytes.baseAddress, bytes.count) }

extension WalFile {
    package func write(_ bytes: [UInt8], at offset: UInt64) throws(WalError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
            try write(UnsafeRawBufferPointer(bytes), at: offset)
        }
    }

    /// Up to `count` bytes; fewer only at the end of the file.
    package func read(_ count: Int, at offset: UInt64) throws(WalError) -> [UInt8] {
        var failed: WalError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            do throws(WalError) {
                initialized = try read(into: UnsafeMutableRawBufferPointer(buffer), at: offset)
            } catch {
                failed = error
            }
        }
        if let failed { throw failed }
        return bytes
    }
}
