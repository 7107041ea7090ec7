#if Macros
import WalMacros

func bytes<Codec: WalCodec>(_ record: Codec.Record, by codec: Codec) throws -> [UInt8] {
    var encoder = WalEncoder()
    try codec.encode(record, into: &encoder)
    return encoder.withBytes { Array($0) }
}

func record<Codec: WalCodec>(_ bytes: [UInt8], by codec: Codec) throws -> Codec.Record {
    try bytes.withUnsafeBytes { bytes in
        var decoder = WalDecoder(unsafeBytes: bytes)
        return try codec.decode(&decoder)
    }
}

func error(_ body: () throws -> Void) -> WalError? {
    do {
        try body()
        return nil
    } catch {
        return error as? WalError
    }
}

func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}
#endif
