import Foundation
import Testing
import WalBinary
import WalJSON
import WriteAheadLog

/// A record type changes over years while its segments stay: each record of another build reads right, or is a typed error that
/// names the field and both schemas.
@Suite struct EvolutionMatrixTests {
    @Test(arguments: matrix, Storing.allCases)
    func `another build's records read right or are a typed error`(row: Row, storing: Storing) {
        #expect(row.check(storing, false) == nil)
        #expect(row.check(storing, true) == nil, "nested")
    }

    @Test func `the article shows this table`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let article = try String(
            contentsOf: root.appendingPathComponent("Sources/WriteAheadLog/WriteAheadLog.docc/Evolution.md"),
            encoding: .utf8)
        let table = matrix.map { "| \($0.change) | \($0.cells.oldReadByNew) | \($0.cells.newReadByOld) |" }
            .joined(separator: "\n")
        #expect(article.contains(table), "the table is:\n\(table)")
    }

    @Test func `errors of nested fields name the whole path`() throws {
        for storing in Storing.allCases {
            var encoder = WalEncoder()
            try storing.codec(Nest<Holder<Int>>.self).encode(Nest(Holder(7)), into: &encoder)
            let bytes = encoder.withBytes { Array($0) }
            let error = #expect(throws: WalError.self) {
                try bytes.withUnsafeBytes { bytes in
                    var decoder = WalDecoder(unsafeBytes: bytes)
                    _ = try storing.codec(Nest<Holder<String>>.self).decode(&decoder)
                }
            }
            #expect(error?.codingPath == ["inner", "value"], "\(storing)")
            #expect(error?.message.contains("{ inner: { value: ") == true, "\(storing): \(error?.message ?? "")")
        }
    }

    @Test func `a log of another build opens, reads what it can, and names what it can't`() async throws {
        for storing in Storing.allCases {
            let path = NSTemporaryDirectory() + "wal-evolution-\(UUID().uuidString)"
            defer { try? FileManager.default.removeItem(atPath: path) }
            let old = try await Wal<Command>.open(at: path, configuration: .init(codec: storing.codec()))
            try await old.append(.put(key: "k"), to: 1, durability: .synced)
            try await old.close()
            let new = try await Wal<CommandWithMove>.open(at: path, configuration: .init(codec: storing.codec()))
            try await new.append(.move(from: "a", to: "b"), to: 1, durability: .synced)
            try await new.append(.clear, to: 1, durability: .synced)
            try await new.close()
            let again = try await Wal<Command>.open(at: path, configuration: .init(codec: storing.codec()))
            var cursor = try again.partition(1).entries().makeCursor()
            #expect(try cursor.next()?.record == .put(key: "k"))
            let error = #expect(throws: WalError.self) { try cursor.next() }
            #expect(error?.code == .decoding && error?.lsn == 2 && error?.message.contains("move") == true)
            // The record behind it is not lost.
            #expect(try cursor.next()?.record == .clear)
            try await again.close()
        }
    }

    @Test func `a default of the wrong type is an error that names it`() throws {
        struct Wrong: Codable, WalCodable, WalEvolving {
            var id: Int
            static var walDefaults: [String: any Sendable] { ["id": "seven"] }
        }
        for codec in [AnyWalCodec<Wrong>.binary(), .json()] {
            let text: [UInt8] = codec.id == 1 ? [0xBF, 0xFF] : Array("{}".utf8)
            let error = #expect(throws: WalError.self) {
                try text.withUnsafeBytes { bytes in
                    var decoder = WalDecoder(unsafeBytes: bytes)
                    _ = try codec.decode(&decoder)
                }
            }
            #expect(error?.codingPath == ["id"] && error?.message.contains("String") == true)
        }
    }

    @Test func `an integer of any width reads as any other, or is an error`() throws {
        func check<
            A: FixedWidthInteger & Codable & WalBinaryValue & Sendable,
            B: FixedWidthInteger & Codable & WalBinaryValue & Sendable
        >(
            _ value: A, _: B.Type
        ) throws {
            for storing in Storing.allCases {
                var encoder = WalEncoder()
                try storing.codec(Holder<A>.self).encode(Holder(value), into: &encoder)
                let bytes = encoder.withBytes { Array($0) }
                let read = try? bytes.withUnsafeBytes { bytes in
                    var decoder = WalDecoder(unsafeBytes: bytes)
                    return try storing.codec(Holder<B>.self).decode(&decoder).value
                }
                #expect(read == B(exactly: value), "\(value) of \(A.self) as \(B.self), \(storing)")
            }
        }
        func all<A: FixedWidthInteger & Codable & WalBinaryValue & Sendable>(_: A.Type) throws {
            for value in [A.min, A.max, 0, 1, 127, A(truncatingIfNeeded: 128), A(truncatingIfNeeded: -1), A.max / 3] {
                try check(value, Int8.self)
                try check(value, UInt8.self)
                try check(value, Int16.self)
                try check(value, UInt16.self)
                try check(value, Int32.self)
                try check(value, UInt32.self)
                try check(value, Int64.self)
                try check(value, UInt64.self)
                try check(value, Int128.self)
                try check(value, UInt128.self)
            }
        }
        try all(Int8.self)
        try all(UInt8.self)
        try all(Int16.self)
        try all(UInt32.self)
        try all(Int64.self)
        try all(UInt64.self)
        try all(Int128.self)
        try all(UInt128.self)
    }
}

/// A type that says what it looks like.
private struct Described: Codable, WalCodable, WalSchemaProviding {
    var children: [Described] = []
    var note: String?
    static func walSchema(in scope: inout WalSchemaScope) -> WalSchema {
        .structure(
            "Described",
            [.init("children", scope.schema(of: [Described].self)), .init("note", scope.schema(of: String?.self))])
    }
}

@Suite struct HeaderSchemaTests {
    @Test func `a segment's header holds the schema of a type that has one, once`() async throws {
        let path = NSTemporaryDirectory() + "wal-evolution-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let wal = try await Wal<Described>.open(at: path, configuration: .init(codec: .binary()))
        for _ in 0..<3 { try wal.append(Described(), to: 1) }
        try await wal.close()
        let segments = try WalInspection.inspectAndWait(at: path).partitions.flatMap(\.segments)
        #expect(segments.map(\.schema) == ["Described { children: [Described], note: String? }"])
        let again = try await Wal<Described>.open(at: path, configuration: .init(codec: .binary()))
        #expect(try again.partition(1).lastLSN == 3)
        try await again.close()
    }

    @Test func `a probe shows what a Codable type reads, and comes to an end with any`() throws {
        struct Inner: Codable, WalCodable {
            var a: Int
            var b: [String: UInt8]?
        }
        struct Outer: Codable, WalCodable {
            var inner: Inner
            var when: Date
            var more: [Inner]
        }
        func message<R: Codable & WalCodable>(_: R.Type) -> String {
            let text = Array("[]".utf8)
            return text.withUnsafeBytes { bytes in
                var decoder = WalDecoder(unsafeBytes: bytes)
                do {
                    _ = try JSONCodec<R>().decode(&decoder)
                    return ""
                } catch {
                    return (error as? WalError)?.message ?? "\(error)"
                }
            }
        }
        #expect(
            message(Outer.self).contains(
                "The record is [nothing]; this build reads Outer { inner: Inner { a: Int, b: [String: UInt8]? }, when: Date, more: [Inner { a: Int, b: [String: UInt8]? }] }"
            ))
    }
}
