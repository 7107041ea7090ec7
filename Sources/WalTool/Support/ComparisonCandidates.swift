internal import WalBinary
internal import WalComparison
internal import WalJSON
internal import WriteAheadLog

#if Zstd
internal import WalZstd
#endif

/// The candidates that `walctl compare` knows: one table, to which a codec is added by one line.
package struct ComparisonCandidates {
    /// What candidates are made with.
    package struct Settings: Sendable {
        /// For the candidates whose names end in "-batch".
        package var batch = 64
        /// zstd's.
        package var level = 1

        package init() {}
    }

    /// One candidate.
    struct Choice: Sendable {
        /// What `--codecs` calls it, and what the report does.
        var name: String
        /// For `--help`.
        var summary: String
        /// Records are appended together.
        var isBatched = false
        /// Records that are not measured are needed, to learn a dictionary from.
        var learns = false
        /// - Parameter learnt: the records to learn from.
        var make: @Sendable (_ settings: Settings, _ learnt: [JSONValue]) throws -> AnyWalCodec<JSONValue>
    }

    /// All that this build has, in the order of reports. The first is what others are set against.
    static let all: [Choice] = plain + compressed

    private static let plain = [
        Choice(name: "binary", summary: "Codable-binary") { _, _ in .binary() },
        Choice(name: "json", summary: "JSON text") { _, _ in .json() },
        Choice(name: "binary-batch", summary: "binary, records appended together", isBatched: true) { _, _ in .binary()
        },
    ]

    #if Zstd
    private static let compressed = [
        Choice(name: "zstd", summary: "zstd over binary, each record by itself") { settings, _ in
            .zstd(.binary(), level: settings.level)
        },
        Choice(name: "zstd-json", summary: "zstd over JSON, each record by itself") { settings, _ in
            .zstd(.json(), level: settings.level)
        },
        Choice(name: "zstd-dictionary", summary: "zstd over binary, with a trained dictionary", learns: true) {
            try .zstd(.binary(), level: $0.level, dictionary: dictionary($1, .binary()))
        },
        Choice(name: "zstd-json-dictionary", summary: "zstd over JSON, with a trained dictionary", learns: true) {
            try .zstd(.json(), level: $0.level, dictionary: dictionary($1, .json()))
        },
        Choice(name: "zstd-batch", summary: "zstd over batches of binary", isBatched: true) { settings, _ in
            .zstd(.binary(), level: settings.level)
        },
        Choice(name: "zstd-json-batch", summary: "zstd over batches of JSON", isBatched: true) { settings, _ in
            .zstd(.json(), level: settings.level)
        },
    ]

    private static func dictionary(
        _ records: [JSONValue], _ codec: AnyWalCodec<JSONValue>
    ) throws -> ZstdDictionary {
        let samples = try records.map { (record) throws(WalError) in
            var encoder = WalEncoder()
            try codec.encode(record, into: &encoder)
            return encoder.withBytes { Array($0) }
        }
        return try ZstdDictionary.train(on: samples)
    }

    static func accepts(level: Int) -> Bool { ZstdCodec<JSONValue>.levels.contains(level) }
    #else
    private static let compressed: [Choice] = []

    static func accepts(level: Int) -> Bool { true }
    #endif

    /// Fewer are not enough to learn a dictionary from half of them.
    private static let leastToLearn = 400

    /// The choices that a list of names means: all for nil.
    static func choices(_ names: String?) throws(ToolError) -> [Choice] {
        guard let names else { return all }
        var chosen: [Choice] = []
        for name in names.split(separator: ",") {
            guard let choice = all.first(where: { $0.name == name }) else {
                let hint = name.hasPrefix("zstd") && compressed.isEmpty ? "; this walctl was built without zstd" : ""
                throw ToolError(
                    .usage, "there is no codec \(name); choose of \(all.map(\.name).joined(separator: ", "))\(hint)")
            }
            guard !chosen.contains(where: { $0.name == choice.name }) else {
                throw ToolError(.usage, "the codec \(name) is named twice")
            }
            chosen.append(choice)
        }
        guard !chosen.isEmpty else { throw ToolError(.usage, "--codecs names no codec") }
        return chosen
    }

    /// For `--help`.
    static var help: String {
        let width = all.map(\.name.count).max() ?? 0
        return all.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.summary)" }
            .joined(separator: "\n")
    }

    /// Candidates, the records to measure them on, and what was left out.
    struct Prepared {
        var candidates: [CodecCandidate<JSONValue>] = []
        /// Places in the records.
        var measured: [Int] = []
        /// How many records a dictionary was learnt from; they are not measured.
        var learnt = 0
        var remarks: [String] = []
    }

    /// Where a dictionary is learnt, it is from every other record, and all candidates are measured on the rest: a dictionary
    /// knows by heart what it was learnt from.
    static func prepare(
        _ choices: [Choice], _ records: [JSONValue], isExplicit: Bool, _ settings: Settings
    ) throws -> Prepared {
        var prepared = Prepared(measured: Array(records.indices))
        var learns = choices.contains { $0.learns }
        if learns, records.count < leastToLearn {
            let message =
                "a dictionary needs \(leastToLearn) records or more to learn from, and there are \(records.count)"
            guard !isExplicit else { throw ToolError(.badInput, message) }
            prepared.remarks.append("Without dictionaries: \(message).")
            learns = false
        }
        var learnt: [JSONValue] = []
        if learns {
            learnt = stride(from: 0, to: records.count, by: 2).map { records[$0] }
            prepared.measured = Array(stride(from: 1, to: records.count, by: 2))
            prepared.learnt = learnt.count
            prepared.remarks.append(
                "Dictionaries were learnt from every other record, and everything was measured on the rest.")
        }
        for choice in choices where learns || !choice.learns {
            let codec: AnyWalCodec<JSONValue>
            do {
                codec = try choice.make(settings, learnt)
            } catch let error as WalError where choice.learns && !isExplicit {
                // Records that are too much alike, or too small.
                prepared.remarks.append("Without \(choice.name): \(error.message).")
                continue
            }
            prepared.candidates.append(
                CodecCandidate(choice.name, codec: codec, batch: choice.isBatched ? settings.batch : 1))
        }
        return prepared
    }
}
