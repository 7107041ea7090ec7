internal import CFuzzMeter
internal import Dispatch
internal import Foundation

/// What is fuzzed, and what must hold for every input.
///
/// Of each input of *n* bytes:
/// - it does not trap, and nothing is read or written out of bounds (address sanitizer);
/// - it takes at most 10 seconds of a sanitized build, which libFuzzer's `-timeout` watches over;
/// - decoding it takes at most ``allocationLimit(_:)`` bytes over what was allocated before, at any one time, for which a counter
///   watches every allocation;
/// - whatever fails throws a `WalError` with a code that the interface documents;
/// - what decodes can be encoded, decodes again, and then has the same bytes;
/// - every record that a reader delivers is found, whole and with a right checksum, by a parser of the file format
///   that has nothing in common with the reader.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// Segment files and STATE: opening, recovering, reading, verifying, inspecting.
    case segment
    /// The binary codec for `Codable` records.
    case binaryCodable = "binary-codable"
    /// The binary codec for records that code themselves.
    case binaryDirect = "binary-direct"
    /// The JSON codec and `JSONValue`.
    case json
    /// zstd over the binary codec and over JSON.
    case zstd
    /// walctl's lines, arguments and records.
    case cli

    /// Runs one input; throws where a promise was broken.
    public func run(_ bytes: UnsafeRawBufferPointer) throws(FuzzFailure) {
        var input = FuzzInput(bytes)
        switch self {
        case .segment: try SegmentBody.run(&input)
        case .binaryCodable: try BinaryBody.runCodable(&input)
        case .binaryDirect: try BinaryBody.runDirect(&input)
        case .json: try JSONBody.run(&input)
        case .zstd: try ZstdBody.run(&input)
        case .cli: try CommandBody.run(&input)
        }
    }

    /// For libFuzzer, which takes a trap for a find.
    public func runOrTrap(_ bytes: UnsafeRawBufferPointer) {
        do throws(FuzzFailure) { try run(bytes) } catch { fatalError(error.description) }
    }

    /// The most bytes that decoding `count` bytes may have allocated at one time.
    ///
    /// - The segment reader: 4 MiB for its windows, and 16 times the files. Of that, a window is at most as long as the file.
    /// - Codecs: 64 KiB and 256 bytes for each byte: a JSON value of one character is a token, an enum and a box. For an array of
    ///   records of many fields, three times such a record's size in memory on top, for each byte: an empty one takes two bytes,
    ///   and an array that grows is there twice.
    /// - zstd: `maximumDecompressedSize`, which the target sets to 256 KiB, and what the inner codec takes for that.
    ///
    /// - Parameter element: the size in memory of the array's elements, where they are larger than that.
    static func allocationLimit(_ count: Int, element: Int = 0) -> Int { (64 << 10) + (256 + 3 * element) * count }

    /// Runs `body`, and throws where it allocated more than `limit`.
    static func bounded<R>(_ limit: Int, _ body: () throws(FuzzFailure) -> R) throws(FuzzFailure) -> R {
        fuzz_meter_begin()
        let result = try body()
        let peak = fuzz_meter_peak()
        // The bound is that of optimised code. Without optimisation the corpus takes up to 2.1 times as much, for boxes.
        let limit = _isDebugAssertConfiguration() ? 3 * limit : limit
        if peak > limit { throw FuzzFailure("\(peak) bytes were allocated, over the limit of \(limit)") }
        return result
    }

    // MARK: The corpus

    /// `--unpack PACK DIRECTORY` and `--pack DIRECTORY PACK` in a fuzz target's arguments turn its corpus into files and back.
    /// Unpacking adds inputs to begin with.
    public func handlePackArguments() {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, arguments[1] == "--unpack" || arguments[1] == "--pack" else { return }
        do {
            if arguments[1] == "--unpack" {
                try CorpusPack(contentsOf: arguments[2]).unpack(to: arguments[3])
                try CorpusPack(inputs: seeds).unpack(to: arguments[3], as: "seed")
            } else {
                try CorpusPack(directory: arguments[2]).write(to: arguments[3])
            }
            exit(0)
        } catch {
            print(error)
            exit(1)
        }
    }
}

/// A promise that an input broke.
public struct FuzzFailure: Error, CustomStringConvertible {
    public let description: String
    init(_ description: String) { self.description = description }
}
