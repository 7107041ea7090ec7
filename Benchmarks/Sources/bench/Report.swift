import Foundation
import WriteAheadLog

/// One row of the table, and one object of the file that BENCH_JSON names.
struct Figure: Codable {
    var name: String
    var unit: String
    var pairs: Int
    var ours: Spread
    /// Of C, or of the commit that is compared with.
    var other: Spread?
    /// Time over time, also for rates, pair by pair: above 1 is slower than the other.
    var ratio: Spread?
    /// Medians of others that do the same with the same records.
    var peers: [String: Double]
    var target: Double?
    var targetExcess: Double?
    var verdict: Verdict
    var otherIs: String?
    /// Why there is nothing to compare with.
    var note: String?
}

/// All rows of one run, and where it ran.
struct Run: Codable {
    var date: String
    var commit: String
    /// The commit that is compared with; C otherwise.
    var base: String?
    var machine: String
    /// Before and after the run: a machine that others use gives wide spreads.
    var load: [Double]
    var figures: [Figure] = []

    var otherName: String { base.map { String($0.prefix(10)) } ?? "C" }
}

/// Measures rows pair by pair, ours and the other in turn and each of them first in half of the pairs: machines drift, so that only
/// ratios within a pair count.
final class Report {
    /// Does the work once.
    typealias Once = () async throws -> [Double]

    let pairs: Int
    let peerRuns = 3
    private(set) var run: Run
    private(set) var failures: [String] = []

    init(pairs: Int, base: String?) {
        self.pairs = pairs
        run = Run(
            date: Date.now.formatted(.iso8601),
            commit: ProcessInfo.processInfo.environment["BENCH_COMMIT"] ?? "unknown",
            base: base, machine: Machine.text, load: [Machine.load])
    }

    /// - Parameters:
    ///   - other: What ours is compared with, where there is something.
    ///   - note: Why there is nothing.
    ///   - renew: Starts the processes of both anew.
    func measure(
        _ what: Measurement, ours: Once, other: Once?, note: String? = nil, renew: (() throws -> Void)? = nil
    ) async throws {
        var mine: [[Double]] = []
        var others: [[Double]] = []
        var note = note
        var other = other
        do {
            // The first pair warms what this row needs, and does not count. Where only the other fails, the row says so.
            try renew?()
            do { _ = try await other?() } catch {
                note = "\(run.otherName) can't: \(error)"
                other = nil
            }
            _ = try await ours()
            try await pair(what.isExact ? min(2, pairs) : pairs, ours, other, renew, &mine, &others)
            if run.base != nil, other != nil, !what.isExact, looksSlower(what, mine, others) {
                try await pair(pairs, ours, other, renew, &mine, &others)
            }
        } catch {
            failures.append("\(what.name): \(error)")
            print("| `\(what.name)` | failed: \(error) |")
            fflush(nil)
            return
        }
        var peers: [String: Double] = [:]
        if run.base == nil {
            for peer in what.peers {
                var values: [Double] = []
                for _ in 0..<peerRuns { values.append(try peer.measure()) }
                if values.allSatisfy({ $0 >= 0 }) { peers[peer.name] = Spread(values).median }
            }
        }
        for (place, kind) in what.kinds.enumerated() {
            let figure = figure(
                kind, what, mine.map { $0[place] }, others.map { $0[place] }, peers: place == 0 ? peers : [:], note)
            run.figures.append(figure)
            print(Self.line(figure))
            fflush(nil)
        }
    }

    /// Where code and memory lie in a process makes a row faster or slower by a few percent for as long as it lives, so that processes
    /// are renewed after as many pairs.
    private static let pairsOfProcess = 5

    private func pair(
        _ count: Int, _ ours: Once, _ other: Once?, _ renew: (() throws -> Void)?, _ mine: inout [[Double]],
        _ others: inout [[Double]]
    ) async throws {
        for k in 0..<count {
            if let renew, !mine.isEmpty, k % Self.pairsOfProcess == 0 {
                try renew()
                _ = try await other?()
                _ = try await ours()
            }
            let isFirst = k % 2 == 1
            if isFirst { mine.append(try Self.checked(try await ours())) }
            if let other { others.append(try Self.checked(try await other())) }
            if !isFirst { mine.append(try Self.checked(try await ours())) }
        }
    }

    /// - Throws: where a value is below 0, which is how C says that it failed.
    private static func checked(_ values: [Double]) throws -> [Double] {
        guard values.allSatisfy({ $0 >= 0 }) else {
            throw WalError(.io, "the measurement failed: is there room on the disk?")
        }
        return values
    }

    private static func ratios(_ kind: FigureKind, _ mine: [Double], _ others: [Double]) -> [Double] {
        zip(mine, others).map { ours, other in
            if ours == other { return 1 }
            return kind.isRate ? other / ours : ours / other
        }
    }

    private func looksSlower(_ what: Measurement, _ mine: [[Double]], _ others: [[Double]]) -> Bool {
        what.kinds.indices.contains { place in
            let ratios = Self.ratios(what.kinds[place], mine.map { $0[place] }, others.map { $0[place] })
            return Verdict.change(Spread(ratios), pairs: mine.count) == .slower
        }
    }

    private func figure(
        _ kind: FigureKind, _ what: Measurement, _ mine: [Double], _ others: [Double], peers: [String: Double],
        _ note: String?
    ) -> Figure {
        let ours = Spread(mine)
        let ratio = others.isEmpty ? nil : Spread(Self.ratios(kind, mine, others))
        let verdict: Verdict
        if run.base != nil {
            verdict = ratio.map { Verdict.change($0, pairs: what.isExact ? nil : mine.count) } ?? .none
        } else if let excess = kind.targetExcess, !others.isEmpty {
            // Relative to the limit's own size, so that the width means what it does elsewhere.
            let above = Spread(zip(mine, others).map { $0 - $1 })
            let isDecided = above.upperQuartile <= excess || above.lowerQuartile > excess
            verdict =
                isDecided
                ? Verdict.target(above, excess, pairs: mine.count)
                : (ratio?.width ?? 0) > Verdict.widest ? .tooNoisy : .atTarget
        } else {
            verdict = Verdict.target(ratio ?? ours, kind.target, pairs: what.isExact ? nil : mine.count)
        }
        return Figure(
            name: kind.name, unit: kind.unit, pairs: mine.count, ours: ours,
            other: others.isEmpty ? nil : Spread(others),
            ratio: ratio, peers: peers, target: run.base == nil ? kind.target : nil,
            targetExcess: run.base == nil ? kind.targetExcess : nil, verdict: verdict,
            otherIs: run.base == nil ? what.limitIs : nil, note: note)
    }

    // MARK: Text

    /// Columns of a Markdown table, as wide as most rows need, so that it reads well in a terminal too.
    private static let columns = [26, 11, 27, 27, 22, 13, 22]

    static func heading(_ other: String) -> String {
        row([
            "figure", "unit", "ours [quartiles]", "\(other) [quartiles]", "ratio [quartiles]", "least…most", "judged",
            "peers",
        ])
            + "\n|" + columns.map { String(repeating: "-", count: $0 + 2) + "|" }.joined() + " --- |"
    }

    private static func row(_ cells: [String]) -> String {
        let padded = zip(cells, columns).map { cell, width in
            cell + String(repeating: " ", count: max(0, width - cell.count))
        }
        return "| " + (padded + cells.dropFirst(columns.count)).joined(separator: " | ") + " |"
    }

    static func text(_ value: Double) -> String {
        switch value {
        case 0: "0"
        case ..<0.01: String(format: "%.4f", value)
        case ..<10: String(format: "%.2f", value)
        case ..<100: String(format: "%.1f", value)
        default: String(format: "%.0f", value)
        }
    }

    static func text(_ spread: Spread?) -> String {
        guard let spread else { return "–" }
        return "\(text(spread.median)) [\(text(spread.lowerQuartile))…\(text(spread.upperQuartile))]"
    }

    static func judged(_ figure: Figure) -> String {
        if let note = figure.note { return note }
        let bound = figure.target.map { "≤ \(text($0))" } ?? figure.targetExcess.map { "≤ C + \(text($0))" }
        return [bound, figure.verdict == .none && bound != nil ? nil : figure.verdict.rawValue].compactMap { $0 }
            .joined(
                separator: " ")
    }

    static func line(_ figure: Figure) -> String {
        let peers = figure.peers.sorted { $0.key < $1.key }.map { "\($0.key) \(text($0.value))" }
        let range = figure.ratio.map { "\(text($0.least))…\(text($0.most))" } ?? "–"
        return row([
            "`\(figure.name)`", figure.unit, text(figure.ours), text(figure.other), text(figure.ratio), range,
            judged(figure), peers.joined(separator: ", "),
        ])
    }

    func write(to path: String) throws {
        run.load.append(Machine.load)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(run).write(to: url)
    }
}
