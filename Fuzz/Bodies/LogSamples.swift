internal import WalTesting
internal import WriteAheadLog

/// Logs as the library writes them, to be changed by inputs. They follow from a seed, and are the same in each run.
enum LogSamples {
    static let all: [[String: [UInt8]]] = [sealed(), crashed(), long()]

    private static func record(_ k: Int) -> Payload {
        Payload(Array("record \(k) ".utf8) + [UInt8](repeating: UInt8(truncatingIfNeeded: k), count: k &* 37 % 61))
    }

    private static func configuration() -> Wal<Payload>.Configuration {
        Wal<Payload>.Configuration(segmentSize: 64 << 10, codec: .bytes())
    }

    private static func make(_ body: @escaping @Sendable (SimulatedDisk) async throws -> [String: [UInt8]])
        -> [String: [UInt8]]
    {
        let disk = SimulatedDisk(seed: 7)
        guard let files = try? disk.run({ try await body(disk) }) else {
            preconditionFailure("a sample could not be written")
        }
        return files
    }

    /// Three openings, each closed: records, batches, footers, a purge.
    private static func sealed() -> [String: [UInt8]] {
        make { disk in
            for round in 0..<3 {
                let wal = try await disk.open(configuration())
                let partition = try wal.partition(1)
                for k in 1...3 { try partition.append(record(4 * round + k)) }
                try partition.append(contentsOf: [record(4 * round + 4), record(4 * round + 5)])
                if round == 2 { try partition.purge(before: 6) }
                try await wal.close()
            }
            return disk.files()
        }
    }

    /// A sealed segment, and one that was open when the process ended: marks in both forms, and a tail behind them.
    private static func crashed() -> [String: [UInt8]] {
        make { disk in
            let first = try await disk.open(configuration())
            for k in 1...2 { try first.append(record(k), to: 1) }
            try await first.close()
            let wal = try await disk.open(configuration())
            let partition = try wal.partition(1)
            for k in 3...4 { try await partition.append(record(k), durability: .synced) }
            try partition.append(contentsOf: [record(5), record(6), record(7)])
            try await partition.sync()
            for k in 8...9 { try partition.append(record(k)) }
            let files = disk.files()
            try await wal.close()
            return files
        }
    }

    /// Over 64 KiB of frames, so that the footer has an index.
    private static func long() -> [String: [UInt8]] {
        make { disk in
            var configuration = configuration()
            configuration.segmentSize = 256 << 10
            let wal = try await disk.open(configuration)
            let partition = try wal.partition(1)
            for k in 1...18 { try partition.append(Payload([UInt8](repeating: UInt8(k), count: 4_000))) }
            try await wal.close()
            return disk.files()
        }
    }
}
