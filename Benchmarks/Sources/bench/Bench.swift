import CBaseline
import Foundation
import WriteAheadLog

/// One run of everything: ours, what C allows, and the peers that are installed, in turn.
@main
struct Bench {
    static func main() async throws {
        if CommandLine.arguments.dropFirst().first == WriterToBeKilled.argument {
            return try await WriterToBeKilled.main(CommandLine.arguments.dropFirst(2))
        }
        if CommandLine.arguments.dropFirst().first == Page.argument {
            return try Page.main(CommandLine.arguments.dropFirst(2))
        }
        if CommandLine.arguments.dropFirst().first == Compression.argument {
            return try Compression(repetitions: 5).main(CommandLine.arguments.dropFirst(2))
        }
        let environment = ProcessInfo.processInfo.environment
        let directory = environment["BENCH_DIR"] ?? ".build/bench-data"
        let json = environment["BENCH_JSON"] ?? ".build/bench.json"
        let repetitions = max(1, Int(environment["REPETITIONS"] ?? "") ?? 5)
        let wanted = Array(CommandLine.arguments.dropFirst())
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)

        if wanted.first == Curves.argument {
            try await Curves(directory: directory).main(wanted.dropFirst())
            return try removeIfThere(directory)
        }
        let place = Place(directory: directory)
        let all =
            place.appends + place.commits + place.streams + place.opens + place.contention + place.latencies
            + place.allocations + place.codings
        let chosen = all.filter { figure in wanted.isEmpty || wanted.contains { figure.name.hasPrefix($0) } }
        guard !chosen.isEmpty else {
            print("No figure is named so. There are: \(all.map(\.name).joined(separator: ", "))")
            exit(64)
        }
        print(
            """
            Medians of \(repetitions); the ratio is time over time, also for rates: below 1 is faster than the limit, which is C on the same
            machine in the same run. Peers: \(place.peersText).
            \(Report.heading)
            """)
        let report = Report(repetitions: repetitions)
        for measurement in chosen { try await report.measure(measurement) }
        try report.write(to: json)
        try removeIfThere(directory)
        print("Written to \(json).")
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
            let figure = measure(path)
            try removeIfThere(path)
            return figure
        }
    }
}
