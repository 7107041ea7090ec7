import Foundation

/// `bench html FILE.json`: one self-contained page of what a run measured.
enum Page {
    static let argument = "html"

    static func main(_ arguments: ArraySlice<String>) throws {
        let json = arguments.first ?? ".build/bench.json"
        let page = arguments.dropFirst().first ?? json.replacing(".json", with: "") + ".html"
        let run = try JSONDecoder().decode(Run.self, from: Data(contentsOf: URL(fileURLWithPath: json)))
        try Data(html(run).utf8).write(to: URL(fileURLWithPath: page))
        print("Written to \(page).")
    }

    // MARK: Charts

    /// A horizontal logarithmic axis.
    private struct Axis {
        var least: Double
        var most: Double
        let left = 210.0
        let width = 560.0

        init(_ values: [Double]) {
            let positive = values.filter { $0 > 0 }
            least = pow(10, floor(log10(positive.min() ?? 1)))
            most = max(pow(10, ceil(log10(positive.max() ?? 1))), least * 10)
        }

        func x(_ value: Double) -> Double {
            guard value > least else { return left }
            return left + width * log10(value / least) / log10(most / least)
        }

        var ticks: [Double] {
            Array(sequence(first: least) { $0 * 10 <= most * 1.001 ? $0 * 10 : nil })
        }
    }

    private static func text(_ value: Double) -> String {
        switch value {
        case 0: "0"
        case ..<0.01: String(format: "%.4f", value)
        case ..<10: String(format: "%.2f", value)
        case ..<100: String(format: "%.1f", value)
        default: String(format: "%.0f", value)
        }
    }

    private static func kind(_ verdict: Verdict) -> String {
        switch verdict {
        case .met, .faster: "good"
        case .missed, .slower: "bad"
        case .same, .atTarget, .tooNoisy, .tooFew, .none: "plain"
        }
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }

    private static func grid(_ axis: Axis, height: Double) -> String {
        axis.ticks.map { tick in
            let x = axis.x(tick)
            return "<line class=grid x1=\(x) x2=\(x) y1=18 y2=\(height)></line>"
                + "<text class=tick x=\(x) y=12 text-anchor=middle>\(tick < 1 ? String(tick) : text(tick))</text>"
        }.joined()
    }

    /// Each figure's time over the other's with the quartiles of its pairs, and what it may be at most.
    private static func ratios(_ figures: [Figure]) -> String {
        let rows = figures.filter { $0.ratio != nil && !$0.name.contains("allocations") }
        let axis = Axis(
            rows.flatMap { [$0.ratio?.lowerQuartile ?? 1, $0.ratio?.upperQuartile ?? 1, $0.target ?? 1, 0.11, 9] })
        let height = 24.0 + Double(rows.count) * 24
        var svg = grid(axis, height: height)
        let one = axis.x(1)
        svg += "<line class=one x1=\(one) x2=\(one) y1=18 y2=\(height)></line>"
        for (row, figure) in rows.enumerated() {
            guard let ratio = figure.ratio else { continue }
            let y = 26.0 + Double(row) * 24
            let end = axis.x(ratio.median)
            let kind = kind(figure.verdict)
            svg += "<text class=name x=\(axis.left - 8) y=\(y + 12) text-anchor=end>\(escaped(figure.name))</text>"
            svg += "<rect class=\(kind) x=\(min(one, end)) y=\(y) width=\(max(abs(end - one), 1)) height=15>"
            svg += "<title>\(escaped(figure.otherIs ?? ""))</title></rect>"
            svg +=
                "<line class=quartiles x1=\(axis.x(ratio.lowerQuartile)) x2=\(axis.x(ratio.upperQuartile)) y1=\(y + 7.5) y2=\(y + 7.5)></line>"
            if let target = figure.target {
                svg += "<line class=target x1=\(axis.x(target)) x2=\(axis.x(target)) y1=\(y - 3) y2=\(y + 18)></line>"
            }
            svg += "<text class=value x=\(axis.left + axis.width + 8) y=\(y + 12)>\(text(ratio.median)) ×</text>"
        }
        return "<svg viewBox='0 0 860 \(height + 6)' role=img aria-label='Ratios to the limit'>\(svg)</svg>"
    }

    /// One unit's figures beside the limit and the peers: points on a common scale, and ours with its spread.
    private static func times(_ unit: String, _ otherName: String, _ figures: [Figure]) -> String {
        let axis = Axis(
            figures.flatMap {
                [$0.ours.lowerQuartile, $0.ours.upperQuartile, $0.other?.median ?? $0.ours.median] + $0.peers.values
            })
        let height = 24.0 + Double(figures.count) * 24
        var svg = grid(axis, height: height)
        for (row, figure) in figures.enumerated() {
            let y = 34.0 + Double(row) * 24
            svg += "<text class=name x=\(axis.left - 8) y=\(y + 4) text-anchor=end>\(escaped(figure.name))</text>"
            svg +=
                "<line class=spread x1=\(axis.x(figure.ours.lowerQuartile)) x2=\(axis.x(figure.ours.upperQuartile)) y1=\(y) y2=\(y)></line>"
            if let other = figure.other?.median {
                svg +=
                    "<rect class=limit x=\(axis.x(other) - 1.5) y=\(y - 8) width=3 height=16><title>\(escaped(otherName)): \(text(other))</title></rect>"
            }
            for (place, (name, value)) in figure.peers.sorted(by: { $0.key < $1.key }).enumerated() {
                svg +=
                    "<circle class=peer cx=\(axis.x(value)) cy=\(y) r=4><title>\(escaped(name)): \(text(value))</title></circle>"
                svg +=
                    "<text class=peername x=\(axis.x(value)) y=\(y + (place % 2 == 0 ? -6 : 11)) text-anchor=middle>\(escaped(name))</text>"
            }
            svg +=
                "<circle class=ours cx=\(axis.x(figure.ours.median)) cy=\(y) r=5.5><title>\(text(figure.ours.median))</title></circle>"
            svg += "<text class=value x=\(axis.left + axis.width + 8) y=\(y + 4)>\(text(figure.ours.median))</text>"
        }
        return
            "<h3>\(escaped(unit))</h3><svg viewBox='0 0 860 \(height + 14)' role=img aria-label='\(escaped(unit))'>\(svg)</svg>"
    }

    private static func table(_ run: Run) -> String {
        let rows = run.figures.map { figure in
            let peers = figure.peers.sorted { $0.key < $1.key }.map { "\($0.key) \(text($0.value))" }
            let cells = [
                figure.name, Report.text(figure.ours), figure.unit, Report.text(figure.other),
                Report.text(figure.ratio),
                figure.ratio.map { "\(text($0.least))…\(text($0.most))" } ?? "–", Report.judged(figure),
                peers.joined(separator: ", "), figure.otherIs ?? "",
            ]
            return "<tr>" + cells.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>"
        }
        let heads = [
            "figure", "ours [quartiles]", "unit", "\(run.otherName) [quartiles]", "ratio [quartiles]", "least…most",
            "judged",
            "peers", run.base == nil ? "C is" : "",
        ]
        return "<div class=wide><table><thead><tr>" + heads.map { "<th>\(escaped($0))</th>" }.joined()
            + "</tr></thead><tbody>" + rows.joined() + "</tbody></table></div>"
    }

    private static func html(_ run: Run) -> String {
        let figures = run.figures
        var units: [String] = []
        for figure in figures where !units.contains(figure.unit) && figure.unit != "per record" {
            units.append(figure.unit)
        }
        let charts = units.map { unit in times(unit, run.otherName, figures.filter { $0.unit == unit }) }.joined()
        let verdicts = [Verdict.met, .missed, .atTarget, .slower, .same, .faster, .tooNoisy].compactMap { verdict in
            let count = figures.filter { $0.verdict == verdict }.count
            return count == 0 ? nil : "\(verdict.rawValue): \(count)"
        }
        return """
            <!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
            <title>Write-ahead log: one run of make bench</title>
            <style>
            :root { color-scheme: light dark; --ink: #1c2430; --soft: #66707d; --line: #d9dee5; --good: #2a8f5b; --bad: #c8472f;
              --ours: #2463c9; --peer: #9a6a00; --page: #fff }
            @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b3; --line: #343c48; --page: #14181e;
              --ours: #6ea2ff; --peer: #d9a441; --good: #4fc08d; --bad: #ef7a63 } }
            body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 940px;
              margin: 2rem auto; padding: 0 1rem }
            svg { width: 100%; height: auto; font-size: 11px } svg text { fill: var(--ink) } .tick, .peername { fill: var(--soft) !important }
            .peername { font-size: 8px } .grid { stroke: var(--line) } .one { stroke: var(--ink) } .target { stroke: var(--soft); stroke-dasharray: 3 2; stroke-width: 2 }
            .good { fill: var(--good) } .bad { fill: var(--bad) } .plain { fill: var(--soft) } .ours { fill: var(--ours) }
            .quartiles { stroke: var(--ink); stroke-width: 2 }
            .spread { stroke: var(--ours); stroke-width: 3; opacity: .4 } .limit { fill: var(--ink) } .peer { fill: var(--peer) }
            .wide { overflow-x: auto } table { border-collapse: collapse; font-size: 13px } td, th { text-align: left; padding: .25rem .6rem .25rem 0;
              border-bottom: 1px solid var(--line); white-space: nowrap } td:last-child { white-space: normal; min-width: 16rem }
            </style>
            <h1>One run of <code>make bench</code></h1>
            <p>\(escaped(run.date)), commit \(escaped(run.commit)), \(escaped(run.machine)); load \(escaped(run.load.map { String($0) }.joined(separator: " before, ")))
            after. \(escaped(verdicts.joined(separator: ", "))).</p>
            <p>A ratio is time over time, pair by pair, for rates too: 1 is what \(escaped(run.otherName)) takes for the same work on the same
            machine in the same second, and to the left is faster. \(escaped(run.base == nil ? Verdict.rule : Verdict.baseRule))</p>
            <h2>Beside \(escaped(run.otherName))</h2>
            <p>A bar ends at the median of the pairs, and its thin line spans their quartiles. A dashed line is the target. Green is met or
            faster, red missed or slower, grey neither or too noisy to judge.</p>
            \(ratios(figures))
            <h2>Beside the peers</h2>
            <p>A dot is ours, with its quartiles; a black bar is \(escaped(run.otherName)); small dots are peers at the same durability. Logarithmic; for records/s
            right is better, elsewhere left.</p>
            \(charts)
            <h2>All figures</h2>
            \(table(run))
            </html>
            """
    }
}
