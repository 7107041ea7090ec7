import Testing
import WalBinary
import WriteAheadLog

/// The names of today are looked for first, so that an earlier name never hides what a record has.
@Suite struct AliasTests {
    /// What `left` and `right` were called was turned round.
    private struct Swapped: Versioned, WalEvolving {
        var left: Int
        var right: Int
        var note: String?
        static var walAliases: [String: [String]] { ["left": ["right"], "right": ["left"], "note": ["remark"]] }

        init(left: Int, right: Int, note: String? = nil) { (self.left, self.right, self.note) = (left, right, note) }
        func encode(into encoder: inout WalEncoder) {
            encoder.beginMap()
            encoder.field("left", left)
            encoder.field("right", right)
            encoder.fieldIfPresent("note", note)
            encoder.endMap()
        }
        init(from decoder: inout WalDecoder) throws(WalError) {
            var fields = try decoder.beginFields()
            left = try decoder.field("left", aliases: ["right"], in: &fields)
            right = try decoder.field("right", aliases: ["left"], in: &fields)
            note = try decoder.fieldIfPresent("note", aliases: ["remark"], in: &fields)
            try decoder.endFields(&fields)
        }
    }

    /// An earlier build's, in any order, with whichever names.
    private struct Earlier: Versioned {
        var fields: [String: Int]
        var texts: [String: String?] = [:]
        var order: [String] { fields.keys.sorted(by: >) }

        init(_ fields: [String: Int], _ texts: [String: String?] = [:]) { (self.fields, self.texts) = (fields, texts) }
        struct Key: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        init(from decoder: any Decoder) throws { self.init([:]) }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            for name in order { try container.encode(fields[name], forKey: Key(stringValue: name)) }
            for (name, text) in texts { try container.encode(text, forKey: Key(stringValue: name)) }
        }
        func encode(into encoder: inout WalEncoder) {}
        init(from decoder: inout WalDecoder) throws(WalError) { self.init([:]) }
    }

    private func read(_ record: Earlier, _ storing: Storing) throws -> Swapped {
        var encoder = WalEncoder()
        // By Codable, whose bytes are those of direct coding.
        let writing: Storing = storing == .direct ? .codable : storing
        try writing.codec(Earlier.self).encode(record, into: &encoder)
        return try encoder.withBytes { bytes in
            var decoder = WalDecoder(unsafeBytes: bytes)
            return try storing.codec(Swapped.self).decode(&decoder)
        }
    }

    @Test(arguments: Storing.allCases)
    func `fields that took each other's names are read by those of today`(storing: Storing) throws {
        #expect(try read(Earlier(["left": 1, "right": 2]), storing) == Swapped(left: 1, right: 2))
    }

    @Test(arguments: Storing.allCases)
    func `a null under the name of today is not looked for under an earlier one`(storing: Storing) throws {
        let both = Earlier(["left": 1, "right": 2], ["note": nil, "remark": "old"])
        #expect(try read(both, storing) == Swapped(left: 1, right: 2, note: nil))
        let earlier = Earlier(["left": 1, "right": 2], ["remark": "old"])
        #expect(try read(earlier, storing) == Swapped(left: 1, right: 2, note: "old"))
    }
}
