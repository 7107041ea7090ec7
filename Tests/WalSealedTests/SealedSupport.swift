#if Crypto
import Crypto
import Foundation
import Testing
import WalSealed
import WalTesting
import WriteAheadLog

/// The bytes that no file of a sealed log may hold.
let marker = Array("a secret that must not be seen".utf8)

func record(_ k: Int) -> Payload {
    Payload(marker + Array(" \(k) ".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: k), count: (k &* 7919) % 97))
}

func key(_ byte: UInt8) -> SymmetricKey { SymmetricKey(data: [UInt8](repeating: byte, count: 32)) }

func keyring(_ current: String = "k1", _ others: [String: SymmetricKey] = [:]) throws -> WalKeyring {
    try WalKeyring(current: current, keys: others.merging(["k1": key(1)]) { given, _ in given })
}

typealias BytesWal = Wal<Payload>

func sealed(
    _ keys: WalKeyring, writes: WriteMode = .automatic, reads: ReadMode = .automatic
) -> BytesWal.Configuration {
    BytesWal.Configuration(segmentSize: 64 << 10, codec: .sealed(.bytes(), keys: keys), writes: writes, reads: reads)
}

func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = NSTemporaryDirectory() + "wal-sealed-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

@discardableResult
func expectError<R>(
    _ code: WalError.Code, _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> R
) async -> WalError? {
    do {
        _ = try await body()
        Issue.record("no error, where \(code) was expected", sourceLocation: location)
    } catch let error as WalError {
        #expect(error.code == code, "\(error)", sourceLocation: location)
        return error
    } catch {
        Issue.record("not a WalError: \(error)", sourceLocation: location)
    }
    return nil
}

func expectRecords(
    _ partition: BytesWal.Partition, _ range: ClosedRange<Int>, _ location: SourceLocation = #_sourceLocation
) throws {
    var next = range.lowerBound
    var cursor = try partition.entries().makeCursor()
    while let entry = try cursor.next() {
        guard entry.lsn.rawValue == UInt64(next), entry.record == record(next) else {
            Issue.record("LSN \(entry.lsn) where \(next) should be, or other bytes", sourceLocation: location)
            return
        }
        next += 1
    }
    #expect(next == range.upperBound + 1, sourceLocation: location)
}

/// What a reader gets: records up to an error.
func readAll(_ path: String, _ keys: WalKeyring, partition: PartitionID = 1) async -> (
    found: [Int: Payload], error: WalError?
) {
    var found: [Int: Payload] = [:]
    do throws(WalError) {
        let wal = try await BytesWal.openReadOnly(at: path, configuration: sealed(keys))
        var cursor = try wal.partition(partition).entries().makeCursor()
        while let entry = try cursor.next() { found[Int(entry.lsn.rawValue)] = entry.record }
        try await wal.close()
    } catch {
        return (found, error)
    }
    return (found, nil)
}

// MARK: Files

func segmentPath(_ path: String, _ partition: UInt16 = 1, _ firstLSN: UInt64 = 1) -> String {
    "\(path)/\(FileFormat.partitionName(PartitionID(rawValue: partition)))/\(FileFormat.segmentName(firstLSN))"
}

func segmentPaths(_ path: String, _ partition: UInt16 = 1) throws -> [String] {
    let directory = "\(path)/\(FileFormat.partitionName(PartitionID(rawValue: partition)))"
    return try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".wal") }.sorted()
        .map { "\(directory)/\($0)" }
}

func readFile(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
func writeFile(_ path: String, _ bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

/// Frames that are sealed, in order.
func frames(of bytes: [UInt8]) -> [Range<Int>] {
    var found: [Range<Int>] = []
    var offset = Int(FileFormat.dataStart)
    while offset + FileFormat.frameHeaderSize <= bytes.count {
        let length = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) }
        guard length >= FileFormat.frameHeaderSize, offset + FileFormat.padded(length) <= bytes.count else { break }
        if bytes[offset + 15] == FrameKind.footer { break }
        if FrameKind.isSealed(bytes[offset + 15]) { found.append(offset..<(offset + length)) }
        offset += FileFormat.padded(length)
    }
    return found
}

func salt(of bytes: [UInt8]) -> UInt64 {
    bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 48, as: UInt64.self) }
}

/// Makes the checksum of a frame right again.
func sum(_ bytes: inout [UInt8], _ frame: Range<Int>) {
    let (length, word) = bytes.withUnsafeBytes {
        (
            $0.loadUnaligned(fromByteOffset: frame.lowerBound, as: UInt32.self),
            $0.loadUnaligned(fromByteOffset: frame.lowerBound + 8, as: UInt64.self)
        )
    }
    let payload = bytes.withUnsafeBytes {
        payloadChecksum(UnsafeRawBufferPointer(rebasing: $0[(frame.lowerBound + 16)..<frame.upperBound]))
    }
    bytes.store(
        frameChecksum(payload: payload, length: length, word: word, salt: salt(of: bytes)), at: frame.lowerBound + 4)
}

/// Expects that no file below the directory holds the marker.
func expectNoPlaintext(_ path: String, _ location: SourceLocation = #_sourceLocation) throws {
    for name in try FileManager.default.subpathsOfDirectory(atPath: path) {
        guard let content = FileManager.default.contents(atPath: "\(path)/\(name)") else { continue }
        #expect(content.range(of: Data(marker.prefix(12))) == nil, "it stands in \(name)", sourceLocation: location)
    }
}

// MARK: Nonces

/// Notes each nonce that a sealed codec uses, with the salt of its segment.
struct NonceRecordingCodec: WalSealingCodec {
    static var id: UInt32 { SealedCodec<Payload>.id }
    let base: SealedCodec<Payload>
    let log = Log()

    final class Log: Sendable {
        private let state = Locked<[[UInt8]]>([])
        var nonces: [[UInt8]] { state.withLock { $0 } }
        func note(_ nonce: [UInt8]) { state.withLock { $0.append(nonce) } }
    }

    var name: String { base.name }
    var parameters: [UInt8] { base.parameters }
    var inner: AnyWalCodec<Payload> { base.inner }
    var sealOverhead: Int { base.sealOverhead }

    func makeSealer(header: ([UInt8]) -> [UInt8]) throws(WalError) -> any WalFrameSealer {
        var own: [UInt8] = []
        let sealer = try base.makeSealer { parameters in
            own = parameters
            return header(parameters)
        }
        return Recorder(parameters: own, sealer: sealer, log: log)
    }

    func makeOpener(parameters: [UInt8], header: [UInt8]) throws(WalError) -> any WalFrameOpener {
        try base.makeOpener(parameters: parameters, header: header)
    }

    func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Payload>)? {
        try base.reader(id: id, parameters: parameters)
    }

    private struct Recorder: WalFrameSealer {
        let parameters: [UInt8]
        let sealer: any WalFrameSealer
        let log: Log

        func seal(
            _ plain: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
        ) throws(WalError) {
            let start = encoder.count
            try sealer.seal(plain, frame, into: &encoder)
            log.note(parameters + encoder.withBytes { Array($0[start..<(start + 6)]) })
        }
    }
}
#endif
