/// A codec whose frames are sealed: what another codec writes is encrypted and authenticated before it reaches a file.
///
/// The log calls the codec once for each segment, and what that gives for each frame, when the frame's LSN is known. Readers of
/// other codecs and frames that are not sealed pay nothing for it. In a segment of such a codec a frame that is not sealed is
/// an error, for whoever changes the file could put one there.
public protocol WalSealingCodec<Record>: WalCodec where Record: WalCodable {
    /// Writes what is sealed, and reads what was opened.
    var inner: AnyWalCodec<Record> { get }
    /// How many bytes a sealed frame takes more; the same for each. At most 1,024.
    var sealOverhead: Int { get }

    /// Makes what seals the frames of a new segment, under secrets that no other segment has.
    ///
    /// - Parameter header: the segment's first 4,096 bytes, with these parameters in it; to be called once. All of it should be
    ///   authenticated by each frame. The parameters take the place of ``WalCodec/parameters`` and must not be longer.
    /// - Throws: what the append that needs the segment shall throw; it changes nothing then.
    func makeSealer(header: (_ parameters: [UInt8]) -> [UInt8]) throws(WalError) -> any WalFrameSealer

    /// Makes what opens the frames of a segment. Where the secrets for it are not there or are others, that is to be told by
    /// ``WalCodec/reader(id:parameters:)``, which the log calls for each segment when it is opened.
    ///
    /// - Parameters:
    ///   - parameters: of the segment, which ``WalCodec/reader(id:parameters:)`` took.
    ///   - header: the file's first 4,096 bytes.
    func makeOpener(parameters: [UInt8], header: [UInt8]) throws(WalError) -> any WalFrameOpener
}

extension WalSealingCodec {
    /// Throws: only the log seals, frame by frame, and asks ``inner`` for the rest. A codec around this one would write in plain
    /// what it was told to seal.
    public func encode(_ record: borrowing Record, into encoder: inout WalEncoder) throws(WalError) {
        throw WalError(.encoding, Self.mustBeOutermost)
    }

    /// Throws; see ``encode(_:into:)``.
    public func decode(_ decoder: inout WalDecoder) throws(WalError) -> Record {
        throw WalError(.decoding, Self.mustBeOutermost)
    }

    private static var mustBeOutermost: String {
        "a codec that seals must be the outermost, for it is the log that seals: `.sealed(.zstd(…))`, not the other way round"
    }
}

/// Seals the frames of one segment.
public protocol WalFrameSealer: Sendable {
    /// Appends what is stored: ``WalSealingCodec/sealOverhead`` bytes more than `plain`.
    ///
    /// Calls come one at a time, but not always for another LSN: where the disk was full, the next frame has the same.
    func seal(
        _ plain: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
    ) throws(WalError)
}

/// Opens the frames of one segment.
public protocol WalFrameOpener: Sendable {
    /// Appends what was sealed, or throws where it, or `frame`, is not what was sealed. Until that is known, nothing of it may be
    /// used. The bytes passed the checksum, which anybody can make.
    func open(
        _ sealed: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
    ) throws(WalError)
}
