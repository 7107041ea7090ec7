import Foundation
import WriteAheadLog

/// `bench instructions check|update FILE.json [NAME …]`: counts the instructions of operations by callgrind, and compares them with
/// thresholds. Where times are too noisy to gate a change, counts are not.
struct Instructions {
    static let argument = "instructions"
    /// What the control of a count may be of the instructions that it adds. The call, and the loop round it, come to them.
    private static let control = 0.95...1.2
    /// The same where threads make a count vary.
    private static let looseControl = 0.7...1.4
    /// What counts of few instructions may be above the threshold besides their share.
    private static let slack = 2.0

    private struct Count {
        var name: String
        var instructions: Double
        /// What was counted more for each operation in the control.
        var added: Double
    }

    static func main(_ arguments: ArraySlice<String>) async throws {
        let words = Array(arguments)
        guard words.count >= 2, ["check", "update"].contains(words[0]) else {
            print("bench instructions check|update FILE.json [NAME …]")
            exit(64)
        }
        guard let valgrind = path(of: "valgrind") else {
            print("SKIPPED: valgrind is not installed, so instructions can't be counted")
            return
        }
        let file = URL(fileURLWithPath: words[1])
        let chosen = Counted.all.filter { words.count == 2 || words.dropFirst(2).contains($0.name) }
        let counts = try await count(chosen, valgrind)
        var thresholds = (try? JSONDecoder().decode([String: Double].self, from: Data(contentsOf: file))) ?? [:]
        let isUpdate = words[0] == "update"
        var failures: [String] = []
        print("Instructions for each operation; a control adds a hundred and their call to each.\n")
        print(
            "| operation | instructions | threshold | may be | control | judged |\n| --- | ---: | ---: | ---: | ---: | --- |"
        )
        for (counted, count) in zip(chosen, counts) {
            let threshold = isUpdate ? count.instructions : thresholds[count.name]
            let most = threshold.map { $0 * (1 + counted.tolerance) + (counted.name == "control_loop" ? 0 : slack) }
            let share = count.added / Double(100 * counted.hundreds)
            let isCounted = (counted.tolerance < 0.1 ? control : looseControl).contains(share)
            let least = threshold.map { $0 * (1 - counted.tolerance) - slack }
            let verdict =
                !isCounted
                ? "its control was not counted"
                : most.map { count.instructions > $0 } ?? true
                    ? (threshold == nil ? "no threshold" : "more than it may be")
                    : least.map { count.instructions < $0 } ?? false ? "less: update the threshold" : "right"
            if verdict != "right" && !verdict.hasPrefix("less") { failures.append("\(count.name): \(verdict)") }
            print(
                "| `\(count.name)` | \(Report.text(count.instructions)) | \(threshold.map(Report.text) ?? "–") | \(most.map(Report.text) ?? "–") | \(Report.text(count.added)) of \(100 * counted.hundreds) | \(verdict) |"
            )
            thresholds[count.name] = isUpdate ? (count.instructions * 10).rounded() / 10 : thresholds[count.name]
        }
        if let control = counts.first(where: { $0.name == "control_loop" }), abs(control.instructions - 2) > 0.02 {
            failures.append("control_loop: a loop of two instructions was counted as \(control.instructions)")
        }
        if isUpdate && failures.isEmpty {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
            try (encoder.encode(thresholds) + Data("\n".utf8)).write(to: file)
            print("\nWritten to \(words[1]).")
        }
        guard failures.isEmpty else {
            print("\n" + failures.joined(separator: "\n"))
            print("If an operation must take more: make instructions-update, with the reason in the commit.")
            exit(1)
        }
    }

    // MARK: Counting

    private static func count(_ chosen: [Counted], _ valgrind: String) async throws -> [Count] {
        let itself = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        let base = ProcessInfo.processInfo.environment["BENCH_DIR"] ?? ".build/instructions"
        try FileManager.default.createDirectory(atPath: base, withIntermediateDirectories: true)
        // Without what valgrind 3.19 can't read of the debugger's information.
        let program = "\(base)/bench"
        try removeIfThere(program)
        try FileManager.default.copyItem(atPath: itself, toPath: program)
        if let strip = path(of: "strip") {
            let process = try Process.run(URL(fileURLWithPath: strip), arguments: ["--strip-debug", program])
            process.waitUntilExit()
        }
        return try await withThrowingTaskGroup(of: (Int, Count).self) { group in
            var results = [Count?](repeating: nil, count: chosen.count)
            var next = 0
            func add() {
                guard next < chosen.count else { return }
                let (place, counted) = (next, (chosen[next].name, chosen[next].rounds, chosen[next].operations))
                next += 1
                group.addTask {
                    let (name, rounds, operations) = counted
                    func run(_ rounds: Int, _ kind: String) throws -> Double {
                        try callgrind(
                            valgrind, program, [name, String(rounds), kind], "\(base)/\(name)-\(kind)-\(rounds)")
                    }
                    let once = try run(rounds, "plain")
                    let twice = try run(rounds * 2, "plain")
                    let extra = try run(rounds * 2, "extra")
                    let each = (twice - once) / Double(rounds * operations)
                    return (
                        place,
                        Count(name: name, instructions: each, added: (extra - twice) / Double(2 * rounds * operations))
                    )
                }
            }
            for _ in 0..<max(2, ProcessInfo.processInfo.activeProcessorCount) { add() }
            for try await (place, count) in group {
                results[place] = count
                add()
            }
            return results.compactMap { $0 }
        }
    }

    /// All instructions of a process that does the work.
    private static func callgrind(_ valgrind: String, _ program: String, _ work: [String], _ path: String) throws
        -> Double
    {
        let output = path + ".callgrind"
        let process = Process()
        process.executableURL = URL(fileURLWithPath: valgrind)
        process.arguments =
            ["--tool=callgrind", "--vgdb=no", "--callgrind-out-file=\(output)", program, Counted.argument] + work + [
                path
            ]
        let log = path + ".log"
        _ = FileManager.default.createFile(atPath: log, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: log)
        process.standardError = process.standardOutput
        try process.run()
        process.waitUntilExit()
        let words = (try? String(contentsOfFile: output, encoding: .utf8))?.split(separator: "\n")
            .last { $0.hasPrefix("totals:") || $0.hasPrefix("summary:") }?.split(separator: " ")
        guard process.terminationStatus == 0, let total = words?.dropFirst().first.flatMap({ Double($0) }) else {
            let said = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw WalError(.io, "callgrind of \(work.joined(separator: " ")) failed: \(said.suffix(2000))")
        }
        try removeIfThere(output)
        try removeIfThere(log)
        return total
    }

    private static func path(of name: String) -> String? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }
}
