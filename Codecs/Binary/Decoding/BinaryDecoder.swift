/// The decoder that a value sees: three words, which an existential holds without a box.
struct BinaryDecoder: Decoder {
    let session: DecodingSession
    /// Where the value begins.
    let value: UnsafeRawPointer
    /// How many containers it lies in.
    let depth: Int

    var codingPath: [any CodingKey] { session.path(depth) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let head = try session.open(value, depth: depth, isMap: true)
        return KeyedDecodingContainer(
            BinaryKeyedDecodingContainer<Key>(session: session, value: value, depth: depth, head: head))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let head = try session.open(value, depth: depth, isMap: false)
        return BinaryUnkeyedDecodingContainer(
            session: session, value: value, depth: depth, cursor: head.first, left: head.count)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        BinarySingleValueDecodingContainer(session: session, value: value, depth: depth)
    }
}
