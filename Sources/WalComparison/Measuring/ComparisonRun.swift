internal import WriteAheadLog

/// One comparison while it is made.
struct ComparisonRun<Record: WalCodable>: Sendable {
    let samples: [Record]
    let candidates: [CodecCandidate<Record>]
    let options: CodecComparison.Options
    /// For logs; removed by whoever made it.
    let directory: String

    struct Measured: Sendable {
        var figures: [CodecFigures]
        var plainBytes: Int
    }

    /// For one round of one measure.
    var roundTime: Double { options.time / .nanoseconds(1) / Double(options.rounds) }

    func measure(_ progress: (CodecComparison.Progress) -> Void) async throws(WalError) -> Measured {
        let sizes = try await onThread { () throws(WalError) in try plainSizes() }
        var done = 0
        let all = Double(candidates.count * (1 + 5 * options.rounds))
        func step(_ place: Int, _ measure: String) throws(WalError) {
            if Task.isCancelled { throw WalError(.cancelled, "the comparison was cancelled; nothing of it is left") }
            progress(.init(fraction: Double(done) / all, candidate: candidates[place].name, measure: measure))
            done += 1
        }

        var lanes: [Lane<Record>] = []
        for (place, candidate) in candidates.enumerated() {
            try step(place, "check")
            lanes.append(
                try await naming(candidate) { () throws(WalError) in
                    try await onThread { () throws(WalError) in try prepare(candidate) }
                })
        }
        let checked = lanes
        let encode = try await rounds { (place) throws(WalError) in
            try step(place, "encode")
            return try await onThread { () throws(WalError) in [try encodeRound(checked[place])] }
        }
        let decode = try await rounds { (place) throws(WalError) in
            try step(place, "decode")
            return try await onThread { () throws(WalError) in [try decodeRound(checked[place])] }
        }
        let logs = try await rounds { (place) throws(WalError) in
            try step(place, "append and replay")
            return try await onThread { () throws(WalError) in try logRound(checked[place]) }
        }
        let durable = try await rounds { (place) throws(WalError) in
            try step(place, "durable append")
            return [try await durableRound(checked[place])]
        }
        let bySize = SizeMeasure(
            classes: SizeClasses(sizes), samples: samples, time: options.time, rounds: options.rounds)
        var sized = try await onThread { () throws(WalError) in
            try checked.map { (lane) throws(WalError) in try bySize.begin(lane) }
        }
        for round in 0..<options.rounds {
            for turn in candidates.indices {
                let place = (turn + round) % candidates.count
                try step(place, "sizes")
                let state = sized[place]
                sized[place] = try await onThread { () throws(WalError) in try bySize.round(checked[place], state) }
            }
        }
        let records = Double(samples.count)
        let plain = sizes.reduce(0, +)
        let figures = checked.enumerated().map { place, lane in
            let stored = Double(lane.storedBytes) / records
            return CodecFigures(
                name: lane.candidate.name, codec: lane.candidate.codec.name, batch: lane.candidate.batch,
                payloadBytes: Double(lane.payloads.bytes.count) / records, storedBytes: stored,
                ratio: stored > 0 ? Double(plain) / records / stored : 0, encode: .init(encode[place].map { $0[0] }),
                decode: .init(decode[place].map { $0[0] }), append: .init(logs[place].map { $0[0] }),
                durableAppend: .init(durable[place].map { $0[0] }), replay: .init(logs[place].map { $0[1] }),
                peakMemory: lane.peakMemory, sizes: bySize.figures(sized[place]))
        }
        return Measured(figures: figures, plainBytes: plain)
    }

    /// All candidates take turns, each round begun by another one. What each round gave, by candidate.
    private func rounds(
        _ body: (Int) async throws(WalError) -> [Double]
    ) async throws(WalError) -> [[[Double]]] {
        var values = [[[Double]]](repeating: [], count: candidates.count)
        for round in 0..<options.rounds {
            for turn in candidates.indices {
                let place = (turn + round) % candidates.count
                values[place].append(
                    try await naming(candidates[place]) { () throws(WalError) in try await body(place) })
            }
        }
        return values
    }

    private func onThread<R: Sendable>(
        _ body: @escaping @Sendable () throws(WalError) -> R
    ) async throws(WalError) -> R {
        try await blocking(on: PosixStorage(), named: "wal-compare", body)
    }

    /// What fails says whose it is.
    private func naming<R>(
        _ candidate: CodecCandidate<Record>, _ body: () async throws(WalError) -> R
    ) async throws(WalError) -> R {
        do throws(WalError) {
            return try await body()
        } catch {
            guard error.code != .cancelled else { throw error }
            throw WalError(
                error.code, "\(candidate.name): \(error.message)", partition: error.partition, segment: error.segment,
                offset: error.offset, lsn: error.lsn, errno: error.errno, underlying: error.underlying,
                codingPath: error.codingPath)
        }
    }

    private func plainSizes() throws(WalError) -> [Int] {
        if let sizes = options.plainSizes { return sizes }
        return try samples.map { (record) throws(WalError) in
            var encoder = WalEncoder()
            try candidates[0].codec.encode(record, into: &encoder)
            return encoder.count
        }
    }
}
