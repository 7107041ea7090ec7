import Foundation
import Testing
import WalBinary
import WalJSON
import WalTool
import WriteAheadLog

@Suite struct `Appending lines` {
    static let values = [
        #"{"b":1,"a":2,"b":{"a":[],"a":{}}}"#, "1e400", "-0", "18446744073709551615", "1.10", "1E+2", "null", "true",
        "\"\"", #""é😀\u0000\u001f \" \\""#, "[[[]],{}]", #"{"":""}"#,
        "\"\(String(repeating: "wal ", count: 50_000))\"",
    ]

    @Test(arguments: CodecChoice.allCases)
    func `what goes in comes out, with every codec`(_ codec: CodecChoice) async throws {
        guard (try? codec.codec()) != nil else { return }
        try await withTemporaryDirectory { path in
            let log = "\(path)/log"
            let text = Self.values.joined(separator: "\n") + "\n"
            let result = await append(text, to: log) { $0.codec = codec }
            #expect(result.status == .success, "\(result.errors)")
            let printed = await cat(log)
            #expect(printed.status == .success)
            #expect(printed.output == text)
            #expect(await verify(log).status == .success)
        }
    }

    @Test func `escapes and white space come out in canonical form`() async throws {
        try await withTemporaryDirectory { path in
            await append("  { \"\\u0061\" : [ 1 , \"\\ud83d\\ude00\\/\" ] }\r\n", to: path)
            #expect(await cat(path).output == "{\"a\":[1,\"😀/\"]}\n")
        }
    }

    @Test func `the codec may change between two appends`() async throws {
        try await withTemporaryDirectory { path in
            for codec in CodecChoice.allCases where (try? codec.codec()) != nil {
                await append("\"\(codec.rawValue)\"\n", to: path) { $0.codec = codec }
            }
            let output = await cat(path).output
            #expect(output.hasPrefix("\"binary\"\n\"json\"\n"))
        }
    }

    @Test(arguments: [1, 3, 4, 100])
    func `a bad line is named, and everything before it is kept`(_ batch: Int) async throws {
        try await withTemporaryDirectory { path in
            let result = await append("1\n\n2\n3\n4\n{\"a\":}\n5\n", to: path) {
                $0.batch = batch
                $0.json = true
            }
            #expect(result.status == .badInput)
            #expect(result.errors.hasPrefix("walctl: line 6 is not JSON"))
            #expect(result.errors.split(separator: "\n").count == 1)
            let summary = try JSONValue(parsing: result.output.filter { $0 != "\n" })
            #expect(summary["records"] == 4)
            #expect(summary["lastLSN"] == 4)
            #expect(await cat(path).output == "1\n2\n3\n4\n")
            #expect(await verify(path).status == .success)
        }
    }

    @Test func `the summary counts records, LSNs and bytes`() async throws {
        try await withTemporaryDirectory { path in
            await append("0\n", to: path)
            let result = await append("10\n[11]\n", to: path) { $0.json = true }
            let summary = try JSONValue(parsing: result.output.filter { $0 != "\n" })
            #expect(summary["records"] == 2)
            #expect(summary["firstLSN"] == 2)
            #expect(summary["lastLSN"] == 3)
            #expect(summary["bytesIn"] == 6)
            guard case .number(let size)? = summary["bytesOnDisk"], let onDisk: Int = size.integer() else {
                Issue.record("no bytes on disk in \(summary)")
                return
            }
            #expect(onDisk == (try bytes(segmentPath(path, place: 1)).count))
            #expect(await append("", to: path).output.hasPrefix("partition 0: 0 records, 0 bytes in"))
        }
    }

    @Test func `a batch is acknowledged in one write, once it is durable`() async throws {
        try await withTemporaryDirectory { path in
            let result = await append(numbers(1...7), to: path) {
                $0.sync = .each
                $0.acknowledges = true
                $0.batch = 3
            }
            #expect(result.writes == ["1\n2\n3\n", "4\n5\n6\n", "7\n"])
            #expect(result.errors.hasPrefix("partition 0: 7 records, LSN 1 … 7"))
        }
    }

    @Test(arguments: Append.Sync.allCases)
    func `each way to sync keeps all records`(_ sync: Append.Sync) async throws {
        try await withTemporaryDirectory { path in
            #expect(await append(numbers(1...50), to: path) { $0.sync = sync }.status == .success)
            #expect(await cat(path).output == numbers(1...50))
        }
    }

    @Test func `a reader that goes away ends it quietly and loses nothing that was acknowledged`() async throws {
        try await withTemporaryDirectory { path in
            var command = Append(directory: path)
            command.sync = .each
            command.acknowledges = true
            var acknowledged = 0
            var errors: [UInt8] = []
            let streams = Streams(
                output: Output { (_) throws(ToolError) in
                    guard acknowledged < 3 else { throw ToolError(.brokenPipe, nil) }
                    acknowledged += 1
                }, errors: Output { (bytes) throws(ToolError) in errors += bytes })
            #expect(await command.run(input: lines(of: numbers(1...9)), to: streams) == .brokenPipe)
            #expect(errors.isEmpty)
            #expect(await cat(path).output == numbers(1...4))
        }
    }

    @Test func `a line over the limit is named`() async throws {
        try await withTemporaryDirectory { path in
            let input = lines(of: "1\n\"\(String(repeating: "x", count: 300_000))\"\n2\n", piece: 1000, limit: 200_000)
            let result = await outcome { await Append(directory: path).run(input: input, to: $0) }
            #expect(result.status == .badInput)
            #expect(result.errors == "walctl: line 2 is longer than 200000 bytes, the limit of a record\n")
            #expect(await cat(path).output == "1\n")
        }
    }

    @Test func `a log that is open elsewhere is refused with a status of its own`() async throws {
        try await withTemporaryDirectory { path in
            await append("1\n", to: path)
            let holder = try await Wal<JSONValue>.open(at: path, configuration: .init(codec: .binary()))
            let result = await append("2\n", to: path)
            #expect(result.status == .alreadyOpen)
            #expect(result.errors.hasPrefix("walctl: the log at "))
            try await holder.close()
        }
    }

    @Test func `a file in the directory's place and a missing parent are unusable`() async throws {
        try await withTemporaryDirectory { path in
            try replace("\(path)/file", with: [])
            #expect(await append("1\n", to: "\(path)/file").status == .unusable)
            #expect(await append("1\n", to: "\(path)/no/log").status == .unusable)
        }
    }

    @Test func `a log of an app's type takes no JSON values`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            try wal.append(Payload([1]), to: 0)
            try await wal.close()
            #expect(await append("2\n", to: path).status == .unusable)
        }
    }
}

@Suite struct `Splitting lines` {
    @Test(arguments: [1, 2, 3, 7, 1 << 20])
    func `lines come whole, whatever the pieces`(_ piece: Int) throws {
        let texts = ["", "a", "", String(repeating: "b", count: 1000), "c"]
        for end in ["", "\n"] {
            let reader = lines(of: texts.joined(separator: "\n") + end, piece: piece)
            var found: [String] = []
            while let line = try reader.next() { found.append(String(decoding: line, as: UTF8.self)) }
            #expect(found == texts)
            #expect(reader.number == texts.count)
        }
    }

    @Test func `a line longer than the first buffer comes whole`() throws {
        let long = String(repeating: "x", count: 1_000_000)
        let reader = lines(of: "1\n\(long)\n2", piece: 70_000)
        var found: [Int] = []
        while let line = try reader.next() { found.append(line.count) }
        #expect(found == [1, 1_000_000, 1])
    }
}
