/// What a segment file says of itself, before its frames are looked at.
struct SegmentFile {
    let name: String
    /// From the name.
    let firstLSN: UInt64
    let file: any WalFile
    let size: UInt64
    /// Nil where it is damaged; `headerError` says how.
    let header: SegmentHeader?
    let headerError: WalError?
    /// Where the file ends in a whole footer.
    let footer: SegmentFooter?
    /// The marks in the two places, as far as they are whole.
    let marks: [SegmentMark]
    /// Places that hold something else: a loss of power tore the mark as it was written.
    let brokenMarkPlaces: [UInt64]

    /// - Throws: what the file system says, `.unsupportedFormat`, and `.foreign` for a whole header of another log or partition; damage
    ///   is a property.
    init(
        name: String, firstLSN: UInt64, place: LogPlace, file: any WalFile
    ) throws(WalError) {
        let partition = place.partition
        self.name = name
        self.firstLSN = firstLSN
        self.file = file
        let size = try file.size()
        self.size = size
        // Header and both marks in one read.
        let front = try file.read(Int(FileFormat.dataStart), at: 0)
        var header: SegmentHeader?
        var headerError: WalError?
        do throws(WalError) {
            let decoded = try front.withUnsafeBufferPointer { (bytes) throws(WalError) in
                try SegmentHeader(decoding: UnsafeRawBufferPointer(bytes))
            }
            guard decoded.partition == partition, decoded.logID == place.logID ?? decoded.logID else {
                throw WalError.foreign(
                    name, log: decoded.logID, place, partition: UInt32(decoded.partition.rawValue))
            }
            guard decoded.firstLSN == firstLSN else {
                throw WalError(
                    .corrupt, "the segment's header is of LSN \(decoded.firstLSN): the file was moved here")
            }
            header = decoded
        } catch {
            let placed = error.at(partition: partition, segment: LSN(firstLSN), offset: 0, lsn: LSN(firstLSN))
            if error.code == .unsupportedFormat || error.code == .foreign { throw placed }
            headerError = placed
        }
        self.header = header
        self.headerError = headerError
        // A damaged header does not undo what a mark says.
        var marks: [SegmentMark] = []
        var broken: [UInt64] = []
        for offset in FileFormat.markOffsets where front.count >= Int(offset) + FileFormat.markSize {
            front.withUnsafeBytes {
                let bytes = UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<(Int(offset) + FileFormat.markSize)])
                if let mark = SegmentMark(
                    decoding: bytes, salt: header?.salt, logID: place.logID, partition: partition, firstLSN: firstLSN)
                {
                    marks.append(mark)
                } else if bytes.contains(where: { $0 != 0 }) {
                    broken.append(offset)
                }
            }
        }
        self.marks = marks
        brokenMarkPlaces = broken
        guard let header else {
            footer = nil
            return
        }
        footer = try Self.footer(of: file, size: size, header: header)
    }

    private static func footer(
        of file: any WalFile, size: UInt64, header: SegmentHeader
    ) throws(WalError) -> SegmentFooter? {
        let trailerSize = UInt64(FileFormat.trailerSize)
        let smallest = FileFormat.dataStart + UInt64(SegmentFooter.size(indexCount: 0))
        guard size >= smallest else { return nil }
        let trailer = try file.read(FileFormat.trailerSize, at: size - trailerSize)
        guard
            let offset = trailer.withUnsafeBytes({ SegmentFooter.footerOffset(trailer: $0, salt: header.salt) }),
            offset >= FileFormat.dataStart, offset <= size - trailerSize,
            // An index has an entry for each 64 KiB at most: no more than that is read.
            size - trailerSize - offset
                <= UInt64(SegmentFooter.size(indexCount: Int(offset / FileFormat.indexInterval) + 2))
        else { return nil }
        let frame = try file.read(Int(size - trailerSize - offset), at: offset)
        guard let footer = frame.withUnsafeBytes({ SegmentFooter(frame: $0, at: offset, salt: header.salt) }),
            footer.lastLSN >= header.firstLSN - 1, footer.lastLSN < LSN.max.rawValue,
            footer.recordCount == footer.lastLSN - (header.firstLSN - 1)
        else { return nil }
        return footer
    }
}

/// The result of stepping through a segment's frames.
struct SegmentScan {
    enum End {
        /// Nothing but zeros from here: the end of what was written.
        case blank
        /// The file ends here, between two frames.
        case endOfFile
        /// A frame that is not whole, or not the one that should follow.
        case bad
        /// The footer.
        case footer
    }

    var end = End.endOfFile
    /// Where the last whole frame ends.
    var offset: UInt64
    var nextLSN: UInt64
    /// The greatest durable LSN that a mark frame stated.
    var greatestMark: UInt64 = 0
    var index: [IndexEntry] = []

    /// Reads frames from `offset`, the first of which must have `nextLSN`, up to the first that does not follow.
    /// - Parameter state: how far marks of older histories count.
    /// - Throws: what the file system says, and `.unsupportedFormat` for a whole frame with something in it that is not known.
    init(
        file: any WalFile, header: SegmentHeader, from offset: UInt64, nextLSN: UInt64, limit: UInt64,
        state: PartitionState?, disabled: SafetyMeasures = [],
        progress: (UInt64) throws(WalError) -> Void = { _ in }
    ) throws(WalError) {
        self.offset = offset
        self.nextLSN = nextLSN
        let window = ReadWindow(file: file)
        var scanner = FrameScanner(
            base: window.base, offset: Int(offset), limit: Int(offset), salt: header.salt,
            disabled: disabled)
        var indexed = offset
        let takenBackFrom = state?.limit(ofHistory: header.history) ?? UInt64.max
        while true {
            switch scanner.step() {
            case .frame:
                var records: UInt64 = 0
                switch scanner.content {
                case .records(let frame): records = frame.records
                case .lost(let last): records = last &- scanner.lsn &+ 1
                case .mark(let mark):
                    if scanner.lsn == self.nextLSN {
                        greatestMark = max(greatestMark, state?.durable(by: mark) ?? mark.durable)
                    }
                case .skipped: break
                case .footer:
                    end = .footer
                    return
                case .bad:
                    end = .bad
                    return
                case .newer(let what):
                    throw WalError(
                        .unsupportedFormat, what, segment: LSN(header.firstLSN), offset: UInt64(scanner.frameOffset),
                        lsn: LSN(self.nextLSN))
                }
                guard scanner.lsn == self.nextLSN, records < LSN.max.rawValue,
                    self.nextLSN <= LSN.max.rawValue - records,
                    // What was given out again since is from another time of this log.
                    records == 0 || self.nextLSN - 1 + records <= takenBackFrom
                else {
                    end = .bad
                    return
                }
                if records > 0 {
                    if UInt64(scanner.frameOffset) - indexed >= FileFormat.indexInterval {
                        index.append(
                            IndexEntry(lsn: self.nextLSN, offset: UInt64(scanner.frameOffset), time: header.created))
                        indexed = UInt64(scanner.frameOffset)
                        try progress(indexed)
                    }
                    self.nextLSN += records
                }
                self.offset = UInt64(scanner.offset)
            case .beyondWindow(let wanted):
                let filled = try window.fill(from: scanner.offset, wanted: wanted, limit: Int(limit))
                scanner.base = window.base
                scanner.limit = filled
                let have = filled - scanner.offset
                if have < wanted {
                    if have == 0 {
                        end = .endOfFile
                    } else {
                        // Fewer bytes than a frame: zeros, or the beginning of something.
                        let rest = UnsafeRawBufferPointer(start: scanner.base + scanner.offset, count: have)
                        end = rest.allSatisfy { $0 == 0 } ? .blank : .bad
                    }
                    return
                }
            case .blank:
                end = .blank
                return
            case .bad:
                end = .bad
                return
            }
        }
    }

    /// Whether 16 zeros stand at an offset, or the file's end.
    static func isBlank(_ file: any WalFile, at offset: UInt64) throws(WalError) -> Bool {
        try file.read(FileFormat.frameHeaderSize, at: offset).allSatisfy { $0 == 0 }
    }

    /// Looks beyond a bad frame: the greatest durable LSN that any mark frame states, and where the last byte stands that is
    /// not zero. A mark frame holds its own offset and the segment's salt in its checksum, so that bytes of a record can't be
    /// taken for one.
    static func survey(
        file: any WalFile, header: SegmentHeader, from offset: UInt64, state: PartitionState?
    ) throws(WalError) -> (greatestMark: UInt64, contentEnd: UInt64) {
        var greatest: UInt64 = 0
        var contentEnd = offset
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: ReadWindow.size, alignment: 16)
        defer { buffer.deallocate() }
        for range in try file.content(from: (offset + 7) & ~7) {
            var start = range.lowerBound & ~7
            while start < range.upperBound {
                let wanted = Int(min(UInt64(buffer.count), range.upperBound - start))
                let count = try file.read(
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: start)
                guard count > 0 else { break }
                let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                let content = bytes.contentCount
                if content > 0 { contentEnd = max(contentEnd, start + UInt64(content)) }
                greatest = max(greatest, greatestMark(in: bytes, upTo: content, at: start, salt: header.salt, state))
                // Windows overlap by a frame, so that none is missed between two.
                if count < buffer.count { break }
                start += UInt64(count - FileFormat.markFrameSize)
            }
        }
        return (greatest, contentEnd)
    }

    /// The greatest durable LSN that a mark frame within `bytes`, which stand at `offset`, states; 0 where there is none.
    private static func greatestMark(
        in bytes: UnsafeRawBufferPointer, upTo content: Int, at offset: UInt64, salt: UInt64, _ state: PartitionState?
    ) -> UInt64 {
        guard let base = bytes.baseAddress else { return 0 }
        var greatest: UInt64 = 0
        var at = 0
        // A frame may end in zeros.
        let end = min(bytes.count, content + FileFormat.markFrameSize)
        while at + FileFormat.markFrameSize <= end {
            defer { at += 8 }
            guard bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self).littleEndian == FileFormat.markFrameSize,
                bytes[at + 15] == FrameKind.mark
            else { continue }
            var scanner = FrameScanner(
                base: base, offset: at, limit: at + FileFormat.markFrameSize, salt: salt, disabled: [])
            if case .frame = scanner.step(),
                let mark = SegmentMark(framePayload: scanner.payload, at: offset + UInt64(at), salt: salt)
            {
                greatest = max(greatest, state?.durable(by: mark) ?? mark.durable)
            }
        }
        return greatest
    }
}

extension UnsafeRawBufferPointer {
    /// How many bytes there are up to the last that is not zero; 0 where all are. A cache line at a time: a segment's blank rest
    /// may be tens of megabytes.
    var contentCount: Int {
        var end = count
        while end >= 64 {
            guard loadUnaligned(fromByteOffset: end - 64, as: SIMD8<UInt64>.self) == SIMD8() else { break }
            end -= 64
        }
        while end > 0, self[end - 1] == 0 { end -= 1 }
        return end
    }
}
