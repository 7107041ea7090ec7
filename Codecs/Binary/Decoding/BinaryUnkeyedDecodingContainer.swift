internal import WriteAheadLog

/// An array that is being read.
struct BinaryUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    let session: DecodingSession
    let value: UnsafeRawPointer
    let depth: Int
    /// The next element.
    private(set) var cursor: UnsafeRawPointer
    /// Elements from the cursor on, -1 where only the end says.
    private(set) var left: Int
    private(set) var currentIndex = 0

    private let owner: Any.Type

    init(
        session: DecodingSession, value: UnsafeRawPointer, depth: Int, cursor: UnsafeRawPointer, left: Int,
        owner: Any.Type
    ) {
        self.owner = owner
        self.session = session
        self.value = value
        self.depth = depth
        self.cursor = cursor
        self.left = left
    }

    var codingPath: [any CodingKey] { session.path(depth) }

    var count: Int? { left < 0 ? nil : left &+ currentIndex }

    var isAtEnd: Bool {
        guard left < 0 else { return left == 0 }
        // Where the bytes end too early there is no end: the next read throws.
        guard let input = session.state.pointee.input else { return true }
        input.pointee.position = cursor
        return input.pointee.peek() == CBOR.end
    }

    /// The next element's place.
    @inline(__always) private func next() throws -> UnsafeRawPointer {
        if isAtEnd {
            throw DecodingError.valueNotFound(
                Any.self, .init(codingPath: codingPath, debugDescription: "the array has no more elements"))
        }
        if session.state.pointee.frames[depth].value != value {
            session.state.pointee.restart(
                value, ContainerHead(first: cursor, count: left), depth: depth, isMap: false)
        }
        session.state.pointee.frames[depth].element = currentIndex
        return cursor
    }

    @inline(__always) private mutating func advance(to end: UnsafeRawPointer) {
        cursor = end
        currentIndex &+= 1
        if left > 0 { left &-= 1 }
        if session.state.pointee.frames[depth].value == value {
            session.state.pointee.frames[depth].cursor = cursor
            session.state.pointee.frames[depth].left = left
        }
    }

    @inline(__always) private mutating func read<T: WalBinaryValue>(_: T.Type) throws -> T {
        let result = try session.scalar(T.self, at: try next(), depth: depth &+ 1)
        advance(to: try session.state.pointee.source().pointee.position)
        return result
    }

    mutating func decodeNil() throws -> Bool {
        let place = try next()
        guard try session.isNull(place) else { return false }
        advance(to: place + 1)
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        let place = try next()
        let result = try session.decode(type, at: place, depth: depth &+ 1)
        advance(to: try session.end(of: place, depth: depth))
        return result
    }

    mutating func decode(_: Bool.Type) throws -> Bool { try read(Bool.self) }
    mutating func decode(_: String.Type) throws -> String { try read(String.self) }
    mutating func decode(_: Double.Type) throws -> Double { try read(Double.self) }
    mutating func decode(_: Float.Type) throws -> Float { try read(Float.self) }
    mutating func decode(_: Int.Type) throws -> Int { try read(Int.self) }
    mutating func decode(_: Int8.Type) throws -> Int8 { try read(Int8.self) }
    mutating func decode(_: Int16.Type) throws -> Int16 { try read(Int16.self) }
    mutating func decode(_: Int32.Type) throws -> Int32 { try read(Int32.self) }
    mutating func decode(_: Int64.Type) throws -> Int64 { try read(Int64.self) }
    mutating func decode(_: Int128.Type) throws -> Int128 { try read(Int128.self) }
    mutating func decode(_: UInt.Type) throws -> UInt { try read(UInt.self) }
    mutating func decode(_: UInt8.Type) throws -> UInt8 { try read(UInt8.self) }
    mutating func decode(_: UInt16.Type) throws -> UInt16 { try read(UInt16.self) }
    mutating func decode(_: UInt32.Type) throws -> UInt32 { try read(UInt32.self) }
    mutating func decode(_: UInt64.Type) throws -> UInt64 { try read(UInt64.self) }
    mutating func decode(_: UInt128.Type) throws -> UInt128 { try read(UInt128.self) }

    /// A decoder for the next element, which counts as read.
    private mutating func decoder() throws -> BinaryDecoder {
        let place = try next()
        advance(to: try session.end(of: place, depth: depth))
        return BinaryDecoder(session: session, value: place, depth: depth + 1, owner: owner)
    }

    mutating func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type
    ) throws -> KeyedDecodingContainer<NestedKey> {
        try decoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try decoder().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try decoder() }
}
