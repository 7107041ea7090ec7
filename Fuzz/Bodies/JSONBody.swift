internal import Foundation
internal import WalJSON
internal import WriteAheadLog

enum JSONBody {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        let kind = input.byte()
        let bytes = Array(input.rest)
        switch kind % 12 {
        case 0: try CodecBody.check(JSONCodec<FuzzOrder>(), bytes)
        case 1: try CodecBody.check(JSONCodec<FuzzEvent>(), bytes)
        case 2: try CodecBody.check(JSONCodec<FuzzTree>(), bytes)
        case 3: try CodecBody.check(JSONCodec<FuzzBox<[Decimal]>>(), bytes)
        case 4: try CodecBody.check(JSONCodec<FuzzBox<[String: [Int: Set<String>]]>>(), bytes)
        case 5: try CodecBody.check(JSONCodec<FuzzBox<[Int128]>>(), bytes)
        case 6: try CodecBody.check(JSONCodec<FuzzBox<[Date: Float]>>(), bytes)
        case 7: try CodecBody.check(JSONCodec<FuzzBox<[UUID: Data]>>(), bytes)
        case 8: try CodecBody.check(JSONCodec<FuzzBox<[[Double?]]>>(), bytes)
        case 9: _ = try CodecBody.decode(JSONCodec<FuzzWanderer>(), bytes)
        case 10: try compact(bytes)
        default: try value(bytes)
        }
    }

    /// Text as a value, and the value in both its forms.
    private static func value(_ bytes: [UInt8]) throws(FuzzFailure) {
        let codec = JSONTextCodec<JSONValue>()
        guard let value = try CodecBody.decode(codec, bytes), let text = try CodecBody.encode(codec, value) else {
            return
        }
        guard let again = try CodecBody.decode(codec, text), again == value, again.hashValue == value.hashValue else {
            throw FuzzFailure("a JSON value is not the same after writing and reading it")
        }
        try lookAt(value)
        var encoder = WalEncoder()
        value.encode(into: &encoder)
        let packed = encoder.withBytes { Array($0) }
        guard try CodecBody.decode(CompactCodec(), packed) == value else {
            throw FuzzFailure("a JSON value is not the same in its compact form")
        }
    }

    private static func compact(_ bytes: [UInt8]) throws(FuzzFailure) {
        guard let value = try CodecBody.decode(CompactCodec(), bytes) else { return }
        guard let text = try CodecBody.encode(JSONTextCodec<JSONValue>(), value),
            try CodecBody.decode(JSONTextCodec<JSONValue>(), text) == value
        else { throw FuzzFailure("what the compact form holds is not the same as text") }
    }

    private static func lookAt(_ value: JSONValue) throws(FuzzFailure) {
        switch value {
        case .number(let number):
            _ = (number.double, number.integer(as: Int128.self), number.integer(as: UInt8.self))
            if let integer = number.integer(as: Int64.self), let double = number.double,
                integer.magnitude < 1 << 53, Double(integer) != double
            {
                throw FuzzFailure("\(number) is \(integer) and \(double)")
            }
            guard JSONNumber(number.text) == number else { throw FuzzFailure("\(number) is no number") }
        case .array(let elements): for element in elements { try lookAt(element) }
        case .object(let members): for member in members { try lookAt(member.value) }
        case .null, .bool, .string: break
        }
    }
}

/// The compact form as a codec.
struct CompactCodec: WalCodec {
    static var id: UInt32 { 0x8000_00F0 }
    var name: String { "compact" }
    var parameters: [UInt8] { [] }

    func encode(_ record: borrowing JSONValue, into encoder: inout WalEncoder) throws(WalError) {
        (copy record).encode(into: &encoder)
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> JSONValue {
        let value = try JSONValue(from: &decoder)
        try decoder.expectEnd()
        return value
    }
}
