/// The decoder that a value sees: three words, which an existential holds without a box.
struct BinaryDecoder: Decoder {
    let session: DecodingSession
    private let offset: UInt32
    private let level: UInt32
    /// The type that reads the value: it says what its fields were called before.
    let owner: Any.Type

    init(session: DecodingSession, value: UnsafeRawPointer, depth: Int, owner: Any.Type) {
        self.session = session
        offset = UInt32(truncatingIfNeeded: value - session.start)
        level = UInt32(truncatingIfNeeded: depth)
        self.owner = owner
    }

    /// Where the value begins.
    var value: UnsafeRawPointer { session.start + Int(offset) }
    /// How many containers it lies in.
    var depth: Int { Int(level) }

    var codingPath: [any CodingKey] { session.path(depth) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let head = try session.open(value, depth: depth, isMap: true)
        return KeyedDecodingContainer(
            BinaryKeyedDecodingContainer<Key>(
                session: session, value: value, depth: depth, head: head, owner: owner))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let head = try session.open(value, depth: depth, isMap: false)
        return BinaryUnkeyedDecodingContainer(
            session: session, value: value, depth: depth, cursor: head.first, left: head.count, owner: owner)
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        BinarySingleValueDecodingContainer(session: session, value: value, depth: depth)
    }
}
