import Foundation
import WriteAheadLog

/// `bench baseline`: checks that the C that ours is compared with, run as `make bench` runs it, is no slower than bare loops of the same
/// work that run alone. A baseline that pays for its own dirty pages, or for ours, would flatter the log.
struct Baseline {
    static let argument = "baseline"
    /// How much slower the baseline may be.
    static let slack = 0.05
    private static let rows = [
        "append_raw_65", "append_raw_1k", "batch_1000_65", "stream_raw_65", "stream_raw_1k", "append_sync_1",
        "append_sync_1_filled", "group_commit_64", "group_commit_64_filled",
    ]
    let directory: String

    func main(_ wanted: ArraySlice<String>) async throws {
        let place = Place(directory: directory)
        let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let bare = try Worker(program: program, directory: directory + "/limit")
        try FileManager.default.createDirectory(atPath: directory + "/limit", withIntermediateDirectories: true)
        print(Machine.warm(directory))
        print(
            "The baseline, after ours as in the table, over bare loops alone; slower is a lower quartile above \(1 + Self.slack)."
        )
        print("| figure | ratio [quartiles] | least…most | judged |\n| --- | --- | --- | --- |")
        var slower: [String] = []
        let all = place.all
        for name in Self.rows where wanted.isEmpty || wanted.contains(name) {
            guard let row = all.first(where: { $0.name.split(separator: "+").first.map(String.init) == name }),
                let limit = row.limit,
                let kind = row.kinds.first
            else { throw WalError(.notFound, "the row \(name) has no baseline") }
            var ratios: [Double] = []
            for k in -1..<15 {
                _ = try await row.ours()
                guard let value = try limit().first, value > 0 else {
                    throw WalError(.io, "the baseline of \(name) failed")
                }
                let expected = try bare.values("limit \(name)")[0]
                guard expected > 0 else { throw WalError(.io, "the bare loop of \(name) failed") }
                // The table has microseconds in places, and records a second; the bare loops have nanoseconds.
                let nanoseconds = kind.isRate ? 1e9 / value : kind.unit.hasPrefix("µs") ? value * 1000 : value
                if k >= 0 { ratios.append(nanoseconds / expected) }
            }
            let spread = Spread(ratios)
            let isSlower = spread.lowerQuartile > 1 + Self.slack
            if isSlower { slower.append(name) }
            let verdict =
                isSlower
                ? "slower"
                : spread.width > Verdict.widest && spread.upperQuartile > 1 + Self.slack ? "too noisy" : "right"
            print(
                "| `\(name)` | \(Report.text(spread)) | \(Report.text(spread.least))…\(Report.text(spread.most)) | \(verdict) |"
            )
            fflush(nil)
        }
        bare.end()
        guard slower.isEmpty else {
            print("The baseline is slower than it should be: \(slower.joined(separator: ", ")).")
            try removeIfThere(directory)
            exit(1)
        }
    }
}
