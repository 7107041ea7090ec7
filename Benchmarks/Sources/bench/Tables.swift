import Foundation
import WriteAheadLog

/// `bench tables FILE.json README.md Performance.md`: writes the tables of a run between the marks of the documents, so that no figure is
/// copied by hand.
enum Tables {
    static let argument = "tables"

    static func main(_ arguments: ArraySlice<String>) throws {
        guard let json = arguments.first, arguments.count > 1 else {
            print("bench tables FILE.json DOCUMENT.md …")
            exit(64)
        }
        let run = try JSONDecoder().decode(Run.self, from: Data(contentsOf: URL(fileURLWithPath: json)))
        guard run.base == nil else {
            print("\(json) compares with a commit; the documents show a run beside C.")
            exit(64)
        }
        for path in arguments.dropFirst() {
            var text = try String(contentsOfFile: path, encoding: .utf8)
            var filled = 0
            for (name, table) in [("summary", summary(run)), ("all", all(run)), ("codings", codings(run))] {
                guard let start = text.range(of: "<!-- bench \(name) -->\n"),
                    let end = text.range(of: "<!-- bench end -->", range: start.upperBound..<text.endIndex)
                else { continue }
                text.replaceSubrange(start.upperBound..<end.lowerBound, with: "\n\(table)\n\n")
                filled += 1
            }
            guard filled > 0 else { throw WalError(.notFound, "\(path) has no mark for a table") }
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            print("\(path): \(filled) tables of the run of \(run.date)")
        }
    }

    private static func origin(_ run: Run) -> String {
        let load = run.load.map { String(format: "%.1f", $0) }.joined(separator: " before and ")
        let pairs = run.figures.map(\.pairs).max() ?? 0
        let quiet = run.load.contains { $0 > 1.5 } ? " **Others used this machine meanwhile.**" : ""
        return """
            `make bench` of commit \(run.commit.prefix(10)), \(run.date.prefix(10)), \(run.machine), load \(load) after; \(pairs) pairs a row.\(quiet)
            """
    }

    private static func table(_ heads: [String], _ rows: [[String]]) -> String {
        ([heads, heads.map { _ in "---" }] + rows).map { "| " + $0.joined(separator: " | ") + " |" }.joined(
            separator: "\n")
    }

    // MARK: README

    /// What README.md calls the rows that it shows.
    private static let words = [
        ("append_raw_65", "append 65 bytes, raw (ns)"), ("append_raw_1k", "append 1 KiB, raw (ns)"),
        ("append_enum_65", "append an enum of 65 bytes that codes itself (ns)"),
        ("batch_1000_65", "batches of 1,000 × 65 bytes, each record (ns)"),
        ("append_sync_1", "append and sync, one thread (µs)"), ("append_sync_1_task", "append and sync, one task (µs)"),
        ("group_commit_64", "64 tasks, each synced, one partition (records/s)"),
        ("group_commit_64_filled", "the same with `fillsSegments` (records/s)"),
        ("group_commit_8x8", "8 partitions × 8 tasks, each synced (records/s)"),
        ("stream_raw_65", "read and check 65 bytes (ns)"), ("stream_raw_1k", "read and check 1 KiB (ns)"),
        ("stream_enum_65", "read, check and decode the enum (ns)"),
        ("seek_end_1m", "first record from an LSN near the end of 1,000,000 (µs)"),
        ("reopen_1m_clean", "open 1,000,000 records, closed before (ms)"),
        ("reopen_1m_crashed", "open 1,000,000 records, killed with a MiB unsynced (ms)"),
        ("two_threads_65", "two threads on one partition, each record of both (ns)"),
    ]

    private static func summary(_ run: Run) -> String {
        let rows: [[String]] = words.compactMap { name, words in
            guard let figure = run.figures.first(where: { $0.name == name }) else { return nil }
            let noise = figure.verdict == .tooNoisy ? " (too noisy)" : ""
            return [
                words, number(figure.ours.median), figure.other.map { number($0.median) } ?? "",
                figure.ratio.map { "\(ratio($0))\(noise)" } ?? "", figure.peers["RocksDB"].map(number) ?? "",
                figure.peers["SQLite"].map(number) ?? "",
            ]
        }
        return table(["work", "ours", "C", "ratio [quartiles]", "RocksDB", "SQLite"], rows) + "\n\n" + origin(run)
    }

    // MARK: Performance.md

    private static func all(_ run: Run) -> String {
        rows(run) { !isCoding($0) } + "\n\n" + origin(run)
    }

    private static func codings(_ run: Run) -> String { rows(run, isCoding) }

    private static func isCoding(_ figure: Figure) -> Bool {
        figure.name.hasPrefix("encode") || figure.name.hasPrefix("decode") || figure.name.hasPrefix("codable")
    }

    private static func rows(_ run: Run, _ isWanted: (Figure) -> Bool) -> String {
        let rows = run.figures.filter(isWanted).map { figure in
            let peers = figure.peers.sorted { $0.key < $1.key }.map { "\($0.key) \(number($0.value))" }
            return [
                "`\(figure.name)`", figure.unit, spread(figure.ours), figure.other.map(spread) ?? "",
                figure.ratio.map(ratio) ?? "",
                figure.ratio.map { "\(Report.text($0.least))…\(Report.text($0.most))" } ?? "",
                Report.judged(figure).replacing("–", with: ""), peers.joined(separator: ", "),
            ]
        }
        return table(
            [
                "figure", "unit", "ours [quartiles]", "C [quartiles]", "ratio [quartiles]", "least…most", "judged",
                "peers",
            ], rows)
    }

    // MARK: Numbers

    private static func number(_ value: Double) -> String {
        value < 1000
            ? Report.text(value)
            : value.formatted(.number.precision(.fractionLength(0)).locale(Locale(identifier: "en_US")))
    }

    private static func spread(_ spread: Spread) -> String {
        "\(number(spread.median)) [\(number(spread.lowerQuartile))…\(number(spread.upperQuartile))]"
    }

    private static func ratio(_ spread: Spread) -> String {
        "**\(Report.text(spread.median))** [\(Report.text(spread.lowerQuartile))…\(Report.text(spread.upperQuartile))]"
    }
}
