internal import WriteAheadLog

/// What a record in the binary format looks like, without its type: for messages.
struct BinaryShape {
    private let bytes: UnsafeRawBufferPointer
    /// Names of fields and cases in it.
    private(set) var names: [String] = []
    /// A bound on what one message may cost.
    private var budget = 200

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Nil where the record can't be walked through.
    mutating func schema() -> WalSchema? {
        var decoder = WalDecoder(unsafeBytes: bytes)
        return value(&decoder, depth: 0)
    }

    private mutating func value(_ decoder: inout WalDecoder, depth: Int) -> WalSchema? {
        budget -= 1
        guard depth < 12, budget > 0 else {
            return (try? decoder.skipValue()) == nil ? nil : .value("…")
        }
        guard let initial = decoder.peek() else { return nil }
        do throws(WalError) {
            switch initial & 0xE0 {
            case CBOR.map:
                var fields: [WalSchema.Field] = []
                var entries = try decoder.beginContainer(CBOR.map, "a map", atLeast: 2, checksDepth: false)
                while try decoder.next(in: &entries) {
                    guard let first = decoder.peek(), first & 0xE0 == CBOR.text else {
                        try decoder.skipValue()
                        try decoder.skipValue()
                        continue
                    }
                    let name = try String(from: &decoder)
                    names.append(name)
                    guard let schema = value(&decoder, depth: depth + 1) else { return nil }
                    if fields.count < 24 { fields.append(.init(name, schema)) }
                }
                return .structure("", fields)
            case CBOR.array:
                var element: WalSchema?
                var elements = try decoder.beginContainer(CBOR.array, "an array", atLeast: 1, checksDepth: false)
                while try decoder.next(in: &elements) {
                    if element == nil {
                        guard let schema = value(&decoder, depth: depth + 1) else { return nil }
                        element = schema
                    } else {
                        try decoder.skipValue()
                    }
                }
                return .array(element ?? .value("nothing"))
            default:
                try decoder.skipValue()
                return .value(Self.word(initial))
            }
        } catch {
            return nil
        }
    }

    private static func word(_ initial: UInt8) -> String {
        switch initial & 0xE0 {
        case CBOR.unsigned, CBOR.negative: "integer"
        case CBOR.bytes: "bytes"
        case CBOR.text: "text"
        case CBOR.tag: initial == 0xC2 || initial == 0xC3 ? "integer" : initial == 0xC4 ? "decimal" : "UUID"
        default:
            switch initial {
            case CBOR.false, CBOR.true: "boolean"
            case CBOR.null: "null"
            default: "floating point"
            }
        }
    }

    /// The names and places that lead to the value at `offset`; to the map or array around it where none begins there.
    func path(to offset: Int) -> [String] {
        var decoder = WalDecoder(unsafeBytes: bytes)
        var path: [String] = []
        descending: while path.count < CBOR.maximumDepth, decoder.offset < offset, let initial = decoder.peek() {
            do throws(WalError) {
                switch initial & 0xE0 {
                case CBOR.map:
                    var entries = try decoder.beginContainer(CBOR.map, "a map", atLeast: 2, checksDepth: false)
                    while try decoder.next(in: &entries) {
                        guard decoder.offset < offset else { return path }
                        guard let first = decoder.peek(), first & 0xE0 == CBOR.text else { return path }
                        let name = try String(from: &decoder)
                        guard decoder.offset <= offset else { return path }
                        if try contains(offset, at: decoder.offset) {
                            path.append(name)
                            continue descending
                        }
                        try decoder.skipValue()
                    }
                    return path
                case CBOR.array:
                    var elements = try decoder.beginContainer(CBOR.array, "an array", atLeast: 1, checksDepth: false)
                    var index = 0
                    while try decoder.next(in: &elements) {
                        guard decoder.offset <= offset else { return path }
                        if try contains(offset, at: decoder.offset) {
                            path.append(String(index))
                            continue descending
                        }
                        try decoder.skipValue()
                        index += 1
                    }
                    return path
                default: return path
                }
            } catch {
                // What follows is damaged: this is as far as a name leads.
                return path
            }
        }
        return path
    }

    /// Whether the value at `start` goes on to `offset` or beyond. One that breaks off does.
    private func contains(_ offset: Int, at start: Int) throws(WalError) -> Bool {
        guard offset >= start else { return false }
        var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(rebasing: bytes[start...]))
        do throws(WalError) { try decoder.skipValue() } catch { return true }
        return offset < start + decoder.offset
    }
}

extension WalError {
    /// Why a record in the binary format can't be read as that type: the field, what stands there, and what this build wants.
    ///
    /// - Parameter offset: where the reading stopped, where the error does not know its path.
    static func binary<T>(
        _ error: WalError, _ type: T.Type, _ bytes: UnsafeRawBufferPointer, stoppedAt offset: Int?
    ) -> WalError {
        let known = error.codingPath
        let place = offset.map { error.recordOffset ?? $0 }
        return error.comparing(bytes, with: { .of(T.self, names: $0, known: BinaryShape.known) }) { bytes in
            var shape = BinaryShape(bytes)
            let written = shape.schema()
            // A field that is missing is named by the error; where it should be, by the place.
            return (written, shape.names, place.map { shape.path(to: $0) + known })
        }
    }
}
