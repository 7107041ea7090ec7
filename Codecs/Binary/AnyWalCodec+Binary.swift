public import WriteAheadLog

extension AnyWalCodec where Record: Codable {
    /// Compact, self-describing, and tolerant of fields that come and go.
    ///
    /// In generic code, where only `Codable` is known, one cast made here finds a record that codes itself directly.
    public static func binary() -> Self {
        if let direct = Record.self as? any WalDirectCodable.Type, let codec = directCodec(direct) {
            return Self(codec)
        }
        return Self(CodableBinaryCodec<Record>())
    }

    private static func directCodec<Direct: WalDirectCodable>(_: Direct.Type) -> (any WalCodec<Record>)? {
        DirectBinaryCodec<Direct>() as? any WalCodec<Record>
    }
}

extension AnyWalCodec where Record: WalDirectCodable {
    /// Compact, self-describing, and as fast as hand-written code.
    @inlinable public static func binary() -> Self { Self(DirectBinaryCodec<Record>()) }
}

extension AnyWalCodec where Record: WalDirectCodable & Codable {
    /// Compact, self-describing, and as fast as hand-written code.
    @inlinable public static func binary() -> Self { Self(DirectBinaryCodec<Record>()) }
}
