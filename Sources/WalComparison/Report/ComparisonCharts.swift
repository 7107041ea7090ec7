/// The charts of the page.
struct ComparisonCharts {
    let comparison: CodecComparison

    // MARK: Size against a cost

    /// Each candidate as a point: nearer to the lower left corner is better. The front is a line.
    func scatter(_ cost: CodecComparison.Cost, _ title: String, marked: CodecComparison.Priority) -> String {
        let (width, height) = (532.0, 380.0)
        let (left, right, top, bottom) = (58.0, 508.0, 14.0, 336.0)
        let candidates = comparison.candidates
        let xs = ChartAxis(candidates.map { $0[cost].median }, from: left, to: right)
        let ys = ChartAxis(candidates.map(\.storedBytes), from: bottom, to: top)
        var svg = ""
        for tick in xs.ticks {
            svg += Markup.line("rule", xs.place(tick), top, xs.place(tick), bottom)
            svg += Markup.label("tick", xs.place(tick), bottom + 15, "middle", NumberText.tick(tick))
        }
        for tick in ys.ticks {
            svg += Markup.line("rule", left, ys.place(tick), right, ys.place(tick))
            svg += Markup.label("tick", left - 6, ys.place(tick) + 4, "end", NumberText.short(tick))
        }
        svg += Markup.label(
            "axis", right, bottom + 34, "end", xs.isLogarithmic ? "time a record, logarithmic →" : "time a record →")
        svg += Markup.label("axis", left, bottom + 34, "start", "↙ better")
        let front = comparison.paretoFront(cost)
        let points = candidates.map { (x: xs.place($0[cost].median), y: ys.place($0.storedBytes)) }
        svg += self.front(front.map { (xs.place($0[cost].median), ys.place($0.storedBytes)) }, right, top)
        for (candidate, point) in zip(candidates, points) {
            svg += Markup.line(
                "spread", xs.place(candidate[cost].least), point.y, xs.place(candidate[cost].most), point.y)
        }
        var layout = LabelLayout(
            in: .init(x: left, y: top, width: right - left, height: bottom - top), around: points, radius: 7)
        let recommended = comparison.recommendation(for: marked).name
        // Those on the front have the first choice of room.
        let order = candidates.indices.sorted { a, b in
            let (first, second) = (front.contains(candidates[a]), front.contains(candidates[b]))
            return first != second ? first : a < b
        }
        for place in order {
            let (candidate, point) = (candidates[place], points[place])
            let isOnFront = front.contains(candidate)
            if candidate.name == recommended {
                svg +=
                    "<circle class=\"ring\" cx=\"\(Markup.number(point.x))\" cy=\"\(Markup.number(point.y))\" r=\"9\"/>"
            }
            let figures =
                "\(candidate.name): \(NumberText.bytes(candidate.storedBytes)) bytes, \(NumberText.time(candidate[cost].median))"
            svg += "<circle class=\"point\(isOnFront ? " front" : "")\" cx=\"\(Markup.number(point.x))\" "
            svg += "cy=\"\(Markup.number(point.y))\" r=\"5\"><title>\(Markup.text(figures))</title></circle>"
            let name = Markup.short(candidate.name, 30)
            let size = Double(name.count) * 6.7 + 4
            guard let box = layout.place(size, 14, at: point) else { continue }
            svg += leader(from: point, to: box)
            svg += Markup.label("name\(isOnFront ? " front" : "")", box.x + size / 2, box.y + 11, "middle", name)
        }
        return "<figure><figcaption>\(Markup.text(title))</figcaption>"
            + Markup.picture("scatter", width, height, title, svg) + "</figure>"
    }

    /// Steps: what lies above and to the right of them is beaten by somebody.
    private func front(_ points: [(x: Double, y: Double)], _ right: Double, _ top: Double) -> String {
        guard let first = points.first, let last = points.last else { return "" }
        var path = "M\(Markup.number(right)) \(Markup.number(first.y))"
        for (place, point) in points.enumerated() {
            path += " H\(Markup.number(point.x))"
            if place + 1 < points.count { path += " V\(Markup.number(points[place + 1].y))" }
        }
        path += " H\(Markup.number(last.x)) V\(Markup.number(top))"
        return "<path class=\"frontline\" d=\"\(path)\"/>"
    }

    /// A thin line to a label that stands apart.
    private func leader(from point: (x: Double, y: Double), to box: LabelLayout.Box) -> String {
        let x = min(max(point.x, box.x), box.x + box.width)
        let y = min(max(point.y, box.y), box.y + box.height)
        let (dx, dy) = (x - point.x, y - point.y)
        return dx * dx + dy * dy > 14 * 14 ? Markup.line("leader", point.x, point.y, x, y) : ""
    }

    // MARK: One measure

    /// A bar for each candidate, in their order; the best one is marked.
    func bars(
        _ title: String, _ value: (CodecFigures) -> Double?, _ text: (Double) -> String, more isBetter: Bool = false
    ) -> String {
        let rows = comparison.candidates.compactMap { candidate in value(candidate).map { (candidate.name, $0) } }
        guard !rows.isEmpty else { return "" }
        let width = 520.0
        let height = 8 + Double(rows.count) * 22
        let names = rows.map { Markup.short($0.0, 26) }
        let left = 12 + Double(names.map(\.count).max() ?? 0) * 6.7
        let axis = ChartAxis(rows.map(\.1), from: left, to: width - 84)
        let best = isBetter ? rows.map(\.1).max() : rows.map(\.1).min()
        var svg = ""
        for (place, row) in rows.enumerated() {
            let y = 6 + Double(place) * 22
            let end = max(axis.place(row.1), left + 1)
            let kind = row.1 == best ? "bar best" : "bar"
            svg += Markup.label("name", left - 8, y + 12, "end", names[place])
            svg += "<rect class=\"\(kind)\" x=\"\(Markup.number(left))\" y=\"\(Markup.number(y))\" "
            svg +=
                "width=\"\(Markup.number(end - left))\" height=\"15\"><title>\(Markup.text("\(row.0): \(text(row.1))"))</title></rect>"
            svg += Markup.label("value", end + 6, y + 12, "start", text(row.1))
        }
        let caption = axis.isLogarithmic ? "\(title), logarithmic" : title
        return "<figure><figcaption>\(Markup.text(caption))</figcaption>"
            + Markup.picture("bars", width, height, title, svg) + "</figure>"
    }
}
