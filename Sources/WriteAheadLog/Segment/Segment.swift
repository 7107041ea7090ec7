internal import CWalShims

/// A segment file, as its partition knows it.
///
/// What is `let` is from the header. The published end is one word, stored with release and loaded with acquire: a reader sees
/// only whole frames below it. Everything else is guarded by the partition's lock.
final class Segment: @unchecked Sendable {
    // Sendable: see above.
    let header: SegmentHeader
    let name: String
    /// The end of what readers may see.
    private let publishedWord: UnsafeMutablePointer<UInt64>
    /// 1 once `publishedEnd` is final.
    private let sealedWord: UnsafeMutablePointer<UInt64>

    /// Where the file ends, its footer included, once it is sealed.
    var fileSize: UInt64 = 0
    /// The last LSN in it, once it is sealed; `firstLSN - 1` where it holds none.
    var lastLSN: UInt64
    /// Open while it is written to or has bytes that were not synced.
    var file: (any WalFile)?
    var mapping: (any WalMapping)?
    /// Up to here the file is on stable storage.
    var syncedEnd: UInt64 = 0
    var markSequence: UInt64 = 0
    /// Where a mark last stood in one of the two places.
    var markedEnd: UInt64 = 0
    /// It was recompressed and became no smaller.
    var isIncompressible = false
    /// How far a reader may have to map it.
    var capacity: Int

    init(header: SegmentHeader, capacity: Int) {
        self.header = header
        name = FileFormat.segmentName(header.firstLSN)
        lastLSN = header.firstLSN - 1
        self.capacity = capacity
        publishedWord = .allocate(capacity: 1)
        publishedWord.initialize(to: FileFormat.dataStart)
        sealedWord = .allocate(capacity: 1)
        sealedWord.initialize(to: 0)
    }

    deinit {
        publishedWord.deallocate()
        sealedWord.deallocate()
    }

    var firstLSN: UInt64 { header.firstLSN }

    var publishedEnd: UInt64 { wal_load_acquire(publishedWord) }
    /// True once nothing will be appended; `publishedEnd` is final if this was read first.
    var isSealed: Bool { wal_load_acquire(sealedWord) != 0 }

    @inline(__always) func publish(_ end: UInt64) { wal_store_release(publishedWord, end) }
    /// The word itself, for the append path to keep at hand.
    var published: UnsafeMutablePointer<UInt64> { publishedWord }

    /// Throws `.segmentReplaced` where the file of this name is another segment by now: this one recompressed.
    func check(_ file: any WalFile) throws(WalError) {
        let bytes = try file.read(8, at: SegmentHeader.saltOffset)
        guard bytes.withUnsafeBytes({ ByteReader($0).integer(0) }) == header.salt else {
            throw WalError(
                .segmentReplaced, "the segment file is not the one that was opened; open the log again",
                segment: LSN(firstLSN))
        }
    }

    func setSealed(end: UInt64, lastLSN: UInt64) {
        self.lastLSN = lastLSN
        publish(end)
        wal_store_release(sealedWord, 1)
    }
}
