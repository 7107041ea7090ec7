import CBaseline
import Foundation
import WriteAheadLog

/// One run of everything: ours, what C allows or what another commit did, and the peers that are installed.
@main
struct Bench {
    // No asynchronous main: valgrind 3.19 dies of the call by which that parks the main thread.
    static func main() {
        if CommandLine.arguments.dropFirst().first == Counted.argument {
            let isDone = DispatchSemaphore(value: 0)
            Task.detached {
                await ended { try await Counted.main(CommandLine.arguments.dropFirst(2)) }
                isDone.signal()
            }
            return isDone.wait()
        }
        Task { @MainActor in
            await ended(run)
            exit(0)
        }
        dispatchMain()
    }

    private static func ended(_ body: () async throws -> Void) async {
        do { try await body() } catch {
            print("Failed: \(error)")
            exit(1)
        }
    }

    @MainActor
    private static func run() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        let environment = ProcessInfo.processInfo.environment
        let directory = environment["BENCH_DIR"] ?? ".build/bench-data"
        switch arguments.first {
        case WriterToBeKilled.argument: return try await WriterToBeKilled.main(arguments.dropFirst())
        case Page.argument: return try Page.main(arguments.dropFirst())
        case Instructions.argument: return try await Instructions.main(arguments.dropFirst())
        case Tables.argument: return try Tables.main(arguments.dropFirst())
        case Compression.argument: return try Compression(repetitions: 5).main(arguments.dropFirst())
        default: break
        }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        switch arguments.first {
        case Worker.argument: return try await Worker.main(Place(directory: directory))
        case Curves.argument: try await Curves(directory: directory).main(arguments.dropFirst())
        case Baseline.argument: try await Baseline(directory: directory).main(arguments.dropFirst())
        default:
            let pairs = max(1, Int(environment["PAIRS"] ?? "") ?? 15)
            let base = environment["BENCH_BASE"].flatMap { $0.isEmpty ? nil : $0 }
            try await table(
                directory, pairs: pairs, base: base, baseProgram: environment["BENCH_BASE_PROGRAM"] ?? "",
                Array(arguments),
                json: environment["BENCH_JSON"] ?? ".build/bench.json")
        }
        try removeIfThere(directory)
    }

    private static func table(
        _ directory: String, pairs: Int, base: String?, baseProgram: String, _ wanted: [String], json: String
    ) async throws {
        let place = Place(directory: directory)
        let chosen = place.all.filter { row in
            wanted.isEmpty || wanted.contains { name in row.kinds.contains { $0.name.hasPrefix(name) } }
        }
        guard !chosen.isEmpty else {
            print("No row is named so. There are: \(place.all.map(\.name).joined(separator: ", "))")
            exit(64)
        }
        let report = Report(pairs: pairs, base: base)
        print("\(Machine.text), load \(Machine.load).", Machine.warm(directory))
        if let base {
            print(
                "\(pairs) pairs a row, ours and \(base) in turn. A ratio is time over time, also for rates: above 1 is slower than it was."
            )
            print(Verdict.baseRule)
        } else {
            print(
                "\(pairs) pairs a row, ours and C in turn. A ratio is time over time, also for rates: 1 is what C takes."
            )
            print(Verdict.rule)
            print("Peers: \(place.peersText).")
        }
        print("\n" + Report.heading(report.run.otherName))
        if let base {
            // Two processes of one shape: what one of them has in memory does not help or hinder the other.
            let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
            let ours = try Worker(program: program, directory: directory + "/ours")
            let other = try Worker(program: baseProgram, directory: directory + "/base")
            let known = Set(try other.names())
            for row in chosen {
                let request = "run \(row.name)"
                let isKnown = known.contains(row.name)
                try await report.measure(
                    row, ours: { try ours.values(request) }, other: isKnown ? { try other.values(request) } : nil,
                    note: isKnown ? nil : "\(base.prefix(10)) does not have this",
                    renew: {
                        try ours.restart()
                        try other.restart()
                    })
            }
            ours.end()
            other.end()
        } else {
            for row in chosen { try await report.measure(row, ours: row.ours, other: row.limit) }
        }
        try report.write(to: json)
        print("\nWritten to \(json).")
        summary(report)
        guard report.failures.isEmpty else {
            try removeIfThere(directory)
            exit(1)
        }
    }

    private static func summary(_ report: Report) {
        func names(_ verdict: Verdict) -> String {
            let names = report.run.figures.filter { $0.verdict == verdict }.map(\.name)
            return names.isEmpty ? "none" : names.joined(separator: ", ")
        }
        if report.run.base != nil {
            print("Slower: \(names(.slower)). Faster: \(names(.faster)).")
            let missing = report.run.figures.filter { $0.note != nil }.map(\.name)
            if !missing.isEmpty { print("Not compared: \(missing.joined(separator: ", ")).") }
        } else {
            print("Missed: \(names(.missed)).")
        }
        print("Too noisy to judge: \(names(.tooNoisy)).")
        for failure in report.failures { print("Failed: \(failure)") }
        if report.run.load.contains(where: { $0 > 1.5 }) {
            print(
                "The load was \(report.run.load.map { String($0) }.joined(separator: " before and ")) after: this machine was not quiet."
            )
        }
    }
}

/// Where everything is measured, and by what.
struct Place {
    let directory: String
    let log: BenchLog

    init(directory: String) {
        self.directory = directory
        log = BenchLog(directory: directory)
    }

    /// The rows of the table. What needs an API that the commit 8f3bb98 does not have goes between `#if !OLDER_CORE` and `#endif`.
    var all: [Measurement] {
        appends + commits + streams + opens + contention + latencies + allocations + codings
    }

    var peersText: String {
        let sqlite = peer_sqlite_available() ? "SQLite (WAL)" : "SQLite is not installed (libsqlite3-dev)"
        let rocksdb = peer_rocksdb_available() ? "RocksDB" : "RocksDB is not installed (librocksdb-dev)"
        return "\(sqlite), \(rocksdb)"
    }

    /// Peers that append, at the same durability: handed to the OS, or synced.
    func appendingPeers(
        _ record: [UInt8], _ writes: Int, batch: Int = 1, threads: Int = 1, synced: Bool = false,
        _ figure: @escaping (_ nanoseconds: Double) -> Double
    ) -> [Peer] {
        let size = Int32(record.count)
        var peers: [Peer] = []
        if peer_sqlite_available(), threads == 1 {
            peers.append(
                peer("SQLite") { figure(peer_sqlite_append($0, record, size, writes, Int32(batch), synced)) })
        }
        if peer_rocksdb_available() {
            peers.append(
                peer("RocksDB") {
                    figure(peer_rocksdb_append($0, record, size, writes, Int32(batch), Int32(threads), synced))
                })
        }
        return peers
    }

    func readingPeers(_ record: [UInt8], _ count: Int) -> [Peer] {
        let size = Int32(record.count)
        var peers: [Peer] = []
        if peer_sqlite_available() { peers.append(peer("SQLite") { peer_sqlite_read($0, record, size, count) }) }
        if peer_rocksdb_available() { peers.append(peer("RocksDB") { peer_rocksdb_read($0, record, size, count) }) }
        return peers
    }

    /// In an empty directory, which is removed when it is done.
    private func peer(_ name: String, _ measure: @escaping (_ directory: String) -> Double) -> Peer {
        let path = "\(directory)/peer"
        return Peer(name: name) {
            try removeIfThere(path)
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            bench_settle(path)
            let figure = measure(path)
            try removeIfThere(path)
            return figure
        }
    }
}
