/// What each round of a measure does for one candidate: the same frames each time, as many as fill the time.
struct Workload: Sendable {
    /// Places of the frames.
    let frames: [Int]
    let repeats: Int

    /// - Parameters:
    ///   - nanoseconds: for one frame, as a first look had it.
    ///   - time: for the round, in nanoseconds.
    ///   - limit: at most so many frames.
    init(of count: Int, nanoseconds: Double, time: Double, limit: Int = .max) {
        let wanted = max(min(Int(clamping: Int64(min(time / max(nanoseconds, 1), 1e15))), limit), 1)
        if wanted >= count {
            frames = Array(0..<count)
            repeats = wanted / max(count, 1)
        } else {
            // Those that are taken are spread over all, so that they stand for them.
            frames = Self.spread(count).prefix(wanted).sorted()
            repeats = 1
        }
    }

    /// All places, so that the first ones of them are spread evenly, as many as one takes: steps of about the golden ratio.
    static func spread(_ count: Int) -> [Int] {
        guard count > 2 else { return Array(0..<count) }
        var step = max(Int(Double(count) * 0.618), 1)
        while greatestCommonDivisor(step, count) != 1 { step += 1 }
        return (0..<count).map { $0 * step % count }
    }

    private static func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
        b == 0 ? a : greatestCommonDivisor(b, a % b)
    }
}
