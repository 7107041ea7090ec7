#if Crypto
import Crypto
import Foundation
import Testing
import WalSealed
import WriteAheadLog

/// What somebody who has the files and no key can do to them, with every checksum made right again.
@Suite(.timeLimit(.minutes(15)))
struct TamperingTests {
    /// Two records, a batch of three, one record.
    private func makeLog(_ path: String, partitions: [PartitionID] = [1], keys: WalKeyring) async throws {
        let wal = try await BytesWal.open(at: path, configuration: sealed(keys))
        for id in partitions {
            let partition = try wal.partition(id)
            for k in 1...2 { try partition.append(record(k)) }
            try partition.append(contentsOf: (3...5).map(record))
            try partition.append(record(6))
        }
        try await wal.close()
    }

    /// Reads, and expects that what comes is right and that it ends in an error before or at that LSN.
    private func expectRefused(
        _ path: String, _ keys: WalKeyring, partition: PartitionID = 1, at lsn: UInt64? = nil, _ what: String,
        codes: Set<WalError.Code> = [.notAuthentic], _ location: SourceLocation = #_sourceLocation
    ) async {
        let (found, error) = await readAll(path, keys, partition: partition)
        #expect(found.allSatisfy { $0.value == record($0.key) }, "\(what)", sourceLocation: location)
        guard let error else {
            Issue.record("no error: \(what)", sourceLocation: location)
            return
        }
        #expect(codes.contains(error.code), "\(what): \(error)", sourceLocation: location)
        if let lsn {
            #expect(error.lsn == LSN(lsn) && error.partition == partition, "\(what)", sourceLocation: location)
        }
    }

    @Test func `every byte of a sealed frame that is turned is found`() async throws {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            try await makeLog(path, keys: keys)
            let whole = try readFile(segmentPath(path))
            for (frame, lsn) in zip(frames(of: whole), [1, 2, 3, 6] as [UInt64]) where lsn >= 2 {
                // Behind length and sum: LSN and kind, count, number, ciphertext, tag.
                for place in (frame.lowerBound + 8)..<frame.upperBound {
                    var bytes = whole
                    bytes[place] ^= 1 << UInt8(place % 8)
                    sum(&bytes, frame)
                    try writeFile(segmentPath(path), bytes)
                    await expectRefused(
                        path, keys, "byte \(place - frame.lowerBound) of LSN \(lsn)",
                        codes: [.notAuthentic, .corrupt, .unsupportedFormat, .missing])
                    guard place >= frame.lowerBound + 20 else { continue }
                    await expectRefused(path, keys, at: lsn, "byte \(place - frame.lowerBound) of LSN \(lsn)")
                }
            }
        }
    }

    @Test func `a frame that is cut shorter is found`() async throws {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            try await makeLog(path, keys: keys)
            let whole = try readFile(segmentPath(path))
            let frame = frames(of: whole)[1]
            // No shorter than what pads to the same size, so that the next frame stays where it is.
            for length in (FileFormat.padded(frame.count) - 7)..<frame.count {
                var bytes = whole
                bytes.store(UInt32(length), at: frame.lowerBound)
                for place in (frame.lowerBound + length)..<frame.upperBound { bytes[place] = 0 }
                sum(&bytes, frame.lowerBound..<(frame.lowerBound + length))
                try writeFile(segmentPath(path), bytes)
                await expectRefused(path, keys, at: 2, "\(length) of \(frame.count) bytes")
            }
        }
    }

    @Test func `every byte of the header that is turned is found`() async throws {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            try await makeLog(path, keys: keys)
            let whole = try readFile(segmentPath(path))
            let area = whole.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 84, as: UInt32.self)) }
            for place in 8..<FileFormat.headerSize where place < 88 + area || place % 97 == 0 {
                // The sum itself.
                if (88 + area..<92 + area).contains(place) { continue }
                var bytes = whole
                bytes[place] ^= 1
                bytes.store(bytes.crc32c(0..<(88 + area)), at: 88 + area)
                // With another salt the frames' sums are made right too.
                for frame in frames(of: bytes) { sum(&bytes, frame) }
                try writeFile(segmentPath(path), bytes)
                let (found, error) = await readAll(path, keys)
                #expect(found.isEmpty && error != nil, "byte \(place)")
            }
        }
    }

    @Test func `a frame put in the place of another is found, in the same segment, another one and another partition`()
        async throws
    {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            for partition in [1, 2] as [PartitionID] { try await makeLog(path, partitions: [partition], keys: keys) }
            // A second segment of the same partition, and records of the same length everywhere.
            let wal = try await BytesWal.open(at: path, configuration: sealed(keys))
            for k in 7...8 { try wal.partition(1).append(record(k)) }
            try await wal.close()
            let first = try readFile(segmentPath(path))
            let others = [
                (first, "an earlier one of the segment"), (try readFile(segmentPath(path, 2)), "another partition"),
                (try readFile(segmentPath(path, 1, 7)), "a later segment"),
            ]
            let target = frames(of: first)[1]
            for (other, what) in others {
                let source = frames(of: other)[other == first ? 0 : 1]
                var content = Array(other[(source.lowerBound + 16)..<source.upperBound])
                // Where it is longer, it can't stand there at all.
                content = Array(content.prefix(target.count - 16))
                var bytes = first
                bytes.store(UInt32(16 + content.count), at: target.lowerBound)
                for place in (target.lowerBound + 16)..<target.upperBound { bytes[place] = 0 }
                bytes.replaceSubrange(
                    (target.lowerBound + 16)..<(target.lowerBound + 16 + content.count), with: content)
                sum(&bytes, target.lowerBound..<(target.lowerBound + 16 + content.count))
                guard FileFormat.padded(16 + content.count) == FileFormat.padded(target.count) else { continue }
                try writeFile(segmentPath(path), bytes)
                await expectRefused(path, keys, at: 2, what)
            }
        }
    }

    @Test func `frames of the same length that change places are found`() async throws {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            let wal = try await BytesWal.open(at: path, configuration: sealed(keys))
            let same = Payload(marker)
            for id in [1, 2] as [PartitionID] { for _ in 1...4 { try wal.partition(id).append(same) } }
            try await wal.close()
            let (one, two) = (try readFile(segmentPath(path)), try readFile(segmentPath(path, 2)))
            for (from, what) in [(one, "the next LSN"), (two, "another partition")] {
                let target = frames(of: one)[1]
                let source = frames(of: from)[from == one ? 2 : 1]
                var bytes = one
                bytes.replaceSubrange(
                    (target.lowerBound + 16)..<target.upperBound,
                    with: from[(source.lowerBound + 16)..<source.upperBound])
                sum(&bytes, target)
                try writeFile(segmentPath(path), bytes)
                let reader = try await BytesWal.openReadOnly(at: path, configuration: sealed(keys))
                var cursor = try reader.partition(1).entries().makeCursor()
                #expect(try cursor.next()?.record == same)
                let error = await expectError(.notAuthentic) { try cursor.next() }
                #expect(error?.lsn == 2, "\(what)")
                // It stays so.
                await expectError(.notAuthentic) { try cursor.next() }
                try await reader.close()
            }
        }
    }

    @Test func `a whole segment file of another partition or of another place is found`() async throws {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            try await makeLog(path, partitions: [1, 2], keys: keys)
            var bytes = try readFile(segmentPath(path, 2))
            // With the partition's number and all sums made right.
            bytes.store(UInt32(1), at: 20)
            let area = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 84, as: UInt32.self)) }
            bytes.store(bytes.crc32c(0..<(88 + area)), at: 88 + area)
            try writeFile(segmentPath(path), bytes)
            await expectRefused(path, keys, at: 1, "another partition's file")
        }
    }

    @Test func `a frame that is not sealed is found in a sealed segment`() async throws {
        try await withTemporaryDirectory { path in
            let keys = try keyring()
            try await makeLog(path, keys: keys)
            let whole = try readFile(segmentPath(path))
            for (number, frame) in frames(of: whole).enumerated() {
                var bytes = whole
                bytes[frame.lowerBound + 15] = FrameKind.opened(bytes[frame.lowerBound + 15])
                sum(&bytes, frame)
                try writeFile(segmentPath(path), bytes)
                await expectRefused(
                    path, keys, at: ([1, 2, 3, 6] as [UInt64])[number], "frame \(number)",
                    codes: number == 2 ? [.corrupt, .notAuthentic] : [.notAuthentic])
            }
        }
    }
}
#endif
