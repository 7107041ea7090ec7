#if Crypto
import Crypto
import Foundation
import Testing
import WalSealed
import WriteAheadLog

/// Sealed files that a released version wrote, kept for ever: every later one must open them.
///
/// `Golden/v2` was made by running this suite with `WAL_MAKE_GOLDEN` naming a directory.
@Suite struct GoldenSealedTests {
    static let keys = ["first": key(1), "second": key(2)]

    @Test("make them", .enabled(if: ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"] != nil))
    func make() async throws {
        let path = try #require(ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"])
        for (current, first) in [("first", 1), ("second", 11)] {
            let ring = try WalKeyring(current: current, keys: Self.keys)
            let wal = try await BytesWal.open(at: path, configuration: sealed(ring))
            for k in first..<(first + 5) { try wal.partition(1).append(record(k)) }
            try wal.partition(1).append(contentsOf: (first + 5..<first + 10).map(record))
            try await wal.close()
        }
    }

    @Test func `golden files are opened by the keys that they name`() async throws {
        let golden = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil)).appending(path: "v2")
        try await withTemporaryDirectory { path in
            try FileManager.default.copyItem(atPath: golden.path, toPath: path + "/v2")
            let ring = try WalKeyring(current: "second", keys: Self.keys)
            let wal = try await BytesWal.open(at: path + "/v2", configuration: sealed(ring))
            try expectRecords(wal.partition(1), 1...20)
            #expect(try wal.partition(1).append(record(21)).lsn == 21)
            try expectRecords(wal.partition(1), 1...21)
            try await wal.close()
        }
    }

    @Test("what a record costs, roughly", .enabled(if: ProcessInfo.processInfo.environment["WAL_COST"] != nil))
    func cost() async throws {
        try await withTemporaryDirectory { path in
            let payload = Payload([UInt8](repeating: 7, count: 65))
            for (name, codec) in [("plain", .bytes()), ("sealed", .sealed(.bytes(), keys: try keyring()))]
                as [(String, AnyWalCodec<Payload>)]
            {
                let wal = try await BytesWal.open(at: "\(path)/\(name)", configuration: .init(codec: codec))
                let partition = try wal.partition(1)
                let count = 100_000
                let clock = ContinuousClock()
                let written = try clock.measure { for _ in 0..<count { try partition.append(payload) } }
                let read = try clock.measure { try partition.entries().forEachPayload { _, _ in } }
                let batches = try clock.measure {
                    for _ in 0..<(count / 100) { try partition.append(contentsOf: repeatElement(payload, count: 100)) }
                }
                print("\(name): append \(written / count), read \(read / count), in batches of 100 \(batches / count)")
                try await wal.close()
            }
        }
    }
}
#endif
