internal import WriteAheadLog

/// The one value of a type that is decoded as another.
struct BinarySingleValueDecodingContainer: SingleValueDecodingContainer {
    let session: DecodingSession
    let value: UnsafeRawPointer
    let depth: Int

    var codingPath: [any CodingKey] { session.path(depth) }

    func decodeNil() -> Bool { (try? session.isNull(value)) ?? false }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try session.decode(type, at: value, depth: depth) }

    func decode(_: Bool.Type) throws -> Bool { try session.scalar(Bool.self, at: value, depth: depth) }
    func decode(_: String.Type) throws -> String { try session.scalar(String.self, at: value, depth: depth) }
    func decode(_: Double.Type) throws -> Double { try session.scalar(Double.self, at: value, depth: depth) }
    func decode(_: Float.Type) throws -> Float { try session.scalar(Float.self, at: value, depth: depth) }
    func decode(_: Int.Type) throws -> Int { try session.scalar(Int.self, at: value, depth: depth) }
    func decode(_: Int8.Type) throws -> Int8 { try session.scalar(Int8.self, at: value, depth: depth) }
    func decode(_: Int16.Type) throws -> Int16 { try session.scalar(Int16.self, at: value, depth: depth) }
    func decode(_: Int32.Type) throws -> Int32 { try session.scalar(Int32.self, at: value, depth: depth) }
    func decode(_: Int64.Type) throws -> Int64 { try session.scalar(Int64.self, at: value, depth: depth) }
    func decode(_: Int128.Type) throws -> Int128 { try session.scalar(Int128.self, at: value, depth: depth) }
    func decode(_: UInt.Type) throws -> UInt { try session.scalar(UInt.self, at: value, depth: depth) }
    func decode(_: UInt8.Type) throws -> UInt8 { try session.scalar(UInt8.self, at: value, depth: depth) }
    func decode(_: UInt16.Type) throws -> UInt16 { try session.scalar(UInt16.self, at: value, depth: depth) }
    func decode(_: UInt32.Type) throws -> UInt32 { try session.scalar(UInt32.self, at: value, depth: depth) }
    func decode(_: UInt64.Type) throws -> UInt64 { try session.scalar(UInt64.self, at: value, depth: depth) }
    func decode(_: UInt128.Type) throws -> UInt128 { try session.scalar(UInt128.self, at: value, depth: depth) }
}
