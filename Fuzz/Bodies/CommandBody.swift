internal import Dispatch
internal import Foundation
internal import WalJSON
internal import WalTool
internal import WriteAheadLog

/// What people and scripts give to walctl: arguments, lines, and records that others appended.
enum CommandBody {
    static func run(_ input: inout FuzzInput) throws(FuzzFailure) {
        switch input.byte() % 8 {
        case 0, 1, 2: try lines(&input)
        case 3, 4: try arguments(&input)
        case 5, 6: try append(&input)
        default: try foreignRecords(&input)
        }
    }

    // MARK: Lines

    /// Lines come out as they went in, however the input is cut into reads; none is longer than the limit.
    private static func lines(_ input: inout FuzzInput) throws(FuzzFailure) {
        let piece = 1 + Int(input.byte())
        let limit = 16 + input.short()
        let bytes = Array(input.rest)
        // The reader's first memory is 256 KiB, whatever comes.
        try FuzzTarget.bounded((1 << 20) + 4 * bytes.count) { () throws(FuzzFailure) in
            let reader = reader(bytes, piece: piece, limit: limit)
            var rejoined: [UInt8] = []
            var count = 0
            while true {
                let line: UnsafeRawBufferPointer?
                do throws(ToolError) { line = try reader.next() } catch {
                    let longest = bytes.split(separator: UInt8(ascii: "\n")).map(\.count).max() ?? 0
                    guard error.status == .badInput, longest > limit else { throw FuzzFailure("\(error)") }
                    return
                }
                guard let line else { break }
                guard line.count <= limit, !line.contains(UInt8(ascii: "\n")) else {
                    throw FuzzFailure("a line of \(line.count) bytes")
                }
                rejoined.append(contentsOf: line)
                rejoined.append(UInt8(ascii: "\n"))
                count += 1
                guard reader.number == count else { throw FuzzFailure("line \(count) is called \(reader.number)") }
            }
            if let last = bytes.last, last != UInt8(ascii: "\n") { rejoined.removeLast() }
            guard rejoined == bytes else { throw FuzzFailure("the lines are not those of the input") }
        }
    }

    private static func reader(_ bytes: [UInt8], piece: Int, limit: Int) -> LineReader {
        var rest = bytes[...]
        return LineReader(limit: limit) { (buffer) throws(ToolError) in
            let count = min(piece, buffer.count, rest.count)
            buffer.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    // MARK: Arguments

    private static let words = [
        "append", "cat", "info", "verify", "help", "--partition", "--codec", "--sync", "--batch", "--segment-size",
        "--ack", "--json", "--from", "--limit", "--help", "--version", "DIR", "0", "1", "-1", "65535", "65536", "each",
        "none", "end", "zstd", "zstd-json", "binary", "18446744073709551616", "--", "-", "--partition=7", "=",
        "--from=",
    ]

    private static func arguments(_ input: inout FuzzInput) throws(FuzzFailure) {
        var arguments: [String] = []
        for _ in 0..<32 where !input.isAtEnd {
            let choice = input.byte()
            if choice < 192 {
                arguments.append(words[Int(choice) % words.count])
            } else {
                arguments.append(String(decoding: input.bytes(Int(choice & 63)), as: UTF8.self))
            }
        }
        let complaint = Walctl.complaint(about: arguments)
        if complaint?.isEmpty == true { throw FuzzFailure("arguments are refused without a word") }
    }

    // MARK: Append and print

    private static func append(_ input: inout FuzzInput) throws(FuzzFailure) {
        let flags = input.byte()
        let piece = 1 + Int(input.byte()) * 4
        let bytes = Array(input.rest)
        try inDirectory { (directory) throws(FuzzFailure) in
            var command = Append(directory: directory)
            command.codec = CodecChoice.allCases[Int(flags & 3)]
            command.batch = 1 + Int(flags >> 2 & 3)
            command.sync = [.none, .end, .each, .end][Int(flags >> 4 & 3)]
            command.acknowledges = flags >> 4 & 3 == 2
            command.json = flags & 0x40 != 0
            #if !Zstd
            if command.codec.rawValue.hasPrefix("zstd") { command.codec = .json }
            #endif
            let done = run(.append(command, bytes, piece: piece))
            let (wanted, isWhole) = expected(bytes)
            guard done.status == (isWhole ? .success : .badInput) else {
                throw FuzzFailure("append ends with \(done.status): \(done.errors)")
            }
            if !isWhole, done.errors.isEmpty { throw FuzzFailure("append fails without a word") }
            if command.acknowledges {
                let lsns = (0..<wanted.count).map { "\($0 + 1)\n" }.joined()
                guard done.output == lsns else { throw FuzzFailure("append acknowledges \(done.output)") }
            }
            let printed = print(directory)
            let text = wanted.map { "\($0)\n" }.joined()
            guard printed.status == .success || wanted.isEmpty && printed.status == .unusable, printed.output == text
            else { throw FuzzFailure("what was appended is printed as \(printed.output), \(printed.errors)") }
        }
    }

    /// The values that should be appended, and whether every line is one.
    private static func expected(_ bytes: [UInt8]) -> (values: [JSONValue], isWhole: Bool) {
        var values: [JSONValue] = []
        for line in bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true) {
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            guard let value = try? JSONValue(parsing: Array(line)) else { return (values, false) }
            values.append(value)
        }
        return (values, true)
    }

    // MARK: Records of others

    /// Any bytes as records of the type that walctl knows: each is printed as a line of JSON, and nothing is hidden.
    private static func foreignRecords(_ input: inout FuzzInput) throws(FuzzFailure) {
        var codec = CodecChoice.allCases[Int(input.byte() & 3)]
        #if !Zstd
        if codec.rawValue.hasPrefix("zstd") { codec = .json }
        #endif
        var records: [[UInt8]] = []
        for _ in 0..<16 where !input.isAtEnd {
            let count = input.short() & 0x3FF
            records.append(input.bytes(count))
        }
        let all = records
        let choice = codec
        try inDirectory { (directory) throws(FuzzFailure) in
            do {
                let wal = try Wal<JSONValue>.openAndWait(at: directory, configuration: .init(codec: choice.codec()))
                for record in all { try wal.partition(0).append(payload: record.span.bytes) }
                try wal.closeAndWait()
            } catch {
                throw FuzzFailure("bytes can't be appended: \(error)")
            }
            let printed = print(directory)
            guard printed.status == .success || printed.status == .damaged || all.isEmpty else {
                throw FuzzFailure("cat ends with \(printed.status)")
            }
            let lines = printed.output.split(separator: "\n", omittingEmptySubsequences: true)
            guard lines.count == all.count else { throw FuzzFailure("\(all.count) records, \(lines.count) lines") }
            for line in lines where (try? JSONValue(parsing: String(line))) == nil {
                throw FuzzFailure("cat prints what is not JSON: \(line)")
            }
            let checked = run(.verify(Verify(directory: directory)))
            guard checked.status == .success || all.isEmpty else {
                throw FuzzFailure("verify ends with \(checked.status)")
            }
        }
    }

    // MARK: Running

    private enum Job: Sendable {
        case append(Append, [UInt8], piece: Int)
        case cat(Cat)
        case verify(Verify)

        func run(to streams: Streams) async -> ToolStatus {
            switch self {
            case .append(let command, let bytes, let piece):
                await command.run(
                    input: CommandBody.reader(bytes, piece: piece, limit: Append.lineLimit), to: streams)
            case .cat(let command): await command.run(to: streams)
            case .verify(let command): await command.run(to: streams)
            }
        }
    }

    private struct Outcome: Sendable {
        var status = ToolStatus.success
        var output = ""
        var errors = ""
    }

    private final class Collected { var bytes: [UInt8] = [] }

    private final class Place: @unchecked Sendable {
        // Written before the semaphore is signalled, and read after.
        var outcome = Outcome()
    }

    private static func print(_ directory: String) -> Outcome {
        run(.cat(Cat(directory: directory)))
    }

    private static func run(_ job: Job) -> Outcome {
        let done = DispatchSemaphore(value: 0)
        let place = Place()
        Task.detached {
            let (output, errors) = (Collected(), Collected())
            let streams = Streams(
                output: Output { (bytes) throws(ToolError) in output.bytes.append(contentsOf: bytes) },
                errors: Output { (bytes) throws(ToolError) in errors.bytes.append(contentsOf: bytes) })
            place.outcome.status = await job.run(to: streams)
            place.outcome.output = String(decoding: output.bytes, as: UTF8.self)
            place.outcome.errors = String(decoding: errors.bytes, as: UTF8.self)
            done.signal()
        }
        done.wait()
        return place.outcome
    }

    /// A directory in memory where the system has such, for every run opens and syncs a log.
    private static func inDirectory(_ body: (String) throws(FuzzFailure) -> Void) throws(FuzzFailure) {
        let memory = "/dev/shm"
        let parent = FileManager.default.isWritableFile(atPath: memory) ? memory + "/" : NSTemporaryDirectory()
        let path = parent + "wal-fuzz-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: path) }
        try body(path)
    }
}
