/// What was measured of one candidate. Times are in nanoseconds for one record, sizes in bytes.
public struct CodecFigures: Sendable, Hashable, Codable {
    /// The candidate's name.
    public var name: String
    /// What segments call the codec.
    public var codec: String
    /// How many records are appended together.
    public var batch: Int

    /// For one record, what the codec makes of it; in a batch with the lengths that stand between its records.
    public var payloadBytes: Double
    /// For one record, what the log's file grows by: the payload, the frame's header and its padding.
    public var storedBytes: Double
    /// The plain size over the stored size: 2 means that half is saved.
    public var ratio: Double

    /// The codec alone, in memory.
    public var encode: Spread
    /// The codec alone, in memory.
    public var decode: Spread
    /// Encoded, framed and handed to the operating system: it survives the process.
    public var append: Spread
    /// Encoded, framed and on stable storage, with ``CodecComparison/Settings/recordsInFlight`` records waiting at any time.
    public var durableAppend: Spread
    /// The log opened, and all of it read, checked and decoded, from the page cache.
    public var replay: Spread

    /// By how much the process's resident memory grew, at most, while some of the samples were encoded and decoded for the first
    /// time; nil where the system does not tell. It grows in pages, and what was free in the process before is not seen.
    public var peakMemory: Int?

    /// The samples by their plain size, smallest first.
    public var sizes: [SizeClassFigures]

    package init(
        name: String, codec: String, batch: Int, payloadBytes: Double, storedBytes: Double, ratio: Double,
        encode: Spread, decode: Spread, append: Spread, durableAppend: Spread, replay: Spread, peakMemory: Int?,
        sizes: [SizeClassFigures]
    ) {
        (self.name, self.codec, self.batch) = (name, codec, batch)
        (self.payloadBytes, self.storedBytes, self.ratio) = (payloadBytes, storedBytes, ratio)
        (self.encode, self.decode, self.append) = (encode, decode, append)
        (self.durableAppend, self.replay) = (durableAppend, replay)
        (self.peakMemory, self.sizes) = (peakMemory, sizes)
    }

    /// The least, median and greatest of several rounds.
    public struct Spread: Sendable, Hashable, Codable {
        public var least: Double
        public var median: Double
        public var most: Double

        package init(least: Double, median: Double, most: Double) {
            (self.least, self.median, self.most) = (least, median, most)
        }

        /// Of one round or more.
        init(_ rounds: [Double]) {
            let sorted = rounds.sorted()
            guard let first = sorted.first, let last = sorted.last else {
                self.init(least: 0, median: 0, most: 0)
                return
            }
            let middle = sorted.count / 2
            let median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
            self.init(least: first, median: median, most: last)
        }

        /// A second over the median time: records a second.
        public var perSecond: Double { median > 0 ? 1e9 / median : 0 }
    }

    /// Bytes of plain records over a time: in MB/s, of a million bytes.
    static func megabytesPerSecond(plain: Double, _ time: Spread) -> Double {
        time.median > 0 ? plain / time.median * 1000 : 0
    }
}

/// What was measured of the samples of about one size.
///
/// For a candidate with a batch, of batches that have records of this size and no others.
public struct SizeClassFigures: Sendable, Hashable, Codable {
    /// The least plain size in the class.
    public var leastPlain: Int
    /// The greatest plain size in the class.
    public var mostPlain: Int
    /// How many samples are in the class.
    public var records: Int
    /// How many of them were timed, each (or its batch) several times; its median counts.
    public var timed: Int
    /// Bytes a record in the log.
    public var stored: Percentiles
    /// Nanoseconds a record.
    public var encode: Percentiles
    /// Nanoseconds a record.
    public var decode: Percentiles

    /// By nearest rank: each is a value that was measured.
    public struct Percentiles: Sendable, Hashable, Codable {
        public var p50: Double
        public var p90: Double
        public var p99: Double
        public var max: Double

        init(_ values: [Double]) {
            let sorted = values.sorted()
            func rank(_ percent: Int) -> Double {
                guard !sorted.isEmpty else { return 0 }
                return sorted[Swift.max((sorted.count * percent + 99) / 100, 1) - 1]
            }
            (p50, p90, p99, max) = (rank(50), rank(90), rank(99), rank(100))
        }
    }
}
