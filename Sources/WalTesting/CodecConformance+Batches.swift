internal import WriteAheadLog

/// What a codec that codes batches as a whole promises beyond the rest.
struct BatchConformanceRun<Record: Sendable> {
    typealias Failure = CodecConformanceFailure

    let codec: any WalBatchCodec<Record>
    let samples: [Record]
    let options: CodecConformance.Options
    let isEqual: @Sendable (Record, Record) -> Bool

    func run() throws(Failure) {
        // One record, all of them, and many of them more than once.
        for count in [1, samples.count, min(samples.count * 3 + 70, 1_000)] {
            let records = (0..<count).map { samples[$0 % samples.count] }
            let list = try list(records)
            let stored = try coded(list)
            if options.deterministic, try coded(list) != stored {
                throw Failure(
                    .deterministic, "a batch of \(count) records has other bytes the second time", bytes: stored)
            }
            let expanded = try expansion(stored).get(or: "expanding a batch of \(count) records throws")
            guard expanded == list else {
                throw Failure(.batches, "a batch of \(count) records comes back as other bytes", bytes: expanded)
            }
            try decodeAll(list, records)
            try survivesDamage(stored)
        }
        try survivesRandomBytes()
        try repacks()
    }

    /// Each record's length and bytes, as the log hands them over.
    private func list(_ records: [Record]) throws(Failure) -> [UInt8] {
        var encoder = WalEncoder()
        for (index, record) in records.enumerated() {
            let start = encoder.count
            encoder.write(UInt32(0))
            do throws(WalError) { try codec.encodeWithinBatch(record, into: &encoder) } catch {
                throw Failure(.batches, "encoding within a batch throws", sample: index, underlying: error)
            }
            encoder.overwrite(UInt32(truncatingIfNeeded: encoder.count - start - 4), at: start)
        }
        return encoder.withBytes { Array($0) }
    }

    private func coded(_ list: [UInt8]) throws(Failure) -> [UInt8] {
        let held: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
        var encoder = WalEncoder()
        encoder.write(bytes: held)
        do throws(WalError) {
            try list.withUnsafeBufferPointer { (bytes) throws(WalError) in
                var records = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(bytes))
                try codec.encodeBatch(&records, into: &encoder)
            }
        } catch {
            throw Failure(.batches, "coding a batch throws", underlying: error)
        }
        let all = encoder.withBytes { Array($0) }
        guard all.starts(with: held) else { throw Failure(.appends, "coding a batch overwrites what was there") }
        return Array(all.dropFirst(held.count))
    }

    private func expansion(_ stored: [UInt8]) -> Result<[UInt8], WalError> {
        // A copy of exactly this size, so that a sanitizer sees a read beyond it.
        let exact = UnsafeMutableRawBufferPointer.allocate(byteCount: stored.count, alignment: 1)
        defer { exact.deallocate() }
        exact.copyBytes(from: stored)
        var records = WalEncoder()
        var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(exact))
        do throws(WalError) {
            try codec.decodeBatch(&decoder, into: &records)
            return .success(records.withBytes { Array($0) })
        } catch {
            return .failure(error)
        }
    }

    private func decodeAll(_ list: [UInt8], _ records: [Record]) throws(Failure) {
        var index = 0
        do throws(WalError) {
            let wrong = try list.withUnsafeBufferPointer { (bytes) throws(WalError) -> Int? in
                var all = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(bytes))
                while all.remaining > 0 {
                    let length = Int(try all.read(UInt32.self))
                    var decoder = WalDecoder(unsafeBytes: try all.readBuffer(count: length))
                    let record = try codec.decode(&decoder)
                    guard decoder.remaining == 0, isEqual(record, records[index]) else { return index }
                    index += 1
                }
                return nil
            }
            if let wrong { throw WalError(.decoding, "record \(wrong) of the batch is another one") }
        } catch {
            throw Failure(.batches, "a record of a batch does not come back", sample: index, underlying: error)
        }
    }

    private func survivesDamage(_ stored: [UInt8]) throws(Failure) {
        var random = SeededGenerator(seed: options.seed)
        for count in 0..<min(stored.count, 2_000) { try survives(Array(stored[..<count])) }
        for _ in 0..<min(options.bitFlipsPerSample, 4_000) where !stored.isEmpty {
            var bytes = stored
            bytes[Int(random.next() % UInt64(stored.count))] ^= 1 << UInt8(random.next() % 8)
            try survives(bytes)
        }
    }

    private func survivesRandomBytes() throws(Failure) {
        var random = SeededGenerator(seed: options.seed ^ 0xBA7C)
        for _ in 0..<options.randomInputs {
            try survives(random.bytes(count: Int(random.next() % UInt64(max(options.randomInputLength, 1)))))
        }
    }

    private func survives(_ bytes: [UInt8]) throws(Failure) {
        switch (expansion(bytes), expansion(bytes)) {
        case (.success(let first), .success(let second)) where first == second: break
        case (.failure, .failure): break
        default: throw Failure(.stableOutcome, "a damaged batch expands to one thing and then another", bytes: bytes)
        }
    }

    /// What the codec offers to take over from itself must be the same records.
    private func repacks() throws(Failure) {
        do throws(WalError) {
            guard let repacking = try codec.repacking(id: type(of: codec).id, parameters: codec.parameters) else {
                return
            }
            for (index, sample) in samples.enumerated() {
                var stored = WalEncoder()
                try codec.encode(sample, into: &stored)
                var within = WalEncoder()
                try codec.encodeWithinBatch(sample, into: &within)
                let bytes = stored.withBytes { Array($0) }
                var taken = WalEncoder()
                try bytes.withUnsafeBufferPointer { (bytes) throws(WalError) in
                    var decoder = WalDecoder(unsafeBytes: UnsafeRawBufferPointer(bytes))
                    try repacking(&decoder, &taken)
                }
                guard taken.withBytes({ Array($0) }) == within.withBytes({ Array($0) }) else {
                    throw WalError(.decoding, "sample \(index), taken over, is not what it is within a batch")
                }
            }
        } catch {
            throw Failure(.batches, "taking over a record fails", underlying: error)
        }
    }
}

extension Result<[UInt8], WalError> {
    fileprivate func get(or what: String) throws(CodecConformanceFailure) -> [UInt8] {
        switch self {
        case .success(let bytes): return bytes
        case .failure(let error): throw CodecConformanceFailure(.batches, what, underlying: error)
        }
    }
}
