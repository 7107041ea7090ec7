import CBaseline
import Foundation

/// What measures run on.
enum Machine {
    static var text: String {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model =
            information.split(separator: "\n").first { $0.hasPrefix("model name") }?.split(separator: ":").last
            ?? "unknown"
        let kernel = (try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)) ?? "unknown"
        let trim = CharacterSet.whitespacesAndNewlines
        return
            "\(ProcessInfo.processInfo.activeProcessorCount) × \(model.trimmingCharacters(in: trim)), Linux \(kernel.trimmingCharacters(in: trim))"
    }

    /// How many threads wanted to run in the last minute.
    static var load: Double {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return text.split(separator: " ").first.flatMap { Double($0) } ?? 0
    }

    /// In bytes.
    private static var availableMemory: UInt {
        let text = (try? String(contentsOfFile: "/proc/meminfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("MemAvailable") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { UInt($0) } ?? 0) * 1024
    }

    /// Touches as much memory and page cache as the runs need, again until that is no longer faster than the time before: a virtual
    /// machine's first touch of a page waits for its host, and would be paid by whatever runs first.
    static func warm(_ directory: String) -> String {
        let memory = min(4 << 30, availableMemory / 2)
        let file = min(1 << 30, availableMemory / 8)
        func passes(_ touch: () -> Double) -> [Double] {
            var times: [Double] = []
            repeat {
                times.append(touch())
            } while times.count < 2
                || (times.count < 5 && times[times.count - 1] < 0.9 * times[times.count - 2])
            return times
        }
        func text(_ times: [Double]) -> String {
            times.map { String(format: "%.0f", $0) }.joined(separator: ", ")
        }
        let pages = passes { bench_touch_memory(memory) }
        let cached = passes { bench_touch_file(directory, file) }
        return """
            Warmed \(memory >> 20) MiB of memory (\(text(pages)) ns a page in each pass) and \(file >> 20) MiB of page cache (\(text(cached)) ns).
            """
    }
}
