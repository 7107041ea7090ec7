import Testing
import WalTesting
import WriteAheadLog

/// A frame with a right checksum whose records don't fit it: only a program with a bug, or somebody who means it, writes one.
@Suite("A batch that does not hold the records that it states is no frame", .timeLimit(.minutes(15)))
struct BatchContentTests {
    /// Two records, a batch of two, and what the batch's payload became.
    private static func log(at path: String, isDurable: Bool, payload: [UInt8]) async throws {
        try await abandonedLog(at: path) { partition in
            try partition.appendRecords(1...2)
            try partition.append(contentsOf: [Payload(record(3)), Payload(record(4))])
            // The segment's first sync: STATE says how far it went.
            if isDurable { try partition.syncAndWait() }
        }
        var bytes = try readFile(segmentPath(path))
        let header = try bytes.withUnsafeBytes { try SegmentHeader(decoding: $0) }
        let last = try #require(frames(of: bytes).last)
        let length = UInt32(FileFormat.frameHeaderSize + payload.count)
        let word = UInt64(3) | UInt64(FrameKind.batch) << 56
        let sum = payload.withUnsafeBytes {
            frameChecksum(payload: payloadChecksum($0), length: length, word: word, salt: header.salt)
        }
        for k in last { bytes[k] = 0 }
        bytes.store(length, at: last.lowerBound)
        bytes.store(sum, at: last.lowerBound + 4)
        bytes.store(word, at: last.lowerBound + 8)
        for (k, byte) in payload.enumerated() { bytes[last.lowerBound + FileFormat.frameHeaderSize + k] = byte }
        try writeFile(segmentPath(path), bytes)
    }

    private static let payloads: [[UInt8]] = [
        [1, 0, 0, 0, 9, 0, 0, 0, 7],  // a record of 9 bytes in 1
        [2, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0],  // the second is missing
        [1, 0, 0, 0, 1, 0, 0, 0, 7, 7],  // a byte too many
        [0, 0, 0, 0],
    ]

    @Test("above the mark the log ends before it", arguments: payloads)
    func torn(_ payload: [UInt8]) async throws {
        try await withTemporaryDirectory { path in
            try await Self.log(at: path, isDurable: false, payload: payload)
            let found = try await WalVerification.verify(at: path)
            #expect(found.damage.isEmpty && found.partitions.first?.tornTail?.lsn == 3)
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(3...5)
            try expectRecords(wal.partition(1), 1...5)
            try await wal.close()
            #expect(try await WalVerification.verify(at: path).damage.isEmpty)
        }
    }

    @Test("below the mark it is damage", arguments: payloads)
    func damage(_ payload: [UInt8]) async throws {
        try await withTemporaryDirectory { path in
            try await Self.log(at: path, isDurable: true, payload: payload)
            let files = try snapshot(path)
            var configuration = small()
            configuration.check = .full
            let error = await expectError(.corrupt) { try await BytesWal.open(at: path, configuration: configuration) }
            #expect(error?.partition == 1 && error?.segment == 1 && error?.lsn == 3)
            #expect(try snapshot(path) == files)
            let found = try await WalVerification.verify(at: path)
            #expect(found.damage.first?.lsn == 3 && found.damage.first?.code == .corrupt)
        }
    }
}
