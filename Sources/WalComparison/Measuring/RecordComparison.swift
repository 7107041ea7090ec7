internal import WriteAheadLog

/// Whether a record came back as what it was: by `==` where records have it, else by what codecs make of both.
struct RecordComparison<Record: WalCodable>: Sendable {
    /// Bytes of one codec alone would not show what that codec leaves out.
    let codecs: [AnyWalCodec<Record>]

    func isSame(_ a: Record, _ b: Record) throws(WalError) -> Bool {
        if let equatable = a as? any Equatable {
            if Self.isEqual(equatable, b) { return true }
            // A value that is not even equal to itself, as one with a NaN in it, is left to its bytes.
            if Self.isEqual(equatable, a) { return false }
        }
        for codec in codecs {
            guard try Self.bytes(a, codec) == Self.bytes(b, codec) else { return false }
        }
        return true
    }

    private static func isEqual<Value: Equatable>(_ a: Value, _ b: Any) -> Bool {
        (b as? Value).map { a == $0 } ?? false
    }

    private static func bytes(_ record: Record, _ codec: AnyWalCodec<Record>) throws(WalError) -> [UInt8] {
        var encoder = WalEncoder()
        try codec.encode(record, into: &encoder)
        return encoder.withBytes { Array($0) }
    }
}
