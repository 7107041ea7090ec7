internal import WriteAheadLog

extension ComparisonRun {
    /// Goes through all samples once: what comes back must be what went in, from memory and from a log that was reopened.
    func prepare(_ candidate: CodecCandidate<Record>) throws(WalError) -> Lane<Record> {
        let coder = candidate.coder
        let groups = stride(from: 0, to: samples.count, by: candidate.batch).map {
            $0..<min($0 + candidate.batch, samples.count)
        }
        // Before anything else is done with it, for codecs keep memory for the next record.
        let memory = try peakMemory(coder, groups)
        var payloads = Lane<Record>.Payloads()
        for group in groups {
            var encoder = WalEncoder()
            try coder.encode(samples, group, &encoder)
            encoder.withBytes { payloads.append($0) }
        }
        let comparison = RecordComparison(codecs: [candidate.codec, candidates[0].codec])
        func expect(_ record: consuming Record, _ place: Int, _ whence: String) throws(WalError) {
            guard place < samples.count else {
                throw WalError(
                    .decoding, "\(whence) gave back more records than it was given: more than \(samples.count)")
            }
            guard try comparison.isSame(samples[place], record) else {
                throw WalError(
                    .decoding, "\(whence) gave back another record than it was given, of sample \(place + 1)")
            }
        }
        for (place, group) in groups.enumerated() {
            var next = group.lowerBound
            try payloads.withPayload(place) { (bytes) throws(WalError) in
                try coder.visit(bytes) { (record) throws(WalError) in
                    try expect(record, next, "the codec")
                    next += 1
                }
            }
            guard next == group.upperBound else {
                throw WalError(.decoding, "the codec gave back \(next - group.lowerBound) records of \(group.count)")
            }
        }
        let encoding = try look(groups.count) { (place) throws(WalError) in
            var encoder = WalEncoder()
            try coder.encode(samples, groups[place], &encoder)
        }
        let decoding = try look(groups.count) { (place) throws(WalError) in
            try payloads.withPayload(place) { (bytes) throws(WalError) in _ = try coder.decode(bytes) }
        }
        let frame = Double(payloads.bytes.count) / Double(groups.count) + Double(FileFormat.frameHeaderSize)
        var lane = Lane(
            candidate: candidate, groups: groups, payloads: payloads, peakMemory: memory,
            encoding: Workload(of: groups.count, nanoseconds: encoding, time: roundTime),
            decoding: Workload(of: groups.count, nanoseconds: decoding, time: roundTime),
            // Copied and summed at about a nanosecond a byte. A log of 32 MiB, for it is synced when it is closed.
            appending: Workload(
                of: groups.count, nanoseconds: encoding + 100 + frame, time: roundTime,
                limit: max(Int(Double(32 << 20) / frame), 1)))
        lane.storedBytes = try store(lane) { (record, place) throws(WalError) in try expect(record, place, "the log") }
        return lane
    }

    /// Nanoseconds for one frame: a first look, which also warms up.
    private func look(_ count: Int, _ body: (Int) throws(WalError) -> Void) throws(WalError) -> Double {
        let clock = PosixStorage()
        var frames = 0.0
        let start = clock.monotonicNow()
        var elapsed = 0.0
        let order = Workload.spread(count)
        while elapsed < roundTime {
            for place in order {
                try body(place)
                frames += 1
                elapsed = Double(clock.monotonicNow() - start)
                if elapsed >= roundTime { break }
            }
        }
        return elapsed / max(frames, 1)
    }

    private func peakMemory(_ coder: FrameCoder<Record>, _ groups: [Range<Int>]) throws(WalError) -> Int? {
        let clock = PosixStorage()
        guard Libc.forgetPeak(), let before = Libc.resident else { return nil }
        let start = clock.monotonicNow()
        for place in Workload.spread(groups.count) {
            var encoder = WalEncoder()
            try coder.encode(samples, groups[place], &encoder)
            _ = try encoder.withBytes { (bytes) throws(WalError) in try coder.decode(bytes) }
            if Double(clock.monotonicNow() - start) > roundTime { break }
        }
        return Libc.resident.map { max($0.peak - before.now, 0) }
    }

    /// Appends all samples to a log, reopens it, and reads them back. Returns by how many bytes of frames it grew.
    private func store(
        _ lane: Lane<Record>, _ expect: (consuming Record, Int) throws(WalError) -> Void
    ) throws(WalError) -> Int {
        let path = "\(directory)/check"
        let log = try openLog(lane, path)
        var bytes: UInt64 = 0
        do throws(WalError) {
            let partition = try log.partition(0)
            var last: Position?
            for group in lane.groups {
                let position = try lane.coder.append(samples, group, partition).position
                let start = last.flatMap { $0.segment == position.segment ? $0.offset : nil } ?? FileFormat.dataStart
                bytes += position.offset - start
                last = position
            }
        } catch {
            do { try log.closeAndWait() } catch {}
            throw error
        }
        try log.closeAndWait()
        let read = try withOpenLog(lane, path) { (partition) throws(WalError) in
            var cursor = try partition.entries().makeCursor()
            var place = 0
            while let entry = try cursor.next() {
                try expect(entry.record, place)
                place += 1
            }
            return place
        }
        guard read == samples.count else {
            throw WalError(.decoding, "the log gave back \(read) records of \(samples.count)")
        }
        try TemporaryDirectory.removeLog(path)
        return Int(clamping: bytes)
    }
}
