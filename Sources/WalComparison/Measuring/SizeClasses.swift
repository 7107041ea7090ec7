/// Samples by their plain size: up to four classes of about as many samples each, and all of one size in one class.
struct SizeClasses: Sendable {
    struct Class: Sendable {
        var least: Int
        var most: Int
        /// Places in the samples, in their order.
        var members: [Int]
    }
    let classes: [Class]

    init(_ sizes: [Int], count: Int = 4) {
        let sorted = sizes.sorted()
        var bounds: [Int] = []
        for quarter in 1...count where !sorted.isEmpty {
            let bound = sorted[max(sorted.count * quarter / count, 1) - 1]
            if bound != bounds.last { bounds.append(bound) }
        }
        var members = [[Int]](repeating: [], count: bounds.count)
        for (place, size) in sizes.enumerated() {
            guard let found = bounds.firstIndex(where: { size <= $0 }) else { continue }
            members[found].append(place)
        }
        classes = members.filter { !$0.isEmpty }.map { places in
            let sizes = places.map { sizes[$0] }
            return Class(least: sizes.min() ?? 0, most: sizes.max() ?? 0, members: places)
        }
    }
}
