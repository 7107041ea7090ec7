import WalComparison
import WriteAheadLog

/// A record of so many bytes.
struct Sized: WalCodable, Equatable {
    var bytes: [UInt8]

    init(_ count: Int, _ byte: UInt8 = 7) { bytes = [UInt8](repeating: byte, count: count) }
}

/// A record that cannot be compared.
struct Opaque: WalCodable {
    var number: UInt32
    var note: UInt32 = 0
}

/// Stores the bytes as they are, with `padding` zeros behind them.
struct PaddedCodec: WalCodec {
    static var id: UInt32 { 0x8000_0001 }
    var name: String { "padded" }
    var parameters: [UInt8] { [] }
    var padding = 0

    func encode(_ record: borrowing Sized, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: record.bytes)
        for _ in 0..<padding { encoder.write(0 as UInt8) }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Sized {
        var record = Sized(0)
        record.bytes = try decoder.readBytes(count: decoder.remaining - padding)
        try decoder.skip(padding)
        return record
    }
}

/// Codes a batch as its bytes, half of them: of records whose bytes are all alike.
struct HalvingCodec: WalBatchCodec {
    static var id: UInt32 { 0x8000_0002 }
    var name: String { "halving" }
    var parameters: [UInt8] { [] }

    func encode(_ record: borrowing Sized, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(bytes: record.bytes)
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Sized {
        var record = Sized(0)
        record.bytes = try decoder.readBytes(count: decoder.remaining)
        return record
    }

    func encodeWithinBatch(_ record: borrowing Sized, into encoder: inout WalEncoder) throws(WalError) {
        try encode(record, into: &encoder)
    }

    func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        while records.remaining > 0 {
            let count = try records.read(UInt32.self)
            let bytes = try records.readBuffer(count: Int(count))
            encoder.write(count)
            encoder.write(bytes: UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]))
        }
    }

    func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError) {
        while stored.remaining > 0 {
            let count = try stored.read(UInt32.self)
            let bytes = try stored.readBuffer(count: Int(count) / 2)
            records.write(count)
            records.write(bytes: bytes)
            records.write(bytes: bytes)
        }
    }

    func repacking(id: UInt32, parameters: [UInt8]) throws(WalError) -> WalRepacking? { nil }
}

/// Does not give back what it got: by what it is told.
struct LyingCodec: WalCodec {
    enum Lie: Sendable { case forgets, refusesToDecode, refusesToEncode, leavesOut }
    static var id: UInt32 { 0x8000_0003 }
    var name: String { "lying" }
    var parameters: [UInt8] { [] }
    var lie: Lie?

    func encode(_ record: borrowing Opaque, into encoder: inout WalEncoder) throws(WalError) {
        if lie == .refusesToEncode, record.number == 3 { throw WalError(.encoding, "not this one") }
        encoder.write(record.number)
        if lie != .leavesOut { encoder.write(record.note) }
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Opaque {
        var record = Opaque(number: try decoder.read())
        if lie != .leavesOut { record.note = try decoder.read() }
        if lie == .forgets, record.number == 3 { record.note = 0 }
        if lie == .refusesToDecode, record.number == 3 { throw WalError(.decoding, "what is this") }
        return record
    }
}

extension CodecComparison.Options {
    /// As little as shows anything.
    static func tiny(in directory: String? = nil) -> Self {
        Self(time: .milliseconds(8), rounds: 2, recordsInFlight: 4, directory: directory)
    }
}
