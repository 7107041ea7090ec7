public import WriteAheadLog

extension JSONValue: WalJSONRepresentable {
    public static var walTypeName: String { "wal.JSONValue" }

    public func encodeJSON(into encoder: inout WalEncoder) throws(WalError) { try write(into: &encoder) }

    public init(json decoder: inout WalDecoder) throws(WalError) {
        try self.init(parsing: decoder.readBuffer(count: decoder.remaining))
    }
}

/// The compact form: a tag byte, then what it calls for. Lengths and counts are varints, strings and numbers are UTF-8.
///
/// | tag | value | then |
/// | --- | --- | --- |
/// | 0, 1, 2 | null, false, true | |
/// | 3 | number | length, text |
/// | 4 | string | length, text |
/// | 5 | array | count, that many values |
/// | 6 | object | count, that many times: length of key, key, value |
extension JSONValue: WalDirectCodable {
    /// Appends the compact form. That the value nests at most 512 levels deep is the caller's business: no reader would take
    /// a deeper one, and this function cannot throw.
    public func encode(into encoder: inout WalEncoder) { encode(into: &encoder, depth: 0) }

    private func encode(into encoder: inout WalEncoder, depth: Int) {
        switch self {
        case .null: encoder.write(0 as UInt8)
        case .bool(let value): encoder.write((value ? 2 : 1) as UInt8)
        case .number(let number): Self.write(3, number.text, into: &encoder)
        case .string(let string): Self.write(4, string, into: &encoder)
        case .array(let elements):
            precondition(depth < jsonDepthLimit, "a JSON value nests deeper than \(jsonDepthLimit)")
            encoder.write(5 as UInt8)
            encoder.write(varint: UInt64(elements.count))
            for element in elements { element.encode(into: &encoder, depth: depth + 1) }
        case .object(let members):
            precondition(depth < jsonDepthLimit, "a JSON value nests deeper than \(jsonDepthLimit)")
            encoder.write(6 as UInt8)
            encoder.write(varint: UInt64(members.count))
            for member in members {
                encoder.write(varint: UInt64(member.key.utf8.count))
                encoder.write(utf8: member.key)
                member.value.encode(into: &encoder, depth: depth + 1)
            }
        }
    }

    private static func write(_ tag: UInt8, _ text: String, into encoder: inout WalEncoder) {
        encoder.write(tag)
        encoder.write(varint: UInt64(text.utf8.count))
        encoder.write(utf8: text)
    }

    public init(from decoder: inout WalDecoder) throws(WalError) { try self.init(from: &decoder, depth: 0) }

    private init(from decoder: inout WalDecoder, depth: Int) throws(WalError) {
        let tag = try decoder.read(UInt8.self)
        switch tag {
        case 0: self = .null
        case 1: self = .bool(false)
        case 2: self = .bool(true)
        case 3:
            guard let number = JSONNumber(try Self.text(&decoder)) else {
                throw WalError(.decoding, "text that is no JSON number, before byte \(decoder.offset)")
            }
            self = .number(number)
        case 4: self = .string(try Self.text(&decoder))
        case 5, 6:
            guard depth < jsonDepthLimit else {
                throw WalError(.decoding, "a JSON value nests deeper than \(jsonDepthLimit), at byte \(decoder.offset)")
            }
            // The count reserves nothing: each level could claim all that is left.
            let count = try decoder.readVarint()
            guard count <= UInt64(decoder.remaining) else {
                throw WalError(
                    .decoding, "\(count) JSON values in \(decoder.remaining) bytes, at byte \(decoder.offset)")
            }
            if tag == 5 {
                var elements: [JSONValue] = []
                for _ in 0..<count { elements.append(try JSONValue(from: &decoder, depth: depth + 1)) }
                self = .array(elements)
            } else {
                var members: [Member] = []
                for _ in 0..<count {
                    let key = try Self.text(&decoder)
                    members.append(Member(key, try JSONValue(from: &decoder, depth: depth + 1)))
                }
                self = .object(members)
            }
        default: throw WalError(.decoding, "\(tag) is no JSON value's tag, before byte \(decoder.offset)")
        }
    }

    private static func text(_ decoder: inout WalDecoder) throws(WalError) -> String {
        let length = try decoder.readVarint()
        guard let count = Int(exactly: length) else {
            throw WalError(.decoding, "a text of \(length) bytes, before byte \(decoder.offset)")
        }
        return try decoder.readString(utf8Count: count)
    }
}
