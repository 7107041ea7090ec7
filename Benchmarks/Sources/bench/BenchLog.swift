import CBaseline
import Foundation
import WalBinary
import WriteAheadLog

/// 65 bytes: a key of 9 and a value of 56. And 1 KiB.
let recordA = Array("123456789{\"user\": \"123456\", \"name\": \"bob\", \"number\": \"123456789\"}".utf8.prefix(65))
let recordB = (0..<1024).map { UInt8(97 + ($0 &* 7919) % 26) }

/// The 65 bytes as an app would have them.
enum Change: Codable, Equatable, WalDirectCodable {
    case put(key: [UInt8], value: [UInt8])
    case delete(key: [UInt8])

    static let sample = Self.put(key: Array(recordA[..<9]), value: Array(recordA[9...]))

    func encode(into encoder: inout WalEncoder) {
        switch self {
        case .put(let key, let value):
            encoder.beginCase("put")
            encoder.field("key", key)
            encoder.field("value", value)
        case .delete(let key):
            encoder.beginCase("delete")
            encoder.field("key", key)
        }
        encoder.endCase()
    }

    init(from decoder: inout WalDecoder) throws(WalError) {
        var fields = try decoder.beginCase()
        if fields.isCase("put") {
            self = .put(key: try decoder.field("key", in: &fields), value: try decoder.field("value", in: &fields))
        } else if fields.isCase("delete") {
            self = .delete(key: try decoder.field("key", in: &fields))
        } else {
            throw decoder.unknownCase(fields)
        }
        try decoder.endCase(&fields)
    }
}

func seconds(_ body: () async throws -> Void) async rethrows -> Double {
    let clock = ContinuousClock()
    let start = clock.now
    try await body()
    return (clock.now - start) / .seconds(1)
}

func removeIfThere(_ path: String) throws {
    if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
}

/// A place for logs that are made, measured, verified and removed.
struct BenchLog {
    var directory: String
    var path: String { directory + "/log" }

    /// Opens a log in a fresh directory and has `body` measure; then reopens it and compares every record with `expected`.
    func measure<R: WalCodable & Equatable, Figures>(
        _ configuration: Wal<R>.Configuration, records count: Int, each expected: R,
        _ body: (Wal<R>) async throws -> Figures
    ) async throws -> Figures {
        try removeIfThere(path)
        let wal = try await Wal<R>.open(at: path, configuration: configuration)
        bench_settle(directory)
        let figure = try await body(wal)
        try await wal.close()
        let again = try await Wal<R>.open(at: path, configuration: configuration)
        var found = 0
        for id in again.partitionIDs {
            var cursor = try again.partition(id).entries().makeCursor()
            while let entry = try cursor.next() {
                guard entry.record == expected else {
                    throw WalError(.corrupt, "the record with LSN \(entry.lsn) is not what was appended", partition: id)
                }
                found += 1
            }
        }
        try await again.close()
        try removeIfThere(path)
        guard found == count else { throw WalError(.corrupt, "appended \(count) records and read back \(found)") }
        return figure
    }
}

extension Wal<Payload>.Configuration {
    /// The default, for bytes.
    static var raw: Self { Self(codec: .bytes()) }
    /// The same, with segments that are filled before they are used.
    static var filled: Self { Self(codec: .bytes(), fillsSegments: true) }
}

extension Wal<Change>.Configuration {
    static var binary: Self { Self(codec: .binary()) }
}
