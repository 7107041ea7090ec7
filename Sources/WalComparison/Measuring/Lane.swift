internal import WriteAheadLog

/// A candidate that was found to keep what it is given, and what each round does with it.
struct Lane<Record: WalCodable>: Sendable {
    let candidate: CodecCandidate<Record>
    /// The records of each frame.
    let groups: [Range<Int>]
    /// What each frame holds.
    let payloads: Payloads
    let peakMemory: Int?
    var coder: FrameCoder<Record> { candidate.coder }
    var encoding: Workload
    var decoding: Workload
    var appending: Workload
    /// Bytes that the log grew by.
    var storedBytes = 0

    func records(of workload: Workload) -> Int {
        workload.frames.reduce(0) { $0 + groups[$1].count } * workload.repeats
    }

    /// Encoded frames, one behind the other.
    struct Payloads: Sendable {
        private(set) var bytes: [UInt8] = []
        private var ends: [Int] = []

        mutating func append(_ payload: UnsafeRawBufferPointer) {
            bytes.append(contentsOf: payload)
            ends.append(bytes.count)
        }

        var count: Int { ends.count }

        func range(_ place: Int) -> Range<Int> { (place == 0 ? 0 : ends[place - 1])..<ends[place] }

        func withPayload<R>(
            _ place: Int, _ body: (UnsafeRawBufferPointer) throws(WalError) -> R
        ) throws(WalError) -> R {
            let range = range(place)
            return try bytes.withUnsafeBufferPointer { (all) throws(WalError) in
                try body(UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: all[range])))
            }
        }
    }
}
