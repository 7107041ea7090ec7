import Foundation
import WriteAheadLog

/// One line of the table, and one object of the file that BENCH_JSON names.
struct Figure: Codable {
    var name: String
    var unit: String
    var ours: Double
    var limit: Double?
    /// Time over time: above 1 is slower than the limit, for rates too.
    var ratio: Double?
    var oursMin: Double
    var oursMax: Double
    var limitMin: Double?
    var limitMax: Double?
    /// Medians of others that do the same with the same records.
    var peers: [String: Double]
    /// What the ratio may be at most, or what ours may be where there is no limit to compare with.
    var target: Double?
    /// Where there is no target for the ratio: by how much ours may be above the limit, in the figure's unit.
    var targetExcess: Double?
    var isWithinTarget: Bool?
    var limitIs: String?
}

/// What one figure is measured by. Each closure measures once and returns the figure.
struct Measurement {
    var name: String
    var unit: String
    var isRate = false
    /// A ratio where there is a limit; otherwise in the figure's unit.
    var target: Double?
    /// By how much ours may be above the limit.
    var targetExcess: Double?
    var limitIs: String?
    var ours: () async throws -> Double
    var limit: (() throws -> Double)?
    var peers: [Peer] = []
}

/// Somebody else who does the same work.
struct Peer {
    var name: String
    var measure: () throws -> Double
}

/// Runs measurements in turn, ours beside the limit and the peers each time: machines drift, so only ratios of one run count.
final class Report {
    let repetitions: Int
    private(set) var figures: [Figure] = []

    init(repetitions: Int) { self.repetitions = repetitions }

    private struct Sample {
        var values: [Double]
        var median: Double { values[values.count / 2] }
        var least: Double { values[0] }
        var most: Double { values[values.count - 1] }

        /// - Throws: where one of them is below 0, which is how C says that it failed.
        init(_ values: [Double], of name: String) throws {
            guard !values.isEmpty, values.allSatisfy({ $0 >= 0 }) else {
                throw WalError(.io, "a measurement of \(name) failed: is there room on the disk?")
            }
            self.values = values.sorted()
        }
    }

    func measure(_ what: Measurement) async throws {
        var ours: [Double] = []
        var limits: [Double] = []
        var peers: [String: [Double]] = [:]
        for _ in 0..<repetitions {
            if let limit = what.limit { limits.append(try limit()) }
            ours.append(try await what.ours())
            for peer in what.peers { peers[peer.name, default: []].append(try peer.measure()) }
        }
        let mine = try Sample(ours, of: what.name)
        let limit = limits.isEmpty ? nil : try Sample(limits, of: "the limit of \(what.name)")
        let ratio = limit.map { what.isRate ? $0.median / mine.median : mine.median / $0.median }
        let figure = Figure(
            name: what.name, unit: what.unit, ours: mine.median, limit: limit?.median, ratio: ratio,
            oursMin: mine.least,
            oursMax: mine.most, limitMin: limit?.least, limitMax: limit?.most,
            peers: try peers.mapValues { try Sample($0, of: "a peer in \(what.name)").median }, target: what.target,
            targetExcess: what.targetExcess,
            isWithinTarget: what.target.map { (ratio ?? mine.median) <= $0 }
                ?? what.targetExcess.flatMap { excess in limit.map { mine.median <= $0.median + excess } },
            limitIs: what.limitIs)
        figures.append(figure)
        print(Self.line(figure, mine.values.count))
        fflush(nil)
    }

    // MARK: Text

    private static let columns = [22, 27, 27, 7, 8]

    static var heading: String {
        row(["figure", "ours [min…max]", "limit [min…max]", "ratio", "target"], "unit")
    }

    private static func row(_ cells: [String], _ last: String) -> String {
        zip(cells, columns).map { cell, width in cell + String(repeating: " ", count: max(1, width - cell.count)) }
            .joined()
            + last
    }

    private static func text(_ value: Double) -> String {
        switch value {
        case ..<10: String(format: "%.2f", value)
        case ..<100: String(format: "%.1f", value)
        default: String(format: "%.0f", value)
        }
    }

    private static func line(_ figure: Figure, _ count: Int) -> String {
        func spread(_ value: Double?, _ least: Double?, _ most: Double?) -> String {
            guard let value, let least, let most else { return "–" }
            return "\(text(value)) [\(text(least))…\(text(most))]"
        }
        let peers = figure.peers.sorted { $0.key < $1.key }.map { "\($0.key) \(text($0.value))" }.joined(
            separator: ", ")
        let bound = figure.target.map(text) ?? figure.targetExcess.map { "+\(text($0))" }
        let target = bound.map { "\(figure.isWithinTarget == true ? "≤" : "> ") \($0)" } ?? "–"
        return row(
            [
                figure.name, spread(figure.ours, figure.oursMin, figure.oursMax),
                spread(figure.limit, figure.limitMin, figure.limitMax), figure.ratio.map(text) ?? "–", target,
            ], figure.unit + (peers.isEmpty ? "" : "; " + peers))
    }

    func write(to path: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let url = URL(fileURLWithPath: path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try encoder.encode(figures).write(to: url)
    }
}
