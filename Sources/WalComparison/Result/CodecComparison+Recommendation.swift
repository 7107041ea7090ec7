extension CodecComparison {
    /// What matters most.
    public enum Priority: String, Sendable, CaseIterable, Codable {
        /// The least bytes a record in the log.
        case size
        /// The most durable records a second.
        case write
        /// The most records a second when a log is replayed.
        case read
        /// The least product of the three.
        case balanced
    }

    public struct Recommendation: Sendable, Hashable, Codable {
        public var priority: Priority
        /// The candidate's.
        public var name: String
        /// A sentence or two, with figures.
        public var reason: String
    }

    /// Costs that are set against the size.
    public enum Cost: String, Sendable, CaseIterable, Codable {
        /// ``CodecFigures/append``
        case append
        /// ``CodecFigures/durableAppend``
        case durableAppend
        /// ``CodecFigures/replay``
        case replay
    }

    /// Figures that are so near to each other are taken as equal: 5 %.
    static var tolerance: Double { 1.05 }
    /// What rounds that overlap may make of it: 25 %. On a machine that is busy with other things they overlap at any distance.
    static var spreadTolerance: Double { 1.25 }

    /// The candidate to take, and why.
    ///
    /// Candidates that another one beats, or equals, in all of size, durable appends and replay are left out. Of the rest those
    /// within 5 % of the best in what has priority are taken as equal, and those within 25 % whose best round was as good as the
    /// best one's median; of them the one with the least product of all three is recommended, and of several with one product the
    /// first.
    ///
    /// There is no answer to give without a candidate: its name and reason are empty then.
    public func recommendation(for priority: Priority) -> Recommendation {
        let front = candidates.filter { one in
            !candidates.contains { Self.dominates($0, one, [.durableAppend, .replay]) }
        }
        guard let best = front.map({ Self.cost($0, priority).median }).min() else {
            return Recommendation(priority: priority, name: "", reason: "")
        }
        let equals = front.filter {
            let cost = Self.cost($0, priority)
            return cost.median <= best * Self.tolerance
                || cost.median <= best * Self.spreadTolerance && cost.least <= best
        }
        // `min` gives the first of several.
        let chosen = equals.min { Self.cost($0, .balanced).median < Self.cost($1, .balanced).median } ?? front[0]
        return Recommendation(
            priority: priority, name: chosen.name, reason: reason(for: chosen, priority, equals.filter { $0 != chosen })
        )
    }

    /// All four, in the order of ``Priority``.
    public var recommendations: [Recommendation] { Priority.allCases.map { recommendation(for: $0) } }

    /// The candidates that no other one beats in size and that cost: smallest first. One that is smaller costs more.
    public func paretoFront(_ cost: Cost) -> [CodecFigures] {
        candidates.filter { one in !candidates.contains { Self.dominates($0, one, [cost]) } }
            .sorted { ($0.storedBytes, $0[cost].median) < ($1.storedBytes, $1[cost].median) }
    }

    /// Whether `a` is nowhere worse than `b`, and somewhere better.
    private static func dominates(_ a: CodecFigures, _ b: CodecFigures, _ costs: [Cost]) -> Bool {
        let pairs = [(a.storedBytes, b.storedBytes)] + costs.map { (a[$0].median, b[$0].median) }
        return pairs.allSatisfy { $0.0 <= $0.1 } && pairs.contains { $0.0 < $0.1 }
    }

    private static func cost(_ candidate: CodecFigures, _ priority: Priority) -> CodecFigures.Spread {
        func exact(_ value: Double) -> CodecFigures.Spread { .init(least: value, median: value, most: value) }
        return switch priority {
        case .size: exact(candidate.storedBytes)
        case .write: candidate.durableAppend
        case .read: candidate.replay
        // Normalising and taking the root change all of them alike. The root keeps the tolerance what it is.
        case .balanced:
            exact(
                Libc.cubeRoot(candidate.storedBytes * candidate.durableAppend.median * candidate.replay.median))
        }
    }

    // MARK: Why

    private func reason(for chosen: CodecFigures, _ priority: Priority, _ equals: [CodecFigures]) -> String {
        guard candidates.count > 1 else { return "\(chosen.name) is the only candidate." }
        let others = candidates.filter { $0 != chosen }
        var text: String
        switch priority {
        case .size:
            text = "\(chosen.name) takes \(NumberText.bytes(chosen.storedBytes)) bytes a record"
            text += comparison(chosen, others, \.storedBytes, "fewer") { "\(NumberText.bytes($0.storedBytes))" }
        case .write:
            text = "\(chosen.name) makes \(NumberText.rate(chosen.durableAppend.perSecond)) records a second durable"
            text += comparison(chosen, others, \.durableAppend.median, "faster") {
                NumberText.rate($0.durableAppend.perSecond)
            }
        case .read:
            text = "\(chosen.name) replays \(NumberText.rate(chosen.replay.perSecond)) records a second"
            text += comparison(chosen, others, \.replay.median, "faster") {
                NumberText.rate($0.replay.perSecond)
            }
        case .balanced:
            text =
                "\(chosen.name) has the least product of the three: \(NumberText.bytes(chosen.storedBytes)) bytes a record, "
            text += "\(NumberText.rate(chosen.durableAppend.perSecond)) durable and "
            text += "\(NumberText.rate(chosen.replay.perSecond)) replayed records a second"
        }
        text += "."
        if !equals.isEmpty {
            let names = equals.map { "\($0.name)\(figure($0, priority))" }.joined(separator: ", ")
            text += " As good within 5 % or the spread of the rounds, and worse on the whole: \(names)."
        }
        if let price = price(of: chosen, priority) { text += " \(price)" }
        return text
    }

    private func figure(_ candidate: CodecFigures, _ priority: Priority) -> String {
        switch priority {
        case .size: " (\(NumberText.bytes(candidate.storedBytes)))"
        case .write: " (\(NumberText.rate(candidate.durableAppend.perSecond)))"
        case .read: " (\(NumberText.rate(candidate.replay.perSecond)))"
        case .balanced: ""
        }
    }

    /// ", 2.9 times fewer than json (905)", against the worst of the others.
    private func comparison(
        _ chosen: CodecFigures, _ others: [CodecFigures], _ cost: (CodecFigures) -> Double, _ better: String,
        _ figure: (CodecFigures) -> String
    ) -> String {
        guard let worst = others.max(by: { cost($0) < cost($1) }), cost(chosen) > 0, cost(worst) > 0 else { return "" }
        let times = cost(worst) / cost(chosen)
        guard times > Self.tolerance else { return "" }
        return
            ", \(NumberText.decimal(times, times < 10 ? 1 : 0)) times \(better) than \(worst.name) (\(figure(worst)))"
    }

    /// What the choice costs elsewhere, where it is more than half again as much as the best.
    private func price(of chosen: CodecFigures, _ priority: Priority) -> String? {
        let all: [(Priority, String, (CodecFigures) -> Double)] = [
            (.size, "bytes a record", \.storedBytes), (.write, "time for a durable append", \.durableAppend.median),
            (.read, "time to replay", \.replay.median),
        ]
        let prices = all.compactMap { each, what, cost -> String? in
            guard each != priority, let best = candidates.min(by: { cost($0) < cost($1) }), cost(best) > 0 else {
                return nil
            }
            let times = cost(chosen) / cost(best)
            guard times >= 1.5 else { return nil }
            return "\(NumberText.decimal(times, times < 10 ? 1 : 0)) times the \(what) of \(best.name)"
        }
        return prices.isEmpty ? nil : "The price: \(prices.joined(separator: ", "))."
    }
}

extension CodecFigures {
    /// One of the costs.
    public subscript(cost: CodecComparison.Cost) -> Spread {
        switch cost {
        case .append: append
        case .durableAppend: durableAppend
        case .replay: replay
        }
    }
}
