import Foundation
import Testing
import WalBinary
import WalJSON
import WalTool
import WriteAheadLog

@Suite struct `Describing logs` {
    private func info(_ path: String, json: Bool = false) async -> Outcome {
        var command = Info(directory: path)
        command.json = json
        return await outcome { [command] in await command.run(to: $0) }
    }

    private func report(_ path: String) async throws -> JSONValue {
        try JSONValue(parsing: await info(path, json: true).output.filter { $0 != "\n" })
    }

    @Test func `the report has partitions, segments, LSNs, codec and type`() async throws {
        try await withTemporaryDirectory { path in
            await append(numbers(1...10), to: path) { $0.partition = 4 }
            await append(numbers(1...5), to: path) {
                $0.partition = 4
                $0.codec = .json
            }
            let partition = try #require(try await report(path)["partitions"]?[0])
            #expect(partition["partition"] == 4)
            #expect(partition["records"] == 15)
            #expect(partition["firstLSN"] == 1)
            #expect(partition["lastLSN"] == 15)
            #expect(partition["durableLSN"] == 15)
            #expect(partition["clean"] == true)
            let segment = try #require(partition["segments"]?[1])
            #expect(segment["firstLSN"] == 11)
            #expect(segment["lastLSN"] == 15)
            #expect(segment["state"] == "sealed")
            #expect(segment["codec"] == "json")
            #expect(segment["type"] == "wal.JSONValue")
            let text = await info(path)
            #expect(text.status == .success)
            #expect(text.output.contains("partition 4: 15 records, LSN 1 … 15, durable up to 15, 2 segments"))
        }
    }

    @Test func `a log that is being written is open and not clean`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            for _ in 1...9 { try wal.append(Payload([1]), to: 0) }
            let partition = try #require(try await report(path)["partitions"]?[0])
            #expect(partition["clean"] == false)
            #expect(partition["lastLSN"] == 9)
            #expect(partition["segments"]?[0]?["state"] == "open")
            try await wal.close()
            #expect(try await report(path)["partitions"]?[0]?["clean"] == true)
        }
    }

    @Test func `a damaged log is described as far as it can be read`() async throws {
        try await withTemporaryDirectory { path in
            for _ in 1...3 { await append(numbers(1...10), to: path) }
            try flip(try segmentPath(path, place: 1), at: 30)
            let result = await info(path, json: true)
            #expect(result.status == .damaged)
            let partition = try #require(try await report(path)["partitions"]?[0])
            #expect(partition["segments"]?[0]?["lastLSN"] == 10)
            #expect(partition["segments"]?[1]?["state"] == "unreadable")
            #expect(partition["segments"]?[2]?["lastLSN"] == 30)
            #expect(partition["damage"]?[0]?["segment"] == 11)
            #expect(await info(path).status == .damaged)
        }
    }

    @Test func `a purged log begins where it was purged`() async throws {
        try await withTemporaryDirectory { path in
            for _ in 1...3 { await append(numbers(1...10), to: path) }
            let wal = try await Wal<JSONValue>.open(at: path, configuration: .init(codec: .binary()))
            #expect(try wal.partition(0).purge(before: 21) == 2)
            try await wal.close()
            #expect(try await report(path)["partitions"]?[0]?["firstLSN"] == 21)
            #expect(await info(path).status == .success)
            #expect(await verify(path).status == .success)
        }
    }

    @Test func `an empty log is described, an empty directory is not`() async throws {
        try await withTemporaryDirectory { path in
            #expect(await info(path).status == .unusable)
            await append("", to: path)
            let lines = await info(path).output.split(separator: "\n")
            #expect(lines.first?.hasPrefix("log ") == true && lines.first?.hasSuffix(", format version 2") == true)
            #expect(lines.dropFirst() == ["0 partitions, 0 records, 0 bytes"])
            let version = try await report(path)["version"]
            #expect(version == 2)
            #expect(await verify(path).status == .success)
        }
    }
}
