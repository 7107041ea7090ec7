import Testing
import WalTesting
import WriteAheadLog

/// Promise 7: no number from disk is trusted before it is bounded. Files with right checksums and numbers that were never written,
/// as fuzzing made them.
@Suite("Found by fuzzing", .timeLimit(.minutes(15)))
struct FoundByFuzzingTests {
    private static let segment = "partition-00001/00000000000000000001.wal"
    private static let state = "partition-00001/STATE"

    /// A log that was closed: records 1 to 3, in one segment.
    private static func files() throws -> [String: [UInt8]] {
        let disk = SimulatedDisk(seed: 1)
        try disk.run {
            let wal = try await disk.open(small())
            for k in 1...3 { try wal.append(Payload(record(k)), to: 1) }
            try await wal.close()
        }
        return disk.files()
    }

    /// Reads, verifies and opens such files in every way: an error is right, and what is served can be appended to.
    private static func exercise(_ files: [String: [UInt8]]) throws {
        for checksAll in [false, true] {
            var configuration = small()
            configuration.check = checksAll ? .full : .tail
            let settings = configuration
            let disk = SimulatedDisk(seed: 2, files: files)
            _ = try? disk.verify()
            try disk.run {
                if let wal = try? await disk.openReadOnly(settings) {
                    _ = try? wal.partition(1).readAll()
                    try await wal.close()
                }
                guard let wal = try? await disk.open(settings) else { return }
                let partition = try wal.partition(1)
                let before = partition.readAll().lsns
                let lsn = try await partition.append(Payload([7]), durability: .synced).lsn
                try await wal.close()
                let again = try await disk.open(settings)
                #expect(try again.partition(1).lastLSN == lsn)
                #expect(try again.partition(1).readAll().lsns == before + [lsn.rawValue])
                try await again.close()
            }
        }
    }

    private static func withState(
        _ files: [String: [UInt8]], _ change: (inout PartitionState) -> Void
    ) -> [String: [UInt8]] {
        var files = files
        var state = PartitionState(partition: 1)
        change(&state)
        var bytes = [UInt8](repeating: 0, count: 4_608)
        bytes.replaceSubrange(Int(state.place)..<(Int(state.place) + 512), with: state.encoded())
        files[Self.state] = bytes
        return files
    }

    @Test("STATE with a counter that can't be counted up", arguments: [UInt64.max, UInt64.max - 1, 1 << 63])
    func stateCounters(_ number: UInt64) throws {
        let files = try Self.files()
        try Self.exercise(Self.withState(files) { $0.sequence = number })
        try Self.exercise(Self.withState(files) { $0.epoch = number })
        try Self.exercise(Self.withState(files) { $0.oldestEpoch = number })
        try Self.exercise(Self.withState(files) { $0.note(epoch: number, firstLSN: 1) })
        try Self.exercise(Self.withState(files) { $0.note(epoch: 1, firstLSN: number) })
        try Self.exercise(Self.withState(files) { $0.firstRetained = number })
    }

    @Test("STATE that reserves LSNs which were never given out: the log can still be opened after it was written to")
    func stateFloor() throws {
        try Self.exercise(Self.withState([:]) { $0.nextLSNFloor = 87 })
        try Self.exercise(Self.withState([:]) { $0.firstRetained = 87 })
    }

    @Test("STATE with an epoch beyond the greatest that it states: what is appended next would count as truncated away")
    func stateEpochs() throws {
        try Self.exercise(Self.withState([:]) { $0.oldestEpoch = 2 })
        try Self.exercise(Self.withState(Self.files()) { $0.oldestEpoch = 1 << 61 })
        var state = PartitionState(partition: 1)
        state.note(epoch: 9, firstLSN: 1)
        let right = try state.encoded().withUnsafeBytes { try PartitionState(decoding: $0, partition: 1) }
        state.epoch = 8
        let wrong = try state.encoded().withUnsafeBytes { try PartitionState(decoding: $0, partition: 1) }
        #expect(right != nil && wrong == nil)
    }

    @Test("a mark of an LSN that does not exist", arguments: [UInt64.max, UInt64.max - 1, LSN.max.rawValue])
    func marks(_ number: UInt64) throws {
        let files = try Self.files()
        for (durable, epoch, sequence) in [(number, 1, 0), (0, number, 0), (0, 1, number & ~1)]
            as [(UInt64, UInt64, UInt64)]
        {
            var changed = files
            var bytes = try #require(files[Self.segment])
            let salt = bytes.withUnsafeBytes { ByteReader($0).integer(40, as: UInt64.self) }
            // In a segment that is not sealed: reading would begin there.
            let end = UInt64(bytes.count) - UInt64(FileFormat.trailerSize)
            bytes.removeLast(FileFormat.trailerSize)
            let mark = SegmentMark(
                salt: try #require(salt), epoch: epoch, durable: durable, endOffset: end, sequence: sequence)
            bytes.replaceSubrange(4096..<4160, with: mark.encoded())
            bytes.replaceSubrange(8192..<8256, with: [UInt8](repeating: 0, count: 64))
            changed[Self.segment] = bytes
            changed[Self.state] = nil
            try Self.exercise(changed)
        }
    }

    @Test("a segment of an epoch that no writer has", arguments: [UInt64.max, 1 << 63, 0])
    func headerEpoch(_ epoch: UInt64) throws {
        var files = try Self.files()
        var bytes = try #require(files[Self.segment])
        var header = try bytes.withUnsafeBytes {
            try SegmentHeader(decoding: UnsafeRawBufferPointer(rebasing: $0[..<4096]))
        }
        header.epoch = epoch
        bytes.replaceSubrange(0..<4096, with: header.encoded())
        files[Self.segment] = bytes
        try Self.exercise(files)
        files[Self.state] = nil
        try Self.exercise(files)
    }
}
