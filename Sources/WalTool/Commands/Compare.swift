package import WalComparison
internal import WalJSON
internal import WriteAheadLog

/// `walctl compare`: what codecs cost on the records of a file, and which of them to take.
package struct Compare: Sendable {
    /// What reports call the input.
    package var name: String
    /// Separated by commas; nil for all.
    package var codecs: String?
    package var settings = ComparisonCandidates.Settings()
    /// At most so many records are read.
    package var limit = 100_000
    /// For each candidate and each measure.
    package var time = Duration.milliseconds(500)
    package var rounds = 5
    /// Where logs are made for a while; nil for the system's place.
    package var directory: String?
    package var priority: CodecComparison.Priority?
    /// A page of the results is written to this file.
    package var html: String?
    /// The page may replace a file that is there.
    package var force = false
    /// Prints percentiles by record size too; JSON and page always have them.
    package var sizes = false
    package var json = false
    /// Called when there is something to clean up from now on.
    var willMeasure: @Sendable () -> Void = {}

    package init(name: String) { self.name = name }

    /// - Parameter input: opened only after the options were found to make sense.
    package func run(input: () throws(ToolError) -> LineReader, to streams: Streams) async -> ToolStatus {
        await streams.run { try await perform(input, streams) }
    }

    private func perform(_ input: () throws(ToolError) -> LineReader, _ streams: Streams) async throws -> ToolStatus {
        guard ComparisonCandidates.accepts(level: settings.level) else {
            throw ToolError(.usage, "zstd has no level \(settings.level)")
        }
        let choices = try ComparisonCandidates.choices(codecs)
        // Not only at the end: a minute's work would be lost.
        if let html, !force, Descriptor.exists(html) { throw alreadyThere(html) }
        let (records, sizes) = try read(try input(), streams)
        guard !records.isEmpty else { throw ToolError(.badInput, "\(name) has no records") }
        streams.meter.update("preparing codecs")
        let prepared = try ComparisonCandidates.prepare(choices, records, isExplicit: codecs != nil, settings)
        let samples = prepared.measured.map { records[$0] }
        let options = CodecComparison.Options(
            time: time, rounds: rounds, directory: directory, plainSizes: prepared.measured.map { sizes[$0] },
            plainForm: "the lines of the file")
        willMeasure()
        let comparison = try await CodecComparison.run(
            samples: samples, candidates: prepared.candidates, options: options
        ) { progress in
            streams.meter.update(
                "\(Int(progress.fraction * 100)) %  \(progress.candidate): \(progress.measure)")
        }
        streams.meter.clear()
        if json {
            try streams.output.write(line: report(comparison, prepared).description)
        } else {
            try streams.output.write(line: text(comparison, prepared.remarks))
        }
        // Last, so that a page that can't be written costs no more than itself.
        if let html {
            try write(comparison, prepared.remarks, to: html)
            if !json { try streams.output.write(line: "\nPage: \(html)") }
        }
        return .success
    }

    // MARK: Records

    private func read(_ input: LineReader, _ streams: Streams) throws(ToolError) -> ([JSONValue], [Int]) {
        var records: [JSONValue] = []
        var sizes: [Int] = []
        var bytes = 0
        while records.count < limit, let line = try input.next() {
            guard let value = try input.value(of: line) else { continue }
            records.append(value)
            sizes.append(line.count)
            bytes += line.count
            guard bytes <= Self.inputLimit else {
                throw ToolError(
                    .badInput,
                    "the records up to line \(input.number) are over \(Self.inputLimit) bytes; take fewer by --records")
            }
            streams.meter.update("\(records.count) records, \(bytes >> 20) MiB in")
        }
        return (records, sizes)
    }

    /// All candidates keep all records encoded in memory.
    package static let inputLimit = 1 << 30

    // MARK: The page

    private func write(_ comparison: CodecComparison, _ remarks: [String], to path: String) throws(ToolError) {
        let page = comparison.html(title: "Codecs on \(name)", remarks: remarks)
        guard try Descriptor.create(path, replacing: force, Array(page.utf8)) else { throw alreadyThere(path) }
    }

    private func alreadyThere(_ path: String) -> ToolError {
        ToolError(.usage, "\(path) is there already; give another name, or --force to replace it")
    }

    // MARK: Text

    private func text(_ comparison: CodecComparison, _ remarks: [String]) -> String {
        var text = sizes ? "\(comparison.sizeTable)\n\n\(comparison.table)" : comparison.table
        if !remarks.isEmpty { text += "\n\(remarks.joined(separator: "\n"))" }
        if let priority {
            let chosen = comparison.recommendation(for: priority)
            text += "\n\nFor --priority \(priority.rawValue): \(chosen.name)\n\(chosen.reason)"
        }
        return text
    }

    // MARK: JSON

    private func report(_ comparison: CodecComparison, _ prepared: ComparisonCandidates.Prepared) -> JSONValue {
        var recommended = comparison.recommendations
        if let priority { recommended.removeAll { $0.priority != priority } }
        return [
            "input": .string(name), "records": JSONValue(comparison.samples.records),
            "recordsLearntFrom": JSONValue(prepared.learnt), "plainBytes": JSONValue(comparison.samples.plainBytes),
            "rounds": JSONValue(comparison.settings.rounds),
            "secondsPerMeasure": JSONValue(comparison.settings.seconds),
            "recordsInFlight": JSONValue(comparison.settings.recordsInFlight),
            "logsWereInMemory": .bool(comparison.machine.logsWereInMemory),
            "system": .string(comparison.machine.system), "processor": JSONValue(comparison.machine.processor),
            "cores": JSONValue(comparison.machine.cores), "date": JSONValue(comparison.machine.date),
            "codecs": .array(comparison.candidates.map { candidate(of: comparison, $0) }),
            "recommendations": .array(
                recommended.map {
                    [
                        "priority": .string($0.priority.rawValue), "codec": .string($0.name),
                        "reason": .string($0.reason),
                    ]
                }),
            "remarks": .array(prepared.remarks.map { .string($0) }),
        ]
    }

    private func candidate(of comparison: CodecComparison, _ figures: CodecFigures) -> JSONValue {
        func front(_ cost: CodecComparison.Cost) -> JSONValue {
            .bool(comparison.paretoFront(cost).contains { $0.name == figures.name })
        }
        return [
            "name": .string(figures.name), "codec": .string(figures.codec), "batch": JSONValue(figures.batch),
            "payloadBytesPerRecord": JSONValue(figures.payloadBytes),
            "storedBytesPerRecord": JSONValue(figures.storedBytes), "ratio": JSONValue(figures.ratio),
            "encodeNanoseconds": spread(figures.encode),
            "encodeMegabytesPerSecond": JSONValue(comparison.encodeRate(of: figures)),
            "decodeNanoseconds": spread(figures.decode),
            "decodeMegabytesPerSecond": JSONValue(comparison.decodeRate(of: figures)),
            "appendNanoseconds": spread(figures.append), "durableAppendNanoseconds": spread(figures.durableAppend),
            "durableAppendsPerSecond": JSONValue(figures.durableAppend.perSecond),
            "replayNanoseconds": spread(figures.replay), "replayedPerSecond": JSONValue(figures.replay.perSecond),
            "peakMemoryBytes": figures.peakMemory.map { JSONValue($0) } ?? .null,
            "onFront": ["append": front(.append), "durableAppend": front(.durableAppend), "replay": front(.replay)],
            "sizes": .array(
                figures.sizes.map {
                    [
                        "leastPlainBytes": JSONValue($0.leastPlain), "mostPlainBytes": JSONValue($0.mostPlain),
                        "records": JSONValue($0.records), "recordsTimed": JSONValue($0.timed),
                        "storedBytes": percentiles($0.stored), "encodeNanoseconds": percentiles($0.encode),
                        "decodeNanoseconds": percentiles($0.decode),
                    ]
                }),
        ]
    }

    private func spread(_ spread: CodecFigures.Spread) -> JSONValue {
        ["median": JSONValue(spread.median), "min": JSONValue(spread.least), "max": JSONValue(spread.most)]
    }

    private func percentiles(_ values: SizeClassFigures.Percentiles) -> JSONValue {
        [
            "p50": JSONValue(values.p50), "p90": JSONValue(values.p90), "p99": JSONValue(values.p99),
            "max": JSONValue(values.max),
        ]
    }
}
