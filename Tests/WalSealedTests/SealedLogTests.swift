#if Crypto
import Crypto
import Foundation
import Testing
import WalBinary
import WalSealed
import WalTesting
import WriteAheadLog

#if Zstd
import WalZstd
#endif

private enum Change: Codable, WalCodable, Equatable {
    case put(key: [UInt8], value: String)
    case delete(key: [UInt8])
    static let walTypeName = "change"
}

@Suite(.timeLimit(.minutes(15)))
struct SealedLogTests {
    @Test(arguments: [WriteMode.mapped, .written], [ReadMode.automatic, .pread])
    func `records, batches, synced and large ones come back, and none of them can be read in the files`(
        writes: WriteMode, reads: ReadMode
    ) async throws {
        try await withTemporaryDirectory { path in
            let configuration = sealed(try keyring(), writes: writes, reads: reads)
            var wal = try await BytesWal.open(at: path, configuration: configuration)
            for k in 1...300 { try wal.partition(1).append(record(k)) }
            try wal.partition(1).append(contentsOf: (301...400).map(record))
            for k in 401...420 { try await wal.partition(1).append(record(k), durability: .synced) }
            try await wal.partition(1).append(contentsOf: (421...500).map(record), durability: .synced)
            try expectRecords(wal.partition(1), 1...500)
            try await wal.close()
            wal = try await BytesWal.open(at: path, configuration: configuration)
            try expectRecords(wal.partition(1), 1...500)
            let large = (0..<3).map { Payload(marker + [UInt8](repeating: $0, count: 3 << 20)) }
            for each in large { try await wal.partition(2).append(each, durability: .synced) }
            try wal.partition(2).append(Payload([]))
            var cursor = try wal.partition(2).entries().makeCursor()
            for each in large + [Payload([])] { #expect(try cursor.next()?.record == each) }
            try await wal.close()
            let verified = try await WalVerification.verify(at: path)
            #expect(verified.damage.isEmpty && verified.records == 504)
            try expectNoPlaintext(path)
        }
    }

    @Test func `records of an app's own type are sealed over the codec that writes them`() async throws {
        var codecs: [AnyWalCodec<Change>] = [.sealed(.binary(), keys: try keyring())]
        #if Zstd
        codecs += [.sealed(.zstd(.binary()), keys: try keyring())]
        #endif
        for codec in codecs {
            try await withTemporaryDirectory { path in
                let configuration = Wal<Change>.Configuration(codec: codec)
                let changes = (0..<200).map { k -> Change in
                    k % 3 == 0
                        ? .delete(key: marker) : .put(key: [UInt8(k)], value: String(decoding: marker, as: UTF8.self))
                }
                var wal = try await Wal<Change>.open(at: path, configuration: configuration)
                for each in changes[..<50] { try wal.partition(1).append(each) }
                try wal.partition(1).append(contentsOf: changes[50..<150])
                try await wal.partition(1).append(contentsOf: changes[150...], durability: .synced)
                try await wal.close()
                try expectNoPlaintext(path)
                wal = try await Wal<Change>.open(at: path, configuration: configuration)
                var found: [Change] = []
                try wal.partition(1).entries().forEach { found.append($0.record) }
                #expect(found == changes)
                for lsn in [1, 51, 100, 150, 151, 200] as [UInt64] {
                    var cursor = try wal.partition(1).entries(from: .lsn(LSN(lsn))).makeCursor()
                    #expect(try cursor.next()?.record == changes[Int(lsn) - 1])
                }
                try await wal.close()
            }
        }
    }

    // MARK: Keys

    @Test func `after rotation of keys old segments are read by the key that they name`() async throws {
        try await withTemporaryDirectory { path in
            let keys = ["k2": key(2), "schlüssel": key(3)]
            for (round, current) in ["k1", "k2", "schlüssel", "k1"].enumerated() {
                let wal = try await BytesWal.open(at: path, configuration: sealed(try keyring(current, keys)))
                for k in 1...10 { try wal.partition(1).append(record(round * 10 + k)) }
                try expectRecords(wal.partition(1), 1...(round * 10 + 10))
                try await wal.close()
            }
            let wal = try await BytesWal.open(at: path, configuration: sealed(try keyring("k1", ["k2": key(2)])))
            var cursor = try wal.partition(1).entries(from: .lsn(31)).makeCursor()
            for k in 31...40 { #expect(try cursor.next()?.record == record(k)) }
            let error = await expectError(.unknownKey) { try expectRecords(wal.partition(1), 1...40) }
            try await wal.close()
            #expect(error?.message.contains("\"schlüssel\"") == true && error?.segment == 21 && error?.partition == 1)
        }
    }

    @Test func `a wrong key and an unknown one are told when the log is opened, and nothing is changed`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: sealed(try keyring()))
            try wal.partition(1).append(record(1))
            try await wal.close()
            let before = try readFile(segmentPath(path))
            for isReadOnly in [false, true] {
                for (keys, code) in [
                    (["k1": key(9)], WalError.Code.wrongKey), (["other": key(1)], .unknownKey),
                    (["K1": key(1)], .unknownKey),
                ] {
                    let ring = try WalKeyring(current: try #require(keys.keys.first), keys: keys)
                    let error = await expectError(code) {
                        isReadOnly
                            ? try await BytesWal.openReadOnly(at: path, configuration: sealed(ring))
                            : try await BytesWal.open(at: path, configuration: sealed(ring))
                    }
                    #expect(error?.message.contains("\"k1\"") == true && error?.segment == 1)
                }
            }
            #expect(try readFile(segmentPath(path)) == before)
            // Who has the right key in another ring can name that too.
            var configuration = sealed(try WalKeyring(current: "k1", keys: ["k1": key(9)]))
            configuration.readableCodecs = [.sealed(.bytes(), keys: try keyring())]
            let again = try await BytesWal.open(at: path, configuration: configuration)
            try expectRecords(again.partition(1), 1...1)
            try await again.close()
        }
    }

    @Test func `a keyring refuses ids and keys that are none`() async throws {
        await expectError(.invalidArgument) { try WalKeyring(current: "a", keys: ["b": key(1)]) }
        await expectError(.invalidArgument) { try WalKeyring(current: "", keys: ["": key(1)]) }
        let long = String(repeating: "x", count: 65)
        await expectError(.invalidArgument) { try WalKeyring(current: "a", keys: ["a": key(1), long: key(1)]) }
        await expectError(.invalidArgument) {
            try WalKeyring(current: "a", keys: ["a": SymmetricKey(size: .bits128)])
        }
        let ring = try WalKeyring(current: String(long.dropLast()), keys: [String(long.dropLast()): key(1)])
        #expect(ring.ids.count == 1 && !"\(ring)".contains("SymmetricKey"))
    }

    // MARK: On and off

    @Test func `sealing can be turned on later, and off again, where the app names the other codec`() async throws {
        try await withTemporaryDirectory { path in
            let sealing = AnyWalCodec<Payload>.sealed(.bytes(), keys: try keyring())
            let plain = AnyWalCodec<Payload>.bytes()
            for (round, codec) in [plain, sealing, plain, sealing].enumerated() {
                let configuration = BytesWal.Configuration(codec: codec, readableCodecs: [plain, sealing])
                let wal = try await BytesWal.open(at: path, configuration: configuration)
                for k in 1...10 { try wal.partition(1).append(record(round * 10 + k)) }
                try expectRecords(wal.partition(1), 1...(round * 10 + 10))
                try await wal.close()
            }
        }
    }

    @Test func `a segment that is not sealed is refused unless the app named its codec`() async throws {
        try await withTemporaryDirectory { path in
            typealias ChangeWal = Wal<Change>
            let plain = try await ChangeWal.open(at: path, configuration: .init(codec: .binary()))
            try plain.partition(1).append(.delete(key: [1]))
            try await plain.close()
            let sealing = AnyWalCodec<Change>.sealed(.binary(), keys: try keyring())
            let error = await expectError(.unknownCodec) {
                try await ChangeWal.open(at: path, configuration: .init(codec: sealing))
            }
            #expect(error?.message.contains("readableCodecs") == true)
            let wal = try await ChangeWal.open(
                at: path, configuration: .init(codec: sealing, readableCodecs: [.binary()]))
            try wal.partition(1).append(.delete(key: [2]))
            var found: [Change] = []
            try wal.partition(1).entries().forEach { found.append($0.record) }
            #expect(found == [.delete(key: [1]), .delete(key: [2])])
            try await wal.close()
        }
    }
}
#endif
