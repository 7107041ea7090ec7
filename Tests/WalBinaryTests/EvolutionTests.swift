import Testing
import WalBinary
import WriteAheadLog

@Suite struct EvolutionTests {
    struct Old: Codable, Equatable, WalBinaryValue {
        var id: Int32
        var name: String
        init(id: Int32, name: String) { (self.id, self.name) = (id, name) }
        func encode(into encoder: inout WalEncoder) {
            encoder.beginMap()
            encoder.field("id", id)
            encoder.field("name", name)
            encoder.endMap()
        }
        init(from decoder: inout WalDecoder) throws(WalError) {
            var fields = try decoder.beginFields()
            id = try decoder.field("id", in: &fields)
            name = try decoder.field("name", in: &fields)
            try decoder.endFields(&fields)
        }
    }

    /// Reordered, widened, with fields before, between and behind.
    struct New: Codable, Equatable, WalBinaryValue {
        var extra: [String: [Int]]?
        var name: String
        var more: Old?
        var id: Int64
        var last: Bool?
        init(extra: [String: [Int]]?, name: String, more: Old?, id: Int64, last: Bool?) {
            (self.extra, self.name, self.more, self.id, self.last) = (extra, name, more, id, last)
        }
        func encode(into encoder: inout WalEncoder) {
            encoder.beginMap()
            encoder.fieldIfPresent("extra", extra)
            encoder.field("name", name)
            encoder.fieldIfPresent("more", more)
            encoder.field("id", id)
            encoder.fieldIfPresent("last", last)
            encoder.endMap()
        }
        init(from decoder: inout WalDecoder) throws(WalError) {
            var fields = try decoder.beginFields()
            extra = try decoder.fieldIfPresent("extra", in: &fields)
            name = try decoder.field("name", in: &fields)
            more = try decoder.fieldIfPresent("more", in: &fields)
            id = try decoder.field("id", in: &fields)
            last = try decoder.fieldIfPresent("last", in: &fields)
            try decoder.endFields(&fields)
        }
    }

    let old = Old(id: -3, name: "n")
    let new = New(extra: ["a": [1, 2]], name: "n", more: Old(id: 1, name: "in"), id: -3, last: true)

    @Test func fieldsMayBeAddedAsOptionalsReorderedAndWidened() throws {
        let expected = New(extra: nil, name: "n", more: nil, id: -3, last: nil)
        #expect(try decoded(New.self, encoded(old)) == expected)
        #expect(try directly(New.self, encoded(old)) == expected)
        #expect(try decoded([New].self, encoded([old, old])) == [expected, expected])
        #expect(try directly([New].self, encoded([old, old])) == [expected, expected])
    }

    @Test func fieldsThatAreNotKnownArePassedOver() throws {
        #expect(try decoded(Old.self, encoded(new)) == old)
        #expect(try directly(Old.self, encoded(new)) == old)
        #expect(try decoded([Old].self, encoded([new, new])) == [old, old])
        #expect(try directly([Old].self, encoded([new, new])) == [old, old])
    }

    @Test func definiteLengthsAreReadToo() throws {
        let bytes = unhex("a3646e616d65616e61788201a1613102626964" + "22")
        #expect(try decoded(Old.self, bytes) == old)
        #expect(try directly(Old.self, bytes) == old)
        #expect(try decoded([[Int]].self, unhex("8282010280")) == [[1, 2], []])
        #expect(try directly([[Int]].self, unhex("8282010280")) == [[1, 2], []])
        #expect(try decoded(Change.self, unhex("a16664656c657465a1636b65794101")) == .delete(key: [1]))
        #expect(try directly(Change.self, unhex("a16664656c657465a1636b65794101")) == .delete(key: [1]))
    }

    @Test func aMissingFieldAndAnUnknownCaseAreNamed() throws {
        let missing = try #require(error { _ = try decoded([Old].self, unhex("9fbf62696401ffff")) })
        #expect(missing.code == .decoding && missing.codingPath == ["0", "name"])
        #expect(error { _ = try directly(Old.self, unhex("bf62696401ff")) }?.codingPath == ["name"])
        #expect(error { _ = try directly(Change.self, unhex("bf6178bfffff")) }?.message.contains("\"x\"") == true)
        #expect(error { _ = try decoded(Change.self, unhex("bf6178bfffff")) }?.code == .decoding)
    }

    @Test func aValueOfAnotherKindIsAnErrorWithItsPath() throws {
        let failure = try #require(error { _ = try decoded([String: [Old]].self, unhex("bf61619fbf6269646161ffffff")) })
        #expect(failure.codingPath == ["a", "0", "id"])
        #expect(failure.underlying is DecodingError)
    }

    @Test func containersMayBeAskedInAnyOrderAndTwice() throws {
        struct Odd: Codable {
            var sum = 0
            enum Keys: CodingKey { case a, b, missing }
            init(from decoder: any Decoder) throws {
                let outer = try decoder.container(keyedBy: Keys.self)
                let b = try outer.nestedContainer(keyedBy: Keys.self, forKey: .b)
                let a = try outer.nestedContainer(keyedBy: Keys.self, forKey: .a)
                sum += try b.decode(Int.self, forKey: .b) + a.decode(Int.self, forKey: .b)
                sum += try b.decode(Int.self, forKey: .a) + a.decode(Int.self, forKey: .a)
                sum += try b.decode(Int.self, forKey: .a)
                let nothing = try a.contains(.missing) || !outer.contains(.a) || outer.decodeNil(forKey: .a)
                if nothing { sum = 0 }
                sum += outer.allKeys.count
            }
            func encode(to encoder: any Encoder) throws {}
        }
        let bytes = try encoded(["a": ["a": 1, "b": 20], "b": ["a": 300, "b": 4000]])
        #expect(try decoded(Odd.self, bytes).sum == 4623)
    }
}
