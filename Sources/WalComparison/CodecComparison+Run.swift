public import WriteAheadLog

extension CodecComparison {
    /// How to measure.
    public struct Options: Sendable {
        /// For each candidate and each measure (encode, decode, append and replay, durable append, sizes), over all rounds.
        public var time: Duration
        /// Candidates take turns so many times; the median counts.
        public var rounds: Int
        /// For ``CodecFigures/durableAppend``: so many records wait for stable storage at any time, in so many tasks, or in
        /// fewer with a batch each.
        public var recordsInFlight: Int
        /// A directory on the file system that is to be measured; by default the system's for temporary files, which may be in
        /// memory. Logs are made in a new directory within it, which is removed at the end, also where an error is thrown.
        public var directory: String?
        /// The size of each sample in the form from which savings are counted: of its line in a file, say. By default what the
        /// first candidate's codec makes of it by itself.
        public var plainSizes: [Int]?
        /// What reports call that form.
        public var plainForm: String?

        public init(
            time: Duration = .seconds(1), rounds: Int = 5, recordsInFlight: Int = 64, directory: String? = nil,
            plainSizes: [Int]? = nil, plainForm: String? = nil
        ) {
            self.time = time
            self.rounds = rounds
            self.recordsInFlight = recordsInFlight
            self.directory = directory
            self.plainSizes = plainSizes
            self.plainForm = plainForm
        }
    }

    /// How far it has got.
    public struct Progress: Sendable {
        /// 0 … 1
        public var fraction: Double
        /// The candidate whose turn it is.
        public var candidate: String
        /// "encode", "append and replay"
        public var measure: String
    }

    /// Compares codecs, each with records that are appended one by one.
    ///
    /// Candidates are named after their codecs. See ``run(samples:candidates:options:progress:)``.
    @inlinable
    public static func run<Record: WalCodable>(
        samples: [Record], codecs: [AnyWalCodec<Record>], options: Options = Options(),
        progress: (Progress) -> Void = { _ in }
    ) async throws(WalError) -> CodecComparison {
        try await run(
            samples: samples, candidates: CodecCandidate.named(after: codecs), options: options, progress: progress)
    }

    /// Compares candidates.
    ///
    /// It takes about six times ``Options/time`` for each of them, and memory for the encoded forms of all samples by all
    /// candidates. All work is done on threads of its own; where the task is cancelled, it ends after the step that it is at.
    ///
    /// - Parameters:
    ///   - samples: real records, some thousands, in the order in which they are appended.
    ///   - candidates: with names that differ. The first one is the plain form where `options` state no other.
    ///   - progress: called before each step.
    /// - Throws: `.invalidArgument` where there are no samples or candidates, or the options make no sense; `.decoding` where a
    ///   candidate does not give back what it was given; ``WriteAheadLog/WalError/Code/cancelled``; what codecs, logs and
    ///   file system throw. The message names the candidate.
    public static func run<Record: WalCodable>(
        samples: [Record], candidates: [CodecCandidate<Record>], options: Options = Options(),
        progress: (Progress) -> Void = { _ in }
    ) async throws(WalError) -> CodecComparison {
        try check(samples.count, candidates, options)
        let parent = options.directory ?? Libc.temporaryDirectory
        let directory = try TemporaryDirectory(in: parent)
        let run = ComparisonRun(samples: samples, candidates: candidates, options: options, directory: directory.path)
        let outcome: Result<ComparisonRun<Record>.Measured, WalError>
        do throws(WalError) { outcome = .success(try await run.measure(progress)) } catch { outcome = .failure(error) }
        let isInMemory = Libc.isInMemory(directory.path)
        do throws(WalError) {
            try await blocking(on: PosixStorage(), named: "wal-remove") { () throws(WalError) in try directory.remove()
            }
        } catch {
            // The first thing that failed is what counts.
            if case .success = outcome { throw error }
        }
        let measured = try outcome.get()
        return CodecComparison(
            candidates: measured.figures,
            samples: Samples(
                records: samples.count, plainBytes: measured.plainBytes,
                plainForm: options.plainForm ?? (options.plainSizes == nil ? candidates[0].codec.name : "source")),
            settings: Settings(
                rounds: options.rounds, seconds: options.time / .seconds(1), recordsInFlight: options.recordsInFlight,
                directory: parent),
            machine: Machine(
                system: Libc.system, processor: Libc.processor, cores: Libc.cores, logsWereInMemory: isInMemory,
                date: PosixStorage().wallClockNow() / 1_000_000_000))
    }

    private static func check<Record>(
        _ count: Int, _ candidates: [CodecCandidate<Record>], _ options: Options
    ) throws(WalError) {
        func invalid(_ message: String) -> WalError { WalError(.invalidArgument, message) }
        guard count > 0 else {
            throw invalid("there are no samples to compare codecs on; give some thousand real records")
        }
        guard !candidates.isEmpty else { throw invalid("there are no codecs to compare") }
        var names: Set<String> = []
        for candidate in candidates {
            guard !candidate.name.isEmpty else { throw invalid("a candidate has no name") }
            guard names.insert(candidate.name).inserted else {
                throw invalid("two candidates are called \(candidate.name); give them names that differ")
            }
            guard (1...1_000_000).contains(candidate.batch) else {
                throw invalid("the batch of \(candidate.name) is \(candidate.batch), but must be 1 … 1,000,000")
            }
        }
        guard options.time > .zero, options.time <= .seconds(3600) else {
            throw invalid("the time for a measure is \(options.time), but must be over 0 and at most an hour")
        }
        guard (1...1000).contains(options.rounds) else {
            throw invalid("\(options.rounds) rounds, but they must be 1 … 1,000")
        }
        guard (1...4096).contains(options.recordsInFlight) else {
            throw invalid("\(options.recordsInFlight) records in flight, but they must be 1 … 4,096")
        }
        if let sizes = options.plainSizes {
            guard sizes.count == count else { throw invalid("\(sizes.count) plain sizes for \(count) samples") }
            // So that their sum is a number.
            guard sizes.allSatisfy({ (0...1 << 40).contains($0) }), count < 1 << 22 else {
                throw invalid("a plain size is below 0 or over a TiB, or there are over 4,194,303 of them")
            }
        }
    }
}

extension WalError.Code {
    /// The task was cancelled.
    public static let cancelled = WalError.Code("cancelled")
}
