internal import WriteAheadLog

/// A map that is being written.
struct BinaryKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let session: EncodingSession
    let index: Int
    let id: UInt32

    var codingPath: [any CodingKey] {
        session.state.pointee.isOpen(index, id) ? session.state.pointee.path(index + 1) : []
    }

    @inline(__always) private func write<T: WalBinaryValue>(_ value: T, _ key: Key) throws {
        _ = try session.state.pointee.entry(key.stringValue, index, id)
        value.encode(into: &session.state.pointee.output.pointee)
    }

    func encodeNil(forKey key: Key) throws {
        _ = try session.state.pointee.entry(key.stringValue, index, id)
        session.state.pointee.output.pointee.null()
    }

    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        let start = try session.state.pointee.entry(key.stringValue, index, id)
        if session.encodeKnown(value) { return }
        try session.encode(value, key: start)
    }

    func encode(_ value: Bool, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: String, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Double, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Float, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Int, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Int8, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Int16, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Int32, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Int64, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: Int128, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: UInt, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: UInt8, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: UInt16, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: UInt32, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: UInt64, forKey key: Key) throws { try write(value, key) }
    func encode(_ value: UInt128, forKey key: Key) throws { try write(value, key) }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) -> KeyedEncodingContainer<NestedKey> {
        place(key.stringValue).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        place(key.stringValue).unkeyedContainer()
    }

    func superEncoder() -> any Encoder { place(BinaryKey.super.stringValue) }
    func superEncoder(forKey key: Key) -> any Encoder { place(key.stringValue) }

    /// An encoder for the value of a key.
    private func place(_ key: String) -> BinaryEncoder {
        session.place { state throws in try state.entry(key, index, id) }
    }
}
