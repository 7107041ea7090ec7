import Testing
import WalTesting
import WriteAheadLog

/// Promise 7: no number from disk is trusted before it is bounded. Files with right checksums and numbers that were never written,
/// as fuzzing made them.
@Suite("Found by fuzzing", .timeLimit(.minutes(15)))
struct FoundByFuzzingTests {
    private static let segment = "partition-00001/00000000000000000001.wal"
    private static let logID = LogID(high: 3, low: 4)
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
        let logID = files["LOG"].flatMap { $0.withUnsafeBytes { ByteReader($0).logID(16) } } ?? Self.logID
        var state = PartitionState(partition: 1, logID: logID)
        change(&state)
        var bytes = [UInt8](repeating: 0, count: Int(PartitionState.fileSize))
        bytes.replaceSubrange(Int(state.place)..<(Int(state.place) + PartitionState.slotSize), with: state.encoded())
        files[Self.state] = bytes
        return files
    }

    @Test("STATE with a counter that can't be counted up", arguments: [UInt64.max, UInt64.max - 1, 1 << 63])
    func stateCounters(_ number: UInt64) throws {
        let files = try Self.files()
        try Self.exercise(Self.withState(files) { $0.sequence = number })
        try Self.exercise(Self.withState(files) { $0.history = number })
        try Self.exercise(Self.withState(files) { $0.incarnation = number })
        try Self.exercise(Self.withState(files) { $0.oldestIncarnation = number })
        try Self.exercise(Self.withState(files) { $0.firstVisible = number })
        try Self.exercise(Self.withState(files) { $0.note(history: number, firstLSN: 1) })
        try Self.exercise(Self.withState(files) { $0.note(history: 1, firstLSN: number) })
        try Self.exercise(Self.withState(files) { $0.firstRetained = number })
    }

    @Test("STATE that reserves LSNs which were never given out: the log can still be opened after it was written to")
    func stateFloor() throws {
        try Self.exercise(Self.withState([:]) { $0.nextLSNFloor = 87 })
        try Self.exercise(Self.withState([:]) { $0.firstRetained = 87 })
    }

    @Test(
        "STATE with an incarnation beyond the greatest that it states: what is appended next would count as truncated away"
    )
    func stateIncarnations() throws {
        try Self.exercise(Self.withState([:]) { $0.oldestIncarnation = 2 })
        try Self.exercise(Self.withState(Self.files()) { $0.oldestIncarnation = 1 << 61 })
        var state = PartitionState(partition: 1, logID: Self.logID)
        state.note(history: 9, firstLSN: 1)
        let right = try state.encoded().withUnsafeBytes { try PartitionState(decoding: $0, partition: 1, logID: nil) }
        state.history = 8
        let wrong = try state.encoded().withUnsafeBytes { try PartitionState(decoding: $0, partition: 1, logID: nil) }
        #expect(right != nil && wrong == nil)
    }

    @Test("a mark of an LSN that does not exist", arguments: [UInt64.max, UInt64.max - 1, LSN.max.rawValue])
    func marks(_ number: UInt64) throws {
        let files = try Self.files()
        for (durable, history, sequence) in [(number, 1, 0), (0, number, 0), (0, 1, number & ~1)]
            as [(UInt64, UInt64, UInt64)]
        {
            var changed = files
            var bytes = try #require(files[Self.segment])
            let salt = bytes.withUnsafeBytes { ByteReader($0).integer(48, as: UInt64.self) }
            // In a segment that is not sealed: reading would begin there.
            let end = UInt64(bytes.count) - UInt64(FileFormat.trailerSize)
            bytes.removeLast(FileFormat.trailerSize)
            let mark = SegmentMark(
                salt: try #require(salt), history: history, durable: durable, endOffset: end, sequence: sequence)
            bytes.replaceSubrange(4096..<4176, with: mark.encoded())
            bytes.replaceSubrange(8192..<8272, with: [UInt8](repeating: 0, count: 80))
            changed[Self.segment] = bytes
            changed[Self.state] = nil
            try Self.exercise(changed)
        }
    }

    @Test("a segment of a history or incarnation that no writer has", arguments: [UInt64.max, 1 << 63, 0])
    func headerCounters(_ number: UInt64) throws {
        let files = try Self.files()
        var bytes = try #require(files[Self.segment])
        let header = try bytes.withUnsafeBytes {
            try SegmentHeader(decoding: UnsafeRawBufferPointer(rebasing: $0[..<4096]))
        }
        for change in [\SegmentHeader.history, \.incarnation] as [WritableKeyPath<SegmentHeader, UInt64>] {
            var header = header
            header[keyPath: change] = number
            bytes.replaceSubrange(0..<4096, with: header.encoded())
            var changed = files
            changed[Self.segment] = bytes
            try Self.exercise(changed)
            changed[Self.state] = nil
            try Self.exercise(changed)
        }
    }
}
