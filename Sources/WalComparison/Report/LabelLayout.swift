/// Finds room for labels beside points, so that none lies on another, on a point or outside.
struct LabelLayout {
    struct Box {
        var x: Double
        var y: Double
        var width: Double
        var height: Double

        func overlaps(_ other: Box) -> Bool {
            x < other.x + other.width && other.x < x + width && y < other.y + other.height && other.y < y + height
        }
    }

    private let area: Box
    private var taken: [Box]

    /// - Parameter points: kept free, each with its radius.
    init(in area: Box, around points: [(x: Double, y: Double)], radius: Double) {
        self.area = area
        taken = points.map { Box(x: $0.x - radius, y: $0.y - radius, width: 2 * radius, height: 2 * radius) }
    }

    /// The place of a label of that size, near its point; nil where all is taken.
    mutating func place(_ width: Double, _ height: Double, at point: (x: Double, y: Double)) -> Box? {
        // Beside, above and below, then around in wider and wider rings.
        for distance in stride(from: 9.0, through: 200, by: 8) {
            let offsets = [
                (distance, -height / 2), (-distance - width, -height / 2), (-width / 2, -distance - height),
                (-width / 2, distance), (distance * 0.7, -distance * 0.7 - height), (distance * 0.7, distance * 0.7),
                (-distance * 0.7 - width, -distance * 0.7 - height), (-distance * 0.7 - width, distance * 0.7),
            ]
            for (x, y) in offsets {
                let box = Box(x: point.x + x, y: point.y + y, width: width, height: height)
                guard box.x >= area.x, box.y >= area.y, box.x + width <= area.x + area.width,
                    box.y + height <= area.y + area.height, !taken.contains(where: { $0.overlaps(box) })
                else { continue }
                taken.append(box)
                return box
            }
        }
        return nil
    }
}
