/// What seals the frames that a partition appends. Guarded by the partition's lock.
final class FrameSealing: @unchecked Sendable {
    // Sendable: see above.
    typealias MakeSealer = (_ header: ([UInt8]) -> [UInt8]) throws(WalError) -> any WalFrameSealer

    /// Bytes that a frame takes more.
    let overhead: Int
    private let makeSealer: MakeSealer
    /// Of the active segment.
    private var sealer: (any WalFrameSealer)?
    private var stored = WalEncoder()

    /// Memory for a large frame is given back with the next.
    private static let keptCapacity = 1 << 20

    init(overhead: Int, makeSealer: @escaping MakeSealer) {
        self.overhead = overhead
        self.makeSealer = makeSealer
    }

    /// The header of a new segment with its own parameters in it, and what seals its frames: to be handed to ``use(_:)`` once
    /// the segment is there.
    func begin(_ header: SegmentHeader) throws(WalError) -> (header: SegmentHeader, sealer: any WalFrameSealer) {
        var header = header
        let longest = header.codecParameters.count
        let sealer = try makeSealer { parameters in
            header.codecParameters = parameters
            return header.encoded()
        }
        guard header.codecParameters.count <= longest else {
            throw WalError(
                .encoding,
                "the codec \(header.codecName) gives \(header.codecParameters.count) bytes of parameters to a segment, and said \(longest)"
            )
        }
        return (header, sealer)
    }

    func use(_ sealer: any WalFrameSealer) { self.sealer = sealer }
    /// The segment takes no more frames: whatever secrets it had can go.
    func end() { sealer = nil }

    /// What is stored for a frame, valid until the next call. Each call may give other bytes.
    func seal(
        _ payload: UnsafeRawBufferPointer, kind: UInt8, lsn: UInt64, records: UInt64
    ) throws(WalError) -> UnsafeRawBufferPointer {
        guard let sealer else { throw WalError(.closed, "the segment takes no more records", lsn: LSN(lsn)) }
        if stored.capacity > Self.keptCapacity { stored = WalEncoder() }
        stored.reset()
        let frame = WalSealedFrame(
            lsn: LSN(lsn), kind: FrameKind.sealed(kind), recordCount: UInt32(truncatingIfNeeded: records))
        var plain = payload
        // A batch's count stays readable: for recovery, which has no key.
        if kind != FrameKind.record, plain.count >= 4 {
            stored.write(bytes: UnsafeRawBufferPointer(rebasing: plain[..<4]))
            plain = UnsafeRawBufferPointer(rebasing: plain[4...])
        }
        try sealer.seal(plain, frame, into: &stored)
        guard stored.count == payload.count + overhead else {
            throw WalError(
                .encoding,
                "a sealed frame of \(stored.count) bytes, where the codec said \(payload.count + overhead)",
                lsn: LSN(lsn))
        }
        return stored.bytes
    }
}
