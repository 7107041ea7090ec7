public import WriteAheadLog

/// A promise that a codec did not keep, with what is needed to see it again.
public struct CodecConformanceFailure: Error, Sendable, CustomStringConvertible {
    /// What a codec promises. New promises may be added in minor releases: keep a `default` when you switch.
    public struct Promise: Hashable, Sendable, CustomStringConvertible {
        public let description: String
        init(_ description: String) { self.description = description }

        /// What is encoded comes back equal.
        public static let roundTrip = Promise("what is encoded comes back equal")
        /// Encoding appends; what the encoder held stays as it was.
        public static let appends = Promise("encoding keeps what the encoder already holds")
        /// Two encodings of one record are the same bytes.
        public static let deterministic = Promise("two encodings of one record are alike")
        /// Decoding reads to the end of the bytes that encoding appended.
        public static let consumesExactly = Promise("decoding consumes exactly what encoding wrote")
        /// A record that lacks bytes at its end is refused; only where the options ask for it.
        public static let refusesTruncation = Promise("a truncated record is refused")
        /// Decoding the same bytes twice comes to the same end.
        public static let stableOutcome = Promise("decoding the same bytes twice comes to the same end")
        /// A codec works on many threads at once.
        public static let concurrent = Promise("many threads may use the codec at once")
        /// The codec reads what it wrote, by its own id and parameters.
        public static let readsItself = Promise("the codec reads its own id and parameters")
        /// The codec has no reader for ids and parameters that it does not know.
        public static let refusesUnknown = Promise("ids and parameters that the codec does not know are refused")
        /// A batch that is coded as a whole expands to the bytes that it was made of, and damaged ones to errors.
        public static let batches = Promise("a batch that is coded as a whole comes back as it was")
        /// Name and parameters are within the limits of a segment header, and do not change.
        public static let identity = Promise("name and parameters are within limits and never change")
    }

    /// The promise that was broken.
    public let promise: Promise
    /// How it was broken.
    public let detail: String
    /// Which of the samples showed it, where one did.
    public let sample: Int?
    /// The bytes that showed it, at most the first 256.
    public let bytes: [UInt8]
    /// What the codec threw, where it did.
    public let underlying: WalError?

    init(_ promise: Promise, _ detail: String, sample: Int? = nil, bytes: [UInt8] = [], underlying: WalError? = nil) {
        self.promise = promise
        self.detail = detail
        self.sample = sample
        self.bytes = Array(bytes.prefix(256))
        self.underlying = underlying
    }

    public var description: String {
        var text = "broken promise: \(promise): \(detail)"
        if let sample { text += " [sample \(sample)]" }
        if !bytes.isEmpty { text += " [bytes \(bytes.map { hex($0) }.joined())]" }
        if let underlying { text += ": \(underlying)" }
        return text
    }

    private func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}
