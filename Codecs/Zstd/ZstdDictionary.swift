#if Zstd
internal import CZstd
public import WriteAheadLog

/// What records have in common, learnt from samples: with it a small record shrinks by itself.
///
/// A segment names the dictionary that its records need, by ``Name``; without it they can't be read. Keep dictionaries as long
/// as the segments, in a ``ZstdDictionaries`` or in the app itself.
public final class ZstdDictionary: Sendable {
    /// What tells one dictionary from another.
    public struct Name: Hashable, Sendable, CustomStringConvertible {
        /// zstd's own, from within the dictionary.
        public let id: UInt32
        /// FNV-1a of all its bytes.
        public let hash: UInt64

        public var description: String { "\(id)-" + String(hash, radix: 16) }
    }

    /// 16 KiB: twice as much gains a few percent, and each of them is in the processor's caches when a record is coded.
    public static var defaultCapacity: Int { 16 << 10 }
    /// The least and the greatest size of a dictionary, in bytes.
    public static var capacities: ClosedRange<Int> { 256...(1 << 20) }

    public let bytes: [UInt8]
    public let name: Name

    /// A dictionary that was trained before.
    ///
    /// - Throws: `.invalidArgument` where the bytes are none that zstd made.
    public init(_ bytes: [UInt8]) throws(WalError) {
        guard bytes.count <= Self.capacities.upperBound else {
            throw WalError(.invalidArgument, "a dictionary of \(bytes.count) bytes, over \(Self.capacities.upperBound)")
        }
        let id = bytes.withUnsafeBytes { ZDICT_getDictID($0.baseAddress, $0.count) }
        // It has tables of its own, which may be damaged.
        guard id != 0, let probe = bytes.withUnsafeBytes({ ZSTD_createDDict($0.baseAddress, $0.count) }) else {
            throw WalError(.invalidArgument, "the bytes are no zstd dictionary; train one with ZstdDictionary.train")
        }
        ZSTD_freeDDict(probe)
        self.bytes = bytes
        name = Name(id: id, hash: Self.hash(bytes))
    }

    /// Learns a dictionary from samples: records as the inner codec writes them, a hundred times the capacity in all or more.
    ///
    /// - Parameters:
    ///   - samples: as the inner codec of the zstd codec writes them; see ``ZstdDictionaries/train(on:encodedBy:records:capacity:)``
    ///     for those of a partition.
    ///   - capacity: at most so many bytes; one of ``capacities``.
    /// - Throws: `.invalidArgument` where the samples are too few or too small to learn from; a thousand do for most.
    /// - Complexity: some seconds for 10 MiB of samples, by zstd's COVER algorithm (Liao, Petri, Moffat, Wirth: Effective
    ///   construction of relative Lempel-Ziv dictionaries, 2016).
    public static func train(
        on samples: some Sequence<[UInt8]>, capacity: Int = defaultCapacity
    ) throws(WalError) -> ZstdDictionary {
        guard capacities.contains(capacity) else {
            throw WalError(.invalidArgument, "a dictionary's capacity of \(capacity) bytes is not in \(capacities)")
        }
        var all: [UInt8] = []
        var sizes: [Int] = []
        for sample in samples where !sample.isEmpty {
            // zstd itself looks at no more.
            guard all.count + sample.count <= 256 << 20, sizes.count < 1 << 24 else { break }
            all += sample
            sizes.append(sample.count)
        }
        var dictionary = [UInt8](repeating: 0, count: capacity)
        let size = dictionary.withUnsafeMutableBytes { room in
            all.withUnsafeBytes { samples in
                ZDICT_trainFromBuffer(
                    room.baseAddress, room.count, samples.baseAddress, sizes, UInt32(truncatingIfNeeded: sizes.count))
            }
        }
        guard ZDICT_isError(size) == 0 else {
            throw WalError(
                .invalidArgument,
                "zstd can't learn a dictionary of \(capacity) bytes from \(sizes.count) samples of \(all.count) bytes (\(String(cString: ZDICT_getErrorName(size)))); give it more, or ask for a smaller one"
            )
        }
        return try ZstdDictionary(Array(dictionary[..<size]))
    }

    /// FNV-1a, 64 bits (Fowler, Noll, Vo): against a mix-up, not against an enemy.
    static func hash(_ bytes: [UInt8]) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
#endif
