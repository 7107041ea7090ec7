internal import WalBinary
internal import WalJSON
internal import WalZstd
internal import WriteAheadLog

/// Without the trait there is nothing to run.
enum ZstdBody {
    #if Zstd
    private static let maximum = 256 << 10
    private static let binary = ZstdCodec<FuzzEvent>(
        AnyWalCodec(CodableBinaryCodec<FuzzEvent>()), maximumDecompressedSize: maximum)
    private static let json = ZstdCodec<JSONValue>(
        AnyWalCodec(JSONTextCodec<JSONValue>()), maximumDecompressedSize: maximum)
    private static let plain = ZstdCodec<Payload>(.bytes(), level: 3, maximumDecompressedSize: maximum)
    /// The decompressed bytes, twice for the contexts' own buffers, and what the inner codec makes of them.
    private static let limit = (1 << 20) + 2 * maximum + 256 * maximum

    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        switch input.byte() % 6 {
        case 0: try CodecBody.check(binary, Array(input.rest), limit: limit)
        case 1: try CodecBody.check(json, Array(input.rest), limit: limit)
        case 2:
            // Whatever bytes come back, and only up to the limit.
            if let record = try CodecBody.decode(plain, Array(input.rest), limit: limit),
                record.bytes.count > max(maximum, input.rest.count)
            {
                throw FuzzFailure("\(record.bytes.count) bytes came out of \(input.rest.count)")
            }
        case 3: try roundTrip(&input)
        case 4: try mutated(&input)
        default: try parameters(&input)
        }
    }

    /// Any bytes, repeated so that they shrink, are stored and come back.
    private static func roundTrip(_ input: inout FuzzInput) throws(FuzzFailure) {
        let times = 1 + Int(input.byte()) % 16
        let record = Payload(Array(repeatElement(Array(input.rest), count: times).joined()))
        guard let stored = try CodecBody.encode(plain, record),
            try CodecBody.decode(plain, stored, limit: limit) == record
        else { throw FuzzFailure("\(record.bytes.count) bytes do not come back") }
        if stored.count > record.bytes.count + 1 { throw FuzzFailure("compression made the record larger") }
    }

    /// A frame that zstd wrote, changed in a few places: what random bytes hardly come to.
    private static func mutated(_ input: inout FuzzInput) throws(FuzzFailure) {
        let edits = (0..<(Int(input.byte()) % 8)).map { _ in (place: input.short(), value: input.byte()) }
        let times = 1 + Int(input.byte()) % 64
        let record = Payload(Array(repeatElement(Array(input.rest), count: times).joined()))
        guard var stored = try CodecBody.encode(plain, record), !stored.isEmpty else { return }
        for edit in edits { stored[edit.place % stored.count] = edit.value }
        _ = try CodecBody.decode(plain, stored, limit: limit)
        try CodecBody.check(json, stored, limit: limit)
        try CodecBody.check(binary, stored, limit: limit)
    }

    /// What a segment says of its codec.
    private static func parameters(_ input: inout FuzzInput) throws(FuzzFailure) {
        let id = UInt32(input.byte() % 8)
        let own = input.byte() % 2 == 0
        var parameters = own ? json.parameters : []
        for place in parameters.indices where input.byte() % 4 == 0 { parameters[place] = input.byte() }
        parameters += input.bytes(input.short() % 2048)
        let found: (any WalCodec<JSONValue>)?
        do throws(WalError) { found = try json.reader(id: id, parameters: parameters) } catch {
            // A dictionary that nobody has: the error names it. Nothing else is refused by an error.
            guard error.code == .unknownCodec, error.message.contains("dictionary") else {
                throw FuzzFailure("looking for a reader throws \(error)")
            }
            return
        }
        if let found { _ = try decodeAny(found, Array(input.rest)) }
    }

    private static func decodeAny(
        _ codec: some WalCodec<JSONValue>, _ bytes: [UInt8]
    ) throws(FuzzFailure) -> JSONValue? {
        try CodecBody.decode(codec, bytes, limit: limit)
    }
    #else
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {}
    #endif
}
