internal import WalTesting
package import WriteAheadLog

#if Zstd
internal import WalZstd
#endif

/// A small log of several segments, of which every bit is turned over, one at a time, and which is cut at every length.
package struct EveryFlip: Sendable {
    package struct Result: Sendable {
        package var flips = 0
        package var cuts = 0
        package var whole = 0
        package var damaged = 0
        package var cut = 0
        package var failure: String?
    }

    /// With the log closed in order, or its writer killed.
    package var isClosed: Bool
    /// Every how-many-th bit, for a sample.
    package var stride: Int
    package var threads: Int

    package init(isClosed: Bool, stride: Int = 1, threads: Int = 2) {
        self.isClosed = isClosed
        self.stride = stride
        self.threads = threads
    }

    private static let log = "log"

    private static func configuration(_ codec: AnyWalCodec<Payload>) -> SimulatedWal.Configuration {
        var configuration = SimulatedWal.Configuration(codec: codec, readableCodecs: [.bytes(), squeezing])
        configuration.minimumSegmentSize = 13_000
        configuration.segmentSize = 13_000
        return configuration
    }

    private static var squeezing: AnyWalCodec<Payload> {
        #if Zstd
        .zstd(.bytes())
        #else
        .init(InvertingCodec())
        #endif
    }

    private static func record(_ k: Int) -> Payload {
        Payload([UInt8](repeating: UInt8(truncatingIfNeeded: k), count: 30 + k * 13 % 90) + Array("record \(k)".utf8))
    }

    /// Segments of two codecs, a batch, a compressed record, footers, marks of each kind, and records beyond the last mark.
    private func files() throws -> [String: [UInt8]] {
        let disk = SimulatedDisk(seed: 5)
        let isClosed = isClosed
        try disk.run {
            let wal = try await disk.open(Self.configuration(.bytes()))
            let partition = try wal.partition(0)
            for k in 1...3 { try partition.append(Self.record(k)) }
            try await partition.sync()
            try partition.append(contentsOf: (4...8).map(Self.record))
            for k in 9...12 { try partition.append(Self.record(k)) }
            try await wal.close()
        }
        try disk.run {
            let wal = try await disk.open(Self.configuration(Self.squeezing))
            let partition = try wal.partition(0)
            for k in 13...22 { try partition.append(Self.record(k)) }
            try await partition.sync()
            try partition.append(Self.record(23))
            // A second of quiet: a mark in its place.
            disk.advanceClock(nanoseconds: 2_000_000_000)
            for _ in 0..<4 { await Task.yield() }
            try await partition.append(Self.record(24), durability: .synced)
            for k in 25...31 { try partition.append(Self.record(k)) }
            if isClosed { try await wal.close() }
        }
        if !isClosed {
            disk.crash(.kill)
            disk.restart()
        }
        return disk.files().filter { $0.key.hasPrefix("partition") }
    }

    private struct Trial {
        var path: String
        /// Bit to turn over, or length to cut to.
        var place: Int
        var isCut: Bool
    }

    package func run() throws -> Result {
        let files = try files()
        let layout = LogLayout(files)
        guard files.keys.filter({ $0.hasSuffix(".wal") }).count >= 3 else {
            throw Violation("the log has only \(files.keys.sorted())")
        }
        var trials: [Trial] = []
        for (path, bytes) in files.sorted(by: { $0.key < $1.key }) {
            trials += Swift.stride(from: trials.count % stride, to: bytes.count * 8, by: stride).map {
                Trial(path: path, place: $0, isCut: false)
            }
            trials += Swift.stride(from: 0, to: bytes.count, by: (stride + 7) / 8).map {
                Trial(path: path, place: $0, isCut: true)
            }
        }
        let next = Locked(0)
        let result = Locked(Result())
        let running = Locked(threads)
        let monitor = Monitor()
        let all = trials
        for _ in 0..<threads {
            try PosixStorage().startThread("flips") {
                while let k = next.withLock({ next -> Int? in
                    guard next < all.count else { return nil }
                    next += 1
                    return next - 1
                }) {
                    let trial = all[k]
                    do {
                        let outcome = try attempt(trial, files, layout)
                        result.withLock { result in
                            if trial.isCut { result.cuts += 1 } else { result.flips += 1 }
                            switch outcome {
                            case .whole, .wholeOrDamage: result.whole += 1
                            case .damage: result.damaged += 1
                            case .cut: result.cut += 1
                            }
                        }
                    } catch {
                        let what = trial.isCut ? "cut to \(trial.place) bytes" : "bit \(trial.place) turned over"
                        result.withLock { $0.failure = $0.failure ?? "\(trial.path), \(what): \(error)" }
                        next.withLock { $0 = all.count }
                    }
                }
                monitor.withLock {
                    running.withLock { $0 -= 1 }
                    monitor.broadcast()
                }
            }
        }
        monitor.withLock { while running.withLock({ $0 }) > 0 { monitor.wait() } }
        return result.withLock { $0 }
    }

    private func attempt(_ trial: Trial, _ files: [String: [UInt8]], _ layout: LogLayout) throws -> LogLayout.Outcome {
        var damaged = files
        let before = files[trial.path] ?? []
        let expected: LogLayout.Outcome
        if trial.isCut {
            damaged[trial.path] = Array(before[..<trial.place])
            expected = layout.outcome(trial.path, trial.place..<before.count, isCut: true)
        } else {
            damaged[trial.path]?[trial.place / 8] ^= 1 << UInt8(trial.place % 8)
            expected = layout.outcome(trial.path, (trial.place / 8)..<(trial.place / 8 + 1))
        }
        let disk = SimulatedDisk(seed: UInt64(trial.place), files: damaged)
        let (found, error) = try disk.run { () -> (Int, WalError?) in
            var next = 0
            do {
                let wal = try await disk.open(Self.configuration(.bytes()))
                var cursor = try wal.partition(0).entries().makeCursor()
                while let entry = try cursor.next() {
                    next += 1
                    guard Int(entry.lsn.rawValue) == next, entry.record == Self.record(next) else {
                        throw Violation("LSN \(entry.lsn) reads as \(entry.record)")
                    }
                }
                // It goes on from there.
                let receipt = try wal.partition(0).append(Self.record(99))
                guard Int(receipt.lsn.rawValue) == next + 1 else {
                    throw Violation("after LSN \(next) the next record got \(receipt.lsn)")
                }
                return (next, nil)
            } catch let error as WalError {
                return (next, error)
            }
        }
        let isDamage = error?.code == .corrupt || error?.code == .missing
        let isRight =
            switch expected {
            case .whole: error == nil && found == layout.last
            case .wholeOrDamage: found == layout.last && error == nil || isDamage
            case .cut(let lsn): error == nil && found == lsn - 1
            case .damage(let lsn):
                // When it is opened, or when it is read.
                isDamage && error?.lsn?.rawValue == UInt64(lsn) && (found == 0 || found == lsn - 1)
            }
        guard isRight else {
            throw Violation("expected \(expected), found \(found) records and \(error.map { "\($0)" } ?? "no error")")
        }
        return expected
    }
}
