public import WriteAheadLog

/// One way to store records: a codec, and how many records are appended together.
public struct CodecCandidate<Record: WalCodable>: Sendable {
    /// What reports call it; each candidate of a comparison needs another name.
    public var name: String
    public let codec: AnyWalCodec<Record>
    /// 1 where records are appended one by one; else so many are appended by `append(contentsOf:)`, and stored and made durable
    /// as a whole.
    public let batch: Int
    @usableFromInline let coder: FrameCoder<Record>

    /// - Parameter name: by default that of the codec, with the batch behind it where there is one.
    @inlinable public init(_ name: String? = nil, codec: AnyWalCodec<Record>, batch: Int = 1) {
        self.name = name ?? (batch == 1 ? codec.name : "\(codec.name) × \(batch)")
        self.codec = codec
        self.batch = batch
        coder = FrameCoder(codec, isBatch: batch > 1)
    }

    /// Candidates by the names of their codecs; of several with one name the second is called "name (2)".
    @inlinable static func named(after codecs: [AnyWalCodec<Record>]) -> [Self] {
        var taken: Set<String> = []
        return codecs.map { codec in
            var name = codec.name
            var number = 1
            while !taken.insert(name).inserted {
                number += 1
                name = "\(codec.name) (\(number))"
            }
            return Self(name, codec: codec)
        }
    }
}
