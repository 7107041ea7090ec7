internal import WriteAheadLog

/// What records of one size cost: each frame is timed by itself, once a round.
struct SizeMeasure<Record: WalCodable>: Sendable {
    private let classes: [SizeClasses.Class]
    /// By class.
    private let members: [[Record]]
    /// For one class over all rounds, in nanoseconds.
    private let time: Double
    private let rounds: Int

    init(classes: SizeClasses, samples: [Record], time: Duration, rounds: Int) {
        self.classes = classes.classes
        members = classes.classes.map { $0.members.map { samples[$0] } }
        self.time = time / .nanoseconds(1) / Double(max(classes.classes.count, 1))
        self.rounds = rounds
    }

    /// One class of one candidate.
    struct State: Sendable {
        var groups: [Range<Int>]
        /// Bytes a record in the log, of all frames.
        var stored: [Double] = []
        /// Places of the frames that are timed.
        var timed: [Int] = []
        var payloads = Lane<Record>.Payloads()
        /// By frame that is timed: nanoseconds a record in each round.
        var encode: [[Double]] = []
        var decode: [[Double]] = []
    }

    func begin(_ lane: Lane<Record>) throws(WalError) -> [State] {
        try members.map { (records) throws(WalError) in
            let batch = lane.candidate.batch
            var groups = stride(from: 0, to: records.count, by: batch).map { $0..<min($0 + batch, records.count) }
            // A short batch costs more for each of its records than those which it would stand beside.
            if groups.count > 1, let last = groups.last, last.count < batch { groups.removeLast() }
            var state = State(groups: groups)
            let start = PosixStorage().monotonicNow()
            for group in groups {
                var encoder = WalEncoder()
                try lane.coder.encode(records, group, &encoder)
                let frame = FileFormat.padded(FileFormat.frameHeaderSize + encoder.count)
                state.stored.append(Double(frame) / Double(group.count))
            }
            let each = Double(PosixStorage().monotonicNow() - start) / Double(groups.count)
            // Decoding takes about as long as encoding.
            let fitting = max(min(time / Double(rounds) / max(2 * each, 1), 4096), 1)
            state.timed = Workload.spread(groups.count).prefix(Int(fitting)).sorted()
            for place in state.timed {
                var encoder = WalEncoder()
                try lane.coder.encode(records, groups[place], &encoder)
                encoder.withBytes { state.payloads.append($0) }
            }
            state.encode = Array(repeating: [], count: state.timed.count)
            state.decode = state.encode
            return state
        }
    }

    func round(_ lane: Lane<Record>, _ states: [State]) throws(WalError) -> [State] {
        let clock = PosixStorage()
        let overhead =
            (0..<100).map { _ in
                let start = clock.monotonicNow()
                return Double(clock.monotonicNow() - start)
            }.min() ?? 0
        var states = states
        for (place, records) in members.enumerated() {
            for (turn, frame) in states[place].timed.enumerated() {
                let group = states[place].groups[frame]
                var encoder = WalEncoder()
                let start = clock.monotonicNow()
                try lane.coder.encode(records, group, &encoder)
                let encoded = clock.monotonicNow()
                try states[place].payloads.withPayload(turn) { (bytes) throws(WalError) in
                    _ = try lane.coder.decode(bytes)
                }
                let decoded = clock.monotonicNow()
                states[place].encode[turn].append(max(Double(encoded - start) - overhead, 0) / Double(group.count))
                states[place].decode[turn].append(max(Double(decoded - encoded) - overhead, 0) / Double(group.count))
            }
        }
        return states
    }

    func figures(_ states: [State]) -> [SizeClassFigures] {
        zip(classes, states).map { one, state in
            SizeClassFigures(
                leastPlain: one.least, mostPlain: one.most, records: one.members.count,
                timed: state.timed.reduce(0) { $0 + state.groups[$1].count }, stored: .init(state.stored),
                encode: .init(state.encode.map { CodecFigures.Spread($0).median }),
                decode: .init(state.decode.map { CodecFigures.Spread($0).median }))
        }
    }
}
