/// Makes durable what recovery found, so that it can be served as durable and a new segment can follow it.
///
/// Whatever was read above the mark is written again and synced: a page that a failed sync left clean is not on the disk though it
/// can be read. Then the last segment is sealed, so that nothing is ever appended behind a cut. Each step leaves a partition that
/// the next opening finds and mends; a disk without room changes nothing that was durable.
struct PartitionMending {
    private let look: PartitionLook
    private let shared: LogShared
    private var directory: any WalDirectory { look.directory }
    private var settings: LogSettings { shared.settings }
    /// Those that are kept, as they are now.
    private(set) var files: [SegmentFile]
    private(set) var state: PartitionState
    /// Names of the files that hold what a copy's end left out.
    private(set) var setAside: [String] = []

    init(_ look: PartitionLook, _ recovery: PartitionRecovery) {
        self.look = look
        shared = recovery.shared
        files = Array(look.files.prefix(look.kept))
        state = look.state
    }

    mutating func run() throws(WalError) {
        try removeLeftovers()
        guard !look.isClean else { return }
        try dropRest()
        for place in files.indices { try mend(place) }
        // Without a record the next segment takes its name.
        if let last = files.last, let header = last.header, look.stopLSN == header.firstLSN {
            try directory.remove(last.name)
            files.removeLast()
        }
        try directory.sync()
        try updateState()
        try directory.sync()
    }

    // MARK: What is not kept

    /// Only once it is known that the partition is not refused.
    private mutating func removeLeftovers() throws(WalError) {
        let leftovers = look.evidence.leftovers
        guard !leftovers.isEmpty else { return }
        // STATE says that segments are none of the log's; what was made ready never was.
        if !look.isCopy, leftovers.contains(where: { !$0.isPrepared }) { try state.makeDurable(in: directory) }
        for leftover in leftovers {
            if look.isCopy, !leftover.isPrepared {
                // STATE may be of another moment.
                try putAside(leftover.name)
            } else {
                try directory.remove(leftover.name)
            }
        }
    }

    /// Segments after the end. Newest first: whenever this stops, what is left is a partition with a torn end.
    private mutating func dropRest() throws(WalError) {
        for file in look.files.dropFirst(look.kept).reversed() {
            if look.verdict == .prefix {
                try putAside(file.name)
            } else if file.stray != nil {
                // Nothing of it was ever this log's, but nobody can tell whose it was.
                try directory.rename(file.name, to: try directory.asideName(of: file.name))
            } else {
                try directory.remove(file.name)
            }
        }
    }

    private mutating func putAside(_ name: String) throws(WalError) {
        let aside = try directory.asideName(of: name)
        try directory.rename(name, to: aside)
        setAside.append(aside)
    }

    // MARK: What is kept

    /// Something stands after the end in the file that is cut, and is not to be lost.
    private var keepsRest: Bool { look.verdict == .prefix && look.lostInLast > 0 }

    private mutating func mend(_ place: Int) throws(WalError) {
        let file = files[place]
        guard let header = file.header else { return }
        let isLast = place == look.kept - 1
        let isCut = isLast && !look.endsInFooter
        guard let from = look.scanned[place] ?? (isCut ? look.endOffset : nil) else {
            // Whoever copied it may not have synced it.
            if look.isCopy { try sync(file) }
            return
        }
        if isCut, look.stopLSN == header.firstLSN {
            if keepsRest { try keepCopy(of: file) }
            return
        }
        let end = isLast ? look.endOffset : file.size
        let opened = try directory.openFile(file.name, .readWrite)
        defer { opened.close() }
        // Another name of the same file, in a backup made of hard links, must stay what it is.
        if try opened.identity().links > 1 {
            let footer = isCut ? footer(header) : nil
            let copy = try replace(file.name, by: opened, upTo: isLast && !isCut ? file.size : end, footer, header)
            defer { copy.close() }
            if isCut, keepsRest { try write(opened, to: try directory.asideName(of: file.name)) }
            try clearBrokenMarks(of: file, copy)
            try copy.sync()
            try directory.rename(preparedName(file), to: file.name)
            files[place] = try SegmentFile(
                name: file.name, firstLSN: file.firstLSN, place: look.evidence.place, file: copy)
            return
        }
        if isCut, keepsRest { try keepCopy(of: file) }
        if !settings.disabled.contains(.rewriting) {
            try rewrite(opened, from: from == FileFormat.dataStart ? 0 : from, to: isLast && !isCut ? file.size : end)
        }
        try clearBrokenMarks(of: file, opened)
        if isCut {
            // Shortened first: whatever stood behind the cut is gone before anything new is written there.
            try opened.truncate(to: look.endOffset)
            try opened.write(footer(header).encoded(salt: header.salt), at: look.endOffset)
            files[place] = try SegmentFile(
                name: file.name, firstLSN: file.firstLSN, place: look.evidence.place, file: opened)
        }
        try opened.sync()
    }

    private func footer(_ header: SegmentHeader) -> SegmentFooter {
        SegmentFooter(
            recordCount: look.stopLSN - header.firstLSN, lastLSN: look.stopLSN - 1, dataEnd: look.endOffset,
            sealed: shared.storage.wallClockNow(), index: look.index)
    }

    private func clearBrokenMarks(of file: SegmentFile, _ opened: any WalFile) throws(WalError) {
        let noMark = [UInt8](repeating: 0, count: FileFormat.markSize)
        for broken in file.brokenMarkPlaces { try opened.write(noMark, at: broken) }
    }

    private func sync(_ file: SegmentFile) throws(WalError) {
        let opened = try directory.openFile(file.name, .readWrite)
        defer { opened.close() }
        try opened.sync()
    }

    private func rewrite(_ file: any WalFile, from: UInt64, to: UInt64) throws(WalError) {
        try Self.copy(file, from: from, to: to, into: file)
    }

    private static func copy(
        _ source: any WalFile, from: UInt64, to: UInt64, into target: any WalFile
    ) throws(WalError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
        defer { buffer.deallocate() }
        var offset = from
        while offset < to {
            let wanted = Int(min(UInt64(buffer.count), to - offset))
            let count = try source.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]), at: offset)
            guard count > 0 else { return }
            try target.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: offset)
            offset += UInt64(count)
        }
    }

    // MARK: Copies

    private func preparedName(_ file: SegmentFile) -> String {
        FileFormat.preparedName("mended", maker: file.firstLSN)
    }

    /// A file of its own with what is kept of one that has other names.
    private func replace(
        _ name: String, by source: any WalFile, upTo end: UInt64, _ footer: SegmentFooter?, _ header: SegmentHeader
    ) throws(WalError) -> any WalFile {
        let prepared = FileFormat.preparedName("mended", maker: header.firstLSN)
        do throws(WalError) { try directory.remove(prepared) } catch {
            if error.code != .notFound { throw error }
        }
        let copy = try directory.openFile(prepared, .createNew)
        do throws(WalError) {
            try Self.copy(source, from: 0, to: end, into: copy)
            if let footer { try copy.write(footer.encoded(salt: header.salt), at: end) }
            return copy
        } catch {
            copy.close()
            // What is left of it goes at the next opening.
            do throws(WalError) { try directory.remove(prepared) } catch {}
            throw error
        }
    }

    /// The whole file as it is, beside the one that is cut.
    private mutating func keepCopy(of file: SegmentFile) throws(WalError) {
        let source = try directory.openFile(file.name, .read)
        defer { source.close() }
        try write(source, to: try directory.asideName(of: file.name))
    }

    private mutating func write(_ source: any WalFile, to name: String) throws(WalError) {
        let copy = try directory.openFile(name, .createNew)
        defer { copy.close() }
        do throws(WalError) {
            try Self.copy(source, from: 0, to: try source.size(), into: copy)
            try copy.sync()
        } catch {
            do throws(WalError) { try directory.remove(name) } catch {}
            throw error
        }
        setAside.append(name)
    }

    // MARK: STATE

    private mutating func updateState() throws(WalError) {
        let next = look.nextLSN
        let headers = files.compactMap(\.header)
        // Whoever made the copy goes on from the same records: what comes next here is another history, and marks of the old
        // ones count up to here.
        let history = look.verdict == .prefix ? try shared.incarnation(after: look.evidence.newest) : nil
        let first = headers.first?.firstLSN ?? next
        let (isPrefix, isCopy) = (look.verdict == .prefix, look.isCopy)
        let newest = look.evidence.newest
        try state.update(in: look.directory) { state in
            state.durable = next - 1
            state.nextLSNFloor = isPrefix ? next : max(state.nextLSNFloor, next)
            state.isClean = true
            state.incarnation = max(state.incarnation, newest)
            if isCopy {
                // STATE may be from before a purge.
                state.firstRetained = max(state.firstRetained, first)
                state.firstVisible = min(max(state.firstVisible, first), next)
            }
            if isPrefix {
                state.firstRetained = first
                state.histories.removeAll { $0.firstLSN > next }
            }
            for header in headers { state.note(header) }
            if let history {
                state.incarnation = max(state.incarnation, history)
                state.note(history: history, firstLSN: next)
            }
        }
    }
}

extension WalDirectory {
    /// A name that is not taken, for a file that is set aside.
    func asideName(of name: String) throws(WalError) -> String {
        let taken = Set(try list().map(\.name))
        var aside = name + FileFormat.asideSuffix
        var number = 2
        while taken.contains(aside) {
            aside = "\(name).\(number)\(FileFormat.asideSuffix)"
            number += 1
        }
        return aside
    }
}
