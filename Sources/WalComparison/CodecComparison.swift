/// What several codecs cost on an app's own records, and which of them to take.
///
/// ```swift
/// let comparison = try await CodecComparison.run(
///     samples: changes, codecs: [.binary(), .json(), .zstd(.json())])
/// print(comparison.table)
/// let choice = comparison.recommendation(for: .size)
/// print(choice.name, "–", choice.reason)
/// ```
///
/// Only figures of one comparison are to be compared: machines drift, and candidates take turns in it for that reason.
public struct CodecComparison: Sendable, Hashable, Codable {
    /// In the order in which they were given; one or more.
    public var candidates: [CodecFigures]
    public var samples: Samples
    public var settings: Settings
    public var machine: Machine

    package init(candidates: [CodecFigures], samples: Samples, settings: Settings, machine: Machine) {
        self.candidates = candidates
        self.samples = samples
        self.settings = settings
        self.machine = machine
    }

    /// The records that everything was measured on.
    public struct Samples: Sendable, Hashable, Codable {
        public var records: Int
        /// Of all of them together, in the plain form.
        public var plainBytes: Int
        /// What the plain form is: see ``Options/plainSizes``.
        public var plainForm: String

        /// For one record.
        public var plainBytesPerRecord: Double { records > 0 ? Double(plainBytes) / Double(records) : 0 }

        package init(records: Int, plainBytes: Int, plainForm: String) {
            (self.records, self.plainBytes, self.plainForm) = (records, plainBytes, plainForm)
        }
    }

    /// How it was measured.
    public struct Settings: Sendable, Hashable, Codable {
        public var rounds: Int
        /// For each candidate and measure, over all rounds.
        public var seconds: Double
        public var recordsInFlight: Int
        /// Where the logs were made.
        public var directory: String

        package init(rounds: Int, seconds: Double, recordsInFlight: Int, directory: String) {
            (self.rounds, self.seconds) = (rounds, seconds)
            (self.recordsInFlight, self.directory) = (recordsInFlight, directory)
        }
    }

    /// Where it was measured.
    public struct Machine: Sendable, Hashable, Codable {
        /// "Linux 6.1.0 x86_64"
        public var system: String
        /// Nil where it is not known.
        public var processor: String?
        public var cores: Int
        /// The logs were in memory: their durable figures say nothing about a disk.
        public var logsWereInMemory: Bool
        /// Seconds since 1970.
        public var date: UInt64

        package init(system: String, processor: String?, cores: Int, logsWereInMemory: Bool, date: UInt64) {
            (self.system, self.processor, self.cores) = (system, processor, cores)
            (self.logsWereInMemory, self.date) = (logsWereInMemory, date)
        }
    }

    /// The candidate of that name.
    public subscript(name: String) -> CodecFigures? { candidates.first { $0.name == name } }

    /// Plain megabytes (of a million bytes) that a candidate encodes in a second.
    public func encodeRate(of candidate: CodecFigures) -> Double {
        CodecFigures.megabytesPerSecond(plain: samples.plainBytesPerRecord, candidate.encode)
    }

    /// Plain megabytes (of a million bytes) that a candidate decodes in a second.
    public func decodeRate(of candidate: CodecFigures) -> Double {
        CodecFigures.megabytesPerSecond(plain: samples.plainBytesPerRecord, candidate.decode)
    }
}
