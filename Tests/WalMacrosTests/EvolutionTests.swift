#if Macros
import Foundation
import Testing
import WalMacros

/// What is read of records that other builds wrote.
@Suite struct EvolutionTests {
    @WalRecord struct Old: Codable {
        var total: Int64
        var name: String
        var comment: String?
    }

    @WalRecord struct New: Codable, Equatable {
        @WalField(aliases: "sum", "total") var amount: Int64
        @WalField(aliases: "comment") var note: String?
        var limit = 10
        var letters: [String] = ["a", "b"]
        var state: State = .open
        @WalField(default: "EUR") var currency: String
        @WalField(aliases: "name", default: fallback()) var title: String
        var text: String = """
            two
              lines
            """
        var hint: String? = "not read"
        var maybe: MaybeInt
        @WalField(aliases: "zz") var other: Maybe<Int>

        static func fallback() -> String { "untitled" }
    }

    @WalRecord enum State: String, Codable { case open, closed }

    @WalRecord enum OldChange: Codable {
        case put2(Int)
        case remove
        case gone
    }

    @WalRecord enum Change: Codable, Equatable {
        @WalField(aliases: "put1", "put2") case put(Int)
        @WalField(aliases: "remove") case delete
    }

    private let expected = New(
        amount: 7, note: "c", currency: "EUR", title: "n", hint: nil, maybe: nil, other: nil)

    @Test func aliasesAndDefaultsReadWhatAnOldBuildWrote() throws {
        let old = try bytes(Old(total: 7, name: "n", comment: "c"), by: DirectBinaryCodec())
        let read = try record(old, by: DirectBinaryCodec<New>())
        #expect(read == expected)
        #expect(read.limit == 10 && read.letters == ["a", "b"] && read.state == .open && read.text == "two\n  lines")
    }

    @Test func whatIsThereIsReadBeforeAnyAliasOrDefault() throws {
        var value = expected
        value.limit = 3
        value.state = .closed
        value.title = "t"
        value.other = 4
        let written = try bytes(value, by: DirectBinaryCodec())
        #expect(try record(written, by: DirectBinaryCodec<New>()) == value)
        #expect(try record(written, by: CodableBinaryCodec<New>()) == value)
    }

    @Test func aMissingFieldWithoutADefaultIsAnErrorThatNamesIt() {
        let failure = error { _ = try record([0xBF, 0xFF], by: DirectBinaryCodec<New>()) }
        #expect(failure?.code == .decoding && failure?.codingPath == ["amount"])
    }

    /// A null is what an old build said, not what it left out.
    @Test func nullIsNoDefault() throws {
        let null: [UInt8] = [0xBF, 0x66] + "amount".utf8 + [0x01, 0x65] + "limit".utf8 + [0xF6, 0xFF]
        #expect(error { _ = try record(null, by: DirectBinaryCodec<New>()) }?.code == .decoding)
    }

    @Test func casesAreReadByTheirAliases() throws {
        let codec = DirectBinaryCodec<Change>()
        #expect(try record(bytes(OldChange.put2(4), by: DirectBinaryCodec()), by: codec) == .put(4))
        #expect(try record(bytes(OldChange.remove, by: DirectBinaryCodec()), by: codec) == .delete)
        let unknown = error { _ = try record(bytes(OldChange.gone, by: DirectBinaryCodec()), by: codec) }
        #expect(unknown?.message.contains("\"gone\"") == true)
    }

    @Test func theCodecsAreToldTheSame() {
        #expect(
            New.walAliases == [
                "amount": ["sum", "total"], "note": ["comment"], "title": ["name"], "other": ["zz"],
            ])
        #expect(
            Set(New.walDefaults.keys) == ["limit", "letters", "state", "currency", "title", "text"])
        #expect(New.walDefaults["limit"] as? Int == 10)
        #expect(New.walDefaults["letters"] as? [String] == ["a", "b"])
        #expect(New.walDefaults["state"] as? State == .open)
        #expect(New.walDefaults["title"] as? String == "untitled")
        #expect(New.walDefaults["text"] as? String == "two\n  lines")
        #expect(Change.walAliases == ["put": ["put1", "put2"], "delete": ["remove"]])
        #expect(!(Old.self is any WalEvolving.Type))
    }

    @Test func theSchemaHasTheNamesThatAreWritten() {
        var scope = WalSchemaScope()
        #expect(
            "\(scope.schema(of: Renamed.self))" == "Renamed { see: String?, \"a\": Int, b: String? }")
        #expect(
            "\(scope.schema(of: MyChange.self))"
                == "MyChange = put(key: [UInt8], _1: Int??) | all(_0: [MyChange]) | clear")
    }

    @WalRecord indirect enum MyChange: Codable {
        case put(key: [UInt8], Int??)
        case all([MyChange])
        case clear
    }
}
#endif
