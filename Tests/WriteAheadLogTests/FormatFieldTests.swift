import Testing
import WriteAheadLog

/// Promises 7 and 12: a field of a header, a mark, STATE or LOG that is not what was written is refused or ignored, as the
/// `FileFormat` article says; it never passes for another value.
@Suite("Fields of the format")
struct FormatFieldTests {
    private static let log = LogID(high: 0x0102_0304_0506_0708, low: 0x090A_0B0C_0D0E_0F10)
    private static var header: SegmentHeader {
        SegmentHeader(
            partition: 3, firstLSN: 9, history: 5, incarnation: 6, salt: 7, created: 8, logID: log, codecID: 1,
            codecName: "name", codecParameters: [1, 2], typeName: "type", schema: "schema")
    }
    private static var mark: SegmentMark {
        var mark = SegmentMark(salt: 7, history: 5, durable: 11, endOffset: 12_400, sequence: 3)
        (mark.partition, mark.firstLSN, mark.logID) = (3, 9, log)
        return mark
    }
    private static var state: PartitionState {
        var state = PartitionState(partition: 3, logID: log)
        (state.sequence, state.inode, state.birth, state.incarnation) = (4, 77, 88, 12)
        (state.firstRetained, state.firstVisible, state.nextLSNFloor, state.durable) = (2, 3, 4, 5)
        for k in 1...240 as ClosedRange<UInt64> { state.note(history: 10 + k, firstLSN: k) }
        return state
    }
    private static let file = LogFile(id: log, created: 99)

    private static func decodeHeader(_ bytes: [UInt8]) throws -> SegmentHeader? {
        try bytes.withUnsafeBytes { try SegmentHeader(decoding: $0) }
    }
    private static func decodeState(_ bytes: [UInt8]) throws -> PartitionState? {
        try bytes.withUnsafeBytes { try PartitionState(decoding: $0, partition: 3, logID: log) }
    }
    private static func decodeMark(_ bytes: [UInt8]) -> SegmentMark? {
        bytes.withUnsafeBytes { SegmentMark(decoding: $0, salt: 7, logID: log, partition: 3, firstLSN: 9) }
    }
    private static func decodeLog(_ bytes: [UInt8]) throws -> LogFile? {
        try bytes.withUnsafeBytes { try LogFile(decoding: $0) }
    }

    @Test("are read as they were written")
    func roundTrips() throws {
        #expect(try Self.decodeHeader(Self.header.encoded()) == Self.header)
        var flagged = Self.header
        flagged.endsAtTerminator = true
        #expect(try Self.decodeHeader(flagged.encoded()) == flagged)
        #expect(try Self.decodeState(Self.state.encoded()) == Self.state)
        #expect(Self.state.histories.count == 239 && Self.state.histories.first?.history == 12)
        #expect(Self.decodeMark(Self.mark.encoded()) == Self.mark)
        #expect(try Self.decodeLog(Self.file.encoded()) == Self.file)
        #expect(Self.log.description == "0102030405060708090a0b0c0d0e0f10")
        #expect(Array(Self.file.encoded()[16..<32]) == Array(1...16))
        #expect(Self.header.encoded().count == 4_096 && Self.state.encoded().count == 4_096)
        #expect(Self.mark.encoded().count == 80 && Self.file.encoded().count == 64)
    }

    @Test("no bit that turned over makes another value of them")
    func bits() throws {
        func flipped(_ bytes: [UInt8], _ check: ([UInt8], Int) -> Void) {
            for bit in 0..<(8 * bytes.count) {
                var bytes = bytes
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                check(bytes, bit)
            }
        }
        let headerEnd = 88 + 4 * 4 + 4 + 2 + 4 + 6
        flipped(Self.header.encoded()) { bytes, bit in
            let found = try? Self.decodeHeader(bytes)
            // After the checksum nothing is read but by a verifier.
            #expect(bit / 8 < headerEnd + 4 ? found == nil : found == Self.header, "header, bit \(bit)")
        }
        flipped(Self.state.encoded()) { bytes, bit in
            #expect((try? Self.decodeState(bytes)) ?? nil == nil, "STATE, bit \(bit)")
        }
        flipped(Self.mark.encoded()) { bytes, bit in #expect(Self.decodeMark(bytes) == nil, "mark, bit \(bit)") }
        flipped(Self.file.encoded()) { bytes, bit in
            #expect((try? Self.decodeLog(bytes)) ?? nil == nil, "LOG, bit \(bit)")
        }
    }

    enum Outcome: Sendable, Equatable { case ignored, newer, foreign, damaged }

    private static func outcome<Value>(_ body: () throws -> Value?) -> Outcome? {
        do {
            return try body() == nil ? .ignored : nil
        } catch let error as WalError {
            return [WalError.Code.unsupportedFormat: .newer, .foreign: .foreign, .corrupt: .damaged][error.code]
        } catch {
            return nil
        }
    }

    /// Where a number stands, what is written there, and what comes of it with a right checksum.
    private static let beyond = FileFormat.largestCounter + 1

    @Test("numbers that no writer writes, with a right checksum")
    func numbers() {
        func change<T: FixedWidthInteger & BitwiseCopyable>(
            _ bytes: [UInt8], _ at: Int, _ value: T, sum: Int
        ) -> [UInt8] {
            var bytes = bytes
            bytes.store(value, at: at)
            bytes.store(bytes.crc32c(0..<sum), at: sum)
            return bytes
        }
        let end = 88 + 4 * 4 + 4 + 2 + 4 + 6
        func header<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _ value: T) -> Outcome? {
            Self.outcome { try Self.decodeHeader(change(Self.header.encoded(), at, value, sum: end)) }
        }
        #expect(header(0, 1 as UInt64) == .damaged)
        for version in [0, 3, UInt32.max] as [UInt32] { #expect(header(8, version) == .newer) }
        #expect(header(12, 4_096 as UInt32) == .newer)
        for flags in [2, 3, 1 << 31] as [UInt32] { #expect(header(16, flags) == .newer) }
        #expect(header(20, 65_536 as UInt32) == .damaged)
        for lsn in [0, LSN.max.rawValue + 1] { #expect(header(24, lsn) == .damaged) }
        for place in [32, 40] { for number in [0, Self.beyond, .max] { #expect(header(place, number) == .damaged) } }
        #expect(header(88, 4 as UInt16) == .newer)
        #expect(header(90, 5_000 as UInt16) == .damaged)

        func state<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _ value: T) -> Outcome? {
            Self.outcome { try Self.decodeState(change(Self.state.encoded(), at, value, sum: 4_092)) }
        }
        #expect(state(0, 1 as UInt64) == .ignored)
        for version in [0, 3, UInt32.max] as [UInt32] { #expect(state(8, version) == .newer) }
        for number in [2, 65_536, UInt32.max] as [UInt32] { #expect(state(12, number) == .foreign) }
        #expect(state(24, 1 as UInt64) == .foreign && state(32, 1 as UInt64) == .foreign)
        for place in [16, 56, 64, 72] { #expect(state(place, Self.beyond) == .ignored, "\(place)") }
        #expect(state(72, 13 as UInt64) == .ignored)
        for lsn in [0, 4, LSN.max.rawValue + 1] { #expect(state(80, lsn) == .ignored) }
        for lsn in [1, 5, LSN.max.rawValue + 1] as [UInt64] { #expect(state(88, lsn) == .ignored) }
        for lsn in [2, 7, LSN.max.rawValue + 1] as [UInt64] { #expect(state(96, lsn) == .ignored) }
        for lsn in [2, LSN.max.rawValue] as [UInt64] { #expect(state(104, lsn) == .ignored) }
        for flags in [4, 1 << 63] as [UInt64] { #expect(state(112, flags) == .newer) }
        for count in [240, UInt64.max] { #expect(state(120, count) == .ignored) }
        // Histories: in order, none beyond the partition's, LSNs in range.
        for history in [0, 13, Self.beyond] { #expect(state(256, history) == .ignored) }
        for lsn in [0, LSN.max.rawValue + 1] { #expect(state(264, lsn) == .ignored) }
        #expect(state(56, 20 as UInt64) == .ignored)

        func mark(_ at: Int, _ value: UInt64) -> Outcome? {
            Self.outcome { Self.decodeMark(change(Self.mark.encoded(), at, value, sum: 76)) }
        }
        #expect(mark(0, 1) == .ignored && mark(8, 8) == .ignored)
        for number in [0, Self.beyond] { #expect(mark(16, number) == .ignored) }
        #expect(mark(24, LSN.max.rawValue) == .ignored && mark(40, Self.beyond) == .ignored)
        // Without the salt it must name its file and log.
        let bytes = Self.mark.encoded()
        func unsalted(_ log: LogID?, _ partition: PartitionID, _ first: UInt64) -> Bool {
            bytes.withUnsafeBytes {
                SegmentMark(decoding: $0, salt: nil, logID: log, partition: partition, firstLSN: first) != nil
            }
        }
        #expect(unsalted(Self.log, 3, 9) && unsalted(nil, 3, 9))
        #expect(!unsalted(LogID(high: 1, low: 2), 3, 9) && !unsalted(Self.log, 4, 9) && !unsalted(Self.log, 3, 10))

        func log<T: FixedWidthInteger & BitwiseCopyable>(_ at: Int, _ value: T) -> Outcome? {
            Self.outcome { try Self.decodeLog(change(Self.file.encoded(), at, value, sum: 60)) }
        }
        #expect(log(0, 1 as UInt64) == .ignored)
        for version in [1, 3, UInt32.max] as [UInt32] { #expect(log(8, version) == .newer) }
        #expect(log(12, 1 as UInt32) == .newer)
    }
}
