/// The middle of several values, and how far apart they are.
struct Spread: Codable {
    var median: Double
    /// A quarter of the values lies below it. With 15 values the true median lies between the quartiles in 96 of 100 runs.
    var lowerQuartile: Double
    var upperQuartile: Double
    var least: Double
    var most: Double

    /// - Precondition: There is a value.
    init(_ values: [Double]) {
        let sorted = values.sorted()
        let count = sorted.count
        median = count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2
        lowerQuartile = sorted[(count - 1) / 4]
        upperQuartile = sorted[count - 1 - (count - 1) / 4]
        least = sorted[0]
        most = sorted[count - 1]
    }

    /// The distance of the quartiles, as a share of the median.
    var width: Double { median == 0 ? 0 : (upperQuartile - lowerQuartile) / median }
}

/// What the pairs of one row say.
enum Verdict: String, Codable {
    case met, missed
    case slower, same, faster
    /// The target lies between the quartiles, and they are close together.
    case atTarget = "at the target"
    case tooNoisy = "too noisy"
    case tooFew = "too few pairs"
    case none = "–"

    /// Quartiles further apart than this share of the median decide nothing, unless both lie on one side of what they are compared with.
    static let widest = 0.2
    /// Quartiles of fewer pairs say little.
    static let fewest = 9
    /// How far the quartiles must be from 1 to call a row slower or faster than it was at another commit.
    static let margin = 0.03

    static let rule = """
        A row is judged by the quartiles of its pairs. A target is met if the upper quartile is within it, and missed if the lower one is
        beyond it. Otherwise a row is too noisy to judge where its quartiles are further apart than \(Int(widest * 100)) % of the median.
        """
    static let baseRule = """
        A row is slower if the lower quartile of its pairs' ratios is above \(1 + margin), and faster if the upper one is below \(1 - margin); a row
        that looks slower is measured a second time, and all pairs count. Otherwise it is too noisy to judge where the quartiles are
        further apart than \(Int(widest * 100)) % of the median.
        """

    /// - Parameter pairs: nil for what is the same each time.
    static func target(_ spread: Spread, _ target: Double?, pairs: Int?) -> Self {
        guard pairs ?? fewest >= fewest else { return .tooFew }
        guard let target else { return spread.width > widest ? .tooNoisy : .none }
        if spread.upperQuartile <= target { return .met }
        if spread.lowerQuartile > target { return .missed }
        return spread.width > widest ? .tooNoisy : .atTarget
    }

    static func change(_ ratio: Spread, pairs: Int?) -> Self {
        guard pairs ?? fewest >= fewest else { return .tooFew }
        if ratio.lowerQuartile > 1 + margin { return .slower }
        if ratio.upperQuartile < 1 - margin { return .faster }
        return ratio.width > widest ? .tooNoisy : .same
    }
}
