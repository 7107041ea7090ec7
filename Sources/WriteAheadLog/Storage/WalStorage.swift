/// The seam between the log and the machine: every file, the clock, randomness and threads.
///
/// Only cold operations come through here. A record is stored through the pointer that ``WalFile/map(count:)`` returned. A
/// simulated disk stands in for all of it in tests.
package protocol WalStorage: Sendable {
    /// Opens the log's own directory; a symbolic link *to* it is followed, one within it never is.
    func openRoot(_ path: String, create: Bool) throws(WalError) -> any WalDirectory
    /// Nanoseconds of a clock that never goes back.
    func monotonicNow() -> UInt64
    /// Nanoseconds since 1970, for people.
    func wallClockNow() -> UInt64
    /// Unpredictable bits, for salts.
    func random() -> UInt64
    /// Runs `body` on a thread of its own.
    func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) throws(WalError)
    /// Takes over what a worker thread would run, not before that time of the monotonic clock; false where threads do it. A
    /// simulation runs jobs one by one, in an order that replays.
    func takes(_ job: @escaping @Sendable () -> Void, notBefore due: UInt64) -> Bool
    /// Whether ``takes(_:notBefore:)`` takes jobs, so that no thread is needed for them.
    var runsJobsItself: Bool { get }
    /// Blocks the thread for a moment; false where no time passes by itself, as in a simulation.
    func pause(nanoseconds: UInt64) -> Bool
    /// How many files the process may have open.
    func openFilesLimit() -> Int
    /// The size in bytes beyond which the process may not write a file; nil where there is none.
    func fileSizeLimit() -> UInt64?
}

extension WalStorage {
    package func fileSizeLimit() -> UInt64? { nil }
    package func takes(_ job: @escaping @Sendable () -> Void, notBefore due: UInt64) -> Bool { false }
    package var runsJobsItself: Bool { false }
    package func pause(nanoseconds: UInt64) -> Bool { false }
}

package enum EntryKind: Sendable { case file, directory, other }

package enum FileAccess: Sendable { case read, readWrite, createNew, createOrOpen }

/// A directory within the log.
package protocol WalDirectory: AnyObject, Sendable {
    func list() throws(WalError) -> [(name: String, kind: EntryKind)]
    func openDirectory(_ name: String, create: Bool) throws(WalError) -> any WalDirectory
    func openFile(_ name: String, _ access: FileAccess) throws(WalError) -> any WalFile
    func rename(_ from: String, to: String) throws(WalError)
    func remove(_ name: String) throws(WalError)
    /// Makes the names in it durable.
    func sync() throws(WalError)
    /// Where it is by now, whatever it was opened by; nil where the system does not tell, or it was removed.
    func currentPath() -> String?
    /// Makes the directory's own name durable, and where it was just made, the names above it.
    func syncParent() throws(WalError)
    /// True where allocated space is sure to take later stores into a mapping, as far as the kind of the file system tells.
    func guaranteesAllocation() -> Bool
    /// Tries with a file of its own, which is gone afterwards, whether space can be allocated and mapped here.
    func probeMapping() -> MappingProbe
    /// What people call the file system; nil where that can't be told.
    var fileSystemName: String? { get }
    /// Takes a lock of the directory for as long as it is open, or until ``unlock()``; false where somebody else holds it.
    /// Throws where the system refuses such locks.
    func lock() throws(WalError) -> Bool
    func unlock()
}

extension WalDirectory {
    package func currentPath() -> String? { nil }
    package func syncParent() throws(WalError) {}
    package func probeMapping() -> MappingProbe { .works }
    package var fileSystemName: String? { nil }
    package func lock() throws(WalError) -> Bool { true }
    package func unlock() {}
}

package enum MappingProbe: Sendable {
    case works
    /// It was refused.
    case refused(WalError)
    /// It could not be tried, for want of room or descriptors.
    case unknown(WalError)
}

/// What a file system says of a file, beside its content.
package struct FileIdentity: Equatable, Sendable {
    /// 0 where it is not known.
    package var inode: UInt64 = 0
    /// Nanoseconds since 1970; 0 where the file system does not tell.
    package var birth: UInt64 = 0
    /// How many names it has.
    package var links: UInt64 = 1

    package init(inode: UInt64 = 0, birth: UInt64 = 0, links: UInt64 = 1) {
        self.inode = inode
        self.birth = birth
        self.links = links
    }

    /// Whether it is surely another file than the one of which that was noted.
    func isOther(inode: UInt64, birth: UInt64) -> Bool {
        inode != 0 && self.inode != 0 && inode != self.inode || birth != 0 && self.birth != 0 && birth != self.birth
    }
}

/// An open file.
package protocol WalFile: AnyObject, Sendable {
    func size() throws(WalError) -> UInt64
    /// Reads up to the buffer's size; fewer bytes only at the end of the file.
    func read(into: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(WalError) -> Int
    /// Writes all of it. `WalError.errno` ENOSPC with nothing stored is ``WalError/Code/noSpace``.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError)
    /// Writes a frame, which has up to 7 zeros behind its payload, in one piece.
    func write(
        header: (UInt64, UInt64), _ payload: UnsafeRawBufferPointer, zeros: Int, at offset: UInt64
    ) throws(WalError)
    /// Writes all of it and returns once those bytes are on stable storage; false where that can't be had: nothing was
    /// written then.
    func writeSynced(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(WalError) -> Bool
    /// Guarantees space for the range and extends the file to hold it.
    func allocate(from: UInt64, to: UInt64) throws(WalError)
    func truncate(to: UInt64) throws(WalError)
    /// Asks for an empty file that what is written to it can be overwritten without new space, where the file system can do that
    /// and would not by itself. A hint.
    func overwritesInPlace()
    /// Makes the content durable, and as much of the metadata as reading it back needs.
    func sync() throws(WalError)
    /// False once no directory has a name for it: somebody removed it.
    func isLinked() throws(WalError) -> Bool
    /// Maps the first `count` bytes, also beyond the end of the file, where nothing may be touched.
    func map(count: Int, writable: Bool) throws(WalError) -> any WalMapping
    /// Where in the file, from `offset` on, something else than zeros may stand: all of it, if the file system does not tell.
    func content(from offset: UInt64) throws(WalError) -> [Range<UInt64>]
    /// Which file it is, however it is named: a copy is another one.
    func identity() throws(WalError) -> FileIdentity
    /// Takes the writer's lock for as long as the file is open, or until ``unlock()``; false where somebody else holds it. Throws
    /// where the system refuses such locks.
    func lock() throws(WalError) -> Bool
    func unlock()
    /// Around ``lock()`` and what tells who holds it, so that nobody looks before that is written. A help to people: where it
    /// can't be had, they may be told of somebody else.
    func beginAnnouncing()
    func endAnnouncing()
    func close()
}

extension WalFile {
    package func write(
        header: (UInt64, UInt64), _ payload: UnsafeRawBufferPointer, zeros: Int, at offset: UInt64
    ) throws(WalError) {
        try writeCopy(header: header, payload, zeros: zeros, at: offset)
    }

    /// The same from a copy in one piece.
    func writeCopy(
        header: (UInt64, UInt64), _ payload: UnsafeRawBufferPointer, zeros: Int, at offset: UInt64
    ) throws(WalError) {
        var frame = WalEncoder(minimumCapacity: 16 + payload.count + 8)
        withUnsafeBytes(of: header) { frame.write(bytes: $0) }
        frame.write(bytes: payload)
        for _ in 0..<zeros { frame.write(0 as UInt8) }
        try write(frame.bytes, at: offset)
    }

    /// Writes zeros over the range.
    ///
    /// By pages: the kernel keeps what one call writes in one piece, all of which it would later write for one byte stored in it.
    func fill(from: UInt64, to: UInt64) throws(WalError) {
        let page = [UInt8](repeating: 0, count: 4096)
        var at = from
        while at < to {
            let next = min((at & ~4095) + 4096, to)
            try write(next - at == 4096 ? page : Array(page.prefix(Int(next - at))), at: at)
            at = next
        }
    }

    package func unlock() {}
    package func overwritesInPlace() {}
    package func identity() throws(WalError) -> FileIdentity { FileIdentity() }
    package func isLinked() throws(WalError) -> Bool { true }
    package func beginAnnouncing() {}
    package func endAnnouncing() {}
    package func content(from offset: UInt64) throws(WalError) -> [Range<UInt64>] {
        let size = try size()
        return offset < size ? [offset..<size] : []
    }
}

/// Mapped bytes, unmapped when the last reference goes.
package protocol WalMapping: AnyObject, Sendable {
    var base: UnsafeMutableRawPointer { get }
    var count: Int { get }
    /// Has pages ready for stores, so that the first one does not wait. A hint.
    func populate(from: Int, to: Int)
}
