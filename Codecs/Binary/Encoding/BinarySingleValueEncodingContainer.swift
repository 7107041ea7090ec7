internal import WriteAheadLog

/// The one value of a type that is encoded as another.
struct BinarySingleValueEncodingContainer: SingleValueEncodingContainer {
    let session: EncodingSession
    let index: Int
    let id: UInt32

    var codingPath: [any CodingKey] {
        session.state.pointee.isOpen(index, id) ? session.state.pointee.path(index + 1) : []
    }

    @inline(__always) private func write<T: WalBinaryValue>(_ value: T) throws {
        try session.state.pointee.scalar(index, id)
        value.encode(into: &session.state.pointee.output.pointee)
    }

    func encodeNil() throws {
        try session.state.pointee.scalar(index, id)
        session.state.pointee.output.pointee.null()
    }

    func encode<T: Encodable>(_ value: T) throws {
        try session.state.pointee.scalar(index, id)
        if session.encodeKnown(value) { return }
        // The value takes this place over.
        session.state.pointee.frames[index].kind = .empty
        session.state.pointee.frames[index].type = T.self
        try value.encode(to: BinaryEncoder(session: session, index: index, id: id))
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
}
