import Foundation
import Testing
import WalBinary
import WalJSON
import WalTool
import WriteAheadLog

@Suite struct `Printing records` {
    @Test func `--from and --limit choose, also across segments`() async throws {
        try await withTemporaryDirectory { path in
            let text = (1...300).map { "[\($0),\"\(String(repeating: "x", count: 1000))\"]\n" }.joined()
            await append(text, to: path) { $0.segmentSize = 65_536 }
            let segments = try segmentCount(path)
            #expect(segments > 3)
            let all = text.split(separator: "\n").map(String.init)
            for (from, limit) in [(1, 300), (150, 1), (150, 100), (299, 9), (1, 0), (300, 1), (301, 5)] {
                let result = await cat(path) {
                    $0.from = LSN(UInt64(from))
                    $0.limit = limit
                }
                #expect(result.status == .success)
                #expect(result.lines == Array(all.dropFirst(from - 1).prefix(limit)))
            }
            let beyond = await cat(path) { $0.from = 302 }
            #expect(beyond.status == .badInput)
            #expect(beyond.errors.hasPrefix("walctl: LSN 302 is beyond the end"))
        }
    }

    @Test func `without --partition all are printed in order`() async throws {
        try await withTemporaryDirectory { path in
            for id in [7, 0, 300] as [PartitionID] {
                await append("\"\(id)\"\n", to: path) { $0.partition = id }
            }
            #expect(await cat(path).output == "\"0\"\n\"7\"\n\"300\"\n")
            #expect(await cat(path) { $0.partition = 7 }.output == "\"7\"\n")
            #expect(await cat(path) { $0.limit = 2 }.output == "\"0\"\n\"7\"\n")
            #expect(await cat(path) { $0.from = 1 }.status == .usage)
            #expect(await cat(path) { $0.partition = 8 }.status == .unusable)
        }
    }

    @Test func `records of another type are shown as hex`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: .bytes()))
            try wal.append(Payload([0, 0x7F, 0xFF]), to: 2)
            try wal.append(Payload([]), to: 2)
            try await wal.close()
            #expect(
                await cat(path).lines == [
                    #"{"partition":2,"lsn":1,"codec":"bytes","type":"bytes","length":3,"hex":"007fff"}"#,
                    #"{"partition":2,"lsn":2,"codec":"bytes","type":"bytes","length":0,"hex":""}"#,
                ])
        }
    }

    @Test func `of a sealed log it says which key is needed, and verify and info need none`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<Payload>.open(at: path, configuration: .init(codec: AnyWalCodec(SealedByName())))
            try wal.append(Payload([1, 2, 3]), to: 2)
            try wal.append(contentsOf: [Payload([4]), Payload([5])], to: 2)
            try await wal.close()
            let result = await cat(path)
            #expect(result.status == .unusable && result.lines.isEmpty)
            #expect(result.errors.contains("the key \"k1\""))
            #expect(try await WalVerification.verify(at: path).records == 3)
            let about = try await WalInspection.inspect(at: path).partitions.first
            #expect(about?.recordCount == 3 && about?.segments.first?.codecName == "sealed(bytes)")
        }
    }

    @Test func `a live writer's log can be read`() async throws {
        try await withTemporaryDirectory { path in
            let wal = try await Wal<JSONValue>.open(at: path, configuration: .init(codec: .binary()))
            for k in 1...5 { try wal.append(.number(JSONNumber(k)), to: 0) }
            #expect(await cat(path).output == numbers(1...5))
            #expect(await verify(path).status == .success)
            try wal.append(6, to: 0)
            #expect(await cat(path).output == numbers(1...6))
            try await wal.close()
        }
    }

    @Test func `records after a range that salvage lost are printed, and the range is told of`() async throws {
        let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "WriteAheadLogTests/Golden/v2-frames").path
        let result = await cat(golden)
        #expect(result.status == .damaged)
        #expect(result.errors == "walctl: LSN 6 … 9 of partition 1 were lost before salvage wrote this log\n")
        let lsns = result.lines.compactMap { $0.split(separator: ",").first { $0.contains("\"lsn\"") } }
        #expect(lsns == [1, 2, 3, 4, 5, 10, 11, 12].map { "\"lsn\":\($0)" })
    }

    @Test func `what is before damage is printed, and other partitions are`() async throws {
        try await withTemporaryDirectory { path in
            await append(numbers(1...100), to: path)
            await append("\"whole\"\n", to: path) { $0.partition = 1 }
            // A frame takes 24 bytes or more; this is within the fiftieth or so.
            try flip(try segmentPath(path), at: 12_288 + 1300)
            let result = await cat(path)
            #expect(result.status == .damaged)
            #expect(result.lines.first == "1")
            #expect(result.lines.count > 30 && result.lines.count < 80)
            #expect(result.lines.last == "\"whole\"")
            #expect(result.errors.hasPrefix("walctl: ") && result.errors.contains("[partition 0, segment 1, offset 13"))
        }
    }

    @Test func `a place without a log is unusable`() async throws {
        try await withTemporaryDirectory { path in
            #expect(await cat(path).status == .unusable)
            #expect(await cat("\(path)/none").status == .unusable)
            try replace("\(path)/file", with: [1])
            #expect(await cat("\(path)/file").status == .unusable)
        }
    }

    @Test func `a reader that goes away ends it quietly`() async throws {
        try await withTemporaryDirectory { path in
            await append(numbers(1...50_000), to: path)
            var errors: [UInt8] = []
            let streams = Streams(
                output: Output { (_) throws(ToolError) in throw ToolError(.brokenPipe, nil) },
                errors: Output { (bytes) throws(ToolError) in errors += bytes })
            #expect(await Cat(directory: path).run(to: streams) == .brokenPipe)
            #expect(errors.isEmpty)
        }
    }
}

/// Names a key as the codec 4 does, and seals nothing.
private struct SealedByName: WalSealingCodec, WalFrameSealer, WalFrameOpener {
    typealias Record = Payload
    static var id: UInt32 { 4 }
    var name: String { "sealed(bytes)" }
    var parameters: [UInt8] { [1, 2] + Array("k1".utf8) + [UInt8](repeating: 0, count: 52) }
    var inner: AnyWalCodec<Payload> { .bytes() }
    var sealOverhead: Int { 0 }

    func makeSealer(header: ([UInt8]) -> [UInt8]) throws(WalError) -> any WalFrameSealer {
        _ = header(parameters)
        return self
    }
    func makeOpener(parameters: [UInt8], header: [UInt8]) throws(WalError) -> any WalFrameOpener { self }
    func seal(
        _ plain: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
    ) throws(WalError) { encoder.write(bytes: plain) }
    func open(
        _ sealed: UnsafeRawBufferPointer, _ frame: WalSealedFrame, into encoder: inout WalEncoder
    ) throws(WalError) { encoder.write(bytes: sealed) }
}
