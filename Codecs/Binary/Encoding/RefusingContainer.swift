/// A container that takes nothing.
struct RefusingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol, UnkeyedEncodingContainer,
    SingleValueEncodingContainer
{
    private struct Refused: Error {}

    var codingPath: [any CodingKey] { [] }
    var count: Int { 0 }

    func encodeNil() throws { throw Refused() }
    func encodeNil(forKey: Key) throws { throw Refused() }
    func encode<T: Encodable>(_: T) throws { throw Refused() }
    func encode<T: Encodable>(_: T, forKey: Key) throws { throw Refused() }
    func encode(_: Bool) throws { throw Refused() }
    func encode(_: Bool, forKey: Key) throws { throw Refused() }
    func encode(_: String) throws { throw Refused() }
    func encode(_: String, forKey: Key) throws { throw Refused() }
    func encode(_: Double) throws { throw Refused() }
    func encode(_: Double, forKey: Key) throws { throw Refused() }
    func encode(_: Float) throws { throw Refused() }
    func encode(_: Float, forKey: Key) throws { throw Refused() }
    func encode(_: Int) throws { throw Refused() }
    func encode(_: Int, forKey: Key) throws { throw Refused() }
    func encode(_: Int8) throws { throw Refused() }
    func encode(_: Int8, forKey: Key) throws { throw Refused() }
    func encode(_: Int16) throws { throw Refused() }
    func encode(_: Int16, forKey: Key) throws { throw Refused() }
    func encode(_: Int32) throws { throw Refused() }
    func encode(_: Int32, forKey: Key) throws { throw Refused() }
    func encode(_: Int64) throws { throw Refused() }
    func encode(_: Int64, forKey: Key) throws { throw Refused() }
    func encode(_: Int128) throws { throw Refused() }
    func encode(_: Int128, forKey: Key) throws { throw Refused() }
    func encode(_: UInt) throws { throw Refused() }
    func encode(_: UInt, forKey: Key) throws { throw Refused() }
    func encode(_: UInt8) throws { throw Refused() }
    func encode(_: UInt8, forKey: Key) throws { throw Refused() }
    func encode(_: UInt16) throws { throw Refused() }
    func encode(_: UInt16, forKey: Key) throws { throw Refused() }
    func encode(_: UInt32) throws { throw Refused() }
    func encode(_: UInt32, forKey: Key) throws { throw Refused() }
    func encode(_: UInt64) throws { throw Refused() }
    func encode(_: UInt64, forKey: Key) throws { throw Refused() }
    func encode(_: UInt128) throws { throw Refused() }
    func encode(_: UInt128, forKey: Key) throws { throw Refused() }

    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(RefusingContainer<Nested>())
    }
    func nestedContainer<Nested: CodingKey>(keyedBy: Nested.Type, forKey: Key) -> KeyedEncodingContainer<Nested> {
        KeyedEncodingContainer(RefusingContainer<Nested>())
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { self }
    func nestedUnkeyedContainer(forKey: Key) -> any UnkeyedEncodingContainer { self }
    func superEncoder() -> any Encoder { RefusingEncoder() }
    func superEncoder(forKey: Key) -> any Encoder { RefusingEncoder() }
}

private struct RefusingEncoder: Encoder {
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }
    func container<Key: CodingKey>(keyedBy: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RefusingContainer<Key>())
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusingContainer<BinaryKey>() }
    func singleValueContainer() -> any SingleValueEncodingContainer { RefusingContainer<BinaryKey>() }
}
