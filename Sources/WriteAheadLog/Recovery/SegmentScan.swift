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

    /// What stands after a place where frames can't be read on.
    struct Rest {
        /// The greatest durable LSN that a mark frame states.
        var greatestMark: UInt64 = 0
        /// The greatest offset in this segment up to which a mark frame says that it was durable.
        var markedEnd: UInt64 = 0
        /// Where the last byte ends that is not zero.
        var contentEnd: UInt64
    }

    /// Looks beyond a bad frame. A mark frame holds its own offset and the segment's salt in its checksum, so that bytes of a record
    /// can't be taken for one.
    ///
    /// - Parameter salts: that of the segment, or those that may be its, where its header is damaged.
    static func survey(
        file: any WalFile, firstLSN: UInt64, salts: [UInt64], from offset: UInt64, state: PartitionState?
    ) throws(WalError) -> Rest {
        var rest = Rest(contentEnd: offset)
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
                if content > 0 { rest.contentEnd = max(rest.contentEnd, start + UInt64(content)) }
                for salt in salts {
                    rest.noteMarks(in: bytes, upTo: content, at: start, salt: salt, firstLSN: firstLSN, state)
                }
                // Windows overlap by a frame, so that none is missed between two.
                if count < buffer.count { break }
                start += UInt64(count - FileFormat.markFrameSize)
            }
        }
        return rest
    }
}

extension SegmentScan.Rest {
    /// Notes what mark frames within `bytes`, which stand at `offset`, state.
    fileprivate mutating func noteMarks(
        in bytes: UnsafeRawBufferPointer, upTo content: Int, at offset: UInt64, salt: UInt64, firstLSN: UInt64,
        _ state: PartitionState?
    ) {
        guard let base = bytes.baseAddress else { return }
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
            guard case .frame = scanner.step(),
                let mark = SegmentMark(framePayload: scanner.payload, at: offset + UInt64(at), salt: salt)
            else { continue }
            greatestMark = max(greatestMark, state?.durable(by: mark) ?? mark.durable)
            if mark.tells(ofSegment: firstLSN, state) { markedEnd = max(markedEnd, mark.endOffset) }
        }
    }
}

extension SegmentMark {
    /// Whether its offset counts in the segment that begins with an LSN: it was durable there, and was not taken back since.
    func tells(ofSegment firstLSN: UInt64, _ state: PartitionState?) -> Bool {
        durable + 1 >= firstLSN && (state?.durable(by: self) ?? durable) == durable
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
