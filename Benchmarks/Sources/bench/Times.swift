import CBaseline
import Synchronization

/// Times from many tasks.
final class Times: Sendable {
    private let content = Mutex<[UInt]>([])

    func add(_ times: [UInt]) { content.withLock { $0 += times } }

    var histogram: histogram_t {
        var histogram = histogram_t()
        for time in content.withLock({ $0 }) { histogram_add(&histogram, time) }
        return histogram
    }
}
