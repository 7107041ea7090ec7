import Foundation
import Testing
import WriteAheadLog

/// Files that a released version wrote, kept for ever: every later one must read them (promise 12), and must go on to write
/// headers, marks, footers and STATE that are the same to the byte.
///
/// `Golden/v1` is what nobody reads: version 1 was never released. `Golden/v2` was made by running this suite with `WAL_MAKE_GOLDEN` naming a directory: partition 7 holds one sealed segment,
/// partition 8 what a killed process leaves.
@Suite("Golden files")
struct GoldenFileTests {
    static let sealedRecords = (1...20).map { Array("golden record \($0)".utf8) + [UInt8](repeating: 7, count: $0 % 9) }

    static func write(to path: String) async throws {
        let configuration = Wal<Payload>.Configuration(segmentSize: 64 << 10, codec: .bytes())
        let wal = try await Wal<Payload>.open(at: path, configuration: configuration)
        let sealed = try wal.partition(7)
        for record in sealedRecords[..<5] { try sealed.append(Payload(record)) }
        try await sealed.sync()
        try sealed.append(contentsOf: sealedRecords[5..<15].map { Payload($0) })
        for record in sealedRecords[15...] { try await sealed.append(Payload(record), durability: .synced) }
        try await wal.close()
        // Not closed: what a killed process leaves.
        let killed = try await Wal<Payload>.open(at: path, configuration: configuration)
        let torn = try killed.partition(8)
        for record in sealedRecords[..<3] { try await torn.append(Payload(record), durability: .synced) }
        for record in sealedRecords[3..<6] { try torn.append(Payload(record)) }
    }

    static func withGolden<R>(_ version: String = "v2", _ body: (String) async throws -> R) async throws -> R {
        let all = try #require(Bundle.module.url(forResource: "Golden", withExtension: nil))
        let golden = all.appending(path: version)
        return try await withTemporaryDirectory { path in
            let copy = path + "/log"
            try FileManager.default.copyItem(atPath: golden.path, toPath: copy)
            return try await body(copy)
        }
    }

    @Test("make them", .enabled(if: ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"] != nil))
    func make() async throws {
        try await Self.write(to: try #require(ProcessInfo.processInfo.environment["WAL_MAKE_GOLDEN"]))
    }

    @Test("are read as they were written, and go on", arguments: [false, true])
    func read(readOnly: Bool) async throws {
        try await Self.withGolden { path in
            let configuration = Wal<Payload>.Configuration(segmentSize: 64 << 10, codec: .bytes(), check: .full)
            let wal = try await Wal<Payload>.open(
                at: path, configuration: configuration, storage: PosixStorage(), isReadOnly: readOnly)
            for (id, count) in [(7, 20), (8, 6)] as [(PartitionID, Int)] {
                var cursor = try wal.partition(id).entries().makeCursor()
                var found: [[UInt8]] = []
                while let entry = try cursor.next() {
                    found.append(entry.record.bytes)
                    #expect(entry.lsn.rawValue == UInt64(found.count))
                }
                #expect(found == Array(Self.sealedRecords[..<count]))
                if !readOnly { #expect(try wal.partition(id).append(Payload([1])).lsn.rawValue == UInt64(count + 1)) }
            }
            try await wal.close()
        }
    }

    @Test("have the header, footer, marks and STATE that this release would write, to the byte")
    func bytes() async throws {
        try await Self.withGolden { path in
            let segment = try Data(contentsOf: URL(fileURLWithPath: path + "/partition-00007/00000000000000000001.wal"))
            let header = try segment.prefix(4096).withUnsafeBytes { try SegmentHeader(decoding: $0) }
            #expect(header.partition == 7 && header.firstLSN == 1 && header.codecName == "bytes")
            #expect(header.typeName == "bytes" && header.codecParameters.isEmpty && header.codecID == 0)
            #expect(Data(header.encoded()) == segment.prefix(4096))

            let trailer = segment.suffix(FileFormat.trailerSize)
            let offset = try #require(
                trailer.withUnsafeBytes { SegmentFooter.footerOffset(trailer: $0, salt: header.salt) })
            let tail = segment.suffix(from: segment.startIndex + Int(offset))
            let footer = try #require(
                tail.withUnsafeBytes { SegmentFooter(frame: $0, at: offset, salt: header.salt) })
            #expect(footer.recordCount == 20 && footer.lastLSN == 20 && footer.dataEnd == offset)
            #expect(Data(footer.encoded(salt: header.salt)) == tail)

            let stateBytes = try Data(contentsOf: URL(fileURLWithPath: path + "/partition-00007/STATE"))
            let slots = PartitionState.slotOffsets.compactMap { place -> (UInt64, PartitionState)? in
                guard stateBytes.count >= Int(place) + PartitionState.slotSize else { return nil }
                let slot = Data(stateBytes[Int(place)..<(Int(place) + PartitionState.slotSize)])
                let state = slot.withUnsafeBytes {
                    try? PartitionState(decoding: $0, partition: 7, logID: header.logID)
                }
                if let state { #expect(Data(state.encoded()) == slot) }
                return state.map { (place, $0) }
            }
            let state = try #require(slots.map(\.1).max { $0.sequence < $1.sequence })
            #expect(state.isClean && state.durable == 20 && state.nextLSNFloor == 21 && state.firstRetained == 1)
        }
    }

    @Test(
        "of version 1 are refused as such, whether STATE is there or not, and nothing is touched",
        arguments: [true, false])
    func firstVersion(hasState: Bool) async throws {
        try await Self.withGolden("v1") { path in
            if !hasState {
                for partition in ["partition-00007", "partition-00008"] {
                    try FileManager.default.removeItem(atPath: "\(path)/\(partition)/STATE")
                }
            }
            let before = try snapshot(path)
            for (readOnly, truncate) in [(true, false), (false, false), (false, true)] {
                let error = await expectError(.unsupportedFormat) {
                    try await Wal<Payload>.open(
                        at: path, configuration: .init(codec: .bytes(), truncate: truncate), storage: PosixStorage(),
                        isReadOnly: readOnly)
                }
                #expect(error?.message.contains("version 1, which was never released") == true)
            }
            #expect(throws: WalError.self) { try WalVerification.verifyAndWait(at: path) }
            let found = try WalInspection.inspectAndWait(at: path)
            #expect(found.logID == nil)
            for partition in found.partitions { #expect(partition.damage.contains { $0.code == .unsupportedFormat }) }
            #expect(try snapshot(path) == before)
        }
    }

    @Test("checksums are CRC32C, whichever way they are computed")
    func checksum() {
        #expect(Array("123456789".utf8).crc32c(0..<9) == 0xE306_9283)
    }
}
