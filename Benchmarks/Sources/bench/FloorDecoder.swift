/// What `Codable` itself takes: a decoder that reads nothing, for it knows the record's one case and its two byte arrays beforehand.
///
/// What it costs is synthesized code's and the standard library's: two containers, the keys of the first, two arrays.
final class FloorSource {
    let name: String
    let key: [UInt8]
    let value: [UInt8]

    init(name: String, key: [UInt8], value: [UInt8]) { (self.name, self.key, self.value) = (name, key, value) }
}

struct FloorDecoder: Decoder {
    let source: FloorSource
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(FloorContainer<Key>(source: source))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw unread }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw unread }
}

private let unread = DecodingError.dataCorrupted(
    .init(codingPath: [], debugDescription: "the record has no such value"))

private struct FloorContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let source: FloorSource
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { Key(stringValue: source.name).map { [$0] } ?? [] }

    func contains(_ key: Key) -> Bool { true }
    func decodeNil(forKey key: Key) throws -> Bool { false }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        guard T.self == [UInt8].self else { throw unread }
        // New arrays, as of any reader.
        let bytes = key.stringValue == "key" ? source.key : source.value
        return unsafeBitCast(bytes.withUnsafeBytes { Array($0) }, to: T.self)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        KeyedDecodingContainer(FloorContainer<NestedKey>(source: source))
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw unread }
    func superDecoder() throws -> any Decoder { throw unread }
    func superDecoder(forKey key: Key) throws -> any Decoder { throw unread }

    func decode(_: Bool.Type, forKey key: Key) throws -> Bool { throw unread }
    func decode(_: String.Type, forKey key: Key) throws -> String { throw unread }
    func decode(_: Double.Type, forKey key: Key) throws -> Double { throw unread }
    func decode(_: Float.Type, forKey key: Key) throws -> Float { throw unread }
    func decode(_: Int.Type, forKey key: Key) throws -> Int { throw unread }
    func decode(_: Int8.Type, forKey key: Key) throws -> Int8 { throw unread }
    func decode(_: Int16.Type, forKey key: Key) throws -> Int16 { throw unread }
    func decode(_: Int32.Type, forKey key: Key) throws -> Int32 { throw unread }
    func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { throw unread }
    func decode(_: UInt.Type, forKey key: Key) throws -> UInt { throw unread }
    func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 { throw unread }
    func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 { throw unread }
    func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 { throw unread }
    func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 { throw unread }
}
