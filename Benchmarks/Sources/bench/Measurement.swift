/// What one row of the table is about.
struct FigureKind {
    var name: String
    var unit: String
    var isRate = false
    /// A ratio where there is a limit; otherwise in the figure's unit.
    var target: Double?
    /// Where there is no target for the ratio: by how much ours may be above the limit, in the figure's unit.
    var targetExcess: Double?
}

/// Work that gives one or more figures. Each closure does it once, and returns a value for each kind.
struct Measurement {
    var kinds: [FigureKind]
    var limitIs: String?
    /// Counts, which are the same each time: a few pairs are enough.
    var isExact = false
    var ours: () async throws -> [Double]
    var limit: (() throws -> [Double])?
    var peers: [Peer] = []

    var name: String { kinds.map(\.name).joined(separator: "+") }

    /// Work that gives one figure.
    init(
        name: String, unit: String, isRate: Bool = false, target: Double? = nil, targetExcess: Double? = nil,
        limitIs: String? = nil, isExact: Bool = false, ours: @escaping () async throws -> Double,
        limit: (() throws -> Double)? = nil, peers: [Peer] = []
    ) {
        kinds = [FigureKind(name: name, unit: unit, isRate: isRate, target: target, targetExcess: targetExcess)]
        self.limitIs = limitIs
        self.isExact = isExact
        self.ours = { [try await ours()] }
        self.limit = limit.map { limit in { [try limit()] } }
        self.peers = peers
    }

    init(
        _ kinds: [FigureKind], limitIs: String? = nil, ours: @escaping () async throws -> [Double],
        limit: (() throws -> [Double])? = nil
    ) {
        self.kinds = kinds
        self.limitIs = limitIs
        self.ours = ours
        self.limit = limit
    }
}

/// Somebody else who does the same work.
struct Peer {
    var name: String
    var measure: () throws -> Double
}
