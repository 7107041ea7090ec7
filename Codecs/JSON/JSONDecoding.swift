internal import WriteAheadLog

/// Where a `Codable` type finds itself in the text.
struct JSONNode: Decoder {
    let document: JSONDocument
    let index: Int
    /// The type that reads the value: it says what its fields were called before.
    let owner: Any.Type

    var codingPath: [any CodingKey] { document.codingPath(index) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try document.expect(.object, index, [String: Any].self)
        return KeyedDecodingContainer(JSONKeyedDecoding<Key>(document: document, index: index, owner: owner))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try document.expect(.array, index, [Any].self)
        return JSONUnkeyedDecoding(document: document, index: index, owner: owner)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { self }
}

// MARK: - Single value

extension JSONNode: SingleValueDecodingContainer {
    func decodeNil() -> Bool { document.isNull(index) }
    func decode(_: Bool.Type) throws -> Bool { try document.bool(index) }
    func decode(_: String.Type) throws -> String { try document.string(index) }
    func decode(_: Double.Type) throws -> Double { try document.float(index) }
    func decode(_: Float.Type) throws -> Float { try document.float(index) }
    func decode(_: Int.Type) throws -> Int { try document.integer(index) }
    func decode(_: Int8.Type) throws -> Int8 { try document.integer(index) }
    func decode(_: Int16.Type) throws -> Int16 { try document.integer(index) }
    func decode(_: Int32.Type) throws -> Int32 { try document.integer(index) }
    func decode(_: Int64.Type) throws -> Int64 { try document.integer(index) }
    func decode(_: UInt.Type) throws -> UInt { try document.integer(index) }
    func decode(_: UInt8.Type) throws -> UInt8 { try document.integer(index) }
    func decode(_: UInt16.Type) throws -> UInt16 { try document.integer(index) }
    func decode(_: UInt32.Type) throws -> UInt32 { try document.integer(index) }
    func decode(_: UInt64.Type) throws -> UInt64 { try document.integer(index) }
    func decode(_: Int128.Type) throws -> Int128 { try document.integer(index) }
    func decode(_: UInt128.Type) throws -> UInt128 { try document.integer(index) }
    func decode<T: Decodable>(_: T.Type) throws -> T { try document.decode(T.self, index) }
}

// MARK: - Keyed

struct JSONKeyedDecoding<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let document: JSONDocument
    let index: Int
    let owner: Any.Type

    var codingPath: [any CodingKey] { document.codingPath(index) }

    var allKeys: [Key] {
        document.keys(index).compactMap { name in
            // An enum's case may stand under the name that it had.
            Key(stringValue: name) ?? Evolution(owner).keyOfToday(name)
        }
    }

    func contains(_ key: Key) -> Bool { find(key) != nil }

    /// The value of a field, whichever of its names the record has.
    @inline(__always) private func find(_ key: Key) -> Int? {
        document.find(key.stringValue, index) ?? document.findEarlier(key.stringValue, index, owner)
    }

    /// The value of a field, or what its type says it is where the record lacks it.
    @inline(__always) private func value<T>(_ key: Key, _ read: (Int) throws -> T) throws -> T {
        if let found = find(key) { return try read(found) }
        if let value = try Evolution(owner).defaultValue(of: key.stringValue, as: T.self) { return value }
        return try read(value(key))
    }

    private func value(_ key: Key) throws -> Int {
        guard let found = find(key) else {
            throw DecodingError.keyNotFound(
                key, .init(codingPath: codingPath, debugDescription: "no value for \"\(key.stringValue)\""))
        }
        return found
    }

    func decodeNil(forKey key: Key) throws -> Bool { document.isNull(try value(key)) }
    func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try value(key) { try document.bool($0) } }
    func decode(_: String.Type, forKey key: Key) throws -> String { try value(key) { try document.string($0) } }
    func decode(_: Double.Type, forKey key: Key) throws -> Double { try value(key) { try document.float($0) } }
    func decode(_: Float.Type, forKey key: Key) throws -> Float { try value(key) { try document.float($0) } }
    func decode(_: Int.Type, forKey key: Key) throws -> Int { try value(key) { try document.integer($0) } }
    func decode(_: Int8.Type, forKey key: Key) throws -> Int8 { try value(key) { try document.integer($0) } }
    func decode(_: Int16.Type, forKey key: Key) throws -> Int16 { try value(key) { try document.integer($0) } }
    func decode(_: Int32.Type, forKey key: Key) throws -> Int32 { try value(key) { try document.integer($0) } }
    func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { try value(key) { try document.integer($0) } }
    func decode(_: UInt.Type, forKey key: Key) throws -> UInt { try value(key) { try document.integer($0) } }
    func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 { try value(key) { try document.integer($0) } }
    func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 { try value(key) { try document.integer($0) } }
    func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 { try value(key) { try document.integer($0) } }
    func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 { try value(key) { try document.integer($0) } }
    func decode(_: Int128.Type, forKey key: Key) throws -> Int128 { try value(key) { try document.integer($0) } }
    func decode(_: UInt128.Type, forKey key: Key) throws -> UInt128 { try value(key) { try document.integer($0) } }
    func decode<T: Decodable>(_: T.Type, forKey key: Key) throws -> T {
        try value(key) { try document.decode(T.self, $0) }
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try JSONNode(document: document, index: value(key), owner: owner).container(keyedBy: Nested.self)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try JSONNode(document: document, index: value(key), owner: owner).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        guard let found = document.find(JSONKey.super.stringValue, index) else {
            throw DecodingError.keyNotFound(
                JSONKey.super, .init(codingPath: codingPath, debugDescription: "no value for \"super\""))
        }
        return JSONNode(document: document, index: found, owner: owner)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        JSONNode(document: document, index: try value(key), owner: owner)
    }
}

// MARK: - Unkeyed

struct JSONUnkeyedDecoding: UnkeyedDecodingContainer {
    let document: JSONDocument
    let index: Int
    let count: Int?
    private(set) var currentIndex = 0
    private var next: Int
    private let owner: Any.Type

    init(document: JSONDocument, index: Int, owner: Any.Type) {
        self.owner = owner
        self.document = document
        self.index = index
        count = document.count(index)
        next = index + 1
    }

    var codingPath: [any CodingKey] { document.codingPath(index) }
    var isAtEnd: Bool { currentIndex >= count ?? 0 }

    /// The element, without moving on: what fails to decode is not skipped.
    private func element(_ wanted: Any.Type) throws -> Int {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                wanted,
                .init(
                    codingPath: codingPath + [JSONKey(intValue: currentIndex)],
                    debugDescription: "the array ends after \(currentIndex) elements"))
        }
        return next
    }

    private mutating func advance() {
        next = document.tape.next(next)
        currentIndex += 1
    }

    mutating func decodeNil() throws -> Bool {
        guard document.isNull(try element(Any?.self)) else { return false }
        advance()
        return true
    }

    mutating func decode(_: Bool.Type) throws -> Bool {
        let value: Bool = try document.bool(element(Bool.self))
        advance()
        return value
    }

    mutating func decode(_: String.Type) throws -> String {
        let value: String = try document.string(element(String.self))
        advance()
        return value
    }

    mutating func decode(_: Double.Type) throws -> Double {
        let value: Double = try document.float(element(Double.self))
        advance()
        return value
    }

    mutating func decode(_: Float.Type) throws -> Float {
        let value: Float = try document.float(element(Float.self))
        advance()
        return value
    }

    mutating func decode(_: Int.Type) throws -> Int {
        let value: Int = try document.integer(element(Int.self))
        advance()
        return value
    }

    mutating func decode(_: Int8.Type) throws -> Int8 {
        let value: Int8 = try document.integer(element(Int8.self))
        advance()
        return value
    }

    mutating func decode(_: Int16.Type) throws -> Int16 {
        let value: Int16 = try document.integer(element(Int16.self))
        advance()
        return value
    }

    mutating func decode(_: Int32.Type) throws -> Int32 {
        let value: Int32 = try document.integer(element(Int32.self))
        advance()
        return value
    }

    mutating func decode(_: Int64.Type) throws -> Int64 {
        let value: Int64 = try document.integer(element(Int64.self))
        advance()
        return value
    }

    mutating func decode(_: UInt.Type) throws -> UInt {
        let value: UInt = try document.integer(element(UInt.self))
        advance()
        return value
    }

    mutating func decode(_: UInt8.Type) throws -> UInt8 {
        let value: UInt8 = try document.integer(element(UInt8.self))
        advance()
        return value
    }

    mutating func decode(_: UInt16.Type) throws -> UInt16 {
        let value: UInt16 = try document.integer(element(UInt16.self))
        advance()
        return value
    }

    mutating func decode(_: UInt32.Type) throws -> UInt32 {
        let value: UInt32 = try document.integer(element(UInt32.self))
        advance()
        return value
    }

    mutating func decode(_: UInt64.Type) throws -> UInt64 {
        let value: UInt64 = try document.integer(element(UInt64.self))
        advance()
        return value
    }

    mutating func decode(_: Int128.Type) throws -> Int128 {
        let value: Int128 = try document.integer(element(Int128.self))
        advance()
        return value
    }

    mutating func decode(_: UInt128.Type) throws -> UInt128 {
        let value: UInt128 = try document.integer(element(UInt128.self))
        advance()
        return value
    }

    mutating func decode<T: Decodable>(_: T.Type) throws -> T {
        let value = try document.decode(T.self, element(T.self))
        advance()
        return value
    }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        let node = JSONNode(document: document, index: try element([String: Any].self), owner: owner)
        let nested = try node.container(keyedBy: Nested.self)
        advance()
        return nested
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let nested = try JSONNode(document: document, index: element([Any].self), owner: owner).unkeyedContainer()
        advance()
        return nested
    }

    mutating func superDecoder() throws -> any Decoder {
        let node = JSONNode(document: document, index: try element((any Decoder).self), owner: owner)
        advance()
        return node
    }
}
