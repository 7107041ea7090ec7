internal import WriteAheadLog

/// One round of each measure, for one candidate. All of them give nanoseconds a record.
extension ComparisonRun {
    func encodeRound(_ lane: Lane<Record>) throws(WalError) -> Double {
        let start = PosixStorage().monotonicNow()
        for _ in 0..<lane.encoding.repeats {
            for place in lane.encoding.frames {
                var encoder = WalEncoder()
                try lane.coder.encode(samples, lane.groups[place], &encoder)
            }
        }
        return perRecord(start, lane.records(of: lane.encoding))
    }

    func decodeRound(_ lane: Lane<Record>) throws(WalError) -> Double {
        let start = PosixStorage().monotonicNow()
        for _ in 0..<lane.decoding.repeats {
            for place in lane.decoding.frames {
                try lane.payloads.withPayload(place) { (bytes) throws(WalError) in _ = try lane.coder.decode(bytes) }
            }
        }
        return perRecord(start, lane.records(of: lane.decoding))
    }

    /// Appends to a new log, and replays it.
    func logRound(_ lane: Lane<Record>) throws(WalError) -> [Double] {
        let path = "\(directory)/append"
        let log = try openLog(lane, path)
        var appended = 0.0
        do throws(WalError) {
            let partition = try log.partition(0)
            // The first one makes the segment.
            _ = try lane.coder.append(samples, lane.groups[lane.appending.frames[0]], partition)
            let start = PosixStorage().monotonicNow()
            for _ in 0..<lane.appending.repeats {
                for place in lane.appending.frames { _ = try lane.coder.append(samples, lane.groups[place], partition) }
            }
            appended = perRecord(start, lane.records(of: lane.appending))
        } catch {
            do { try log.closeAndWait() } catch {}
            throw error
        }
        try log.closeAndWait()
        let expected = lane.groups[lane.appending.frames[0]].count + lane.records(of: lane.appending)
        var (time, records) = (0.0, 0)
        while records == 0 || time < roundTime {
            let start = PosixStorage().monotonicNow()
            let read = try withOpenLog(lane, path) { (partition) throws(WalError) in
                let read = try lane.coder.replay(partition)
                // Closing is no part of it.
                time += Double(PosixStorage().monotonicNow() - start)
                return read
            }
            guard read == expected else {
                throw WalError(.decoding, "the log gave back \(read) records of \(expected)")
            }
            records += read
        }
        try TemporaryDirectory.removeLog(path)
        return [appended, time / Double(records)]
    }

    /// Appends to a new log from many tasks at once, each of which waits for stable storage.
    func durableRound(_ lane: Lane<Record>) async throws(WalError) -> Double {
        let path = "\(directory)/durable"
        let log = try await Wal<Record>.open(at: path, configuration: configuration(lane))
        let outcome: Result<Double, WalError>
        do throws(WalError) {
            outcome = .success(try await appendDurably(lane, to: log.partition(0)))
        } catch {
            outcome = .failure(error)
        }
        let closing: WalError?
        do throws(WalError) {
            try await log.close()
            closing = nil
        } catch {
            closing = error
        }
        let figure = try outcome.get()
        if let closing { throw closing }
        try await blocking(on: PosixStorage(), named: "wal-remove") { () throws(WalError) in
            try TemporaryDirectory.removeLog(path)
        }
        return figure
    }

    private func appendDurably(_ lane: Lane<Record>, to partition: Wal<Record>.Partition) async throws(WalError)
        -> Double
    {
        let order = Workload.spread(lane.groups.count)
        // The first one makes the segment.
        try await appendSynced(order[0], of: lane, to: partition)
        let tasks = max(options.recordsInFlight / lane.candidate.batch, 1)
        let next = Locked(0)
        let start = PosixStorage().monotonicNow()
        let end = start + UInt64(roundTime)
        let results = await withTaskGroup(of: Result<Int, WalError>.self) { group in
            for _ in 0..<tasks {
                group.addTask {
                    var records = 0
                    do throws(WalError) {
                        while !Task.isCancelled {
                            let turn = next.withLock { turn in
                                defer { turn += 1 }
                                return turn
                            }
                            // The first one of all, however long it takes: of large records not every task gets to one.
                            guard turn == 0 || PosixStorage().monotonicNow() < end else { break }
                            let place = order[turn % order.count]
                            try await appendSynced(place, of: lane, to: partition)
                            records += lane.groups[place].count
                        }
                    } catch {
                        return .failure(error)
                    }
                    return .success(records)
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        var records = 0
        for result in results { records += try result.get() }
        return perRecord(start, records)
    }

    private func perRecord(_ start: UInt64, _ records: Int) -> Double {
        Double(PosixStorage().monotonicNow() - start) / Double(max(records, 1))
    }

    // MARK: Logs

    private func configuration(_ lane: Lane<Record>) -> Wal<Record>.Configuration {
        // As an app has it, but for what one record may take: that it is too large for a log is not what is asked here.
        Wal<Record>.Configuration(codec: lane.candidate.codec, maximumRecordSize: (1 << 30) - (64 << 10))
    }

    func openLog(_ lane: Lane<Record>, _ path: String) throws(WalError) -> Wal<Record> {
        try Wal<Record>.openAndWait(at: path, configuration: configuration(lane))
    }

    func withOpenLog<R>(
        _ lane: Lane<Record>, _ path: String, _ body: (Wal<Record>.Partition) throws(WalError) -> R
    ) throws(WalError) -> R {
        let log = try openLog(lane, path)
        let result: R
        do throws(WalError) {
            result = try body(log.partition(0))
        } catch {
            do { try log.closeAndWait() } catch {}
            throw error
        }
        try log.closeAndWait()
        return result
    }

    private func appendSynced(
        _ place: Int, of lane: Lane<Record>, to partition: Wal<Record>.Partition
    ) async throws(WalError) {
        let group = lane.groups[place]
        if lane.candidate.batch > 1 {
            try await partition.append(contentsOf: samples[group], durability: .synced)
        } else {
            try await partition.append(samples[group.lowerBound], durability: .synced)
        }
    }
}
