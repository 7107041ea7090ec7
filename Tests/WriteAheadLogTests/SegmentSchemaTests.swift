import Foundation
import Testing
import WalBinary
import WriteAheadLog

/// Two builds of one app.
private struct Gauge: Codable, WalCodable, WalSchemaProviding, Equatable {
    var sensor: Int
    static let walTypeName = "gauge"
    static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .structure("Gauge", [.init("sensor", scope.schema(of: Int.self))])
    }
}

private struct LaterGauge: Codable, WalCodable, WalSchemaProviding, Equatable {
    var sensor: Int
    var unit: String
    static let walTypeName = "gauge"
    static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .structure(
            "Gauge", [.init("sensor", scope.schema(of: Int.self)), .init("unit", scope.schema(of: String.self))])
    }
}

private struct Plain: Codable, WalCodable {
    var number: Int
    static let walTypeName = "plain"
}

/// Describes itself in any text.
private struct Told<Words: TellsText>: Codable, WalCodable, WalSchemaProviding {
    static var walTypeName: String { "told" }
    static func walSchema(in scope: inout WalSchemaScope) -> WalSchema { .value(Words.text) }
}

private protocol TellsText { static var text: String { get } }
private enum Fitting: TellsText { static let text = String(repeating: "x", count: 1_024) }
private enum TooLong: TellsText { static let text = String(repeating: "x", count: 1_025) }
private enum OneLine: TellsText { static let text = "a b" }
private enum TwoLines: TellsText { static let text = "a\nb" }

/// Holds the one below twice: what is described doubles at every level.
private struct Twice<Inner>: WalSchemaProviding {
    static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .structure("Twice", [.init("a", scope.schema(of: Inner.self)), .init("b", scope.schema(of: Inner.self))])
    }
}

@Suite("The schema in a segment's header")
struct SegmentSchemaTests {
    private static func header(_ schema: String) -> SegmentHeader {
        SegmentHeader(
            partition: 3, firstLSN: 9, history: 2, incarnation: 2, salt: 4, created: 5, logID: LogID(high: 6, low: 7),
            codecID: 1,
            codecName: String(repeating: "n", count: 64), codecParameters: [UInt8](repeating: 1, count: 1_024),
            typeName: String(repeating: "t", count: 256), schema: schema)
    }

    private static func decoded(_ bytes: [UInt8]) throws -> SegmentHeader {
        try bytes.withUnsafeBytes { try SegmentHeader(decoding: $0) }
    }

    /// What a segment's header says, of a log with one record.
    private static func written<Record: Codable & WalCodable>(_ record: Record, at path: String) async throws
        -> SegmentHeader
    {
        let wal = try await Wal<Record>.open(at: path, configuration: .init(codec: .binary()))
        try wal.append(record, to: 1)
        try await wal.close()
        return try decoded(try readFile(segmentPath(path)))
    }

    @Test func `comes back, beside names and parameters of the greatest lengths`() throws {
        for schema in ["Change = put(key: [UInt8]) | clear", String(repeating: "ü", count: 512)] {
            let header = Self.header(schema)
            #expect(header.encoded().count == FileFormat.headerSize)
            #expect(try Self.decoded(header.encoded()) == header)
        }
    }

    @Test func `is left out where there is none or it is too long, and the bytes are as they always were`() throws {
        let without = Self.header("")
        #expect(try Self.decoded(without.encoded()) == without)
        for schema in ["", String(repeating: "x", count: 1_025)] {
            #expect(Self.header(schema).encoded() == without.encoded())
        }
    }

    @Test func `never takes the room that parameters over the limit already fill`() throws {
        var header = Self.header(String(repeating: "x", count: 1_024))
        header.codecParameters = [UInt8](repeating: 1, count: 3_600)
        let bytes = header.encoded()
        #expect(bytes.count == FileFormat.headerSize)
        let found = try Self.decoded(bytes)
        #expect(found.schema.isEmpty && found.codecParameters == header.codecParameters)
    }

    @Test func `one that is no UTF-8 counts as missing, and the segment is read`() throws {
        var bytes = Self.header("ab").encoded()
        let area = bytes.withUnsafeBytes { Int($0.loadUnaligned(fromByteOffset: 84, as: UInt32.self)) }
        bytes[88 + area - 1] = 0xFF
        let sum = bytes.crc32c(0..<(88 + area))
        for place in 0..<4 { bytes[88 + area + place] = UInt8(truncatingIfNeeded: sum >> UInt32(8 * place)) }
        #expect(try Self.decoded(bytes) == Self.header(""))
    }

    @Test func `stands in new segments of a type that has one, and in no others`() async throws {
        try await withTemporaryDirectory { path in
            let header = try await Self.written(Gauge(sensor: 1), at: path + "/told")
            #expect(header.schema == "Gauge { sensor: Int }")
            let inspection = try await WalInspection.inspect(at: path + "/told")
            #expect(inspection.partitions.first?.segments.first?.schema == "Gauge { sensor: Int }")
            #expect(try await Self.written(Plain(number: 1), at: path + "/plain").schema.isEmpty)
        }
    }

    @Test func `is left out by a type with more to say than a header holds`() async throws {
        try await withTemporaryDirectory { path in
            let header = try await Self.written(Told<Fitting>(), at: path + "/fitting")
            #expect(header.schema == Fitting.text)
            #expect(try await Self.written(Told<TooLong>(), at: path + "/long").schema.isEmpty)
        }
    }

    @Test func `is one line, or left out`() {
        #expect(SegmentHeader.schema(of: Told<TwoLines>.self).isEmpty)
        #expect(SegmentHeader.schema(of: Told<OneLine>.self) == "a b")
    }

    @Test(.timeLimit(.minutes(15))) func `types that name each other twice over are described to an end`() {
        typealias Four<T> = Twice<Twice<Twice<Twice<T>>>>
        #expect(SegmentHeader.schema(of: Four<Four<Four<Four<Four<Four<Int>>>>>>.self).isEmpty)
    }

    @Test func `an error of decoding has it, what this build wants, and the place`() async throws {
        try await withTemporaryDirectory { path in
            _ = try await Self.written(Gauge(sensor: 1), at: path)
            let wal = try await Wal<LaterGauge>.open(at: path, configuration: .init(codec: .binary()))
            var cursor = try wal.partition(1).entries().makeCursor()
            let error = await expectError(.decoding) { try cursor.next() }
            #expect(error?.message.contains("the build that wrote the segment had Gauge { sensor: Int }") == true)
            #expect(error?.message.contains("Gauge { sensor: Int, unit: String }") == true)
            #expect(error?.lsn == 1 && error?.partition == 1 && error?.segment == 1)
            try await wal.close()
        }
    }

    @Test func `segments of two builds each keep their own`() async throws {
        try await withTemporaryDirectory { path in
            _ = try await Self.written(Gauge(sensor: 1), at: path)
            let wal = try await Wal<LaterGauge>.open(at: path, configuration: .init(codec: .binary()))
            try wal.append(LaterGauge(sensor: 2, unit: "K"), to: 1)
            try await wal.close()
            let schemas = try await WalInspection.inspect(at: path).partitions.first?.segments.map(\.schema)
            #expect(schemas == ["Gauge { sensor: Int }", "Gauge { sensor: Int, unit: String }"])
        }
    }
}
