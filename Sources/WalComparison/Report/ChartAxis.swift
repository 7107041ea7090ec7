/// A scale from 0, or a logarithmic one where values differ by more than it would show.
struct ChartAxis {
    let isLogarithmic: Bool
    private let least: Double
    private let most: Double
    /// Pixels of the least and of the greatest value.
    private let range: (Double, Double)
    let ticks: [Double]

    init(_ values: [Double], from start: Double, to end: Double) {
        range = (start, end)
        let positive = values.filter { $0 > 0 && $0.isFinite }
        let (low, high) = (positive.min() ?? 1, positive.max() ?? 1)
        isLogarithmic = high / low > 25
        if isLogarithmic {
            (least, most) = (low / 1.6, high * 1.6)
            let first = Libc.power10(Libc.logarithm10(least).rounded(.down))
            var decades = Array(sequence(first: first) { $0 < high * 10 ? $0 * 10 : nil })
            // Fewer than two marks say nothing.
            if high / low < 1000 { decades = decades.flatMap { [$0, $0 * 3] } }
            ticks = decades.filter { [least, most] in $0 >= least && $0 <= most }
        } else {
            let rough = high * 1.12 / 5
            let power = Libc.power10(Libc.logarithm10(rough).rounded(.down))
            let step = [1.0, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? power * 10
            (least, most) = (0, high * 1.12)
            ticks = (0...6).map { Double($0) * step }.filter { [most] in $0 <= most }
        }
    }

    func place(_ value: Double) -> Double {
        let part: Double
        if isLogarithmic {
            part = value > least ? Libc.logarithm10(value / least) / Libc.logarithm10(most / least) : 0
        } else {
            part = (value - least) / (most - least)
        }
        return range.0 + (range.1 - range.0) * min(max(part, 0), 1)
    }
}
