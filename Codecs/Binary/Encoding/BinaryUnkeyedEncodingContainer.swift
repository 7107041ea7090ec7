internal import WriteAheadLog

/// An array that is being written.
struct BinaryUnkeyedEncodingContainer: UnkeyedEncodingContainer {
    let session: EncodingSession
    let index: Int
    let id: UInt32

    var codingPath: [any CodingKey] {
        session.state.pointee.isOpen(index, id) ? session.state.pointee.path(index + 1) : []
    }
    var count: Int { session.state.pointee.isOpen(index, id) ? session.state.pointee.frames[index].count : 0 }

    @inline(__always) private func write<T: WalBinaryValue>(_ value: T) throws {
        try session.state.pointee.element(index, id)
        value.encode(into: &session.state.pointee.output.pointee)
    }

    func encodeNil() throws {
        try session.state.pointee.element(index, id)
        session.state.pointee.output.pointee.null()
    }

    func encode<T: Encodable>(_ value: T) throws {
        try session.state.pointee.element(index, id)
        if session.encodeKnown(value) { return }
        try session.encode(value, key: -1)
    }

    func encode(_ value: Bool) throws { try write(value) }
    func encode(_ value: String) throws { try write(value) }
    func encode(_ value: Double) throws { try write(value) }
    func encode(_ value: Float) throws { try write(value) }
    func encode(_ value: Int) throws { try write(value) }
    func encode(_ value: Int8) throws { try write(value) }
    func encode(_ value: Int16) throws { try write(value) }
    func encode(_ value: Int32) throws { try write(value) }
    func encode(_ value: Int64) throws { try write(value) }
    func encode(_ value: Int128) throws { try write(value) }
    func encode(_ value: UInt) throws { try write(value) }
    func encode(_ value: UInt8) throws { try write(value) }
    func encode(_ value: UInt16) throws { try write(value) }
    func encode(_ value: UInt32) throws { try write(value) }
    func encode(_ value: UInt64) throws { try write(value) }
    func encode(_ value: UInt128) throws { try write(value) }

    func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
        place().container(keyedBy: type)
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { place().unkeyedContainer() }
    func superEncoder() -> any Encoder { place() }

    /// An encoder for the next element.
    private func place() -> BinaryEncoder {
        session.place { state throws in
            try state.element(index, id)
            return -1
        }
    }
}

extension EncodingSession {
    /// An encoder for a value of its own. The functions that need one cannot throw: where there is no place, they get one that
    /// refuses all, and the record fails in the end.
    func place(_ start: (inout EncodingState) throws -> Int) -> BinaryEncoder {
        do {
            let key = try start(&state.pointee)
            let index = state.pointee.depth
            return BinaryEncoder(session: self, index: index, id: try state.pointee.open(key: key, type: Any.self))
        } catch {
            if state.pointee.failure == nil { state.pointee.failure = WalError(encoding: error) }
            return BinaryEncoder(session: self, index: 0, id: 0)
        }
    }
}
