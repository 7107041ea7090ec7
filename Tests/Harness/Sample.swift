import WalBinary
import WalJSON
import WalTesting
import WriteAheadLog

#if Zstd
import WalZstd
#endif

/// A record that says which one it is, so that every byte of it can be foretold.
struct Sample: WalCodable, Codable, Hashable {
    /// Who appended it: each writing process is a run, and each task in it does one operation after the other.
    struct Author: Hashable {
        var run: UInt32
        var task: UInt16
    }

    var partition: UInt16
    var run: UInt32
    var task: UInt16
    /// The task's operations are numbered 1, 2, 3, …, without a gap in each partition.
    var operation: UInt32
    /// Its place in the batch, and how many there are; 0 of 1 for a record of its own.
    var index: UInt16
    var count: UInt16
    /// The LSN that it must get; 0 where several tasks append, so that nobody can know.
    var lsn: UInt64
    var filler: [UInt8]

    static var walTypeName: String { "harness.Sample" }

    var author: Author { Author(run: run, task: task) }

    init(
        partition: UInt16, author: Author, operation: UInt32, index: UInt16 = 0, count: UInt16 = 1, lsn: UInt64 = 0
    ) {
        self.partition = partition
        run = author.run
        task = author.task
        self.operation = operation
        self.index = index
        self.count = count
        self.lsn = lsn
        var generator = SeededGenerator(
            seed: UInt64(run) << 32 ^ UInt64(operation) << 16 ^ UInt64(task) ^ UInt64(partition) << 48 ^ UInt64(index)
                << 24)
        // Most are small; some are larger than a segment, and a few than what the log stages for a sync (1 MiB).
        let length: UInt64 =
            switch generator.next() % 10_000 {
            case ..<7_000: generator.next() % 256
            case ..<9_500: generator.next() % 2_048
            case ..<9_950: generator.next() % 16_384
            case ..<9_998: count == 1 ? generator.next() % 90_000 : 0
            default: count == 1 ? 1_000_000 + generator.next() % 300_000 : 0
            }
        filler = [UInt8](unsafeUninitializedCapacity: Int(length) + 8) { buffer, initialized in
            for start in stride(from: 0, to: Int(length), by: 8) {
                UnsafeMutableRawBufferPointer(buffer).storeBytes(
                    of: generator.next(), toByteOffset: start, as: UInt64.self)
            }
            initialized = Int(length)
        }
    }

    /// All of it is as it was made.
    var isGenuine: Bool {
        self == Sample(partition: partition, author: author, operation: operation, index: index, count: count, lsn: lsn)
    }
}

/// The samples as they are in memory: an app's own codec.
struct SampleCodec: WalCodec {
    static var id: UInt32 { 0x8000_0077 }
    var name: String { "sample" }
    var parameters: [UInt8] { [] }

    func encode(_ record: borrowing Sample, into encoder: inout WalEncoder) throws(WalError) {
        encoder.write(record.partition)
        encoder.write(record.run)
        encoder.write(record.task)
        encoder.write(record.operation)
        encoder.write(record.index)
        encoder.write(record.count)
        encoder.write(record.lsn)
        encoder.write(bytes: record.filler)
    }

    func decode(_ decoder: inout WalDecoder) throws(WalError) -> Sample {
        var sample = Sample(partition: try decoder.read(), author: .init(run: 0, task: 0), operation: 0)
        sample.run = try decoder.read()
        sample.task = try decoder.read()
        sample.operation = try decoder.read()
        sample.index = try decoder.read()
        sample.count = try decoder.read()
        sample.lsn = try decoder.read()
        sample.filler = try decoder.readBytes(count: decoder.remaining)
        return sample
    }
}

extension Wal<Sample>.Configuration {
    /// Every codec is in use, each in a partition of its own.
    init(segmentSize: Int = 64 << 10, mode: Mode = .automatic) {
        #if Zstd
        let packed: AnyWalCodec<Sample> = .zstd(.json())
        #else
        let packed: AnyWalCodec<Sample> = .json()
        #endif
        self.init(
            segmentSize: segmentSize, codec: AnyWalCodec(SampleCodec()), partitionCodecs: [1: .binary(), 2: packed],
            writes: mode.writes, fillsSegments: mode == .filled)
    }
}
