/// What a segment file says of itself, before its frames are looked at.
struct SegmentFile {
    let name: String
    /// From the name.
    let firstLSN: UInt64
    /// Read after the marks, so that what they cover lies within it.
    let size: UInt64
    /// Nil where it is damaged, or where it may be a stale block; `headerError` says how.
    let header: SegmentHeader?
    let headerError: WalError?
    /// A whole header of another segment of this log, in a file that holds nothing else of that segment. A block that the file
    /// system took from a removed file and never overwrote looks like that.
    let stray: SegmentHeader?
    /// Where the file ends in a whole footer.
    let footer: SegmentFooter?
    /// The marks in the two places, as far as they are whole. Those of a sealed segment are left out where STATE says as much.
    let marks: [SegmentMark]
    /// Places that hold something else: a loss of power tore the mark as it was written.
    let brokenMarkPlaces: [UInt64]

    /// - Throws: what the file system says, `.unsupportedFormat`, and `.foreign` for a file that belongs elsewhere; damage and a
    ///   header that strayed are properties.
    init(name: String, firstLSN: UInt64, place: LogPlace, file: any WalFile) throws(WalError) {
        var reader = SegmentFileReader(directory: nil, place: place, isDurable: 0)
        self = try reader.read(file, name: name, firstLSN: firstLSN)
    }

    fileprivate init(
        name: String, firstLSN: UInt64, size: UInt64, header: SegmentHeader?, headerError: WalError?,
        stray: SegmentHeader? = nil, footer: SegmentFooter?, marks: [SegmentMark], brokenMarkPlaces: [UInt64]
    ) {
        self.name = name
        self.firstLSN = firstLSN
        self.size = size
        self.header = header
        self.headerError = headerError
        self.stray = stray
        self.footer = footer
        self.marks = marks
        self.brokenMarkPlaces = brokenMarkPlaces
    }

    /// What is said of the file where its header strayed.
    var strayError: WalError? { stray == nil ? nil : headerError }

    /// The segment's salt, or where its header is damaged those that may be it.
    func salts(in file: any WalFile) throws(WalError) -> [UInt64] {
        if let header { return [header.salt] }
        var salts = marks.map(\.salt)
        // That of another segment tells nothing of this one.
        guard stray == nil else { return Array(Set(salts)) }
        let bytes = try file.read(8, at: SegmentHeader.saltOffset)
        if let stated: UInt64 = bytes.withUnsafeBytes({ ByteReader($0).integer(0) }) { salts.append(stated) }
        return Array(Set(salts))
    }

    /// Opens the file again; another one of the name, recompressed or begun anew since, is `.segmentReplaced`.
    ///
    /// Files are not kept open: there may be more segments than the process may have descriptors.
    func open(in directory: any WalDirectory, _ access: FileAccess = .read) throws(WalError) -> any WalFile {
        let file = try directory.openFile(name, access)
        guard let header else { return file }
        let bytes = try file.read(8, at: SegmentHeader.saltOffset)
        guard bytes.withUnsafeBytes({ ByteReader($0).integer(0) }) == header.salt else {
            file.close()
            throw WalError(
                .segmentReplaced, "the segment file is not the one that was looked at just now",
                segment: LSN(firstLSN))
        }
        return file
    }
}

/// Reads many segment files with one buffer, and lets headers share what they have in common.
struct SegmentFileReader {
    private let directory: (any WalDirectory)?
    private let place: LogPlace
    /// Known before the segments are looked at: marks that can't say more are not read.
    private let isDurable: UInt64
    private let buffer = ScratchBuffer(count: Int(FileFormat.dataStart))
    private var previous: SegmentHeader?

    init(directory: (any WalDirectory)?, place: LogPlace, isDurable: UInt64) {
        self.directory = directory
        self.place = place
        self.isDurable = isDurable
    }

    /// The least size of a file that holds a footer.
    private static var leastSealed: UInt64 { FileFormat.dataStart + UInt64(SegmentFooter.size(indexCount: 0)) }

    mutating func read(_ name: String, firstLSN: UInt64) throws(WalError) -> SegmentFile {
        guard let directory else { preconditionFailure("a reader of one file was asked for another") }
        let file = try directory.openFile(name, .read)
        defer { file.close() }
        return try read(file, name: name, firstLSN: firstLSN)
    }

    mutating func read(_ file: any WalFile, name: String, firstLSN: UInt64) throws(WalError) -> SegmentFile {
        let (header, headerError, stray) = try header(of: file, name, firstLSN)
        var size = try file.size()
        if let stray, let headerError, try isWhole(file, size, stray) { throw headerError }
        var footer: SegmentFooter?
        if let header { footer = try self.footer(of: file, size, header) }
        // The marks of a sealed segment do not go beyond it. One that ends with the last durable record is read from its last mark on.
        if let footer, footer.lastLSN < isDurable {
            return SegmentFile(
                name: name, firstLSN: firstLSN, size: size, header: header, headerError: nil, footer: footer,
                marks: [], brokenMarkPlaces: [])
        }
        let (marks, broken) = try self.marks(in: file, header, firstLSN)
        if footer == nil { size = try file.size() }
        return SegmentFile(
            name: name, firstLSN: firstLSN, size: size, header: header, headerError: headerError, stray: stray,
            footer: footer, marks: marks, brokenMarkPlaces: broken)
    }

    /// Whether a file holds more of the segment that its header names: a first frame, one of its marks, or its trailer. Then it
    /// was moved or copied here.
    private func isWhole(_ file: any WalFile, _ size: UInt64, _ header: SegmentHeader) throws(WalError) -> Bool {
        for place in FileFormat.markOffsets {
            let bytes = try file.read(FileFormat.markSize, at: place)
            let mark = bytes.withUnsafeBytes {
                SegmentMark(
                    decoding: $0, salt: header.salt, logID: header.logID, partition: header.partition,
                    firstLSN: header.firstLSN)
            }
            if mark != nil { return true }
        }
        if size >= Self.leastSealed {
            let trailer = try file.read(FileFormat.trailerSize, at: size - UInt64(FileFormat.trailerSize))
            let offset = trailer.withUnsafeBytes { SegmentFooter.footerOffset(trailer: $0, salt: header.salt) }
            if offset != nil { return true }
        }
        var walk = FrameWalk(file: file, salt: header.salt, limit: size)
        if case .frame = try walk.next() { return true }
        return false
    }

    private mutating func header(
        of file: any WalFile, _ name: String, _ firstLSN: UInt64
    ) throws(WalError) -> (SegmentHeader?, WalError?, stray: SegmentHeader?) {
        let bytes = try buffer.fill(from: file, at: 0, count: FileFormat.headerSize)
        var stray: SegmentHeader?
        do throws(WalError) {
            var decoded = try SegmentHeader(decoding: bytes)
            if let logID = place.logID, decoded.logID == logID { stray = decoded }
            guard decoded.partition == place.partition, decoded.logID == place.logID ?? decoded.logID else {
                throw WalError.foreign(
                    name, log: decoded.logID, place, partition: UInt32(decoded.partition.rawValue))
            }
            guard decoded.firstLSN == firstLSN else {
                throw WalError(
                    .foreign,
                    "\(name) is the segment that begins with LSN \(decoded.firstLSN): it was renamed or copied here. Nothing was changed: give it back its name, \(FileFormat.segmentName(decoded.firstLSN)), or move it out of the log"
                )
            }
            if let previous { decoded.shareText(with: previous) }
            previous = decoded
            return (decoded, nil, nil)
        } catch {
            let placed = error.at(
                partition: place.partition, segment: LSN(firstLSN), offset: 0, lsn: LSN(firstLSN))
            if error.code == .foreign, stray != nil { return (nil, placed, stray) }
            if error.code == .unsupportedFormat || error.code == .foreign { throw placed }
            return (nil, placed, nil)
        }
    }

    /// The marks that are whole, and the places of those that are not. A damaged header does not undo what a mark says.
    private func marks(
        in file: any WalFile, _ header: SegmentHeader?, _ firstLSN: UInt64
    ) throws(WalError) -> ([SegmentMark], [UInt64]) {
        let first = FileFormat.markOffsets[0]
        let bytes = try buffer.fill(from: file, at: first, count: Int(FileFormat.dataStart - first))
        var marks: [SegmentMark] = []
        var broken: [UInt64] = []
        for offset in FileFormat.markOffsets where bytes.count >= Int(offset - first) + FileFormat.markSize {
            let start = Int(offset - first)
            let slot = UnsafeRawBufferPointer(rebasing: bytes[start..<(start + FileFormat.markSize)])
            if let mark = SegmentMark(
                decoding: slot, salt: header?.salt, logID: place.logID, partition: place.partition,
                firstLSN: firstLSN)
            {
                marks.append(mark)
            } else if slot.contains(where: { $0 != 0 }) {
                broken.append(offset)
            }
        }
        return (marks, broken)
    }

    private func footer(
        of file: any WalFile, _ size: UInt64, _ header: SegmentHeader
    ) throws(WalError) -> SegmentFooter? {
        let trailerSize = UInt64(FileFormat.trailerSize)
        guard size >= Self.leastSealed else { return nil }
        // A small footer is within the last bytes, which are read at once.
        let tailStart = max(FileFormat.dataStart, size - min(size, UInt64(FileFormat.headerSize)))
        let tail = try buffer.fill(from: file, at: tailStart, count: Int(size - tailStart))
        // Shortened meanwhile: it was not sealed when its size was read.
        guard UInt64(tail.count) == size - tailStart else { return nil }
        let trailer = UnsafeRawBufferPointer(rebasing: tail[(tail.count - FileFormat.trailerSize)...])
        guard
            let offset = SegmentFooter.footerOffset(trailer: trailer, salt: header.salt),
            offset >= FileFormat.dataStart, offset <= size - trailerSize,
            // An index has an entry for each 64 KiB at most: no more than that is read.
            size - trailerSize - offset
                <= UInt64(SegmentFooter.size(indexCount: Int(offset / FileFormat.indexInterval) + 2))
        else { return nil }
        let footer: SegmentFooter?
        if offset >= tailStart {
            let frame = tail[Int(offset - tailStart)..<(tail.count - FileFormat.trailerSize)]
            footer = SegmentFooter(frame: UnsafeRawBufferPointer(rebasing: frame), at: offset, salt: header.salt)
        } else {
            let frame = try file.read(Int(size - trailerSize - offset), at: offset)
            footer = frame.withUnsafeBytes { SegmentFooter(frame: $0, at: offset, salt: header.salt) }
        }
        guard let footer, footer.lastLSN >= header.firstLSN - 1, footer.lastLSN < LSN.max.rawValue,
            footer.recordCount == footer.lastLSN - (header.firstLSN - 1)
        else { return nil }
        return footer
    }
}

/// Memory that is read into again and again.
private final class ScratchBuffer {
    private let memory: UnsafeMutableRawBufferPointer

    init(count: Int) { memory = .allocate(byteCount: count, alignment: 16) }
    deinit { memory.deallocate() }

    /// Up to `count` bytes of the file, valid until the next call.
    func fill(from file: any WalFile, at offset: UInt64, count: Int) throws(WalError) -> UnsafeRawBufferPointer {
        let room = UnsafeMutableRawBufferPointer(rebasing: memory[..<min(count, memory.count)])
        let read = try file.read(into: room, at: offset)
        return UnsafeRawBufferPointer(rebasing: room[..<read])
    }
}

extension SegmentHeader {
    /// Segments of one partition mostly say the same: then they hold it together.
    fileprivate mutating func shareText(with other: SegmentHeader) {
        if codecName == other.codecName { codecName = other.codecName }
        if codecParameters == other.codecParameters { codecParameters = other.codecParameters }
        if typeName == other.typeName { typeName = other.typeName }
        if schema == other.schema { schema = other.schema }
    }
}
