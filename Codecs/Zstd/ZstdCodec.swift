#if Zstd
public import WriteAheadLog

/// Compresses what another codec writes: records one by one, and batches as a whole.
///
/// A single small record hardly shrinks by itself, for there is nothing before it that it could repeat; a
/// ``ZstdDictionary`` changes that. The records of a batch are compressed together, which needs none. What does not shrink is
/// stored as it is, at the cost of one byte; so is what is larger than the reading limit.
///
/// Segments that the inner codec wrote by itself are read as well, those of another level too.
public struct ZstdCodec<Record: WalCodable>: WalBatchCodec {
    /// The levels that may be chosen. Check one that comes from outside against it: another is a programmer's error.
    public static var levels: ClosedRange<Int> { -5...22 }
    /// Powers of two that a window may have, in bytes: what zstd reads without being asked for more memory.
    public static var windowLogs: ClosedRange<Int> { 10...27 }
    /// 64 MiB.
    public static var defaultMaximumDecompressedSize: Int { 64 << 20 }

    public static var id: UInt32 { 3 }
    public let name: String
    public let parameters: [UInt8]

    private let inner: AnyWalCodec<Record>
    private let dictionaries: ZstdDictionaries?
    private let dictionary: ZstdDictionary?
    private let maximumDecompressedSize: Int
    private let contexts: ZstdContexts

    /// - Parameters:
    ///   - inner: writes the records; its parameters may have at most 1,000 bytes.
    ///   - level: one of ``levels``.
    ///   - windowLog: one of ``windowLogs``; by default the level's own, which is more than a small record or batch needs.
    ///   - dictionary: what new segments are compressed with.
    ///   - dictionaries: where those of old segments are found. Without `dictionary`, its newest is taken.
    ///   - maximumDecompressedSize: in bytes; a record or batch that claims more is refused before anything is allocated.
    public init(
        _ inner: AnyWalCodec<Record>, level: Int = 1, windowLog: Int? = nil, dictionary: ZstdDictionary? = nil,
        dictionaries: ZstdDictionaries? = nil, maximumDecompressedSize: Int = Self.defaultMaximumDecompressedSize
    ) {
        precondition(Self.levels.contains(level), "zstd level \(level) is not in \(Self.levels)")
        precondition(
            windowLog.map(Self.windowLogs.contains) ?? true,
            "a window of 2^\(windowLog ?? 0) is not in \(Self.windowLogs)")
        precondition(maximumDecompressedSize >= 0, "a maximum size of \(maximumDecompressedSize) bytes")
        self.init(
            inner, level, windowLog, dictionary ?? dictionaries?.newest, dictionaries, maximumDecompressedSize)
    }

    private init(
        _ inner: AnyWalCodec<Record>, _ level: Int, _ windowLog: Int?, _ dictionary: ZstdDictionary?,
        _ dictionaries: ZstdDictionaries?, _ maximumDecompressedSize: Int
    ) {
        let parameters = ZstdParameters(
            level: level, innerID: inner.id, dictionary: dictionary?.name, inner: inner.parameters)
        precondition(
            parameters.inner.count <= ZstdParameters.innerLimit,
            "the inner codec has parameters of \(parameters.inner.count) bytes, over \(ZstdParameters.innerLimit)")
        self.inner = inner
        self.dictionary = dictionary
        self.dictionaries = dictionaries
        self.maximumDecompressedSize = maximumDecompressedSize
        contexts = ZstdContexts(level: level, windowLog: windowLog, dictionary: dictionary)
        self.parameters = parameters.bytes
        // A nest of codecs may have a longer name than a segment header holds.
        let full = "zstd(\(inner.name))"
        name = full.utf8.count <= 64 ? full : "zstd"
    }

    /// The first byte of a record and of a batch.
    private enum Form {
        static var plain: UInt8 { 0 }
        static var compressed: UInt8 { 1 }
    }

    /// Appends the plain bytes in the form that is the shorter.
    private func store(_ plain: UnsafeRawBufferPointer, into encoder: inout WalEncoder) throws(WalError) {
        let start = encoder.count
        if plain.count <= maximumDecompressedSize {
            encoder.write(Form.compressed)
            if try contexts.compress(plain, limit: plain.count - 1, into: &encoder) { return }
            encoder.truncate(to: start)
        }
        encoder.write(Form.plain)
        encoder.write(bytes: plain)
    }

    /// Appends the plain bytes of what ``store(_:into:)`` stored.
    private func load(_ stored: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        let form = try stored.read(UInt8.self)
        let bytes = try stored.readBuffer(count: stored.remaining)
        switch form {
        case Form.plain: encoder.write(bytes: bytes)
        case Form.compressed: try contexts.expand(bytes, maximum: maximumDecompressedSize, into: &encoder)
        default: throw WalError(.decoding, "\(form) is neither the plain form nor the compressed one")
        }
    }

    // MARK: Records

    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        var plain = WalEncoder()
        try inner.encode(record, into: &plain)
        try plain.withBytes { (bytes) throws(WalError) in try store(bytes, into: &encoder) }
    }

    public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        if decoder.peek() == Form.plain {
            try decoder.skip(1)
            let record = try inner.decode(&decoder)
            try decoder.expectEnd()
            return record
        }
        var plain = WalEncoder()
        try load(&decoder, into: &plain)
        return try plain.withBytes { (bytes) throws(WalError) in
            var plainDecoder = WalDecoder(unsafeBytes: bytes)
            let record = try inner.decode(&plainDecoder)
            try plainDecoder.expectEnd()
            return record
        }
    }

    // MARK: Batches

    public func encodeWithinBatch(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(Form.plain)
        try inner.encode(record, into: &encoder)
    }

    public func repacking(id: UInt32, parameters: [UInt8]) throws(WalError) -> WalRepacking? {
        if id == inner.id, parameters == inner.parameters {
            return { (stored, encoder) throws(WalError) in
                encoder.write(Form.plain)
                encoder.write(bytes: try stored.readBuffer(count: stored.remaining))
            }
        }
        guard id == Self.id, let parsed = ZstdParameters(parameters), parsed.innerID == inner.id,
            parsed.inner == inner.parameters, let codec = try reader(id: id, parameters: parameters) as? Self
        else { return nil }
        return { (stored, encoder) throws(WalError) in
            encoder.write(Form.plain)
            try codec.load(&stored, into: &encoder)
        }
    }

    /// The records' lengths first, then what the inner codec wrote of all: like beside like shrinks better.
    public func encodeBatch(_ records: inout WalDecoder, into encoder: inout WalEncoder) throws(WalError) {
        var lengths = WalDecoder(unsafeBytes: records.rest)
        var count: UInt64 = 0
        while lengths.remaining > 0 {
            let length = Int(try lengths.read(UInt32.self))
            guard length >= 1, lengths.peek() == Form.plain else {
                throw WalError(.encoding, "a batch of records that this codec did not make ready")
            }
            try lengths.skip(length)
            count += 1
        }
        var all = WalEncoder(minimumCapacity: records.remaining + 10)
        all.write(varint: count)
        lengths = WalDecoder(unsafeBytes: records.rest)
        while lengths.remaining > 0 {
            let length = Int(try lengths.read(UInt32.self))
            all.write(varint: UInt64(length - 1))
            try lengths.skip(length)
        }
        while records.remaining > 0 {
            let length = Int(try records.read(UInt32.self))
            all.write(bytes: UnsafeRawBufferPointer(rebasing: try records.readBuffer(count: length)[1...]))
        }
        try all.withBytes { (bytes) throws(WalError) in try store(bytes, into: &encoder) }
    }

    public func decodeBatch(_ stored: inout WalDecoder, into records: inout WalEncoder) throws(WalError) {
        var all = WalEncoder()
        try load(&stored, into: &all)
        try all.withBytes { (bytes) throws(WalError) in
            var lengths = WalDecoder(unsafeBytes: bytes)
            let count = try lengths.readVarint()
            // Each length takes a byte.
            guard count <= UInt64(lengths.remaining) else {
                throw WalError(.decoding, "a batch of \(count) records in \(lengths.remaining) bytes")
            }
            var bodies = WalDecoder(unsafeBytes: lengths.rest)
            for _ in 0..<count { _ = try bodies.readVarint() }
            records.reserve(bodies.remaining + Int(count) * 5)
            for _ in 0..<count {
                let length = try lengths.readVarint()
                guard length < UInt64(UInt32.max) else { throw WalError(.decoding, "a record of \(length) bytes") }
                records.write(UInt32(truncatingIfNeeded: length) + 1)
                records.write(Form.plain)
                records.write(bytes: try bodies.readBuffer(count: Int(length)))
            }
            try bodies.expectEnd()
        }
    }

    // MARK: Old segments

    public func reader(id: UInt32, parameters: [UInt8]) throws(WalError) -> (any WalCodec<Record>)? {
        guard id == Self.id else { return try inner.base.reader(id: id, parameters: parameters) }
        guard let parsed = ZstdParameters(parameters), Self.levels.contains(parsed.level),
            let found = try inner.base.reader(id: parsed.innerID, parameters: parsed.inner)
        else { return nil }
        let dictionary: ZstdDictionary?
        if let name = parsed.dictionary { dictionary = try find(name) } else { dictionary = nil }
        return Self(
            Self.named(found), parsed.level, nil, dictionary, dictionaries, maximumDecompressedSize)
    }

    private func find(_ name: ZstdDictionary.Name) throws(WalError) -> ZstdDictionary {
        if let dictionary, dictionary.name == name { return dictionary }
        guard let dictionaries else {
            throw WalError(
                .unknownCodec,
                "the segment was written with the zstd dictionary \(name); open the log with `dictionaries:`, or with that `dictionary:`"
            )
        }
        return try dictionaries.dictionary(named: name)
    }

    private static func named(_ codec: some WalCodec<Record>) -> AnyWalCodec<Record> { AnyWalCodec(codec) }
}

extension AnyWalCodec {
    /// Compresses what `inner` writes; see ``ZstdCodec``. A level outside −5…22 is a programmer's error and traps.
    ///
    /// By itself it pays for batches and for records of some hundred bytes or more. For small ones that are appended one by one
    /// let it have `dictionaries`.
    public static func zstd(
        _ inner: Self, level: Int = 1, windowLog: Int? = nil, dictionary: ZstdDictionary? = nil,
        dictionaries: ZstdDictionaries? = nil,
        maximumDecompressedSize: Int = ZstdCodec<Record>.defaultMaximumDecompressedSize
    ) -> Self {
        Self(
            ZstdCodec(
                inner, level: level, windowLog: windowLog, dictionary: dictionary, dictionaries: dictionaries,
                maximumDecompressedSize: maximumDecompressedSize))
    }
}
#endif
