import Foundation
import Testing
import WriteAheadLog

/// A directory that is gone when the test is.
func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = NSTemporaryDirectory() + "wal-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer {
        // Tests take permissions away.
        _ = try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path)
        try? FileManager.default.removeItem(atPath: path)
    }
    return try await body(path)
}

/// The bytes of the record that the tests append as number `k`: of many lengths, none the same as another's.
func record(_ k: Int) -> [UInt8] {
    Array("record \(k) ".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: k), count: (k &* 7919) % 97)
}

func expectRecords(
    _ partition: Wal<Payload>.Partition, _ range: ClosedRange<Int>, from start: ReadStart = .first,
    _ location: SourceLocation = #_sourceLocation
) throws {
    try expectRecords(partition, range.lowerBound..<(range.upperBound + 1), from: start, location)
}

func expectRecords(
    _ partition: Wal<Payload>.Partition, _ range: Range<Int>, from start: ReadStart = .first,
    _ location: SourceLocation = #_sourceLocation
) throws {
    var next = range.lowerBound
    var cursor = try partition.entries(from: start).makeCursor()
    while let entry = try cursor.next() {
        guard entry.lsn.rawValue == UInt64(next), entry.record.bytes == record(next) else {
            Issue.record("LSN \(entry.lsn) where \(next) should be, or other bytes", sourceLocation: location)
            return
        }
        next += 1
    }
    #expect(next == range.upperBound, sourceLocation: location)
}

/// Expects an error with that code, and hands it back.
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
