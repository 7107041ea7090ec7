#if Zstd
internal import Synchronization
public import WriteAheadLog

/// Dictionaries kept in a directory of their own beside the log, each once: old segments find theirs, new ones take the newest.
///
/// ```swift
/// let dictionaries = try ZstdDictionaries(at: "wal_data/dictionaries")
/// let wal = try await Wal<Event>.open(
///     at: "wal_data", configuration: .init(codec: .zstd(.json(), dictionaries: dictionaries)))
/// // Once there are some thousand records, and again when they have come to look different:
/// try dictionaries.train(on: wal.partition(1), encodedBy: .json())
/// ```
///
/// A codec takes the dictionary that is the newest when it is made: one that is trained while the log is open is used from the
/// next opening on. The files are written whole, synced, and never changed; nothing here removes one, for segments name them.
/// A file is named `zstd-N.dictionary`, N counted up from 1.
public final class ZstdDictionaries: Sendable {
    private struct State {
        var known: [ZstdDictionary.Name: ZstdDictionary] = [:]
        var newest: ZstdDictionary?
        var last: UInt64 = 0
    }
    private let directory: any WalDirectory
    private let path: String
    private let state = Mutex(State())

    /// Reads the dictionaries of a directory, which is made where it is missing, and the one around it too.
    ///
    /// - Throws: `.corrupt` for a dictionary that is not what was written; what the file system says.
    public convenience init(at path: String) throws(WalError) {
        try self.init(at: path, create: true, storage: PosixStorage())
    }

    package init(at path: String, create: Bool, storage: any WalStorage) throws(WalError) {
        self.path = path
        // The log that it is in may not have been made yet.
        if create, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            _ = try storage.openRoot(String(path[..<slash]), create: true)
        }
        directory = try storage.openRoot(path, create: create)
        try load()
    }

    /// The dictionary that a codec made now would use; nil before the first was trained.
    public var newest: ZstdDictionary? { state.withLock { $0.newest } }
    /// How many there are.
    public var count: Int { state.withLock { $0.known.count } }

    /// The dictionary that a segment names. One that another process has trained since is looked for in the directory.
    ///
    /// - Throws: `.unknownCodec` where there is none.
    public func dictionary(named name: ZstdDictionary.Name) throws(WalError) -> ZstdDictionary {
        if let known = state.withLock({ $0.known[name] }) { return known }
        try load()
        if let known = state.withLock({ $0.known[name] }) { return known }
        throw WalError(
            .unknownCodec,
            "the zstd dictionary \(name) is not in \(path); bring it back from a backup of that directory")
    }

    /// Learns a dictionary from a partition's own records, keeps it, and makes it the newest. Blocks for some seconds.
    ///
    /// - Parameters:
    ///   - codec: the inner codec, of the zstd codec that is to use it.
    ///   - records: how many to learn from, the newest ones.
    ///   - capacity: see ``ZstdDictionary/train(on:capacity:)``.
    /// - Throws: `.invalidArgument` where there are too few records; what reading them throws; what the file system says.
    @discardableResult
    public func train<Record: WalCodable>(
        on partition: Wal<Record>.Partition, encodedBy codec: AnyWalCodec<Record>, records: Int = 20_000,
        capacity: Int = ZstdDictionary.defaultCapacity
    ) throws(WalError) -> ZstdDictionary {
        let last = partition.lastLSN.rawValue
        let first = max(partition.firstRetainedLSN.rawValue, last - min(last, UInt64(clamping: max(records, 1)) - 1))
        var samples: [[UInt8]] = []
        var cursor = try partition.entries(from: last == 0 ? .first : .lsn(LSN(first))).makeCursor()
        while let entry = try cursor.next() {
            var encoder = WalEncoder()
            try codec.encode(entry.record, into: &encoder)
            samples.append(encoder.withBytes { Array($0) })
        }
        let dictionary = try ZstdDictionary.train(on: samples, capacity: capacity)
        try add(dictionary)
        return dictionary
    }

    /// Keeps a dictionary that was trained elsewhere, durably, and makes it the newest.
    public func add(_ dictionary: ZstdDictionary) throws(WalError) {
        var number = state.withLock { $0.last }
        while true {
            let (next, overflow) = number.addingReportingOverflow(1)
            guard !overflow else { throw WalError(.outOfRange, "\(path) holds a dictionary of the greatest number") }
            number = next
            if try write(dictionary, number) { break }
        }
        let taken = number
        state.withLock { state in
            state.known[dictionary.name] = dictionary
            if taken > state.last {
                state.newest = dictionary
                state.last = taken
            }
        }
    }

    /// False where the number is taken, by a dictionary or by somebody who is about to write one: then, or after a crash, it stays
    /// a gap.
    private func write(_ dictionary: ZstdDictionary, _ number: UInt64) throws(WalError) -> Bool {
        let name = Self.fileName(number)
        let claim = name + ".new"
        let file: any WalFile
        do throws(WalError) {
            file = try directory.openFile(claim, .createNew)
        } catch {
            guard error.errno == Self.fileExists else { throw error }
            return false
        }
        defer { file.close() }
        do throws(WalError) {
            guard try !directory.list().contains(where: { $0.name == name }) else {
                try directory.remove(claim)
                return false
            }
            try file.write(Self.content(dictionary), at: 0)
            try file.sync()
            try directory.rename(claim, to: name)
            try directory.sync()
            return true
        } catch {
            // A full disk, say: the number is given up, and the file too if it can be.
            do { try directory.remove(claim) } catch {}
            throw error
        }
    }

    /// EEXIST, the same on Linux and on Apple's systems.
    private static var fileExists: Int32 { 17 }

    // MARK: Files

    /// "WALZDICT", read as a little-endian integer.
    private static let magic: UInt64 = 0x5443_4944_5A4C_4157

    private static func fileName(_ number: UInt64) -> String { "zstd-\(number).dictionary" }

    private static func number(ofFileNamed name: String) -> UInt64? {
        guard name.hasPrefix("zstd-"), name.hasSuffix(".dictionary") else { return nil }
        let number = UInt64(name.dropFirst(5).dropLast(11))
        return number.map(fileName) == name ? number : nil
    }

    /// Magic, version 1, the dictionary's hash, and its bytes.
    private static func content(_ dictionary: ZstdDictionary) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(integer: magic)
        bytes.append(integer: 1 as UInt64)
        bytes.append(integer: dictionary.name.hash)
        return bytes + dictionary.bytes
    }

    private func load() throws(WalError) {
        var found: [(number: UInt64, dictionary: ZstdDictionary)] = []
        for entry in try directory.list() where entry.kind == .file {
            guard let number = Self.number(ofFileNamed: entry.name) else { continue }
            found.append((number, try read(entry.name)))
        }
        found.sort { $0.number < $1.number }
        state.withLock { state in
            for each in found { state.known[each.dictionary.name] = each.dictionary }
            if let last = found.last {
                state.newest = last.dictionary
                state.last = last.number
            }
        }
    }

    private func read(_ name: String) throws(WalError) -> ZstdDictionary {
        let file = try directory.openFile(name, .read)
        defer { file.close() }
        let size = try file.size()
        func corrupt(_ what: String) -> WalError {
            WalError(.corrupt, "\(path)/\(name) \(what); bring it back from a backup, for segments may need it")
        }
        guard size > 24, size <= UInt64(24 + ZstdDictionary.capacities.upperBound) else {
            throw corrupt("is no dictionary: it has \(size) bytes")
        }
        let bytes = try file.read(Int(size), at: 0)
        let (magic, version, hash) = bytes.withUnsafeBytes { bytes -> (UInt64?, UInt64?, UInt64?) in
            let reader = ByteReader(bytes)
            return (reader.integer(0), reader.integer(8), reader.integer(16))
        }
        guard bytes.count == Int(size), magic == Self.magic else { throw corrupt("is no dictionary") }
        guard version == 1 else {
            throw WalError(.unsupportedFormat, "\(path)/\(name) was written by a newer release; use that one")
        }
        let content = Array(bytes[24...])
        guard ZstdDictionary.hash(content) == hash else { throw corrupt("is damaged") }
        do throws(WalError) { return try ZstdDictionary(content) } catch { throw corrupt("is no dictionary of zstd's") }
    }
}
#endif
