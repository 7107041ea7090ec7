internal import WriteAheadLog

/// The encoder that a value sees: three words, which an existential holds without a box.
struct BinaryEncoder: Encoder {
    let session: EncodingSession
    let index: Int
    let id: UInt32

    var codingPath: [any CodingKey] {
        session.state.pointee.isOpen(index, id) ? session.state.pointee.path(index + 1) : []
    }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(keyed(type))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        var order: EntrySorter.Order?
        if session.state.pointee.isOpen(index, id) {
            order = (session.state.pointee.frames[index].type as? any UnorderedCollection.Type)?.order
        }
        let isOpen = session.state.pointee.become(.unkeyed, index, id, order: order)
        return BinaryUnkeyedEncodingContainer(session: session, index: index, id: isOpen ? id : 0)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer {
        BinarySingleValueEncodingContainer(session: session, index: index, id: id)
    }

    func keyed<Key: CodingKey>(_ type: Key.Type) -> BinaryKeyedEncodingContainer<Key> {
        let isDictionary = ObjectIdentifier(type) == DictionaryKeyProbe.keyType
        let isOpen = session.state.pointee.become(.keyed, index, id, order: isDictionary ? .fields : nil)
        // No value has id 0, so that a container which could not be opened refuses all that is written to it.
        return BinaryKeyedEncodingContainer(session: session, index: index, id: isOpen ? id : 0)
    }
}

/// The collections that encode themselves as an array in the order of their hashes.
private protocol UnorderedCollection {
    static var order: EntrySorter.Order { get }
}
extension Set: UnorderedCollection {
    static var order: EntrySorter.Order { .elements }
}
extension Dictionary: UnorderedCollection {
    static var order: EntrySorter.Order { .pairs }
}

/// Finds the key type by which dictionaries with named keys encode themselves. The standard library keeps it private, and it
/// is all that tells such a dictionary, whose entries come in the order of their hashes, from a struct.
private final class DictionaryKeyProbe: Encoder {
    static let keyType: ObjectIdentifier? = {
        let probe = DictionaryKeyProbe()
        try? [String: Int]().encode(to: probe)
        return probe.found
    }()

    var found: ObjectIdentifier?
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        found = ObjectIdentifier(type)
        return KeyedEncodingContainer(RefusingContainer<Key>())
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer { RefusingContainer<BinaryKey>() }
    func singleValueContainer() -> any SingleValueEncodingContainer { RefusingContainer<BinaryKey>() }
}
