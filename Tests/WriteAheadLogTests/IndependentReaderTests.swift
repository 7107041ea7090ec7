import Foundation
import Testing
import WalBinary
import WalTesting
import WriteAheadLog

/// `Tests/independent-reader/read_wal.py`, run as a process.
private struct IndependentReader {
    /// From PATH; nil where there is none.
    static let python: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/python3" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "independent-reader/read_wal.py").path

    var status: Int32
    /// `partition lsn hex`
    var lines: [String]
    var errors: String

    static func read(_ path: String, _ options: [String] = []) async throws -> IndependentReader {
        // Files, for a pipe would have to be emptied while the process runs.
        let (output, errors) = ("\(path).listing", "\(path).errors")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: try #require(python))
        process.arguments = ["-B", script] + options + [path]
        process.standardInput = FileHandle.nullDevice
        for name in [output, errors] { try writeFile(name, []) }
        process.standardOutput = FileHandle(forWritingAtPath: output)
        process.standardError = FileHandle(forWritingAtPath: errors)
        // Not `waitUntilExit`, which would keep one of few threads from the other tests.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            process.terminationHandler = { _ in continuation.resume() }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        #expect(process.terminationReason == .exit)
        let printed = String(decoding: try readFile(output), as: UTF8.self)
        let said = String(decoding: try readFile(errors), as: UTF8.self)
        #expect(!said.contains("Traceback"), "\(said)")
        return IndependentReader(
            status: process.terminationStatus, lines: printed.split(separator: "\n").map(String.init), errors: said)
    }
}

/// What the library lists: up to an error, if there is one.
private func listing(_ path: String) async -> (lines: [String], error: WalError?) {
    var lines: [String] = []
    do throws(WalError) {
        let wal = try await BytesWal.openReadOnly(at: path, configuration: .init(codec: .bytes(), check: .full))
        for id in wal.partitionIDs {
            var cursor = try wal.partition(id).entries().makeCursor()
            while let entry = try cursor.nextPayload() {
                let hex = entry.bytes.map { (UInt8($0 >> 4), $0 & 15) }
                    .map { "\(String($0.0, radix: 16))\(String($0.1, radix: 16))" }.joined()
                lines.append("\(id) \(entry.lsn) \(hex)")
            }
        }
        try await wal.close()
        return (lines, nil)
    } catch {
        return (lines, error)
    }
}

private struct Figure: Codable, WalCodable, Equatable {
    var number: Int
    var name: String
    static let walTypeName = "figure"
}

/// Not the binary codec: another one for the same records.
private struct FigureCodec: WalCodec {
    static var id: UInt32 { 0x8000_0007 }
    var name: String { "figure" }
    var parameters: [UInt8] { [7, 7] }

    func encode(_ record: borrowing Figure, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(varint: UInt64(record.number))
        encoder.write(utf8: record.name)
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Figure {
        let number = Int(truncatingIfNeeded: try decoder.readVarint())
        return Figure(number: number, name: try decoder.readString(utf8Count: decoder.remaining))
    }
}

@Suite(
    "The second reader of the format, in Python, agrees",
    .serialized, .enabled(if: IndependentReader.python != nil, "python3 is not installed"), .timeLimit(.minutes(15)))
struct IndependentReaderTests {
    /// How many histories are simulated; more on demand.
    private static let seeds = ProcessInfo.processInfo.environment["WAL_READER_SEEDS"].flatMap { Int($0) } ?? 15

    /// Small segments, so that there are many.
    private static func tiny(codec: AnyWalCodec<Payload> = .bytes()) -> BytesWal.Configuration {
        var configuration = BytesWal.Configuration(segmentSize: 14_000, codec: codec)
        configuration.minimumSegmentSize = 13_000
        return configuration
    }

    /// Both list the same, and find it whole.
    @discardableResult
    private func expectSame(_ path: String, _ what: String = "", _ location: SourceLocation = #_sourceLocation)
        async throws -> [String]
    {
        let theirs = try await IndependentReader.read(path)
        let ours = await listing(path)
        #expect(ours.error == nil, "\(what)", sourceLocation: location)
        #expect(theirs.status == 0 && theirs.errors.isEmpty, "\(what): \(theirs.errors)", sourceLocation: location)
        let isSame = theirs.lines == ours.lines
        #expect(isSame, "\(what): \(theirs.lines.count) and \(ours.lines.count)", sourceLocation: location)
        return theirs.lines
    }

    /// Of a log that may be damaged. Where the second reader finds nothing wrong, both list the same; where the library finds
    /// damage, so does the second reader, and what that lists before it is `whole`'s beginning.
    @discardableResult
    private func expectAgreement(
        _ path: String, whole: [String], _ what: String, _ location: SourceLocation = #_sourceLocation
    ) async throws -> Int32 {
        let theirs = try await IndependentReader.read(path)
        let ours = await listing(path)
        let verified = try await WalVerification.verify(at: path)
        #expect(theirs.status == 0 || theirs.status == 1, "\(what): \(theirs.errors)", sourceLocation: location)
        if theirs.status == 0 {
            #expect(ours.error == nil, "\(what): \(theirs.errors)", sourceLocation: location)
            let isSame = theirs.lines == ours.lines
            #expect(
                isSame, "\(what): \(theirs.lines.count) and \(ours.lines.count): \(theirs.errors)",
                sourceLocation: location)
        } else {
            #expect(verified.isDamaged, "\(what): \(theirs.errors)", sourceLocation: location)
        }
        if ours.error != nil { #expect(theirs.status == 1, "\(what): \(ours)", sourceLocation: location) }
        // What was written, and no more: but a partition that is damaged ends early.
        let isPart = Set(theirs.lines).isSubset(of: whole)
        #expect(isPart, "\(what)", sourceLocation: location)
        return theirs.status
    }

    @Test("on partitions with rotations, batches, marks, an index, a purge")
    func inOrder() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/log"
            for round in 0..<3 {
                let wal = try await BytesWal.open(at: path, configuration: small())
                for id: PartitionID in [0, 7, 65_535] {
                    let partition = try wal.partition(id)
                    for k in 1...200 {
                        switch k % 40 {
                        case 3: try await partition.append(Payload(record(k)), durability: .synced)
                        case 7: try partition.append(contentsOf: (0..<k).map { Payload(record($0)) })
                        case 9: try partition.append(Payload([]))
                        case 11: try partition.append(Payload([UInt8](repeating: UInt8(round), count: 3_000)))
                        default: try partition.append(Payload(record(k)))
                        }
                    }
                }
                if round == 1 { try wal.partition(7).purge(before: 900) }
                if round < 2 {
                    try await wal.close()
                } else {
                    // Still open, with nothing going on.
                    try await wal.sync()
                }
                let lines = try await expectSame(path, "round \(round)")
                #expect(lines.count > 500 * (round + 1))
                if round == 2 { try await wal.close() }
            }
            let purged = try await expectSame(path)
            #expect(purged.first { $0.hasPrefix("7 ") } != nil && !purged.contains { $0.hasPrefix("7 1 ") })
        }
    }

    @Test("on an index")
    func index() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/log"
            let configuration = BytesWal.Configuration(segmentSize: 512 << 10, codec: .bytes())
            let wal = try await BytesWal.open(at: path, configuration: configuration)
            let partition = try wal.partition(1)
            for k in 0..<700 {
                try partition.append(Payload([UInt8](repeating: UInt8(k & 255), count: 1_000 + k)))
                // So that a mark is owed, and may stand where an index entry points.
                if k % 10 == 0 { try await partition.sync() }
            }
            try await wal.close()
            try await expectSame(path)
            let summary = try await IndependentReader.read(path, ["--info"])
            #expect(summary.lines.contains { $0.contains(", 7 index entries") || $0.contains(", 8 index entries") })
        }
    }

    @Test("on segments of two codecs in one partition, and on a log that was truncated")
    func codecs() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/log"
            let codecs: [AnyWalCodec<Figure>] = [.binary(), AnyWalCodec(FigureCodec()), .binary()]
            for (round, codec) in codecs.enumerated() {
                let wal = try await Wal<Figure>.open(
                    at: path, configuration: .init(segmentSize: 64 << 10, codec: codec, readableCodecs: codecs))
                for k in 0..<20 { try wal.partition(3).append(Figure(number: k, name: "round \(round)")) }
                try await wal.close()
            }
            #expect(try await expectSame(path).count == 60)
            let decoded = try await IndependentReader.read(path, ["--json", "--decode"]).lines
            #expect(decoded.filter { $0.contains(#""value": {"number": 3, "name": "round 2"}"#) }.count == 1)
            #expect(decoded.filter { $0.contains(#""codec": 2147483655"#) }.count == 20)

            let old = try snapshot(path)
            let wal = try await Wal<Figure>.open(
                at: path, configuration: .init(codec: .binary(), truncate: true))
            for k in 0..<5 { try wal.partition(3).append(Figure(number: k, name: "new")) }
            try await wal.close()
            #expect(try await expectSame(path).count == 5)
            // A file system that forgot the removals.
            for (name, bytes) in old where name.hasSuffix("41.wal") { try writeFile("\(path)/\(name)", bytes) }
            #expect(try await expectSame(path).count == 5)
        }
    }

    @Test("on a log whose writer was killed, with a tail that is torn in many ways")
    func torn() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/log"
            // What was synced says so only in STATE, in a mark, in a mark frame.
            for kind in 0..<3 {
                try? FileManager.default.removeItem(atPath: path)
                try await abandonedLog(at: path, Self.tiny()) { partition in
                    try partition.appendRecords(1...12)
                    if kind > 0 { try partition.syncAndWait() }
                    if kind > 1 { try partition.appendRecords(13...14) }
                }
                let whole = try await expectSame(path, "kind \(kind)")
                let name = try #require(try segmentNames(path).last)
                let file = "\(partitionPath(path))/\(name)"
                let bytes = try readFile(file)
                let found = frames(of: bytes)
                var statuses: Set<Int32> = []
                for frame in found.suffix(4) {
                    for at in [frame.lowerBound, frame.lowerBound + 9, frame.upperBound - 9] {
                        var worse = bytes
                        worse[at] ^= 0x40
                        try writeFile(file, worse)
                        statuses.insert(try await expectAgreement(path, whole: whole, "kind \(kind), flip \(at)"))
                        try writeFile(file, Array(bytes[..<at]))
                        statuses.insert(try await expectAgreement(path, whole: whole, "kind \(kind), cut \(at)"))
                        worse = bytes
                        for k in at..<frame.upperBound { worse[k] = 0 }
                        try writeFile(file, worse)
                        statuses.insert(try await expectAgreement(path, whole: whole, "kind \(kind), zeros \(at)"))
                    }
                }
                #expect(statuses == [[0], [1], [0, 1]][kind], "kind \(kind)")
            }
        }
    }

    @Test("on a closed log with a bit that turned over anywhere, or a file that is gone")
    func damage() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory + "/log"
            for k in 0..<2 {
                let wal = try await BytesWal.open(at: path, configuration: Self.tiny())
                try wal.partition(1).appendRecords((1 + 40 * k)...(40 + 40 * k))
                try await wal.close()
            }
            let whole = try await expectSame(path)
            var numbers = SeededGenerator(seed: 5)
            let files = try snapshot(path).filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
            #expect(files.count > 3)
            var damaged = 0
            for (name, bytes) in files {
                for round in 0..<max(8, Self.seeds / 5) {
                    var worse = bytes
                    // Zeros between headers and frames are many.
                    let at =
                        round % 2 == 0 || bytes.count < 12_288
                        ? numbers.below(min(100, bytes.count)) : 12_288 + numbers.below(bytes.count - 12_288)
                    worse[at] ^= 1 << UInt8(numbers.below(8))
                    try writeFile("\(path)/\(name)", worse)
                    if try await expectAgreement(path, whole: whole, "\(name), flip \(at)") == 1 { damaged += 1 }
                }
                try FileManager.default.removeItem(atPath: "\(path)/\(name)")
                _ = try await expectAgreement(path, whole: whole, "without \(name)")
                try writeFile("\(path)/\(name)", bytes)
            }
            #expect(damaged > 10)
        }
    }

    @Test("on what kills and losses of power leave, before and after recovery")
    func crashes() async throws {
        var torn = 0
        for seed in 1...Self.seeds {
            try await withTemporaryDirectory { directory in
                let path = directory + "/log"
                let disk = SimulatedDisk(seed: UInt64(seed))
                disk.exposesFreedBlocks = seed % 5 == 0
                var configuration = Self.tiny()
                if seed % 3 == 0 { configuration.writes = .written }
                for life in 0..<3 {
                    let (plan, number) = (configuration, UInt64(10 * seed + life))
                    try disk.run {
                        var numbers = SeededGenerator(seed: number)
                        let wal = try await disk.open(plan)
                        for _ in 0..<(10 + numbers.below(40)) {
                            let partition = try wal.partition(PartitionID(rawValue: UInt16(numbers.below(2))))
                            let bytes = numbers.bytes(count: numbers.below(6) == 0 ? 900 : numbers.below(60))
                            switch numbers.below(12) {
                            case 0: try await partition.sync()
                            case 1: try await partition.append(Payload(bytes), durability: .synced)
                            case 2, 3: try partition.append(contentsOf: (0..<4).map { _ in Payload(bytes) })
                            case 4: disk.advanceClock(nanoseconds: 1_500_000_000)
                            case 5 where partition.lastLSN > 12:
                                try partition.purge(before: LSN(partition.lastLSN.rawValue - 10))
                            default: try partition.append(Payload(bytes))
                            }
                        }
                        if numbers.chance(6) { try await wal.close() }
                    }
                    disk.crash(seed % 4 == 0 ? .kill : .powerLoss)
                    disk.restart()
                    try? FileManager.default.removeItem(atPath: path)
                    for (name, bytes) in disk.files() {
                        let file = "\(path)/\(name)"
                        try FileManager.default.createDirectory(
                            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                        try writeFile(file, bytes)
                    }
                    let theirs = try await IndependentReader.read(path)
                    if theirs.errors.contains("torn:") { torn += 1 }
                    #expect(theirs.status == 0, "seed \(seed), life \(life): \(theirs.errors)")
                    // Recovery keeps what the second reader listed, makes it whole, and both read it then.
                    let wal = try await BytesWal.open(at: path, configuration: Self.tiny())
                    try await wal.close()
                    let after = try await expectSame(path, "seed \(seed), life \(life)")
                    let isSame = theirs.lines == after
                    #expect(isSame, "seed \(seed), life \(life): \(theirs.errors)")
                }
            }
        }
        #expect(torn > Self.seeds / 3)
    }
}
