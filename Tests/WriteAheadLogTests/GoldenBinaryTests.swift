import Foundation
import Testing
import WalBinary
import WriteAheadLog

/// A log of the binary codec, kept for ever. `Tests/independent-reader` reads it too, records and all.
///
/// `Golden/binary` was made by running this suite with `WAL_MAKE_GOLDEN` naming a directory.
@Suite("Golden files of the binary codec")
struct GoldenBinaryTests {
    private enum Change: Codable, WalCodable, Equatable {
        case put(key: String, value: [UInt8], times: Int)
        case measure([Double], note: String?)
        case clear
        static let walTypeName = "change"
    }

    private static let changes: [Change] = [
        .put(key: "größe", value: [0, 127, 255], times: -3), .measure([1.5, -0.25], note: nil), .clear,
        .measure([], note: "none"), .put(key: "", value: [], times: 1 << 40),
    ]

    @Test("make them", .enabled(if: ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"] != nil))
    func make() async throws {
        let path = try #require(ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"])
        let wal = try await Wal<Change>.open(at: path, configuration: .init(codec: .binary()))
        for each in Self.changes[..<2] { try wal.partition(3).append(each) }
        try wal.partition(3).append(contentsOf: Self.changes[2...])
        try await wal.close()
    }

    @Test("are read as they were written")
    func read() async throws {
        let golden = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
        try await withTemporaryDirectory { path in
            try FileManager.default.copyItem(atPath: golden.appending(path: "binary").path, toPath: path + "/log")
            let wal = try await Wal<Change>.openReadOnly(at: path + "/log", configuration: .init(codec: .binary()))
            var found: [Change] = []
            try wal.partition(3).entries().forEach { found.append($0.record) }
            #expect(found == Self.changes)
            try await wal.close()
        }
    }
}
