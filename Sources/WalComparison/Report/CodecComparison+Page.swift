extension CodecComparison {
    /// One page with all figures and charts: a file of its own, which loads nothing and runs no script.
    ///
    /// - Parameters:
    ///   - title: text, as all names are; it is escaped.
    ///   - remarks: what else a reader should know, a paragraph each.
    public func html(title: String, remarks: [String] = []) -> String {
        let charts = ComparisonCharts(comparison: self)
        let facts = [
            ("Records", heading), ("System", machine.system), ("Processor", machine.processor ?? "unknown"),
            ("Cores", "\(machine.cores)"),
            ("Logs in", settings.directory + (machine.logsWereInMemory ? ", which is in memory" : "")),
            ("Measured for", "\(NumberText.decimal(settings.seconds, 2)) s each candidate and measure"),
            ("Date", NumberText.date(machine.date)),
        ]
        let cards = recommendations.map { each in
            "<article class=\"card\"><h3>\(Markup.text(Self.label(each.priority)))</h3>"
                + "<p class=\"choice\">\(Markup.text(each.name))</p><p>\(Markup.text(each.reason))</p></article>"
        }
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
            <link rel="icon" href="data:,">
            <title>\(Markup.text(title))</title>
            <style>\(Self.style)</style></head><body>
            <h1>\(Markup.text(title))</h1>
            <p class="lead">\(Markup.text(heading)).</p>
            <section class="cards">\(cards.joined(separator: "\n"))</section>
            <h2>Size against speed</h2>
            <p>Bytes a record in the log, upwards, against the time for a record. A filled point on the line is beaten by nobody in both:
            choose among those. A grey one is beaten. The ring is what is recommended for writing or reading; on a grey point it is one that is as good
            within 5 % or the spread of the rounds, and better in what the chart does not show. A thin bar is the spread of the rounds.</p>
            <section class="grid">
            \(charts.scatter(.append, "Writing: encode and append, without waiting for the disk", marked: .write))
            \(charts.scatter(.replay, "Reading: replay a log and decode it", marked: .read))
            \(charts.scatter(.durableAppend, "Writing durably: \(settings.recordsInFlight) records in flight", marked: .write))
            \(charts.bars("Bytes a record in the log", \.storedBytes, NumberText.bytes))
            </section>
            <h2>Measure by measure</h2>
            <section class="grid">
            \(charts.bars("Encode, time a record", \.encode.median, NumberText.time))
            \(charts.bars("Decode, time a record", \.decode.median, NumberText.time))
            \(charts.bars("Durable appends a second", \.durableAppend.perSecond, NumberText.rate, more: true))
            \(charts.bars("Replayed records a second", \.replay.perSecond, NumberText.rate, more: true))
            \(charts.bars("Encode and append, time a record", \.append.median, NumberText.time))
            \(charts.bars("Peak memory while coding", { $0.peakMemory.map { Double($0) } }, { NumberText.memory(Int($0)) }))
            </section>
            <h2>All figures</h2>
            \(Markup.table("figures", Self.pageHeads, candidates.map(pageCells)))
            \(notes.map { "<p>\(Markup.text($0))</p>" }.joined(separator: "\n"))
            <h2>By record size</h2>
            <p>Percentiles 50 / 90 / 99 / most, of records whose plain size is in the range. Those of a candidate with a batch are of batches
            that hold only such records, for each record.</p>
            \(Markup.table("sizes", Self.sizeHeads, sizeCells))
            <h2>How it was measured</h2>
            \(remarks.map { "<p>\(Markup.text($0))</p>" }.joined(separator: "\n"))
            <dl>\(facts.map { "<dt>\(Markup.text($0))</dt><dd>\(Markup.text($1))</dd>" }.joined())</dl>
            </body></html>

            """
    }

    private static var pageHeads: [String] { heads }

    /// As in the table, with the spread of what has one.
    private func pageCells(_ candidate: CodecFigures) -> [String] {
        func spread(_ spread: CodecFigures.Spread) -> String {
            "\(NumberText.time(spread.median))\n\(NumberText.time(spread.least)) – \(NumberText.time(spread.most))"
        }
        func rate(_ spread: CodecFigures.Spread) -> String {
            let (least, most) = (spread.most > 0 ? 1e9 / spread.most : 0, spread.least > 0 ? 1e9 / spread.least : 0)
            return "\(NumberText.rate(spread.perSecond))\n\(NumberText.rate(least)) – \(NumberText.rate(most))"
        }
        var cells = cells(candidate)
        cells[4] = spread(candidate.encode)
        cells[6] = spread(candidate.decode)
        cells[8] = spread(candidate.append)
        cells[9] = rate(candidate.durableAppend)
        cells[10] = rate(candidate.replay)
        return cells
    }

    private static let style = """
        :root { color-scheme: light dark; --ink: #1c2430; --soft: #5d6875; --line: #dfe4ea; --page: #fff; --card: #f5f7fa;
          --front: #1f5fc4; --other: #8b95a1; --ring: #1d8a55; --bar: #9db4d6 }
        @media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9fabb9; --line: #313a46; --page: #14181e;
          --card: #1d232c; --front: #79aaff; --other: #7d8896; --ring: #4fc08d; --bar: #45608c } }
        body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 1120px;
          margin: 2rem auto; padding: 0 1rem }
        h1 { font-size: 1.6rem; line-height: 1.25; overflow-wrap: anywhere } h2 { margin-top: 2.2rem; font-size: 1.2rem }
        .lead { color: var(--soft) }
        .cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: .8rem }
        .card { background: var(--card); border-radius: 8px; padding: .7rem 1rem; border-top: 3px solid var(--ring) }
        .card h3 { margin: 0; font-size: .8rem; font-weight: 600; color: var(--soft); text-transform: uppercase; letter-spacing: .04em }
        .card p { margin: .3rem 0 0; font-size: .86rem } .card .choice { font-size: 1.15rem; font-weight: 650; overflow-wrap: anywhere }
        .grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(430px, 100%), 1fr)); gap: 1rem 1.6rem }
        figure { margin: 0 } figcaption { font-weight: 600; font-size: .9rem; margin-bottom: .2rem }
        svg { width: 100%; height: auto; font: 11.5px system-ui, sans-serif } svg text { fill: var(--ink) }
        svg .tick, svg .axis { fill: var(--soft) } svg .name { fill: var(--soft) }
        svg .name.front { fill: var(--front); font-weight: 600 } .bars .name { fill: var(--ink) }
        .scatter .name { paint-order: stroke; stroke: var(--page); stroke-width: 3.5px; stroke-linejoin: round }
        .rule { stroke: var(--line) } .leader { stroke: var(--other); stroke-width: .7 }
        .point { fill: var(--page); stroke: var(--other); stroke-width: 2 } .point.front { fill: var(--front); stroke: var(--front) }
        .frontline { fill: none; stroke: var(--front); stroke-width: 1.2; stroke-dasharray: 5 3; opacity: .75 }
        .spread { stroke: var(--other); stroke-width: 2; opacity: .45 }
        .ring { fill: none; stroke: var(--ring); stroke-width: 2.5 } .bar { fill: var(--bar) } .bar.best { fill: var(--ring) }
        .wide { overflow-x: auto } table { border-collapse: collapse; font-size: 12.5px; font-variant-numeric: tabular-nums }
        td, th { text-align: right; padding: .25rem 1rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap }
        small { color: var(--soft) } .figures td, .figures th { padding-right: .8rem; vertical-align: top }
        .figures td:first-child, .figures th:first-child, .sizes td:nth-child(2), .sizes th:nth-child(2) { text-align: left }
        dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem } dt { color: var(--soft) } dd { margin: 0; overflow-wrap: anywhere }
        """
}
