import Foundation
import WalBinary
import WalJSON
import WalZstd
import WriteAheadLog

/// A Debian package's description: the records of this demo.
struct Package: Codable, WalCodable, Equatable {
    var package: String
    var version: String
    var architecture: String
    var section: String
    var priority: String?
    var installedSize: Int?
    var size: Int
    var depends: [String]?
    var tags: [String]?
    var filename: String
    var sha256: String
    var description: String?

    static var walTypeName: String { "demo.Package" }
}

/// Records real data through three codecs, reads it back, compares, and says what each cost.
@main
struct Demo {
    static let recordCount = 10_000
    static let codecs: [(name: String, id: PartitionID, codec: AnyWalCodec<Package>)] = [
        ("binary", 0, .binary()), ("json", 1, .json()), ("zstd(binary)", 2, .zstd(.binary())),
    ]

    static func main() async {
        do {
            try await run(directory: CommandLine.arguments.dropFirst().first ?? "demo_data")
        } catch {
            FileHandle.standardError.write(Data("demo: \(error)\n".utf8))
            exit(1)
        }
    }

    static func run(directory: String) async throws {
        let packages = try loadPackages()
        let records = (0..<recordCount).map { packages[$0 % packages.count] }
        print("\(recordCount) records from \(packages.count) Debian package descriptions, into \(directory)/")
        var configuration = Wal<Package>.Configuration(
            codec: .binary(), partitionCodecs: Dictionary(uniqueKeysWithValues: codecs.map { ($0.id, $0.codec) }))
        // A demo that is run again begins again; only what a log wrote is wiped.
        configuration.truncate = true
        let wal = try await Wal<Package>.open(at: directory, configuration: configuration)
        var rows: [[String]] = [["codec", "bytes/record", "append", "append + sync", "64 tasks, synced", "read"]]
        for (name, id, _) in codecs {
            let partition = try wal.partition(id)
            let append = try await nanoseconds {
                for record in records { try partition.append(record) }
            }
            try await partition.sync()
            rows.append([name, "", micro(append / Double(recordCount))])
        }
        for (row, entry) in codecs.enumerated() {
            // Other partitions, so that the sizes above stay those of the 10,000.
            let partition = try wal.partition(PartitionID(rawValue: 100 + entry.id.rawValue))
            let alone = try await nanoseconds {
                for record in records.prefix(200) { try await partition.append(record, durability: .synced) }
            }
            let together = try await nanoseconds {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for task in 0..<64 {
                        group.addTask {
                            for k in stride(from: task, to: 6400, by: 64) {
                                try await partition.append(records[k], durability: .synced)
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            rows[row + 1] += [micro(alone / 200), micro(together / 6400)]
        }
        try await wal.close()

        configuration.truncate = false
        let reopened = try await Wal<Package>.open(at: directory, configuration: configuration)
        for (row, entry) in codecs.enumerated() {
            let partition = try reopened.partition(entry.id)
            var bytes = 0
            try partition.entries().forEachPayload { _, payload in bytes += payload.byteCount }
            var read = 0
            let taken = try await nanoseconds {
                var cursor = try partition.entries().makeCursor()
                while let found = try cursor.next() {
                    guard found.record == records[read], found.lsn.rawValue == UInt64(read + 1) else {
                        throw WalError(.corrupt, "record \(read + 1) came back as another", lsn: found.lsn)
                    }
                    read += 1
                }
            }
            guard read == recordCount else { throw WalError(.corrupt, "wrote \(recordCount) records, read \(read)") }
            rows[row + 1][1] = String(format: "%.1f", Double(bytes) / Double(recordCount))
            rows[row + 1].append(micro(taken / Double(recordCount)))
        }
        try await reopened.close()
        print(table(rows))
        print("Every record was read back after closing and reopening, and was equal to what was written.")
        print("Times are for one record; bytes are the codec's, without the 16 of the frame.")
    }

    static func loadPackages() throws -> [Package] {
        guard let url = Bundle.module.url(forResource: "packages", withExtension: "ndjson") else {
            throw WalError(.notFound, "packages.ndjson is not in the demo's bundle; build it with `make demo`")
        }
        let decoder = JSONDecoder()
        return try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
            try decoder.decode(Package.self, from: $0)
        }
    }

    static func nanoseconds(_ body: () async throws -> Void) async rethrows -> Double {
        let clock = ContinuousClock()
        let start = clock.now
        try await body()
        let taken = clock.now - start
        return Double(taken.components.seconds) * 1e9 + Double(taken.components.attoseconds) * 1e-9
    }

    static func micro(_ nanoseconds: Double) -> String { String(format: "%.2f µs", nanoseconds / 1000) }

    static func table(_ rows: [[String]]) -> String {
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.enumerated().map { place, row in
            let line = zip(row, widths).enumerated().map { column, cell in
                let padding = String(repeating: " ", count: cell.1 - cell.0.count)
                return column == 0 ? cell.0 + padding : padding + cell.0
            }.joined(separator: "   ")
            return place == 0 ? line + "\n" + String(repeating: "─", count: line.count) : line
        }.joined(separator: "\n")
    }
}
