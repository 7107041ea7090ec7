import CAllocations
import Foundation
import WalBinary
import WriteAheadLog

/// Work that is counted rather than timed, some operations at a time: `bench count NAME OPERATIONS EXTRA`, run by callgrind.
///
/// What one operation takes is the difference of two runs that do the work once and twice, so that what starts the process, and the log,
/// is not part of it.
struct Counted {
    var name: String
    /// How often the work is done in the shorter run.
    var rounds: Int
    /// How many operations one round is.
    var operations = 1
    /// How far the count may be above the threshold, as a share: threads that meet at another moment do other work.
    var tolerance = 0.02
    /// How many hundreds of instructions the control adds to each operation: enough to be seen beside what varies.
    var hundreds = 1
    /// Does the work `rounds` times, and calls `extra` once for each operation.
    var run: (_ log: CountedLog, _ rounds: Int, _ extra: Extra) async throws -> Void

    static let argument = "count"

    static func main(_ arguments: ArraySlice<String>) async throws {
        let words = Array(arguments)
        guard words.count == 4, let counted = all.first(where: { $0.name == words[0] }), let rounds = Int(words[1])
        else {
            print(
                "bench count NAME ROUNDS plain|extra DIRECTORY; the names: \(all.map(\.name).joined(separator: ", "))")
            exit(64)
        }
        let log = CountedLog(path: words[3])
        try removeIfThere(log.path)
        try await counted.run(log, rounds, Extra(hundreds: words[2] == "extra" ? counted.hundreds : 0))
        try removeIfThere(log.path)
    }
}

/// Hundreds of instructions more for each operation, where a run is the control of a count.
struct Extra {
    var hundreds: Int

    @inline(__always)
    func callAsFunction() { for _ in 0..<hundreds { spend_100_instructions() } }
}

struct CountedLog {
    var path: String

    func open<R: WalCodable>(
        _ configuration: Wal<R>.Configuration, _ body: (Wal<R>.Partition) async throws -> Void
    ) async throws {
        let wal = try await Wal<R>.open(at: path, configuration: configuration)
        let partition = try wal.partition(1)
        try await body(partition)
        try await wal.close()
    }
}

extension Counted {
    static var all: [Counted] { [control] + appending + synced + reading + opening + coding }

    /// Two instructions a round, whatever else happens.
    private static var control: Counted {
        Counted(name: "control_loop", rounds: 5_000_000, tolerance: 0.02) { _, rounds, extra in
            spend_loop(UInt(rounds))
            if extra.hundreds > 0 { for _ in 0..<rounds { extra() } }
        }
    }

    private static var appending: [Counted] {
        [
            Counted(name: "append_raw_65", rounds: 20_000) { log, rounds, extra in
                try await log.open(.raw) { try append(recordA, to: $0, rounds, extra) }
            },
            Counted(name: "append_raw_1k", rounds: 5_000) { log, rounds, extra in
                try await log.open(.raw) { try append(recordB, to: $0, rounds, extra) }
            },
            Counted(name: "append_enum_65", rounds: 10_000) { log, rounds, extra in
                try await log.open(.binary) { try append(Change.sample, to: $0, rounds, extra) }
            },
            Counted(name: "batch_1000_65", rounds: 20, operations: 1000) { log, rounds, extra in
                try await log.open(.raw) { partition in
                    let records = [Payload](repeating: Payload(recordA), count: 1000)
                    for _ in 0..<rounds {
                        try partition.append(contentsOf: records)
                        for _ in 0..<1000 { extra() }
                    }
                }
            },
            // With a new segment every 60 records.
            Counted(name: "append_raw_1k_rotating", rounds: 3_000, tolerance: 0.15, hundreds: 10) {
                log, rounds, extra in
                try await log.open(.init(segmentSize: 65_536, codec: .bytes())) {
                    try append(recordB, to: $0, rounds, extra)
                }
            },
        ]
    }

    private static var synced: [Counted] {
        [
            // The caller and whoever syncs for it.
            Counted(name: "append_sync_thread", rounds: 200, tolerance: 0.15, hundreds: 50) { log, rounds, extra in
                try await log.open(.raw) { try appendAndWait(to: $0, rounds, extra) }
            },
            Counted(name: "append_sync_task", rounds: 200, tolerance: 0.15, hundreds: 50) { log, rounds, extra in
                try await log.open(.raw) { partition in
                    for _ in 0..<rounds {
                        try await partition.append(Payload(recordA), durability: .synced)
                        extra()
                    }
                }
            },
        ]
    }

    private static var reading: [Counted] {
        [
            Counted(name: "stream_raw_65", rounds: 5, operations: 5_000) { log, rounds, extra in
                try await log.open(.raw) { partition in
                    try append(recordA, to: partition, 5_000, Extra(hundreds: 0))
                    for _ in 0..<rounds { try readPayloads(partition, extra) }
                }
            },
            Counted(name: "stream_raw_1k", rounds: 5, operations: 2_000) { log, rounds, extra in
                try await log.open(.raw) { partition in
                    try append(recordB, to: partition, 2_000, Extra(hundreds: 0))
                    for _ in 0..<rounds { try readPayloads(partition, extra) }
                }
            },
            Counted(name: "stream_enum_65", rounds: 5, operations: 2_000, hundreds: 2) { log, rounds, extra in
                try await log.open(.binary) { partition in
                    try append(Change.sample, to: partition, 2_000, Extra(hundreds: 0))
                    for _ in 0..<rounds { try readRecords(partition, extra) }
                }
            },
            Counted(name: "tail_raw_65", rounds: 5, operations: 2_000, tolerance: 0.1, hundreds: 5) {
                log, rounds, extra in
                try await log.open(.raw) { partition in
                    try append(recordA, to: partition, 2_000, Extra(hundreds: 0))
                    for _ in 0..<rounds {
                        var left = 2_000
                        for try await _ in try partition.tail(upTo: .appended) {
                            extra()
                            left -= 1
                            if left == 0 { break }
                        }
                    }
                }
            },
            Counted(name: "seek", rounds: 100, hundreds: 100) { log, rounds, extra in
                try await log.open(.raw) { partition in
                    try append(recordA, to: partition, 20_000, Extra(hundreds: 0))
                    for k in 0..<rounds {
                        let lsn = LSN(UInt64(19_000 - k % 100 * 37))
                        var cursor = try partition.entries(from: .lsn(lsn)).makeCursor()
                        guard try cursor.next()?.lsn == lsn else { throw WalError(.corrupt, "another record") }
                        extra()
                    }
                }
            },
        ]
    }

    private static var opening: [Counted] {
        [
            // A log of 20 segments that was closed.
            Counted(name: "open_20_segments", rounds: 5, tolerance: 0.2, hundreds: 5000) { log, rounds, extra in
                let configuration = Wal<Payload>.Configuration(segmentSize: 65_536, codec: .bytes())
                try await log.open(configuration) { try append(recordB, to: $0, 1_200, Extra(hundreds: 0)) }
                for _ in 0..<rounds {
                    try await log.open(configuration) { _ in }
                    extra()
                }
            }
        ]
    }

    private static var coding: [Counted] {
        let direct = AnyWalCodec<Change>(DirectBinaryCodec<Change>())
        let codable = AnyWalCodec<Change>(CodableBinaryCodec<Change>())
        return [
            Counted(name: "encode_enum_65", rounds: 20_000) { _, rounds, extra in try encode(direct, rounds, extra) },
            Counted(name: "decode_enum_65", rounds: 10_000, hundreds: 2) { _, rounds, extra in
                try decode(direct, rounds, extra)
            },
            Counted(name: "encode_codable_65", rounds: 2_000, hundreds: 10) { _, rounds, extra in
                try encode(codable, rounds, extra)
            },
            Counted(name: "decode_codable_65", rounds: 1_000, hundreds: 20) { _, rounds, extra in
                try decode(codable, rounds, extra)
            },
        ]
    }
}

// Functions of their own: a variable that an async function shares with a closure is checked at each access.

@inline(never)
private func append(_ record: [UInt8], to partition: Wal<Payload>.Partition, _ count: Int, _ extra: Extra) throws {
    for _ in 0..<count {
        try partition.append(payload: record.span.bytes)
        extra()
    }
}

@inline(never)
private func append(_ change: Change, to partition: Wal<Change>.Partition, _ count: Int, _ extra: Extra) throws {
    for _ in 0..<count {
        try partition.append(change)
        extra()
    }
}

private func appendAndWait(to partition: Wal<Payload>.Partition, _ count: Int, _ extra: Extra) throws {
    let payload = Payload(recordA)
    for _ in 0..<count {
        try partition.appendAndWait(payload)
        extra()
    }
}

@inline(never)
private func readPayloads(_ partition: Wal<Payload>.Partition, _ extra: Extra) throws {
    var bytes = 0
    try partition.entries().forEachPayload { _, payload in
        bytes &+= payload.byteCount
        extra()
    }
    guard bytes > 0 else { throw WalError(.corrupt, "nothing was read") }
}

@inline(never)
private func readRecords(_ partition: Wal<Change>.Partition, _ extra: Extra) throws {
    var bytes = 0
    var cursor = try partition.entries().makeCursor()
    while let entry = try cursor.next() {
        bytes &+= touch(entry.record)
        extra()
    }
    guard bytes > 0 else { throw WalError(.corrupt, "nothing was read") }
}

@inline(never)
private func encode(_ codec: AnyWalCodec<Change>, _ count: Int, _ extra: Extra) throws {
    var encoder = WalEncoder(minimumCapacity: 4096)
    for _ in 0..<count {
        encoder.reset()
        try codec.encode(Change.sample, into: &encoder)
        extra()
    }
}

@inline(never)
private func decode(_ codec: AnyWalCodec<Change>, _ count: Int, _ extra: Extra) throws {
    var encoder = WalEncoder()
    try codec.encode(Change.sample, into: &encoder)
    let bytes = encoder.withBytes { Array($0) }
    var sum = 0
    try bytes.withUnsafeBytes { bytes in
        for _ in 0..<count {
            var decoder = WalDecoder(unsafeBytes: bytes)
            sum &+= touch(try codec.decode(&decoder))
            extra()
        }
    }
    guard sum == 65 * count else { throw WalError(.corrupt, "another record was decoded") }
}
