extension CodecComparison {
    /// For a terminal: what was measured, a table, what is recommended, and how to read it.
    public var table: String {
        let choices = recommendations.map { "\(Self.label($0.priority)): \($0.name)\n    \($0.reason)" }
        return
            "\(heading)\n\n\(Self.aligned(rows))\n\n\(choices.joined(separator: "\n"))\n\n\(notes.joined(separator: "\n"))"
    }

    /// For a terminal: percentiles by record size.
    public var sizeTable: String {
        "By plain size of a record: bytes in the log, time to encode and to decode (p50 / p90 / p99 / most)\n\n"
            + Self.aligned(sizeRows)
    }

    static func label(_ priority: Priority) -> String {
        switch priority {
        case .size: "Smallest"
        case .write: "Fastest to write"
        case .read: "Fastest to read"
        case .balanced: "Balanced"
        }
    }

    /// One sentence on what it was measured on.
    var heading: String {
        "\(NumberText.grouped(samples.records)) record\(samples.records == 1 ? "" : "s") of \(NumberText.bytes(samples.plainBytesPerRecord)) bytes on average "
            + "as \(samples.plainForm); medians of \(settings.rounds) rounds, in which all candidates take turns"
    }

    /// How to read the figures.
    var notes: [String] {
        var notes = [
            "Bytes are a record's share of the log's file, frame included. Plain is \(samples.plainForm): the ratio is plain over "
                + "bytes, and MB/s are plain.",
            "Append is to encode and hand to the operating system. Durable: \(settings.recordsInFlight) records wait for stable "
                + "storage at any time. Replay: a log is opened, read, checked and decoded, from the page cache.",
            "Memory is by how much the process grew at most when it first encoded and decoded.",
        ]
        if let unsteady = unsteadiest, unsteady.factor > 2 {
            notes.append(
                "The rounds are unsteady: by a factor of \(NumberText.decimal(unsteady.factor, 1)) at \(unsteady.name), "
                    + "\(unsteady.measure). The machine is busy with other things, or the time too short: measure again."
            )
        }
        if machine.logsWereInMemory {
            notes.append(
                "The logs were in memory (\(settings.directory)): the durable figures say nothing about a disk. Name a directory on one."
            )
        }
        return notes
    }

    /// Where the greatest figure of a round is most times the least.
    private var unsteadiest: (name: String, measure: String, factor: Double)? {
        var found: (name: String, measure: String, factor: Double)?
        for candidate in candidates {
            let measures: [(String, CodecFigures.Spread)] = [
                ("encode", candidate.encode), ("decode", candidate.decode), ("append", candidate.append),
                ("durable append", candidate.durableAppend), ("replay", candidate.replay),
            ]
            for (measure, spread) in measures where spread.least > 0 {
                let factor = spread.most / spread.least
                if factor > found?.factor ?? 0 { found = (candidate.name, measure, factor) }
            }
        }
        return found
    }

    static var heads: [String] {
        [
            "codec", "batch", "bytes", "ratio", "encode", "MB/s", "decode", "MB/s", "append", "durable/s", "replay/s",
            "memory",
        ]
    }

    func cells(_ candidate: CodecFigures) -> [String] {
        [
            candidate.name, "\(candidate.batch)", NumberText.bytes(candidate.storedBytes),
            NumberText.decimal(candidate.ratio, 2), NumberText.time(candidate.encode.median),
            NumberText.rate(encodeRate(of: candidate)), NumberText.time(candidate.decode.median),
            NumberText.rate(decodeRate(of: candidate)), NumberText.time(candidate.append.median),
            NumberText.rate(candidate.durableAppend.perSecond), NumberText.rate(candidate.replay.perSecond),
            NumberText.memory(candidate.peakMemory),
        ]
    }

    private var rows: [[String]] { [Self.heads] + candidates.map(cells) }

    static var sizeHeads: [String] { ["plain bytes", "codec", "records", "bytes", "encode", "decode"] }

    /// By class, then by candidate.
    var sizeCells: [[String]] {
        guard let first = candidates.first else { return [] }
        return first.sizes.indices.flatMap { place in
            candidates.compactMap { candidate -> [String]? in
                guard candidate.sizes.indices.contains(place) else { return nil }
                let size = candidate.sizes[place]
                return [
                    "\(NumberText.grouped(size.leastPlain))–\(NumberText.grouped(size.mostPlain))", candidate.name,
                    NumberText.grouped(size.records),
                    Self.percentiles(size.stored) { NumberText.decimal($0, 0) },
                    Self.percentiles(size.encode, NumberText.time), Self.percentiles(size.decode, NumberText.time),
                ]
            }
        }
    }

    private var sizeRows: [[String]] { [Self.sizeHeads] + sizeCells }

    private static func percentiles(_ of: SizeClassFigures.Percentiles, _ text: (Double) -> String) -> String {
        [of.p50, of.p90, of.p99, of.max].map(text).joined(separator: " / ")
    }

    /// The first two columns of words to the left, numbers to the right.
    private static func aligned(_ rows: [[String]]) -> String {
        guard let head = rows.first else { return "" }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        let lines = rows.map { row in
            row.indices.map { column -> String in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return head[column] == "codec" ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }
        return
            ([lines[0], String(repeating: "─", count: widths.reduce(2 * (widths.count - 1), +))] + lines.dropFirst())
            .joined(separator: "\n")
    }
}
