public import WriteAheadLog

/// Any JSON, with nothing lost: the order of keys, keys that occur twice, and the text of numbers.
///
/// It is a record in its own right: `Wal<JSONValue>` with `.json()` stores its text, with `.binary()` a compact form.
/// Values nest at most 512 levels deep. Two are equal where their canonical texts are; strings are compared scalar by
/// scalar.
public indirect enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// A key and its value.
    public struct Member: Sendable, Hashable {
        public var key: String
        public var value: JSONValue

        public init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }

        public static func == (left: Self, right: Self) -> Bool {
            left.key.utf8.elementsEqual(right.key.utf8) && left.value == right.value
        }
    }

    /// The value of the key's last occurrence; nil where there is none, or the value is no object.
    public subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    /// Nil where the value is no array, or has no such element.
    public subscript(index: Int) -> JSONValue? {
        guard case .array(let elements) = self, elements.indices.contains(index) else { return nil }
        return elements[index]
    }
}

extension JSONValue: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.number(let left), .number(let right)): left == right
        case (.string(let left), .string(let right)): left.utf8.elementsEqual(right.utf8)
        case (.array(let left), .array(let right)): left == right
        case (.object(let left), .object(let right)): left == right
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .bool(let value): hasher.combine(value)
        case .number(let value): hasher.combine(value)
        // Strings that are canonically equivalent hash alike and differ here, which hashing allows.
        case .string(let value): hasher.combine(value)
        case .array(let elements): hasher.combine(elements)
        case .object(let members): hasher.combine(members)
        }
    }
}

// MARK: - Text

extension JSONValue: CustomStringConvertible {
    /// Reads JSON text, strictly by RFC 8259; white space around it is allowed, anything else is not.
    public init(parsing text: UnsafeRawBufferPointer) throws(WalError) {
        let tape = try JSONTape(text)
        self.init(tape, 0)
    }

    /// Reads JSON text, strictly by RFC 8259; white space around it is allowed, anything else is not.
    public init(parsing text: [UInt8]) throws(WalError) {
        let parsed: Result<JSONValue, WalError> = text.withUnsafeBytes { bytes in
            Result { () throws(WalError) in try JSONValue(parsing: bytes) }
        }
        self = try parsed.get()
    }

    /// Reads JSON text, strictly by RFC 8259; white space around it is allowed, anything else is not.
    public init(parsing text: String) throws(WalError) { try self.init(parsing: Array(text.utf8)) }

    /// Recursive, for the tape is at most 512 levels deep.
    private init(_ tape: JSONTape, _ index: Int) {
        switch tape.tokens[index].kind {
        case .null: self = .null
        case .true: self = .bool(true)
        case .false: self = .bool(false)
        case .number: self = .number(JSONNumber(checked: String(decoding: tape.bytes(index), as: UTF8.self)))
        case .string, .escapedString: self = .string(tape.string(index))
        case .array:
            var elements: [JSONValue] = []
            var child = index + 1
            while child < tape.next(index) {
                elements.append(JSONValue(tape, child))
                child = tape.next(child)
            }
            self = .array(elements)
        case .object:
            var members: [Member] = []
            var child = index + 1
            while child < tape.next(index) {
                members.append(Member(tape.string(child), JSONValue(tape, child + 1)))
                child = tape.next(child + 1)
            }
            self = .object(members)
        }
    }

    /// Appends the canonical text: no white space, the least escapes, numbers as they are.
    ///
    /// Throws ``WalError/Code/encoding`` where the value nests deeper than 512 levels.
    public func write(into encoder: inout WalEncoder) throws(WalError) { try write(into: &encoder, depth: 0) }

    private func write(into encoder: inout WalEncoder, depth: Int) throws(WalError) {
        switch self {
        case .null: encoder.writeJSON(ascii: "null")
        case .bool(let value): encoder.writeJSON(ascii: value ? "true" : "false")
        case .number(let number): encoder.write(utf8: number.text)
        case .string(let string): encoder.writeJSON(string: string)
        case .array(let elements):
            try JSONValue.checkDepth(depth)
            encoder.write(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { encoder.write(UInt8(ascii: ",")) }
                try element.write(into: &encoder, depth: depth + 1)
            }
            encoder.write(UInt8(ascii: "]"))
        case .object(let members):
            try JSONValue.checkDepth(depth)
            encoder.write(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { encoder.write(UInt8(ascii: ",")) }
                encoder.writeJSON(string: member.key)
                encoder.write(UInt8(ascii: ":"))
                try member.value.write(into: &encoder, depth: depth + 1)
            }
            encoder.write(UInt8(ascii: "}"))
        }
    }

    private static func checkDepth(_ depth: Int) throws(WalError) {
        guard depth < jsonDepthLimit else {
            throw WalError(.encoding, "a JSON value nests deeper than \(jsonDepthLimit); make it flatter")
        }
    }

    /// The canonical text, in bytes.
    public func text() throws(WalError) -> [UInt8] {
        var encoder = WalEncoder()
        try write(into: &encoder)
        return encoder.withBytes { Array($0) }
    }

    public var description: String {
        (try? text()).map { String(decoding: $0, as: UTF8.self) } ?? "JSON that nests too deep"
    }
}

// MARK: - Literals

extension JSONValue: ExpressibleByNilLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
    ExpressibleByStringLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(integerLiteral value: Int64) { self = .number(JSONNumber(value)) }
    public init(stringLiteral value: String) { self = .string(value) }
    public init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    public init(dictionaryLiteral elements: (String, JSONValue)...) { self = .object(elements.map { Member($0, $1) }) }
}
