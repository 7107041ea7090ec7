public import WriteAheadLog

extension Optional: WalBinaryValue where Wrapped: WalBinaryValue {
    @inlinable public func encode(into encoder: inout WalEncoder) {
        if let self { self.encode(into: &encoder) } else { encoder.null() }
    }

    @inlinable public init(from decoder: inout WalDecoder) throws(WalError) {
        if decoder.peek() == CBOR.null {
            try decoder.skip(1)
            self = nil
        } else {
            self = try Wrapped(from: &decoder)
        }
    }
}

/// An array; one of `UInt8` is a byte string.
extension Array: WalBinaryValue where Element: WalBinaryValue {
    @inlinable @inline(__always) public func encode(into encoder: inout WalEncoder) {
        if Element.self == UInt8.self {
            // The same type, which the compiler sees only once it has specialized.
            withUnsafeBytes { encoder.value(bytes: $0) }
        } else {
            encoder.beginArray()
            for element in self { element.encode(into: &encoder) }
            encoder.endArray()
        }
    }

    @inlinable @inline(__always) public init(from decoder: inout WalDecoder) throws(WalError) {
        if Element.self == UInt8.self {
            let bytes = try decoder.bytes()
            self = unsafeBitCast([UInt8](bytes.assumingMemoryBound(to: UInt8.self)), to: [Element].self)
        } else {
            var elements = try decoder.beginArray()
            self = []
            // No more memory than there are bytes left, for each of many nested arrays may claim them all; growth does the rest.
            if let count = elements.count {
                reserveCapacity(Swift.min(count, decoder.remaining / MemoryLayout<Element>.stride))
            }
            while try decoder.next(in: &elements) { append(try Element(from: &decoder)) }
        }
    }
}

/// An array sorted by the elements' encoded bytes, so that equal sets have equal bytes.
extension Set: WalBinaryValue where Element: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) {
        encoder.beginArray()
        var starts: [Int] = []
        starts.reserveCapacity(count)
        for element in self {
            starts.append(encoder.count)
            element.encode(into: &encoder)
        }
        EntrySorter.sort(starts[...], .elements, in: &encoder)
        encoder.endArray()
    }

    public init(from decoder: inout WalDecoder) throws(WalError) {
        var elements = try decoder.beginArray()
        self = []
        while try decoder.next(in: &elements) { insert(try Element(from: &decoder)) }
    }
}

/// A map sorted by its keys' UTF-8 where the keys are `String`, `Int` or `CodingKeyRepresentable`; otherwise an array of keys
/// and values by turns, sorted by the keys' encoded bytes.
extension Dictionary: WalBinaryValue where Key: WalBinaryValue, Value: WalBinaryValue {
    public func encode(into encoder: inout WalEncoder) {
        let named = Self.hasNamedKeys
        if named { encoder.beginMap() } else { encoder.beginArray() }
        var starts: [Int] = []
        starts.reserveCapacity(count * 2)
        for (key, value) in self {
            starts.append(encoder.count)
            if named {
                encoder.text(Self.name(of: key))
            } else {
                key.encode(into: &encoder)
                starts.append(encoder.count)
            }
            value.encode(into: &encoder)
        }
        EntrySorter.sort(starts[...], named ? .fields : .pairs, in: &encoder)
        encoder.write(CBOR.end)
    }

    public init(from decoder: inout WalDecoder) throws(WalError) {
        self = [:]
        if Self.hasNamedKeys {
            var entries = try decoder.beginEntries()
            while try decoder.next(in: &entries) {
                let start = decoder.offset
                let name = try String(from: &decoder)
                guard let key = Self.key(named: name) else {
                    throw WalDecoder.malformed("\"\(name)\" is no \(Key.self)", at: start)
                }
                self[key] = try Value(from: &decoder)
            }
        } else {
            // Where the array begins, for behind its end nothing leads to it.
            let start = decoder.offset
            var elements = try decoder.beginArray()
            while try decoder.next(in: &elements) {
                let key = try Key(from: &decoder)
                guard try decoder.next(in: &elements) else {
                    throw WalDecoder.malformed("a dictionary's last key has no value", at: start)
                }
                self[key] = try Value(from: &decoder)
            }
        }
    }

    private static var hasNamedKeys: Bool {
        Key.self == String.self || Key.self == Int.self || Key.self is any CodingKeyRepresentable.Type
    }

    private static func name(of key: Key) -> String {
        switch key {
        case let key as any CodingKeyRepresentable: key.codingKey.stringValue
        default: "\(key)"
        }
    }

    private static func key(named name: String) -> Key? {
        guard let type = Key.self as? any CodingKeyRepresentable.Type else { return nil }
        return type.init(codingKey: BinaryKey(name, intValue: Int(name))) as? Key
    }
}
