import Testing
import WalTesting
import WriteAheadLog

/// An app's own record and codec: a kind byte, then what it calls for.
private enum Command: WalCodable, Equatable {
    case set(key: String, value: [UInt8])
    case clear
}

private struct CommandCodec: WalCodec {
    static var id: UInt32 { 0x8000_0001 }
    var name: String { "command" }
    var parameters: [UInt8] { [] }

    func encode(_ record: borrowing Command, into encoder: inout WalEncoder) throws(WalError) {
        switch copy record {
        case .set(let key, let value):
            encoder.write(1 as UInt8)
            encoder.write(varint: UInt64(key.utf8.count))
            encoder.write(utf8: key)
            encoder.write(bytes: value)
        case .clear: encoder.write(2 as UInt8)
        }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Command {
        let kind = try decoder.read(UInt8.self)
        switch kind {
        case 1:
            guard let length = Int(exactly: try decoder.readVarint()) else {
                throw WalError(.decoding, "a key of impossible length")
            }
            let key = try decoder.readString(utf8Count: length)
            return .set(key: key, value: try decoder.readBytes(count: decoder.remaining))
        case 2:
            try decoder.expectEnd()
            return .clear
        default: throw WalError(.decoding, "unknown command \(kind)")
        }
    }
}

@Test func `an app's own codec of a few dozen lines keeps every promise`() throws {
    let samples: [Command] = [.clear, .set(key: "", value: []), .set(key: "größe", value: [1, 2, 3])]
    try CodecConformance.check(CommandCodec(), samples: samples)
}
