import Benchmark
import Foundation
import WalBinary
import WalJSON
import WalZstd
import WriteAheadLog

/// What takes time, and not the same work each time.
enum Timed {
    static func define() {
        synced()
        for partitions in [1, 8] { for tasks in [1, 8, 64, 512] { group(partitions, tasks) } }
        reading()
        for isClean in [true, false] { reopen(isClean: isClean) }
        codec("binary_direct", AnyWalCodec<Record>.binary(), Record.sample)
        codec("binary_codable", AnyWalCodec<Plain>.binary(), Plain())
        codec("json", AnyWalCodec<Plain>.json(), Plain())
        codec("zstd_binary_direct", AnyWalCodec<Record>.zstd(.binary()), Record.sample)
    }

    private static func synced() {
        Benchmark("append_synced_task") { benchmark in
            let log = try await Fresh(Wal<Record>.Configuration(codec: .binary()))
            let partition = try log.wal.partition(1)
            try await benchmark.count {
                for _ in 0..<10 { try await partition.append(Record.sample, durability: .synced) }
            }
            try await log.remove()
        }
    }

    /// Each of so many tasks for each partition appends ten records and waits for each.
    private static func group(_ partitions: Int, _ tasks: Int) {
        Benchmark("group_commit_\(partitions)_partitions_\(tasks)_tasks") { benchmark in
            let log = try await Fresh(Wal<Record>.Configuration(codec: .binary()))
            try await benchmark.count {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for id in 0..<partitions {
                        let partition = try log.wal.partition(PartitionID(rawValue: UInt16(id)))
                        for _ in 0..<tasks {
                            group.addTask {
                                for _ in 0..<10 { try await partition.append(Record.sample, durability: .synced) }
                            }
                        }
                    }
                    try await group.waitForAll()
                }
            }
            try await log.remove()
        }
    }

    private static func reading() {
        let count = 1_000_000
        Benchmark("stream_1m_payloads", configuration: .init(maxDuration: .seconds(5), maxIterations: 5)) { benchmark in
            let log = try await filled(count)
            let partition = try log.wal.partition(1)
            try await benchmark.count { blackHole(try countBytes(partition)) }
            try await log.remove()
        }
        Benchmark("stream_1m_decoded", configuration: .init(maxDuration: .seconds(5), maxIterations: 5)) { benchmark in
            let log = try await filled(count)
            let partition = try log.wal.partition(1)
            try await benchmark.count { blackHole(try decodeAll(partition)) }
            try await log.remove()
        }
        Benchmark("seek_end_of_1m", configuration: .init(maxDuration: .seconds(5), maxIterations: 5)) { benchmark in
            let log = try await filled(count)
            let partition = try log.wal.partition(1)
            try await benchmark.count {
                var cursor = try partition.entries(from: .lsn(LSN(UInt64(count - 10)))).makeCursor()
                blackHole(try cursor.next())
            }
            try await log.remove()
        }
    }

    private static func filled(_ count: Int) async throws -> Fresh<Record> {
        let log = try await Fresh(Wal<Record>.Configuration(codec: .binary()))
        let partition = try log.wal.partition(1)
        for _ in 0..<count { try partition.append(Record.sample) }
        return log
    }

    /// 100,000 records; without a clean end, none of them was synced. `make bench` kills a process for that.
    private static func reopen(isClean: Bool) {
        Benchmark("reopen_100k_\(isClean ? "clean" : "unsynced")", configuration: .init(maxIterations: 20)) {
            benchmark in
            let log = try await filled(100_000)
            let copy = log.path + "-copy"
            if isClean { try await log.wal.close() }
            try FileManager.default.copyItem(atPath: log.path, toPath: copy)
            var opened: Wal<Record>?
            try await benchmark.count {
                opened = try await Wal<Record>.open(at: copy, configuration: .init(codec: .binary()))
            }
            try await opened?.close()
            try FileManager.default.removeItem(atPath: copy)
            try await log.remove()
        }
    }

    /// A thousand times, from and to memory.
    private static func codec<R: WalCodable>(_ name: String, _ codec: AnyWalCodec<R>, _ sample: R) {
        Benchmark("encode_1000_\(name)") { benchmark in
            try await benchmark.count {
                for _ in 0..<1000 {
                    var encoder = WalEncoder()
                    try codec.encode(sample, into: &encoder)
                    blackHole(encoder.count)
                }
            }
        }
        Benchmark("decode_1000_\(name)") { benchmark in
            var encoder = WalEncoder()
            try codec.encode(sample, into: &encoder)
            let bytes = encoder.withBytes { Array($0) }
            try await benchmark.count {
                for _ in 0..<1000 {
                    try bytes.withUnsafeBytes { bytes in
                        var decoder = WalDecoder(unsafeBytes: bytes)
                        blackHole(try codec.decode(&decoder))
                    }
                }
            }
        }
    }
}
