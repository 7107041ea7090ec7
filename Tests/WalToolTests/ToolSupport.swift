import Foundation
import Testing
import WalTool
import WriteAheadLog

/// A directory that is gone when the test is.
func withTemporaryDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
    let path = NSTemporaryDirectory() + "walctl-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try await body(path)
}

/// What a command printed, and how it ended.
struct Outcome {
    var status: ToolStatus
    var output: String
    var errors: String
    /// How the output was cut into writes.
    var writes: [String]

    var lines: [String] { output.split(separator: "\n").map(String.init) }
}

/// Runs a command with its output kept in memory.
func outcome(_ body: (Streams) async -> ToolStatus) async -> Outcome {
    final class Collected { var pieces: [[UInt8]] = [] }
    let (output, errors) = (Collected(), Collected())
    let streams = Streams(
        output: Output { (bytes) throws(ToolError) in output.pieces.append(Array(bytes)) },
        errors: Output { (bytes) throws(ToolError) in errors.pieces.append(Array(bytes)) })
    let status = await body(streams)
    func text(_ collected: Collected) -> String { String(decoding: collected.pieces.joined(), as: UTF8.self) }
    return Outcome(
        status: status, output: text(output), errors: text(errors),
        writes: output.pieces.map { String(decoding: $0, as: UTF8.self) })
}

/// Reads a text in pieces of a few bytes, as a slow pipe would give it.
func lines(of text: String, piece: Int = 1 << 20, limit: Int = Append.lineLimit) -> LineReader {
    var rest = ArraySlice(text.utf8)
    return LineReader(limit: limit) { (buffer) throws(ToolError) in
        let count = min(piece, buffer.count, rest.count)
        buffer.copyBytes(from: rest.prefix(count))
        rest = rest.dropFirst(count)
        return count
    }
}

@discardableResult
func append(_ text: String, to path: String, _ change: (inout Append) -> Void = { _ in }) async -> Outcome {
    var command = Append(directory: path)
    change(&command)
    return await outcome { [command] in await command.run(input: lines(of: text), to: $0) }
}

func cat(_ path: String, _ change: (inout Cat) -> Void = { _ in }) async -> Outcome {
    var command = Cat(directory: path)
    change(&command)
    return await outcome { [command] in await command.run(to: $0) }
}

func verify(_ path: String, json: Bool = false) async -> Outcome {
    var command = Verify(directory: path)
    command.json = json
    return await outcome { [command] in await command.run(to: $0) }
}

func numbers(_ range: ClosedRange<Int>) -> String { range.map { "\($0)\n" }.joined() }

/// The first segment file of a partition, or the one at `place`.
func segmentPath(_ path: String, partition: Int = 0, place: Int = 0) throws -> String {
    let directory = "\(path)/partition-0000\(partition)"
    let names = try FileManager.default.contentsOfDirectory(atPath: directory).filter { $0.hasSuffix(".wal") }.sorted()
    return "\(directory)/\(try #require(names.dropFirst(place).first))"
}

func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

func replace(_ path: String, with bytes: [UInt8]) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

func flip(_ path: String, at offset: Int) throws {
    var content = try bytes(path)
    content[offset] ^= 0x10
    try replace(path, with: content)
}

func segmentCount(_ path: String) throws -> Int {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/partition-00000").filter { $0.hasSuffix(".wal") }.count
}

/// Has STATE of partition 0 name no file, so that a copy of a log passes for the log itself.
func disown(_ log: String) throws {
    let path = "\(log)/partition-00000/STATE"
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    for place in PartitionState.slotOffsets.map(Int.init) where bytes.count >= place + PartitionState.slotSize {
        let slot = place..<(place + PartitionState.slotSize)
        let decoded = try bytes[slot].withUnsafeBytes { try PartitionState(decoding: $0, partition: 0, logID: nil) }
        guard var state = decoded else { continue }
        (state.inode, state.birth) = (0, 0)
        bytes.replaceSubrange(slot, with: state.encoded())
    }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}
