internal import WriteAheadLog

/// A place in the text where a container writes, valid until its parent goes on.
struct JSONPlace {
    let writer: JSONWriter
    let index: Int
    let serial: Int

    var codingPath: [any CodingKey] { writer.codingPath(index) }
}

// MARK: - Encoder

struct JSONSlotEncoder: Encoder {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(JSONKeyedEncoding<Key>(place: place.writer.open(place, .object, keyedBy: Key.self)))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONUnkeyedEncoding(place: place.writer.open(place, .array, keyedBy: nil))
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { JSONSingleEncoding(place: place) }
}

// MARK: - Keyed

struct JSONKeyedEncoding<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }
    private var writer: JSONWriter { place.writer }

    func encodeNil(forKey key: Key) throws {
        try writer.member(place, key)
        writer.writeNull()
    }

    func encode(_ value: Bool, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(value)
    }

    func encode(_ value: String, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(value)
    }

    func encode(_ value: Double, forKey key: Key) throws {
        try writer.checkFinite(value, place.index, key)
        try writer.member(place, key)
        writer.write(finite: value)
    }

    func encode(_ value: Float, forKey key: Key) throws {
        try writer.checkFinite(value, place.index, key)
        try writer.member(place, key)
        writer.write(finite: value)
    }

    func encode(_ value: Int, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: Int8, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: Int16, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: Int32, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: Int64, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: UInt, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: UInt8, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: UInt16, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: UInt32, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: UInt64, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: Int128, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode(_ value: UInt128, forKey key: Key) throws {
        try writer.member(place, key)
        writer.write(integer: value)
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try writer.encode(value, in: place, key) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let slot = writer.nested(place, key)
        return KeyedEncodingContainer(
            JSONKeyedEncoding<Nested>(place: writer.open(slot, .object, keyedBy: Nested.self)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        JSONUnkeyedEncoding(place: writer.open(writer.nested(place, key), .array, keyedBy: nil))
    }

    func superEncoder() -> any Encoder { JSONSlotEncoder(place: writer.nested(place, JSONKey.super)) }
    func superEncoder(forKey key: Key) -> any Encoder { JSONSlotEncoder(place: writer.nested(place, key)) }
}

// MARK: - Unkeyed

struct JSONUnkeyedEncoding: UnkeyedEncodingContainer {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }
    var count: Int { writer.count(place) }
    private var writer: JSONWriter { place.writer }

    func encodeNil() throws {
        try writer.member(place, nil)
        writer.writeNull()
    }

    func encode(_ value: Bool) throws {
        try writer.member(place, nil)
        writer.write(value)
    }

    func encode(_ value: String) throws {
        try writer.member(place, nil)
        writer.write(value)
    }

    func encode(_ value: Double) throws {
        try writer.checkFinite(value, place.index, nil)
        try writer.member(place, nil)
        writer.write(finite: value)
    }

    func encode(_ value: Float) throws {
        try writer.checkFinite(value, place.index, nil)
        try writer.member(place, nil)
        writer.write(finite: value)
    }

    func encode(_ value: Int) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: Int8) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: Int16) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: Int32) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: Int64) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: UInt) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: UInt8) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: UInt16) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: UInt32) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: UInt64) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: Int128) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode(_ value: UInt128) throws {
        try writer.member(place, nil)
        writer.write(integer: value)
    }

    func encode<T: Encodable>(_ value: T) throws { try writer.encode(value, in: place, nil) }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        let slot = writer.nested(place, nil)
        return KeyedEncodingContainer(
            JSONKeyedEncoding<Nested>(place: writer.open(slot, .object, keyedBy: Nested.self)))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        JSONUnkeyedEncoding(place: writer.open(writer.nested(place, nil), .array, keyedBy: nil))
    }

    func superEncoder() -> any Encoder { JSONSlotEncoder(place: writer.nested(place, nil)) }
}

// MARK: - Single value

struct JSONSingleEncoding: SingleValueEncodingContainer {
    let place: JSONPlace

    var codingPath: [any CodingKey] { place.codingPath }
    private var writer: JSONWriter { place.writer }

    func encodeNil() throws {
        try writer.fill(place)
        writer.writeNull()
    }

    func encode(_ value: Bool) throws {
        try writer.fill(place)
        writer.write(value)
    }

    func encode(_ value: String) throws {
        try writer.fill(place)
        writer.write(value)
    }

    func encode(_ value: Double) throws {
        try writer.checkFinite(value, place.index, nil)
        try writer.fill(place)
        writer.write(finite: value)
    }

    func encode(_ value: Float) throws {
        try writer.checkFinite(value, place.index, nil)
        try writer.fill(place)
        writer.write(finite: value)
    }

    func encode(_ value: Int) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: Int8) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: Int16) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: Int32) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: Int64) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: UInt) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: UInt8) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: UInt16) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: UInt32) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: UInt64) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: Int128) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode(_ value: UInt128) throws {
        try writer.fill(place)
        writer.write(integer: value)
    }

    func encode<T: Encodable>(_ value: T) throws { try writer.encode(value, filling: place) }
}
