import Testing
import WalBinary
import WalJSON
import WriteAheadLog

#if Zstd
import WalZstd
#endif

/// How a record is stored.
enum Storing: String, CaseIterable, Sendable {
    case codable = "binary, Codable"
    case direct = "binary, direct"
    case json = "JSON"
    #if Zstd
    case zstdBinary = "zstd(binary)"
    case zstdJSON = "zstd(JSON)"
    #endif

    func codec<Record: Versioned>(_: Record.Type = Record.self) -> AnyWalCodec<Record> {
        switch self {
        case .codable: return AnyWalCodec(CodableBinaryCodec<Record>())
        case .direct: return AnyWalCodec(DirectBinaryCodec<Record>())
        case .json: return AnyWalCodec(JSONCodec<Record>())
        #if Zstd
        case .zstdBinary: return .zstd(AnyWalCodec(CodableBinaryCodec<Record>()))
        case .zstdJSON: return .zstd(AnyWalCodec(JSONCodec<Record>()))
        #endif
        }
    }

    var isJSON: Bool {
        #if Zstd
        self == .json || self == .zstdJSON
        #else
        self == .json
        #endif
    }
}

/// What is to come of a record of one build that another build reads.
enum Expected<Record: Versioned>: Sendable {
    case reads(Record)
    /// A typed error whose path has this field.
    case error(String)
    /// A typed error that shows this case in what the record is.
    case unknownCase(String)
    /// The same but for JSON, which has one form for two types.
    case errorButInJSON(String, Record)

    func inJSON(_ isJSON: Bool) -> Expected {
        guard case .errorButInJSON(let name, let record) = self else { return self }
        return isJSON ? .reads(record) : .error(name)
    }

    var cell: String {
        switch self {
        case .reads: "reads"
        case .error(let name), .unknownCase(let name): "error: `\(name)`"
        case .errorButInJSON(let name, _): "error: `\(name)`; in JSON reads as base64"
        }
    }
}

/// A change of a type, and what each build makes of the other's records.
struct Row: Sendable, CustomTestStringConvertible {
    let change: String
    /// As the documentation shows them.
    let cells: (oldReadByNew: String, newReadByOld: String)
    /// Nil where it is as it should be, else what is wrong.
    let check: @Sendable (Storing, _ isNested: Bool) -> String?

    var testDescription: String { change }

    init<Old: Versioned, New: Versioned>(
        _ change: String, old: Old, new: New, oldReadByNew: Expected<New>, newReadByOld: Expected<Old>
    ) {
        self.change = change
        cells = (oldReadByNew.cell, newReadByOld.cell)
        check = { storing, isNested in
            if isNested {
                Self.check(Nest(old), oldReadByNew, storing, { Nest($0) })
                    ?? Self.check(
                        Nest(new), newReadByOld, storing, { Nest($0) })
            } else {
                Self.check(old, oldReadByNew, storing, { $0 }) ?? Self.check(new, newReadByOld, storing, { $0 })
            }
        }
    }

    private static func check<Writer: Versioned, Inner: Versioned, Reader: Versioned>(
        _ record: Writer, _ expected: Expected<Inner>, _ storing: Storing, _ wrap: (Inner) -> Reader
    ) -> String? {
        let outcome = read(record, by: Reader.self, storing)
        switch (expected.inJSON(storing.isJSON), outcome) {
        case (.reads(let wanted), .success(let found)):
            return found == wrap(wanted) ? nil : "read \(found) instead of \(wrap(wanted))"
        case (.reads(let wanted), .failure(let error)): return "\(error) instead of \(wanted)"
        case (.error(let name), .failure(let error)):
            guard error.code == .decoding else { return "an error of another kind: \(error)" }
            guard error.message.contains("The record is "), error.message.contains("this build reads ") else {
                return "an error without both schemas: \(error)"
            }
            return error.codingPath.contains(name) ? nil : "an error that does not name \(name): \(error)"
        case (.unknownCase(let name), .failure(let error)):
            guard error.code == .decoding, error.message.contains("this build reads ") else {
                return "an error of another kind: \(error)"
            }
            return error.message.contains("{ \(name): ") ? nil : "an error that does not name \(name): \(error)"
        case (_, .success(let found)): return "read \(found), where an error should be"
        case (.errorButInJSON, _): return "undecided"
        }
    }

    private static func read<Writer: Versioned, Reader: Versioned>(
        _ record: Writer, by: Reader.Type, _ storing: Storing
    ) -> Result<Reader, WalError> {
        do throws(WalError) {
            var encoder = WalEncoder()
            try storing.codec(Writer.self).encode(record, into: &encoder)
            let bytes = encoder.withBytes { Array($0) }
            return .success(
                try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
                    var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(bytes))
                    return try storing.codec(Reader.self).decode(&decoder)
                })
        } catch {
            return .failure(error)
        }
    }
}

/// Every change, once for each way that it can come out.
let matrix: [Row] = [
    Row(
        "optional field added", old: Person(id: 1, name: "n"), new: PersonWithNote(id: 1, name: "n", note: "x"),
        oldReadByNew: .reads(PersonWithNote(id: 1, name: "n", note: nil)),
        newReadByOld: .reads(Person(id: 1, name: "n"))),
    Row(
        "field added with a default", old: Person(id: 1, name: "n"), new: PersonWithLimit(id: 1, name: "n", limit: 3),
        oldReadByNew: .reads(PersonWithLimit(id: 1, name: "n", limit: 10)),
        newReadByOld: .reads(Person(id: 1, name: "n"))),
    Row(
        "field added without a default", old: Person(id: 1, name: "n"),
        new: PersonWithRequiredNote(id: 1, name: "n", note: "x"), oldReadByNew: .error("note"),
        newReadByOld: .reads(Person(id: 1, name: "n"))),
    Row(
        "field removed", old: Person(id: 1, name: "n"), new: PersonWithoutName(id: 1),
        oldReadByNew: .reads(PersonWithoutName(id: 1)), newReadByOld: .error("name")),
    Row(
        "fields reordered", old: Person(id: 1, name: "n"), new: PersonReordered(id: 1, name: "n"),
        oldReadByNew: .reads(PersonReordered(id: 1, name: "n")), newReadByOld: .reads(Person(id: 1, name: "n"))),
    Row(
        "field renamed, with an alias", old: Person(id: 1, name: "n"), new: PersonRenamed(id: 1, title: "n"),
        oldReadByNew: .reads(PersonRenamed(id: 1, title: "n")), newReadByOld: .error("name")),
    Row(
        "field renamed, without one", old: Person(id: 1, name: "n"), new: PersonTitled(id: 1, title: "n"),
        oldReadByNew: .error("title"), newReadByOld: .error("name")),
    Row(
        "optional field made required, where it is nil", old: PersonWithNote(id: 1, name: "n", note: nil),
        new: PersonWithRequiredNote(id: 1, name: "n", note: "x"), oldReadByNew: .error("note"),
        newReadByOld: .reads(PersonWithNote(id: 1, name: "n", note: "x"))),
    Row(
        "integer widened", old: Holder<Int16>(-300), new: Holder<Int64>(12), oldReadByNew: .reads(Holder<Int64>(-300)),
        newReadByOld: .reads(Holder<Int16>(12))),
    Row(
        "integer widened, beyond what the old one holds", old: Holder<UInt8>(255), new: Holder<Int64>(256),
        oldReadByNew: .reads(Holder<Int64>(255)), newReadByOld: .error("value")),
    Row(
        "integer made unsigned, where it is negative", old: Holder<Int>(-1), new: Holder<UInt>(5),
        oldReadByNew: .error("value"), newReadByOld: .reads(Holder<Int>(5))),
    Row(
        "Int to String", old: Holder<Int>(7), new: Holder<String>("7"), oldReadByNew: .error("value"),
        newReadByOld: .error("value")),
    Row(
        "Bool to Int", old: Holder<Bool>(true), new: Holder<Int>(1), oldReadByNew: .error("value"),
        newReadByOld: .error("value")),
    Row(
        "String to [String]", old: Holder<String>("a"), new: Holder<[String]>(["a"]), oldReadByNew: .error("value"),
        newReadByOld: .error("value")),
    Row(
        "[Int] to [String: Int]", old: Holder<[Int]>([1]), new: Holder<[String: Int]>(["a": 1]),
        oldReadByNew: .error("value"), newReadByOld: .error("value")),
    Row(
        "[UInt8] to [Int]", old: Holder<[UInt8]>([1, 2]), new: Holder<[Int]>([1, 300]), oldReadByNew: .error("value"),
        newReadByOld: .error("value")),
    Row(
        "String to [UInt8]", old: Holder<String>("abcd"), new: Holder<[UInt8]>([105, 183, 29]),
        oldReadByNew: .errorButInJSON("value", Holder<[UInt8]>([105, 183, 29])),
        newReadByOld: .errorButInJSON("value", Holder<String>("abcd"))),
    Row(
        "enum with raw values: value added", old: Holder<Colour>(.red), new: Holder<MoreColours>(.blue),
        oldReadByNew: .reads(Holder<MoreColours>(.red)), newReadByOld: .error("value")),
    Row(
        "case added", old: Command.put(key: "k"), new: CommandWithMove.move(from: "a", to: "b"),
        oldReadByNew: .reads(.put(key: "k")), newReadByOld: .unknownCase("move")),
    Row(
        "case removed", old: CommandWithMove.move(from: "a", to: "b"), new: Command.clear,
        oldReadByNew: .unknownCase("move"),
        newReadByOld: .reads(.clear)),
    Row(
        "case and its field renamed, with aliases", old: Command.put(key: "k"), new: CommandRenamed.store(name: "k"),
        oldReadByNew: .reads(.store(name: "k")), newReadByOld: .unknownCase("store")),
    Row(
        "struct to enum", old: Person(id: 1, name: "n"), new: Command.put(key: "k"), oldReadByNew: .unknownCase("id"),
        newReadByOld: .error("id")),
]
