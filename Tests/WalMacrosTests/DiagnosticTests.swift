#if Macros
import SwiftDiagnostics
import SwiftSyntaxMacrosGenericTestSupport
import Testing

@Suite struct DiagnosticTests {
    // MARK: What it is attached to

    @Test(arguments: [("class", "a class"), ("actor", "an actor")])
    func classesAndActorsMayBecomeStructs(keyword: String, name: String) {
        expect(
            "@WalRecord final \(keyword) Order {}",
            brings: DiagnosticSpec(
                message:
                    "@WalRecord writes the coding of structs and enums; a record that is \(name) has no value of its own",
                line: 1, column: 18, fixIts: [FixItSpec(message: "make it a struct")]),
            fixed: "@WalRecord final struct Order {}")
    }

    @Test func protocolsAreRefused() {
        expect(
            "@WalRecord protocol Order {}",
            brings: DiagnosticSpec(
                message:
                    "@WalRecord writes the coding of structs and enums; a record that is a protocol has no value of its own",
                line: 1, column: 12))
    }

    @Test func enumsWithoutCasesAreRefused() {
        expect(
            "@WalRecord enum Order {}",
            brings: DiagnosticSpec(
                message: "an enum without cases has no value that could be recorded", line: 1, column: 17))
    }

    @Test func aRawTypeUnderAnotherNameIsRefused() {
        expect(
            "@WalRecord enum Order: Name, Codable {\n    case a\n}",
            brings: DiagnosticSpec(
                message:
                    "'Name' may be a raw type or a protocol, which a macro cannot tell apart; spell the raw type out, or name Sendable first",
                line: 1, column: 24))
    }

    @Test func privateTypesWithinAnotherMayBecomeFilePrivate() {
        expect(
            "struct Outer {\n    @WalRecord private struct Order {}\n}",
            brings: DiagnosticSpec(
                message:
                    "an extension cannot name a type that is private within another; what @WalRecord writes is one",
                line: 2, column: 16, fixIts: [FixItSpec(message: "make it fileprivate")]),
            fixed: "struct Outer {\n    @WalRecord fileprivate struct Order {}\n}")
    }

    // MARK: Members

    @Test func aTypeThatNoLiteralShowsMustBeWritten() {
        expect(
            "@WalRecord struct Order {\n    var id = UUID()\n    var note = nothing, more: Int\n}",
            brings: DiagnosticSpec(
                message: "the type of 'id' must be written out, for a macro sees no inferred types", line: 2,
                column: 9, fixIts: [FixItSpec(message: "write the type of 'id'")]),
            DiagnosticSpec(
                message: "the type of 'note' must be written out, for a macro sees no inferred types", line: 3,
                column: 9, fixIts: [FixItSpec(message: "write the type of 'note'")]),
            fixed:
                "@WalRecord struct Order {\n    var id: <#Type#> = UUID()\n    var note: <#Type#> = nothing, more: Int\n}"
        )
    }

    @Test func aConstantWithAnInitialValueIsNeverReadBack() {
        expect(
            "@WalRecord struct Order {\n    let version = 1\n    var id: () -> Void\n}",
            brings: DiagnosticSpec(
                message:
                    "'version' is written and never read back, for a constant with an initial value cannot be set",
                line: 2, column: 5, severity: .warning, fixIts: [FixItSpec(message: "make it a var")]),
            DiagnosticSpec(message: "'id' holds a function, which has no form in a record", line: 3, column: 13),
            fixed: "@WalRecord struct Order {\n    var version = 1\n    var id: () -> Void\n}")
    }

    @Test(arguments: [
        ("(Int, Int)", "a tuple"), ("[(Int) -> Int]", "a function"), ("any Sendable", "a value of any type"),
        ("Int.Type", "a type"),
    ])
    func typesWithoutAFormAreRefused(type: String, name: String) {
        let column = type.hasPrefix("[") ? 15 : 14
        expect(
            "@WalRecord struct Order {\n    var one: \(type)\n}",
            brings: DiagnosticSpec(
                message: "'one' holds \(name), which has no form in a record", line: 2, column: column))
        expect(
            "@WalRecord enum Order {\n    case a(b: \(type))\n}",
            brings: DiagnosticSpec(
                message: "'b' holds \(name), which has no form in a record", line: 2, column: column + 1))
    }

    @Test func propertyWrappersAreRefused() {
        expect(
            "@WalRecord struct Order {\n    @Clamped(0...5) var stars: Int\n    @available(macOS 15, *) var id: Int\n}",
            brings: DiagnosticSpec(
                message:
                    "'stars' has the attribute @Clamped; @WalRecord cannot tell what a property wrapper or macro stores",
                line: 2, column: 5))
    }

    @Test func propertiesMustBeDeclaredOneByOne() {
        expect(
            "@WalRecord struct Order {\n    var (a, b) = (1, 2)\n}",
            brings: DiagnosticSpec(
                message: "a record's properties must be declared one by one", line: 2, column: 9))
    }

    @Test func conditionalMembersAreRefused() {
        expect(
            "@WalRecord struct Order {\n    #if DEBUG\n    var trace: Int\n    #endif\n}",
            brings: DiagnosticSpec(
                message:
                    "@WalRecord cannot see which branch of #if is built; move the condition round the whole type",
                line: 2, column: 5))
    }

    @Test func codingByOtherMeansIsNoticed() {
        expect(
            """
            @WalRecord struct Order: Codable {
                func encode(to encoder: any Encoder) throws {}
                init(from decoder: any Decoder) throws {}
                static var walAliases: [String: [String]] { [:] }
            }
            """,
            brings: DiagnosticSpec(
                message:
                    "this type encodes itself by its own encode(to:), which @WalRecord cannot follow; write encode(into:) and init(from:) by hand too, or neither",
                line: 2, column: 10),
            DiagnosticSpec(
                message: "@WalRecord reads fields as synthesized Codable does, and does not call this init(from:)",
                line: 3, column: 5, severity: .warning),
            DiagnosticSpec(
                message:
                    "@WalRecord writes walAliases and walDefaults; say the same by @WalField(aliases:default:) on the property or case",
                line: 4, column: 16))
    }

    @Test func casesOfOneNameAreRefused() {
        expect(
            "@WalRecord enum Order {\n    case a(x: Int)\n    case a(y: Int)\n}",
            brings: DiagnosticSpec(
                message: "two cases are named 'a', and their names are all that records tell them apart by", line: 3,
                column: 10))
    }

    // MARK: CodingKeys

    @Test func aPropertyOutsideCodingKeysNeedsAnInitialValue() {
        let source = """
            @WalRecord struct Order {
                var id: Int
                let note: Int?
                var more: Int?
                var hits: Int = 0
                enum CodingKeys: String, CodingKey {
                    case id = "i"
                }
            }
            """
        expect(
            source,
            brings: DiagnosticSpec(
                message:
                    "'note' is not in CodingKeys, so that it is not recorded, and has no initial value to be read as",
                line: 3, column: 9,
                fixIts: [
                    FixItSpec(message: "add 'note' to CodingKeys"), FixItSpec(message: "give 'note' an initial value"),
                ]),
            fixIts: ["add 'note' to CodingKeys"],
            fixed: source.replacingOccurrence(of: "case id = \"i\"", with: "case id = \"i\", note"))
    }

    @Test func theOtherFixItGivesAnInitialValue() {
        let source = """
            @WalRecord struct Order {
                var id: Int
                var n: Int
                enum CodingKeys: CodingKey {
                    case id
                }
            }
            """
        expect(
            source,
            brings: DiagnosticSpec(
                message: "'n' is not in CodingKeys, so that it is not recorded, and has no initial value to be read as",
                line: 3, column: 9,
                fixIts: [
                    FixItSpec(message: "add 'n' to CodingKeys"), FixItSpec(message: "give 'n' an initial value"),
                ]),
            fixIts: ["give 'n' an initial value"],
            fixed: source.replacingOccurrence(of: "var n: Int", with: "var n: Int = <#value#>"))
    }

    @Test func aCaseOutsideCodingKeysIsRefused() {
        let source = """
            @WalRecord enum Order {
                case a, b
                enum CodingKeys: CodingKey {
                    case a
                }
            }
            """
        expect(
            source,
            brings: DiagnosticSpec(
                message: "case 'b' is not in CodingKeys, so that it could not be recorded", line: 2, column: 13,
                fixIts: [FixItSpec(message: "add 'b' to CodingKeys")]),
            fixed: source.replacingOccurrence(of: "case a\n", with: "case a, b\n"))
    }

    @Test func aPayloadOutsideItsKeysNeedsADefaultValue() {
        let source = """
            @WalRecord enum Order {
                case a(Int, b: Int, c: Int = 1)
                enum ACodingKeys: CodingKey {
                    case _0
                }
            }
            """
        expect(
            source,
            brings: DiagnosticSpec(
                message:
                    "'b' of case 'a' is not in ACodingKeys, so that it is not recorded, and has no default value to be read as",
                line: 2, column: 20, fixIts: [FixItSpec(message: "add 'b' to ACodingKeys")]),
            fixed: source.replacingOccurrence(of: "case _0", with: "case _0, b"))
    }

    @Test func keysThatAMacroCannotReadAreRefused() {
        expect(
            "@WalRecord struct Order {\n    var id: Int\n    typealias CodingKeys = Other\n}",
            brings: DiagnosticSpec(
                message: "@WalRecord reads names from an enum CodingKeys nested in the type itself", line: 3,
                column: 15))
        expect(
            """
            @WalRecord struct Order {
                var id: Int
                enum CodingKeys: CodingKey { case id, gone
                    var stringValue: String { "x" }
                }
            }
            """,
            brings: DiagnosticSpec(
                message: "CodingKeys makes its own string values, which a macro cannot see; give the cases raw values",
                line: 4, column: 13),
            DiagnosticSpec(message: "CodingKeys has a case 'gone' that names nothing", line: 3, column: 43))
    }

    // MARK: Aliases and defaults

    @Test func anAliasThatIsTakenIsRefused() {
        let source = """
            @WalRecord struct Order {
                @WalField(aliases: "id", "old") var amount: Int
                @WalField(aliases: "older", "old", default: 1) var price: Int
                var id: Int
            }
            """
        expect(
            source,
            brings: DiagnosticSpec(
                message: "\"id\" already names 'id'", line: 2, column: 24,
                fixIts: [FixItSpec(message: "remove the alias")]),
            DiagnosticSpec(
                message: "\"old\" already names 'amount'", line: 3, column: 33,
                fixIts: [FixItSpec(message: "remove the alias")]),
            fixed: source.replacingOccurrence(of: "(aliases: \"id\", \"old\")", with: "(aliases: \"old\")")
                .replacingOccurrence(of: "\"older\", \"old\", default", with: "\"older\", default"))
    }

    @Test func anAliasOfItsOwnNameOrOfAnotherCaseIsRefused() {
        let source =
            "@WalRecord enum Order {\n    @WalField(aliases: \"b\") case a\n    @WalField(aliases: \"b\") case b\n}"
        expect(
            source,
            brings: DiagnosticSpec(
                message: "\"b\" already names 'b'", line: 2, column: 24,
                fixIts: [FixItSpec(message: "remove the alias")]),
            DiagnosticSpec(
                message: "\"b\" already names 'b'", line: 3, column: 24,
                fixIts: [FixItSpec(message: "remove the alias")]),
            fixed: source.replacingOccurrence(of: "(aliases: \"b\") case a", with: "() case a")
                .replacingOccurrence(of: "(aliases: \"b\") case b", with: "() case b"))
    }

    @Test func whatAnAttributeCannotSayIsRefused() {
        expect(
            """
            @WalRecord struct Order {
                @WalField(aliases: name) var a: Int
                @WalField(default: 1) var b: Int?
                @WalField(default: 1) let c: Int = 2
            }
            """,
            brings: DiagnosticSpec(
                message: "an alias must be a string literal without interpolation", line: 2, column: 24),
            DiagnosticSpec(
                message:
                    "a default for the optional 'b' would turn nil, which is recorded as nothing, into another value",
                line: 3, column: 5),
            DiagnosticSpec(
                message: "'c' is written and never read back, for a constant with an initial value cannot be set",
                line: 4, column: 27, severity: .warning, fixIts: [FixItSpec(message: "make it a var")]),
            DiagnosticSpec(
                message: "'c' is never read, so that @WalField says nothing", line: 4, column: 5, severity: .warning))
        expect(
            """
            @WalRecord enum Order {
                @WalField(default: 1) case a
                @WalField(aliases: "c") case b, d
            }
            """,
            brings: DiagnosticSpec(
                message: "a case has no default; one that a record names is there, and no other can stand for it",
                line: 2, column: 5),
            DiagnosticSpec(message: "declare a case with aliases by itself", line: 3, column: 5))
        expect(
            "@WalRecord enum Order: String {\n    @WalField(aliases: \"b\") case a\n}",
            brings: DiagnosticSpec(
                message: "the cases of an enum with raw values are recorded as their raw values, which have no aliases",
                line: 2, column: 5))
    }

    @Test func anAttributeOutOfPlaceIsNoticed() {
        expect(
            "struct Order {\n    @WalField(aliases: \"b\") var a: Int\n}",
            expandsTo: "struct Order {\n    var a: Int\n}",
            diagnostics: [
                DiagnosticSpec(
                    message: "@WalField says nothing outside a type with @WalRecord", line: 2, column: 5,
                    severity: .warning)
            ])
        expect(
            "@WalRecord struct Order {\n    var b: (Int, Int)\n    @WalField(aliases: \"b\") static var a: Int = 1\n}",
            brings: DiagnosticSpec(
                message: "@WalField belongs on a stored property or an enum's case", line: 3, column: 5,
                fixIts: [FixItSpec(message: "remove @WalField")]),
            DiagnosticSpec(message: "'b' holds a tuple, which has no form in a record", line: 2, column: 12),
            fixed: "@WalRecord struct Order {\n    var b: (Int, Int)\n    static var a: Int = 1\n}")
    }
}

extension String {
    fileprivate func replacingOccurrence(of part: String, with other: String) -> String {
        precondition(contains(part), "\(part) is not in \(self)")
        return replacing(part, with: other)
    }
}
#endif
