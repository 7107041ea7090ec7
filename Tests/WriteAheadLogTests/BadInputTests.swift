import Foundation
import Testing
import WalTesting
import WriteAheadLog

/// Files that are not what the log wrote: each is a typed error or a reported cut above the last mark. Never a wrong record,
/// never a trap, never the silent loss of a durable record.
@Suite("Bad input", .timeLimit(.minutes(15)))
struct BadInputTests {
    /// What a damaged log may at worst say when it is opened.
    static let refusals: Set<WalError.Code> = [.corrupt, .missing, .unsupportedFormat, .notALog]

    /// A log of three segments, and what of it must never be lost without an error.
    struct Sample {
        var files: [String: [UInt8]]
        /// Up to here a mark in the files says that it was durable.
        var marked: Int
        var appended: Int
        var names: [String] { files.keys.filter { $0.hasSuffix(".wal") }.sorted() }
    }

    /// Three openings make three segments; the last one is closed, or left by a crash with synced and unsynced records.
    static func sample(at path: String, isClosed: Bool) async throws -> Sample {
        for k in 0..<2 {
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            try partition.appendRecords((3 * k + 1)...(3 * k + 2))
            try partition.append(contentsOf: [Payload(record(3 * k + 3))])
            try await wal.close()
        }
        if isClosed {
            let wal = try await BytesWal.open(at: path, configuration: small())
            try wal.partition(1).appendRecords(7...9)
            try await wal.close()
            return Sample(files: try snapshot(path), marked: 9, appended: 9)
        }
        try await abandonedLog(at: path) { partition in
            try partition.appendRecords(7...8)
            try partition.syncAndWait()
            // This one carries the mark of that sync.
            try partition.appendRecords(9...10)
        }
        return Sample(files: try snapshot(path), marked: 8, appended: 10)
    }

    /// Opens what is at `path` and reads it; nil where the outcome is one of those allowed, else what is wrong.
    static func verdict(
        on sample: Sample, at path: String, readOnly: Bool, leavesNothing: Bool = false
    ) -> String? {
        let events = EventLog()
        let wal: BytesWal
        do throws(WalError) {
            wal = try BytesWal.openAndWait(
                at: path, configuration: small(observer: events.observer), readOnly: readOnly)
        } catch {
            return refusals.contains(error.code) ? nil : "open says \(error)"
        }
        defer { try? wal.closeAndWait() }
        do throws(WalError) {
            let read = try wal.partition(1).readAll()
            if !read.isRight { return "a wrong record was delivered" }
            if read.lsns != Array(1..<(UInt64(read.lsns.count) + 1)) { return "LSNs \(read.lsns)" }
            if let error = read.error { return refusals.contains(error.code) ? nil : "reading says \(error)" }
            if read.lsns.count < sample.marked { return "only \(read.lsns.count) records are left, without an error" }
            if read.lsns.count > sample.appended { return "\(read.lsns.count) records came back" }
            // Where the rest is gone to the last byte, there is nothing to tell.
            if !readOnly, !leavesNothing, read.lsns.count < sample.appended {
                guard let cut = events.cuts.first, cut.1?.rawValue == UInt64(read.lsns.count + 1) else {
                    return "a cut to \(read.lsns.count) records was not reported"
                }
            }
            if !readOnly {
                let next = try wal.partition(1).append(Payload(record(read.lsns.count + 1)))
                if next.lsn.rawValue != UInt64(read.lsns.count + 1) { return "the next LSN is \(next.lsn)" }
            }
        } catch {
            return "\(error)"
        }
        return nil
    }

    /// The parts of a file that mean something: all but the zeros between headers and frames, of which each 512th byte is taken.
    static func interesting(_ bytes: [UInt8]) -> [Int] {
        bytes.indices.filter { k in
            k % 512 == 0 || bytes[max(0, k - 8)..<min(bytes.count, k + 9)].contains { $0 != 0 }
        }
    }

    @Test("every flipped bit", arguments: [true, false])
    func flippedBits(_ isClosed: Bool) async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: isClosed)
            #expect(sample.names.count == 3)
            for (name, clean) in sample.files where !clean.isEmpty {
                var bytes = clean
                for place in Self.interesting(clean) {
                    for bit in 0..<8 {
                        bytes[place] ^= 1 << bit
                        try writeFile("\(path)/\(name)", bytes)
                        if let wrong = Self.verdict(on: sample, at: path, readOnly: true) {
                            Issue.record("\(name) byte \(place) bit \(bit), reading only: \(wrong)")
                        }
                        // Writing may mend: all files are made anew, so only some.
                        if (place * 8 + bit) % 23 == 0 {
                            if let wrong = Self.verdict(on: sample, at: path, readOnly: false) {
                                Issue.record("\(name) byte \(place) bit \(bit): \(wrong)")
                            }
                            try restore(sample.files, to: path)
                        }
                        bytes[place] = clean[place]
                    }
                }
                try writeFile("\(path)/\(name)", clean)
            }
        }
    }

    @Test("every length to which a file was cut", arguments: [true, false])
    func truncatedFiles(_ isClosed: Bool) async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: isClosed)
            for (name, clean) in sample.files where !clean.isEmpty {
                for length in [0, 1] + Self.interesting(clean) {
                    try writeFile("\(path)/\(name)", Array(clean[..<length]))
                    if let wrong = Self.verdict(on: sample, at: path, readOnly: true) {
                        Issue.record("\(name) cut to \(length), reading only: \(wrong)")
                    }
                    if length % 5 == 0 {
                        if let wrong = Self.verdict(on: sample, at: path, readOnly: false, leavesNothing: true) {
                            Issue.record("\(name) cut to \(length): \(wrong)")
                        }
                        try restore(sample.files, to: path)
                    }
                }
                try writeFile("\(path)/\(name)", clean)
            }
        }
    }

    @Test("zeros from anywhere to the end, and single pages", arguments: [true, false])
    func zeroedFiles(_ isClosed: Bool) async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: isClosed)
            for (name, clean) in sample.files where !clean.isEmpty {
                var ranges = Self.interesting(clean).filter { $0 % 8 == 0 }.map { $0..<clean.count }
                ranges += stride(from: 0, to: clean.count, by: 4096).map { $0..<min($0 + 4096, clean.count) }
                for range in ranges {
                    var bytes = clean
                    for k in range { bytes[k] = 0 }
                    try writeFile("\(path)/\(name)", bytes)
                    if let wrong = Self.verdict(on: sample, at: path, readOnly: true) {
                        Issue.record("\(name) zero in \(range), reading only: \(wrong)")
                    }
                    if let wrong = Self.verdict(on: sample, at: path, readOnly: false, leavesNothing: true) {
                        Issue.record("\(name) zero in \(range): \(wrong)")
                    }
                    try restore(sample.files, to: path)
                }
            }
        }
    }

    @Test("a whole file gone", arguments: [true, false])
    func missingFiles(_ isClosed: Bool) async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: isClosed)
            for (name, clean) in sample.files where !clean.isEmpty {
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
                for readOnly in [true, false] {
                    if let wrong = Self.verdict(on: sample, at: path, readOnly: readOnly, leavesNothing: true) {
                        Issue.record("\(name) gone, readOnly \(readOnly): \(wrong)")
                    }
                    try restore(sample.files, to: path)
                    if readOnly { try FileManager.default.removeItem(atPath: "\(path)/\(name)") }
                }
            }
        }
    }

    @Test("foreign bytes in a durable segment's place are an error, and stay untouched")
    func foreignFiles() async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: true)
            var random = SeededGenerator(seed: 1)
            let foreign: [[UInt8]] = [
                Array("#!/bin/sh\necho hello\n".utf8), random.bytes(count: 5_000), random.bytes(count: 50_000),
                [UInt8](repeating: 0xFF, count: 20_000),
            ]
            for name in sample.names {
                for bytes in foreign {
                    try writeFile("\(path)/\(name)", bytes)
                    let before = try snapshot(path)
                    let error = await expectError(.corrupt) {
                        try await BytesWal.open(at: path, configuration: small())
                    }
                    #expect(error?.partition == 1 && error?.segment != nil)
                    #expect(try snapshot(path) == before)
                    try restore(sample.files, to: path)
                }
            }
        }
    }

    @Test("a segment moved from another partition, or renamed, is an error")
    func movedFiles() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            for id in 1...2 { try wal.partition(.init(rawValue: UInt16(id))).appendRecords(1...3) }
            try await wal.close()
            let clean = try snapshot(path)
            try writeFile(segmentPath(path, 1), readFile(segmentPath(path, 2)))
            await expectError(.foreign) { try await BytesWal.open(at: path, configuration: small()) }
            try restore(clean, to: path)
            try FileManager.default.moveItem(atPath: segmentPath(path, 1, 1), toPath: segmentPath(path, 1, 2))
            await expectError(.foreign) { try await BytesWal.open(at: path, configuration: small()) }
        }
    }

    @Test("a file where a directory should be, and the other way round")
    func wrongKinds() async throws {
        try await withTemporaryDirectory { path in
            try writeFile("\(path)/file", [1, 2, 3])
            await expectError(.notALog) { try await BytesWal.open(at: "\(path)/file", configuration: small()) }
            await expectError(.notALog) { try await BytesWal.openReadOnly(at: "\(path)/file", configuration: small()) }
            await expectError(.notFound) { try await BytesWal.openReadOnly(at: "\(path)/none", configuration: small()) }
            await expectError(.notFound) { try await BytesWal.open(at: "\(path)/none/none", configuration: small()) }
            await expectError(.invalidArgument) { try await BytesWal.open(at: "", configuration: small()) }
            #expect(try readFile("\(path)/file") == [1, 2, 3])
        }
        let cases: [(String, Bool)] = [
            ("partition-00001", false), ("LOCK", true), ("partition-00001/STATE", true),
            ("partition-00001/00000000000000000001.wal", true),
        ]
        for (name, isDirectory) in cases {
            try await withTemporaryDirectory { path in
                _ = try await Self.sample(at: path, isClosed: true)
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
                if isDirectory {
                    try FileManager.default.createDirectory(
                        atPath: "\(path)/\(name)", withIntermediateDirectories: true)
                } else {
                    try writeFile("\(path)/\(name)", [1])
                }
                await expectError(.notALog) { try await BytesWal.open(at: path, configuration: small()) }
            }
        }
    }

    @Test("a pipe in a segment's place is an error, not a wait")
    func pipes() async throws {
        try await withTemporaryDirectory { path in
            _ = try await Self.sample(at: path, isClosed: true)
            for name in ["00000000000000000001.wal", "STATE"] {
                try FileManager.default.removeItem(atPath: "\(partitionPath(path))/\(name)")
                #expect(mkfifo("\(partitionPath(path))/\(name)", 0o600) == 0)
                await expectError(.notALog) { try await BytesWal.open(at: path, configuration: small()) }
                await expectError(.notALog) { try await BytesWal.openReadOnly(at: path, configuration: small()) }
            }
        }
    }

    @Test("files without permissions", .enabled(if: geteuid() != 0, "root may read everything"))
    func permissions() async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: true)
            let manager = FileManager.default
            for name in sample.files.keys + ["LOCK", ""] {
                let place = "\(path)/\(name)"
                let before = try manager.attributesOfItem(atPath: place)[.posixPermissions]
                try manager.setAttributes([.posixPermissions: 0], ofItemAtPath: place)
                await expectError(.permissionDenied) { try await BytesWal.open(at: path, configuration: small()) }
                try manager.setAttributes([.posixPermissions: before ?? 0o700], ofItemAtPath: place)
            }
            let wal = try await BytesWal.open(at: path, configuration: small())
            try expectRecords(wal.partition(1), 1...9)
            try await wal.close()
        }
    }

    @Test(
        "permission refused by the system, wherever it happens",
        arguments: ["LOCK", "STATE", ".wal", "partition-00001"])
    func injectedPermissions(_ name: String) async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: true)
            let storage = FaultyStorage()
            storage.fail([.openFile, .openDirectory], of: name, errno: EACCES)
            let error = await expectError(.permissionDenied) {
                try await BytesWal.open(at: path, configuration: small(), storage: storage)
            }
            #expect(error?.errno == EACCES)
            storage.heal()
            #expect(try snapshot(path) == sample.files)
            let wal = try await BytesWal.open(at: path, configuration: small(), storage: storage)
            try expectRecords(wal.partition(1), 1...9)
            try await wal.close()
            #expect(storage.openFiles <= 1)
        }
    }

    @Test("a device that fails to read is an error with its errno, and nothing is touched")
    func failingReads() async throws {
        try await withTemporaryDirectory { path in
            let sample = try await Self.sample(at: path, isClosed: false)
            for skipped in 0..<12 {
                let storage = FaultyStorage()
                storage.fail([.read, .size, .list], of: "partition-00001", skipping: skipped, times: 1, errno: EIO)
                let error = await expectError(.io) {
                    try await BytesWal.open(at: path, configuration: small(), storage: storage)
                }
                #expect(error?.errno == EIO)
                #expect(try snapshot(path) == sample.files)
            }
        }
    }

    @Test("a log that was closed refuses everything, with .closed")
    func closedLog() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            try partition.appendRecords(1...3)
            try await wal.close()
            try await wal.close()
            await expectError(.closed) { try partition.append(Payload([])) }
            await expectError(.closed) { try await partition.append(Payload([]), durability: .synced) }
            await expectError(.closed) { try partition.append(contentsOf: [Payload([])]) }
            await expectError(.closed) { try partition.purge(before: 2) }
            await expectError(.closed) { try wal.partition(2) }
            await expectError(.closed) { try wal.append(Payload([]), to: 2) }
            await expectError(.closed) { try await partition.sync() }
            await expectError(.closed) { try await wal.sync() }
            await expectError(.closed) { try partition.syncAndWait() }
            var tail = try partition.tail().makeAsyncIterator()
            for lsn in 1...3 { #expect(try await tail.next()?.lsn.rawValue == UInt64(lsn)) }
            #expect(try await tail.next() == nil)
        }
    }

    @Test("positions and LSNs that no log gave out are errors")
    func wildPositions() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await BytesWal.open(at: path, configuration: small())
            let partition = try wal.partition(1)
            try partition.appendRecords(1...5)
            let good = try partition.append(contentsOf: []).position
            await expectError(.outOfRange) { try partition.entries(from: .lsn(7)) }
            await expectError(.outOfRange) { try partition.entries(from: .lsn(LSN(UInt64.max))) }
            await expectError(.outOfRange) { try partition.entries(from: .after(LSN(UInt64.max))) }
            await expectError(.invalidArgument) { try partition.entries(from: .lsn(0)) }
            for lsn: UInt64 in [0, 7, 1 << 40, .max] {
                var wild = good
                wild.lsn = LSN(lsn)
                await expectError(.positionLost) { try partition.entries(from: .after(wild)) }
            }
            // The hint may be anything: the frame decides.
            for offset: UInt64 in [0, 1, 12_287, 12_288, 12_289, 12_296, 1 << 20, 1 << 62, 1 << 63, .max] {
                for segment: UInt64 in [0, 1, 2, .max] {
                    var wild = good
                    wild.lsn = 3
                    wild.offset = offset
                    wild.segment = LSN(segment)
                    try expectRecords(partition, 3...5, from: .after(wild))
                }
            }
            try await wal.close()
        }
    }
}
