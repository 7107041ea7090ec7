import Testing
import WalBinary
import WriteAheadLog

/// Any Codable as a record.
struct Box<Value: Codable & Sendable>: WalCodable, Codable {
    var value: Value
    init(_ value: Value) { self.value = value }
    init(from decoder: any Decoder) throws { value = try decoder.singleValueContainer().decode(Value.self) }
    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(value)
    }
}

func encoded<Value: Codable & Sendable>(_ value: Value) throws -> [UInt8] {
    var encoder = WalEncoder()
    try CodableBinaryCodec<Box<Value>>().encode(Box(value), into: &encoder)
    return encoder.withBytes { Array($0) }
}

func decoded<Value: Codable & Sendable>(_: Value.Type = Value.self, _ bytes: [UInt8]) throws -> Value {
    try bytes.withUnsafeBytes { bytes in
        var decoder = WalDecoder(unsafeBytes: bytes)
        return try CodableBinaryCodec<Box<Value>>().decode(&decoder).value
    }
}

func direct<Value: WalBinaryValue>(_ value: Value) -> [UInt8] {
    var encoder = WalEncoder()
    value.encode(into: &encoder)
    return encoder.withBytes { Array($0) }
}

func directly<Value: WalBinaryValue>(_: Value.Type = Value.self, _ bytes: [UInt8]) throws -> Value {
    try bytes.withUnsafeBytes { bytes in
        var decoder = WalDecoder(unsafeBytes: bytes)
        let value = try Value(from: &decoder)
        try decoder.expectEnd()
        return value
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

func unhex(_ text: String) -> [UInt8] {
    let digits = text.compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The same numbers in each run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
