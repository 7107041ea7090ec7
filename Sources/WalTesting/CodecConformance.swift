internal import Dispatch
public import WriteAheadLog

/// What every codec must do, checked against yours.
///
/// ```swift
/// @Test func `my codec keeps the promises`() throws {
///     try CodecConformance.check(MyCodec(), samples: [.empty, .typical, .huge])
/// }
/// ```
///
/// Give samples that reach every case and field of the record, small ones most of all: each is truncated at every byte and
/// decoded once for each of its bits. A codec that traps ends the test process, which is a failure too; run the suite under
/// the address sanitizer as well, for it hands the codec buffers that end exactly where the record does.
public enum CodecConformance {
    /// What to check, and how hard.
    public struct Options: Sendable {
        /// Whether two encodings of one record must be the same bytes.
        public var deterministic = true
        /// Whether every proper prefix of a record must be refused. Many formats, bare bytes for one, cannot promise it.
        public var refusesTruncation = false
        /// How many random inputs are decoded.
        public var randomInputs = 2_000
        /// The longest random input, in bytes.
        public var randomInputLength = 256
        /// How many bits are flipped in each sample: all of them where it has no more, else evenly spread ones.
        public var bitFlipsPerSample = 32_768
        /// How many prefixes of each sample are decoded: all of them where it has no more, else evenly spread ones.
        public var truncationsPerSample = 32_768
        /// How many encode and decode at once.
        public var threads = 4
        /// How often each of them goes through the samples.
        public var roundsPerThread = 50
        /// The seed of all that is random.
        public var seed: UInt64 = 0x5741_4C21

        public init() {}
    }

    /// Checks a codec whose records can be compared.
    public static func check<Record: WalCodable & Equatable>(
        _ codec: some WalCodec<Record>, samples: [Record], options: Options = Options()
    ) throws(CodecConformanceFailure) {
        try check(codec, samples: samples, options: options) { $0 == $1 }
    }

    /// Checks a codec as an app names it, such as `.zstd(.json())`.
    public static func check<Record: WalCodable & Equatable>(
        _ codec: AnyWalCodec<Record>, samples: [Record], options: Options = Options()
    ) throws(CodecConformanceFailure) {
        try check(codec.base, samples: samples, options: options) { $0 == $1 }
    }

    /// Checks a codec as an app names it, such as `.zstd(.json())`.
    public static func check<Record: WalCodable>(
        _ codec: AnyWalCodec<Record>, samples: [Record], options: Options = Options(),
        isEqual: @escaping @Sendable (Record, Record) -> Bool
    ) throws(CodecConformanceFailure) {
        try check(codec.base, samples: samples, options: options, isEqual: isEqual)
    }

    /// Checks a codec; throws the first promise found broken.
    public static func check<Record: Sendable>(
        _ codec: some WalCodec<Record>, samples: [Record], options: Options = Options(),
        isEqual: @escaping @Sendable (Record, Record) -> Bool
    ) throws(CodecConformanceFailure) {
        precondition(!samples.isEmpty, "a codec is checked against at least one sample")
        let run = CodecConformanceRun(codec: codec, samples: samples, options: options, isEqual: isEqual)
        try run.identity()
        let encoded = try run.roundTrips()
        try run.readers(encoded)
        try run.truncations(encoded)
        try run.bitFlips(encoded)
        try run.randomInputs()
        try run.concurrency(encoded)
        if let batches = codec as? any WalBatchCodec<Record> {
            try BatchConformanceRun(codec: batches, samples: samples, options: options, isEqual: isEqual).run()
        }
    }
}

/// One run of the suite over one codec.
struct CodecConformanceRun<Codec: WalCodec>: Sendable {
    typealias Record = Codec.Record
    typealias Failure = CodecConformanceFailure

    let codec: Codec
    let samples: [Record]
    let options: CodecConformance.Options
    let isEqual: @Sendable (Record, Record) -> Bool

    // MARK: Steps

    func identity() throws(Failure) {
        let (name, parameters) = (codec.name, codec.parameters)
        guard (1...64).contains(name.utf8.count) else {
            throw Failure(.identity, "the name has \(name.utf8.count) bytes; 1 to 64 are allowed")
        }
        guard parameters.count <= 1_024 else {
            throw Failure(.identity, "the parameters have \(parameters.count) bytes; at most 1,024 are allowed")
        }
        guard codec.name == name, codec.parameters == parameters else {
            throw Failure(.identity, "the name or the parameters changed between two calls")
        }
    }

    func roundTrips() throws(Failure) -> [[UInt8]] {
        var all: [[UInt8]] = []
        for (index, sample) in samples.enumerated() {
            let bytes = try encode(sample, index, after: [])
            // Seven bytes leave the record at an odd address; the other makes the encoder grow in the midst of it.
            for held in [[UInt8](1...7), [UInt8](repeating: 0xA5, count: 4_093)] {
                let again = try encode(sample, index, after: held)
                if options.deterministic, again != bytes {
                    throw Failure(
                        .deterministic, "the second encoding has \(again.count) bytes, not the same \(bytes.count)",
                        sample: index, bytes: again)
                }
                try roundTrip(codec, sample, index, again)
            }
            try roundTrip(codec, sample, index, bytes)
            all.append(bytes)
        }
        return all
    }

    func readers(_ encoded: [[UInt8]]) throws(Failure) {
        let own = codec.parameters
        let found: (any WalCodec<Record>)?
        do { found = try codec.reader(id: Codec.id, parameters: own) } catch {
            throw Failure(.readsItself, "reader(id:parameters:) throws", underlying: error)
        }
        guard let found else { throw Failure(.readsItself, "reader(id:parameters:) returns nil") }
        for (index, sample) in samples.enumerated() { try roundTrip(found, sample, index, encoded[index]) }

        var random = SeededGenerator(seed: options.seed)
        for id in [Codec.id ^ 0x4000_0001, Codec.id &+ 0x1357_9BDF, UInt32.max ^ Codec.id] {
            try refuses(id: id, parameters: own, "an unknown id, \(id)")
        }
        try refuses(id: Codec.id, parameters: own + [0x5A], "parameters with a byte too many")
        try refuses(id: Codec.id, parameters: random.bytes(count: 1_024), "1,024 random bytes as parameters")
        // A codec may well know these, for they may be other parameters of its own. It must not trap on any.
        for count in own.indices { _ = try? codec.reader(id: Codec.id, parameters: Array(own[..<count])) }
        for bit in 0..<own.count * 8 { _ = try? codec.reader(id: Codec.id, parameters: flipped(own, bit)) }
        for _ in 0..<256 {
            let length = Int(random.next() % 64)
            _ = try? codec.reader(id: Codec.id, parameters: random.bytes(count: length))
        }
    }

    func truncations(_ encoded: [[UInt8]]) throws(Failure) {
        for (index, bytes) in encoded.enumerated() {
            for count in spread(bytes.count, options.truncationsPerSample) {
                let prefix = Array(bytes[..<count])
                if try survives(prefix, index), options.refusesTruncation {
                    throw Failure(
                        .refusesTruncation, "the first \(count) of \(bytes.count) bytes are taken for a record",
                        sample: index, bytes: prefix)
                }
            }
        }
    }

    func bitFlips(_ encoded: [[UInt8]]) throws(Failure) {
        for (index, bytes) in encoded.enumerated() {
            for bit in spread(bytes.count * 8, options.bitFlipsPerSample) { try survives(flipped(bytes, bit), index) }
        }
    }

    func randomInputs() throws(Failure) {
        try survives([], nil)
        for byte in UInt8.min...UInt8.max { try survives([byte], nil) }
        for byte in UInt8.min...UInt8.max { try survives([UInt8](repeating: byte, count: 1_000), nil) }
        var random = SeededGenerator(seed: options.seed)
        for _ in 0..<options.randomInputs {
            let length = Int(random.next() % UInt64(max(options.randomInputLength, 1)))
            try survives(random.bytes(count: length), nil)
        }
    }

    func concurrency(_ encoded: [[UInt8]]) throws(Failure) {
        let threads = max(options.threads, 1)
        // One place each, so that the threads share nothing but the codec: a lock here would hide races in it.
        let failures = FailureSlots(count: threads)
        DispatchQueue.concurrentPerform(iterations: threads) { thread in
            do throws(Failure) {
                for _ in 0..<options.roundsPerThread {
                    for (index, sample) in samples.enumerated() {
                        let bytes = try encode(sample, index, after: [])
                        if options.deterministic, bytes != encoded[index] {
                            throw Failure(.concurrent, "other bytes than on one thread", sample: index, bytes: bytes)
                        }
                        try roundTrip(codec, sample, index, bytes)
                    }
                }
            } catch {
                failures[thread] = Failure(
                    .concurrent, "what one thread can, \(threads) at once cannot: \(error.promise): \(error.detail)",
                    sample: error.sample, bytes: error.bytes, underlying: error.underlying)
            }
        }
        for thread in 0..<threads { if let failure = failures[thread] { throw failure } }
    }

    // MARK: Parts of steps

    /// The bytes that the codec appends behind `held`.
    private func encode(_ sample: Record, _ index: Int, after held: [UInt8]) throws(Failure) -> [UInt8] {
        var encoder = WalEncoder()
        encoder.write(bytes: held)
        do { try codec.encode(sample, into: &encoder) } catch {
            throw Failure(.roundTrip, "encoding throws", sample: index, underlying: error)
        }
        let bytes = encoder.withBytes { Array($0) }
        guard bytes.count >= held.count, bytes[..<held.count] == held[...] else {
            throw Failure(
                .appends, "\(held.count) bytes were there before, and not all of them are now", sample: index,
                bytes: bytes)
        }
        return Array(bytes[held.count...])
    }

    private func roundTrip(
        _ codec: some WalCodec<Record>, _ sample: Record, _ index: Int, _ bytes: [UInt8]
    ) throws(Failure) {
        let outcome = decode(codec, bytes)
        switch outcome.result {
        case .failure(let error):
            throw Failure(.roundTrip, "decoding throws", sample: index, bytes: bytes, underlying: error)
        case .success(let record):
            guard outcome.left == 0 else {
                throw Failure(
                    .consumesExactly, "\(outcome.left) of \(bytes.count) bytes are left over", sample: index,
                    bytes: bytes)
            }
            guard isEqual(sample, record) else {
                throw Failure(.roundTrip, "\(sample) comes back as \(record)", sample: index, bytes: bytes)
            }
        }
    }

    /// Whether the bytes were taken for a record; what matters is to come back at all, and twice the same way.
    @discardableResult
    private func survives(_ bytes: [UInt8], _ index: Int?) throws(Failure) -> Bool {
        let (first, second) = (decode(codec, bytes), decode(codec, bytes))
        switch (first.result, second.result) {
        case (.success, .success), (.failure, .failure): break
        default:
            throw Failure(.stableOutcome, "once a record, once an error", sample: index, bytes: bytes)
        }
        if case .success = first.result { return true }
        return false
    }

    private func decode(
        _ codec: some WalCodec<Record>, _ bytes: [UInt8]
    ) -> (result: Result<Record, WalError>, left: Int) {
        // A copy of exactly this size, so that a sanitizer sees a read beyond it.
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: bytes)
        var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(exact))
        do {
            let record = try codec.decode(&decoder)
            return (.success(record), decoder.remaining)
        } catch {
            return (.failure(error), decoder.remaining)
        }
    }

    private func refuses(id: UInt32, parameters: [UInt8], _ what: String) throws(Failure) {
        // To throw is to refuse, too.
        guard let found = try? codec.reader(id: id, parameters: parameters) else { return }
        throw Failure(.refusesUnknown, "a reader named \"\(found.name)\" is offered for \(what)", bytes: parameters)
    }

    private func flipped(_ bytes: [UInt8], _ bit: Int) -> [UInt8] {
        var copy = bytes
        copy[bit / 8] ^= 1 << UInt8(bit % 8)
        return copy
    }

    private func spread(_ count: Int, _ limit: Int) -> StrideTo<Int> {
        stride(from: 0, to: count, by: max(1, (count + max(limit, 1) - 1) / max(limit, 1)))
    }
}

/// A place for each thread's failure.
private final class FailureSlots: @unchecked Sendable {
    // Unchecked, for each thread writes its own place only, and they are read when all have ended.
    private let places: UnsafeMutableBufferPointer<CodecConformanceFailure?>

    init(count: Int) {
        places = .allocate(capacity: count)
        places.initialize(repeating: nil)
    }

    deinit {
        places.deinitialize()
        places.deallocate()
    }

    subscript(thread: Int) -> CodecConformanceFailure? {
        get { places[thread] }
        set { places[thread] = newValue }
    }
}
