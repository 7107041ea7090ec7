internal import WriteAheadLog

/// A map that is being read.
struct BinaryKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let session: DecodingSession
    let value: UnsafeRawPointer
    let depth: Int
    let head: ContainerHead
    let owner: Any.Type

    var codingPath: [any CodingKey] { session.path(depth) }

    var allKeys: [Key] {
        var keys: [Key] = []
        // Where the bytes are damaged, those before: whoever asks for a value gets the error.
        try? session.state.pointee.forEachKey(head) { name in
            // An enum's case may be under the name that it had.
            guard let key = Key(stringValue: name) ?? Evolution(owner).keyOfToday(name) else { return }
            // A literal costs generic code half of what appending does, and of an enum's keys there is one.
            if keys.isEmpty { keys = [key] } else { keys.append(key) }
        }
        return keys
    }

    func contains(_ key: Key) -> Bool { ((try? place(key.stringValue)) ?? nil) != nil }

    @inline(__always) private func find(_ name: String) throws -> UnsafeRawPointer? {
        var name = name
        return try name.withUTF8 { utf8 in
            do throws(WalError) {
                return try session.state.pointee.find(utf8, in: value, head, depth: depth)
            } catch {
                throw session.corrupt(error, depth: depth)
            }
        }
    }

    /// Where the value of a field is, whichever of its names the record has.
    @inline(__always) private func place(_ name: String) throws -> UnsafeRawPointer? {
        if let place = try find(name) { return place }
        return try placeOfEarlierName(name)
    }

    @inline(never) private func placeOfEarlierName(_ name: String) throws -> UnsafeRawPointer? {
        for alias in Evolution(owner).aliases(of: name) {
            if let place = try find(alias) { return place }
        }
        return nil
    }

    @inline(__always) private func place(_ key: Key) throws -> UnsafeRawPointer {
        guard let place = try place(key.stringValue) else { throw notFound(key) }
        return place
    }

    /// What the field's type says it is where the record lacks it, else an error.
    @inline(never) private func missing<T>(_ key: Key, _: T.Type = T.self) throws -> T {
        guard let value = try Evolution(owner).defaultValue(of: key.stringValue, as: T.self) else {
            throw notFound(key)
        }
        return value
    }

    @inline(__always) private func read<T: WalBinaryValue>(_: T.Type, _ key: Key) throws -> T {
        guard let place = try place(key.stringValue) else { return try missing(key) }
        return try read(T.self, at: place)
    }

    @inline(never) private func notFound(_ key: some CodingKey) -> any Error {
        DecodingError.keyNotFound(
            key, .init(codingPath: codingPath, debugDescription: "the record has no field \"\(key.stringValue)\""))
    }

    /// A scalar's end is known once it has been read, which saves the next look-up from finding it.
    @inline(__always) private func read<T: WalBinaryValue>(_: T.Type, at place: UnsafeRawPointer) throws -> T {
        let result = try session.scalar(T.self, at: place, depth: depth &+ 1)
        let state = session.state
        if let input = state.pointee.input, state.pointee.frames[depth].isPending,
            state.pointee.frames[depth].value == value, state.pointee.frames[depth].cursor == place
        {
            state.pointee.frames[depth].cursor = input.pointee.position
            state.pointee.frames[depth].isPending = false
        }
        return result
    }

    @inline(__always) private func readIfPresent<T: WalBinaryValue>(_: T.Type, _ key: Key) throws -> T? {
        guard let place = try place(key.stringValue), try !session.isNull(place) else { return nil }
        return try read(T.self, at: place)
    }

    func decodeNil(forKey key: Key) throws -> Bool { try session.isNull(try place(key)) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        guard let place = try place(key.stringValue) else { return try missing(key) }
        return try session.decode(type, at: place, depth: depth &+ 1)
    }

    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
        guard let place = try place(key.stringValue), try !session.isNull(place) else { return nil }
        return try session.decode(type, at: place, depth: depth &+ 1)
    }

    func decode(_: Bool.Type, forKey key: Key) throws -> Bool { try read(Bool.self, key) }
    func decode(_: String.Type, forKey key: Key) throws -> String { try read(String.self, key) }
    func decode(_: Double.Type, forKey key: Key) throws -> Double { try read(Double.self, key) }
    func decode(_: Float.Type, forKey key: Key) throws -> Float { try read(Float.self, key) }
    func decode(_: Int.Type, forKey key: Key) throws -> Int { try read(Int.self, key) }
    func decode(_: Int8.Type, forKey key: Key) throws -> Int8 { try read(Int8.self, key) }
    func decode(_: Int16.Type, forKey key: Key) throws -> Int16 { try read(Int16.self, key) }
    func decode(_: Int32.Type, forKey key: Key) throws -> Int32 { try read(Int32.self, key) }
    func decode(_: Int64.Type, forKey key: Key) throws -> Int64 { try read(Int64.self, key) }
    func decode(_: Int128.Type, forKey key: Key) throws -> Int128 { try read(Int128.self, key) }
    func decode(_: UInt.Type, forKey key: Key) throws -> UInt { try read(UInt.self, key) }
    func decode(_: UInt8.Type, forKey key: Key) throws -> UInt8 { try read(UInt8.self, key) }
    func decode(_: UInt16.Type, forKey key: Key) throws -> UInt16 { try read(UInt16.self, key) }
    func decode(_: UInt32.Type, forKey key: Key) throws -> UInt32 { try read(UInt32.self, key) }
    func decode(_: UInt64.Type, forKey key: Key) throws -> UInt64 { try read(UInt64.self, key) }
    func decode(_: UInt128.Type, forKey key: Key) throws -> UInt128 { try read(UInt128.self, key) }

    func decodeIfPresent(_: Bool.Type, forKey key: Key) throws -> Bool? { try readIfPresent(Bool.self, key) }
    func decodeIfPresent(_: String.Type, forKey key: Key) throws -> String? { try readIfPresent(String.self, key) }
    func decodeIfPresent(_: Double.Type, forKey key: Key) throws -> Double? { try readIfPresent(Double.self, key) }
    func decodeIfPresent(_: Float.Type, forKey key: Key) throws -> Float? { try readIfPresent(Float.self, key) }
    func decodeIfPresent(_: Int.Type, forKey key: Key) throws -> Int? { try readIfPresent(Int.self, key) }
    func decodeIfPresent(_: Int8.Type, forKey key: Key) throws -> Int8? { try readIfPresent(Int8.self, key) }
    func decodeIfPresent(_: Int16.Type, forKey key: Key) throws -> Int16? { try readIfPresent(Int16.self, key) }
    func decodeIfPresent(_: Int32.Type, forKey key: Key) throws -> Int32? { try readIfPresent(Int32.self, key) }
    func decodeIfPresent(_: Int64.Type, forKey key: Key) throws -> Int64? { try readIfPresent(Int64.self, key) }
    func decodeIfPresent(_: Int128.Type, forKey key: Key) throws -> Int128? { try readIfPresent(Int128.self, key) }
    func decodeIfPresent(_: UInt.Type, forKey key: Key) throws -> UInt? { try readIfPresent(UInt.self, key) }
    func decodeIfPresent(_: UInt8.Type, forKey key: Key) throws -> UInt8? { try readIfPresent(UInt8.self, key) }
    func decodeIfPresent(_: UInt16.Type, forKey key: Key) throws -> UInt16? { try readIfPresent(UInt16.self, key) }
    func decodeIfPresent(_: UInt32.Type, forKey key: Key) throws -> UInt32? { try readIfPresent(UInt32.self, key) }
    func decodeIfPresent(_: UInt64.Type, forKey key: Key) throws -> UInt64? { try readIfPresent(UInt64.self, key) }
    func decodeIfPresent(_: UInt128.Type, forKey key: Key) throws -> UInt128? { try readIfPresent(UInt128.self, key) }

    private func decoder(_ key: Key) throws -> BinaryDecoder {
        BinaryDecoder(session: session, value: try place(key), depth: depth + 1, owner: owner)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try decoder(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder {
        guard let place = try find(BinaryKey.super.stringValue) else { throw notFound(BinaryKey.super) }
        return BinaryDecoder(session: session, value: place, depth: depth + 1, owner: owner)
    }

    func superDecoder(forKey key: Key) throws -> any Decoder { try decoder(key) }
}
