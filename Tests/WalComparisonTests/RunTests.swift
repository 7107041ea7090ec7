import Foundation
import Testing
import WalComparison
import WriteAheadLog

@Suite(.timeLimit(.minutes(15))) struct `Comparing codecs` {
    /// A directory that is gone when the test is; what the comparison left in it is an issue.
    private func withDirectory<R>(_ body: (String) async throws -> R) async throws -> R {
        let path = NSTemporaryDirectory() + "wal-comparison-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        defer {
            let left = try? FileManager.default.contentsOfDirectory(atPath: path)
            #expect(left == [])
            try? FileManager.default.removeItem(atPath: path)
        }
        return try await body(path)
    }

    private static let records = (0..<50).map { Sized($0 * 3, UInt8($0)) }

    @Test func `bytes are those of the log's file, frames included`() async throws {
        try await withDirectory { path in
            let candidates = [
                CodecCandidate(codec: AnyWalCodec(PaddedCodec())),
                CodecCandidate("much", codec: AnyWalCodec(PaddedCodec(padding: 100))),
                CodecCandidate(codec: AnyWalCodec(PaddedCodec()), batch: 8),
                CodecCandidate(codec: AnyWalCodec(HalvingCodec()), batch: 8),
            ]
            let even = (0..<50).map { Sized($0 * 2, UInt8($0)) }
            let result = try await CodecComparison.run(samples: even, candidates: candidates, options: .tiny(in: path))
            #expect(result.candidates.map(\.name) == ["padded", "much", "padded × 8", "halving × 8"])
            // A frame has a header of 16 bytes and is padded to a multiple of 8; a batch has a count and lengths of 4 bytes.
            func padded(_ count: Int) -> Int { (16 + count + 7) / 8 * 8 }
            func batches(_ bytes: (Int) -> Int) -> Double {
                Double(
                    stride(from: 0, to: 50, by: 8).reduce(0) { sum, start in
                        sum + padded(4 + (start..<min(start + 8, 50)).reduce(0) { $0 + 4 + bytes($1) })
                    }) / 50
            }
            let stored = result.candidates.map(\.storedBytes)
            let single = (0..<50).reduce(0) { $0 + padded($1 * 2) }
            let much = (0..<50).reduce(0) { $0 + padded($1 * 2 + 100) }
            let expected = [Double(single) / 50, Double(much) / 50, batches { $0 * 2 }, batches { $0 }]
            #expect(stored == expected)
            #expect(result.candidates.map(\.payloadBytes)[..<2] == [49, 149])
            #expect(result.samples.plainBytes == 49 * 50)
            #expect(result.samples.plainForm == "padded")
            for candidate in result.candidates { #expect(candidate.ratio == 49 / candidate.storedBytes) }
        }
    }

    @Test func `every measure of every candidate has a figure, and a spread around its median`() async throws {
        try await withDirectory { path in
            var fractions: [Double] = []
            let result = try await CodecComparison.run(
                samples: Self.records, codecs: [AnyWalCodec(PaddedCodec()), AnyWalCodec(PaddedCodec(padding: 9))],
                options: .tiny(in: path)
            ) { fractions.append($0.fraction) }
            #expect(result.candidates.map(\.name) == ["padded", "padded (2)"])
            for candidate in result.candidates {
                for spread in [
                    candidate.encode, candidate.decode, candidate.append, candidate.durableAppend, candidate.replay,
                ] {
                    #expect(spread.least > 0)
                    #expect(spread.least <= spread.median && spread.median <= spread.most)
                }
                #expect((candidate.peakMemory ?? 0) >= 0)
            }
            #expect(fractions == fractions.sorted())
            #expect(fractions.first == 0 && fractions.count == 2 * (1 + 5 * 2))
            #expect(fractions.allSatisfy { (0...1).contains($0) })
            #expect(result["padded (2)"]?.codec == "padded")
            #expect(result.machine.cores > 0 && result.settings.rounds == 2)
        }
    }

    @Test func `records are sorted into classes by their plain size`() async throws {
        try await withDirectory { path in
            var options = CodecComparison.Options.tiny(in: path)
            options.plainSizes = (0..<50).map { $0 < 40 ? 10 : 1000 + $0 }
            options.plainForm = "lines"
            let result = try await CodecComparison.run(
                samples: Self.records,
                candidates: [
                    CodecCandidate(codec: AnyWalCodec(PaddedCodec())),
                    CodecCandidate(codec: AnyWalCodec(PaddedCodec()), batch: 7),
                ], options: options)
            #expect(result.samples.plainBytes == 400 + (1040..<1050).reduce(0, +))
            for candidate in result.candidates {
                #expect(candidate.sizes.map(\.records) == [40, 10])
                #expect(candidate.sizes.map(\.leastPlain) == [10, 1040])
                #expect(candidate.sizes.map(\.mostPlain) == [10, 1049])
            }
            let small = result.candidates[0].sizes[0].stored
            // Records of 0, 3, … 117 bytes.
            #expect(small.p50 == 80 && small.max == 136)
            #expect(result.candidates[1].sizes.map(\.timed) == [35, 7])
        }
    }

    @Test(arguments: [
        LyingCodec.Lie.forgets: "another record", .leavesOut: "another record", .refusesToDecode: "what is this",
        .refusesToEncode: "not this one",
    ])
    func `a codec that does not give back what it got is named, and nothing is left behind`(
        _ lie: LyingCodec.Lie, _ message: String
    ) async throws {
        try await withDirectory { path in
            let records = (0..<9).map { Opaque(number: $0, note: 5) }
            let error = await #expect(throws: WalError.self) {
                try await CodecComparison.run(
                    samples: records,
                    candidates: [
                        CodecCandidate("honest", codec: AnyWalCodec(LyingCodec())),
                        CodecCandidate("liar", codec: AnyWalCodec(LyingCodec(lie: lie)), batch: 2),
                    ], options: .tiny(in: path))
            }
            let code: WalError.Code = lie == .refusesToEncode ? .encoding : .decoding
            #expect(error?.code == code)
            #expect(error?.message.hasPrefix("liar: ") == true)
            #expect(error?.message.contains(message) == true)
        }
    }

    @Test func `options that make no sense are refused before anything is made`() async throws {
        try await withDirectory { path in
            let codec = AnyWalCodec(PaddedCodec())
            func refuses(
                _ samples: [Sized] = Self.records, _ candidates: [CodecCandidate<Sized>]? = nil,
                _ change: (inout CodecComparison.Options) -> Void = { _ in }
            ) async {
                var options = CodecComparison.Options.tiny(in: path)
                change(&options)
                do throws(WalError) {
                    _ = try await CodecComparison.run(
                        samples: samples, candidates: candidates ?? [CodecCandidate(codec: codec)], options: options)
                    Issue.record("was not refused: \(options)")
                } catch {
                    #expect(error.code == .invalidArgument, "\(error)")
                }
            }
            await refuses([])
            await refuses(Self.records, [])
            await refuses(Self.records, [CodecCandidate("", codec: codec)])
            await refuses(Self.records, [CodecCandidate("a", codec: codec), CodecCandidate("a", codec: codec)])
            for batch in [0, -1, Int.min, Int.max] {
                await refuses(Self.records, [CodecCandidate(codec: codec, batch: batch)])
            }
            for time in [Duration.zero, .seconds(-1), .seconds(Int64.max)] { await refuses { $0.time = time } }
            for count in [0, -1, Int.max] {
                await refuses { $0.rounds = count }
                await refuses { $0.recordsInFlight = count }
            }
            await refuses { $0.plainSizes = [1] }
            await refuses { $0.plainSizes = [Int](repeating: -1, count: 50) }
            await refuses { $0.plainSizes = [Int](repeating: Int.max, count: 50) }
        }
    }

    @Test func `a directory that is not there is said`() async throws {
        let error = await #expect(throws: WalError.self) {
            try await CodecComparison.run(
                samples: Self.records, codecs: [AnyWalCodec(PaddedCodec())], options: .tiny(in: "/no/such/place"))
        }
        #expect(error?.code == .notFound)
    }

    @Test func `a cancelled comparison ends and leaves nothing behind`() async throws {
        try await withDirectory { path in
            let task = Task {
                try await CodecComparison.run(
                    samples: Self.records, codecs: [AnyWalCodec(PaddedCodec())],
                    options: .init(time: .seconds(3000), rounds: 1000, directory: path))
            }
            // Cancelled before it begins, or while it is at work.
            task.cancel()
            let error = await #expect(throws: WalError.self) { try await task.value }
            #expect(error?.code == .cancelled)
        }
    }

    @Test func `a single empty record is enough`() async throws {
        try await withDirectory { path in
            let result = try await CodecComparison.run(
                samples: [Sized(0)], codecs: [AnyWalCodec(PaddedCodec())], options: .tiny(in: path))
            #expect(result.candidates[0].storedBytes == 16)
            #expect(result.candidates[0].ratio == 0)
            #expect(!result.table.isEmpty && !result.html(title: "one").isEmpty)
        }
    }
}
