import Foundation
import Testing
import WalTesting
import WriteAheadLog

typealias BytesWal = Wal<Payload>

#if canImport(Glibc)
let (EIO, ENOSPC, EMFILE) = (Glibc.EIO, Glibc.ENOSPC, Glibc.EMFILE)
#endif

/// The configuration that most tests use: small segments of bare bytes.
func small(
    _ writes: WriteMode = .automatic, fills: Bool = false, observer: WalObserver = WalObserver()
) -> BytesWal.Configuration {
    BytesWal.Configuration(
        segmentSize: 64 << 10, codec: .bytes(), writes: writes, fillsSegments: fills, observer: observer)
}

/// How segments get their bytes.
struct Writing: CustomTestStringConvertible {
    var writes: WriteMode
    var fills = false
    var testDescription: String { fills ? "filled, then \(writes)" : "\(writes)" }

    static let all = [Writing(writes: .mapped), Writing(writes: .written), Writing(writes: .mapped, fills: true)]
}

func partitionPath(_ path: String, _ id: UInt16 = 1) -> String {
    "\(path)/\(FileFormat.partitionName(.init(rawValue: id)))"
}

func segmentPath(_ path: String, _ id: UInt16 = 1, _ firstLSN: UInt64 = 1) -> String {
    "\(partitionPath(path, id))/\(FileFormat.segmentName(firstLSN))"
}

func readFile(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
func writeFile(_ path: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

/// Names of segments, in order.
func segmentNames(_ path: String, _ id: UInt16 = 1) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: partitionPath(path, id)).filter { $0.hasSuffix(".wal") }
        .sorted()
}

/// Every file of the log with its bytes, to see that nothing was touched. Without LOCK, which holds a process id.
func snapshot(_ path: String) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) where name != "LOCK" {
        var isDirectory: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isDirectory)
        let bytes = isDirectory.boolValue ? [] : try readFile("\(path)/\(name)")
        found[name] = name.hasSuffix("/STATE") ? withoutIdentity(bytes) : bytes
    }
    return found
}

func restore(_ files: [String: [UInt8]], to path: String) throws {
    let manager = FileManager.default
    for name in try manager.contentsOfDirectory(atPath: path) { try manager.removeItem(atPath: "\(path)/\(name)") }
    for (name, bytes) in files.sorted(by: { $0.key < $1.key }) {
        if bytes.isEmpty, !name.contains("/") {
            try manager.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: true)
        } else {
            try writeFile("\(path)/\(name)", bytes)
        }
    }
}

/// STATE's bytes without the file that they name, so that what a test puts back is the log itself and not a copy of it.
func withoutIdentity(_ state: [UInt8]) -> [UInt8] {
    var state = state
    for place in PartitionState.slotOffsets.map(Int.init) where state.count >= place + PartitionState.slotSize {
        let sum = place + PartitionState.slotSize - 4
        let isWhole =
            state.withUnsafeBytes { ByteReader($0).integer(sum) } == state.crc32c(place..<sum)
            && state.withUnsafeBytes { ByteReader($0).integer(place) } == FileFormat.stateMagic
        guard isWhole else { continue }
        state.store(UInt64(0), at: place + 40)
        state.store(UInt64(0), at: place + 48)
        state.store(state.crc32c(place..<sum), at: sum)
    }
    return state
}

/// A log in partition 1 whose process ends without `close` after `body`. Workers don't run, so that only what `body` asks for
/// reaches the disk.
func abandonedLog(
    at path: String, _ configuration: BytesWal.Configuration = small(), storage: FaultyStorage? = nil,
    _ body: (BytesWal.Partition) throws -> Void
) async throws {
    let storage = storage ?? FaultyStorage(runsWorkers: false)
    let wal = try await BytesWal.open(at: path, configuration: configuration, storage: storage)
    try body(try wal.partition(1))
}

extension BytesWal.Partition {
    /// Appends the tests' records with those numbers, and expects each to get its number as LSN.
    func appendRecords(_ range: ClosedRange<Int>, _ location: SourceLocation = #_sourceLocation) throws {
        for k in range {
            let receipt = try append(Payload(record(k)))
            #expect(receipt.lsn.rawValue == UInt64(k), sourceLocation: location)
        }
    }

    /// LSNs and bytes from the first record on, up to the end or an error.
    func readAll(from start: ReadStart = .first) -> (lsns: [UInt64], isRight: Bool, error: WalError?) {
        var lsns: [UInt64] = []
        var isRight = true
        do throws(WalError) {
            var cursor = try entries(from: start).makeCursor()
            while let entry = try cursor.next() {
                lsns.append(entry.lsn.rawValue)
                if entry.record.bytes != record(Int(entry.lsn.rawValue)) { isRight = false }
            }
        } catch {
            return (lsns, isRight, error)
        }
        return (lsns, isRight, nil)
    }
}

/// Events in the order in which they were reported.
final class EventLog: Sendable {
    private let state = Locked<[WalEvent]>([])
    var observer: WalObserver { WalObserver { event in self.state.withLock { $0.append(event) } } }
    var events: [WalEvent] { state.withLock { $0 } }

    /// What was cut, as far as it was reported: partition, first LSN, bytes.
    var cuts: [(PartitionID, LSN?, UInt64)] {
        events.compactMap { event in
            if case .recovered(let id, _, let from, let bytes) = event, bytes > 0 { (id, from, bytes) } else { nil }
        }
    }
}

/// The end of a segment's frames, found by stepping through it: for tests that damage files.
func frames(of bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var offset = Int(FileFormat.dataStart)
    while offset + FileFormat.frameHeaderSize <= bytes.count {
        let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
        guard length >= FileFormat.frameHeaderSize, offset + FileFormat.padded(length) <= bytes.count else { break }
        if bytes[offset + 15] == FrameKind.footer { break }
        found.append(offset..<(offset + FileFormat.padded(length)))
        offset += FileFormat.padded(length)
    }
    return found
}

/// Runs `body` on a thread of its own and waits for it; false where it is not done in time, so that a deadlock is a failure
/// instead of a hang.
func finishes(within seconds: UInt64 = 20, _ body: @escaping @Sendable () -> Void) -> Bool {
    let monitor = Monitor()
    let isDone = Locked(false)
    let thread = Thread {
        body()
        isDone.withLock { $0 = true }
        monitor.withLock { monitor.broadcast() }
    }
    thread.start()
    let deadline = PosixStorage().monotonicNow() + seconds * 1_000_000_000
    return monitor.withLock {
        while !isDone.withLock({ $0 }) {
            guard PosixStorage().monotonicNow() < deadline else { return false }
            monitor.wait(nanoseconds: 50_000_000)
        }
        return true
    }
}
