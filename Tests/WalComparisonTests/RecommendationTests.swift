import Testing
import WalComparison

extension CodecFigures {
    /// Of given figures.
    init(_ name: String, bytes: Double, write: Double, read: Double, append: Double? = nil) {
        func spread(_ value: Double) -> Spread { Spread(least: value, median: value, most: value) }
        self.init(
            name: name, codec: name, batch: 1, payloadBytes: bytes, storedBytes: bytes, ratio: 1, encode: spread(write),
            decode: spread(read), append: spread(append ?? write), durableAppend: spread(write), replay: spread(read),
            peakMemory: nil, sizes: [])
    }
}

func comparison(_ candidates: [CodecFigures]) -> CodecComparison {
    CodecComparison(
        candidates: candidates, samples: .init(records: 10, plainBytes: 1000, plainForm: "lines"),
        settings: .init(rounds: 5, seconds: 1, recordsInFlight: 64, directory: "/tmp"),
        machine: .init(system: "Linux", processor: "one & only", cores: 2, logsWereInMemory: false, date: 1_764_000_000)
    )
}

@Suite struct `Recommending a codec` {
    static let small = CodecFigures("small", bytes: 100, write: 4000, read: 3000)
    static let quick = CodecFigures("quick", bytes: 400, write: 1000, read: 2000)
    static let ready = CodecFigures("ready", bytes: 500, write: 1500, read: 500)
    static let poor = CodecFigures("poor", bytes: 500, write: 5000, read: 3000)

    @Test func `each priority has its best candidate, wherever it stands`() {
        for candidates in [
            [Self.small, Self.quick, Self.ready, Self.poor], [Self.poor, Self.ready, Self.quick, Self.small],
        ] {
            let comparison = comparison(candidates)
            #expect(comparison.recommendation(for: .size).name == "small")
            #expect(comparison.recommendation(for: .write).name == "quick")
            #expect(comparison.recommendation(for: .read).name == "ready")
            // Products: 1.2e9, 0.8e9, 0.375e9, 7.5e9.
            #expect(comparison.recommendation(for: .balanced).name == "ready")
        }
    }

    @Test func `the reason has the figures, the worst of the others, and the price`() {
        let reason = comparison([Self.small, Self.quick, Self.ready]).recommendation(for: .size).reason
        #expect(
            reason == """
                small takes 100.0 bytes a record, 5.0 times fewer than ready (500.0). The price: 4.0 times the time for a durable \
                append of quick, 6.0 times the time to replay of ready.
                """)
        let write = comparison([Self.small, Self.quick]).recommendation(for: .write).reason
        #expect(
            write == """
                quick makes 1,000,000 records a second durable, 4.0 times faster than small (250,000). The price: 4.0 times the \
                bytes a record of small.
                """)
    }

    @Test func `of those within five percent the best on the whole is taken`() {
        let near = CodecFigures("near", bytes: 104, write: 1000, read: 1000)
        let far = CodecFigures("far", bytes: 106, write: 100, read: 100)
        let chosen = comparison([Self.small, near, far]).recommendation(for: .size)
        #expect(chosen.name == "near")
        #expect(chosen.reason.contains("and worse on the whole: small (100.0)."))
    }

    @Test func `of those that the rounds can't tell apart the best on the whole is taken`() {
        var noisy = CodecFigures("noisy", bytes: 100, write: 1200, read: 1000)
        let best = CodecFigures("best", bytes: 400, write: 1000, read: 1000)
        #expect(comparison([best, noisy]).recommendation(for: .write).name == "best")
        noisy.durableAppend.least = 1000
        #expect(comparison([best, noisy]).recommendation(for: .write).name == "noisy")
        noisy.durableAppend.median = 1300
        #expect(comparison([best, noisy]).recommendation(for: .write).name == "best")
    }

    @Test func `of candidates with the same figures the first is taken`() {
        let twins = ["a", "b", "c"].map { CodecFigures($0, bytes: 10, write: 10, read: 10) }
        for priority in CodecComparison.Priority.allCases {
            #expect(comparison(twins).recommendation(for: priority).name == "a")
        }
    }

    @Test func `a candidate that another one beats everywhere is never recommended`() {
        // Within five percent in each, but worse in all.
        let beaten = CodecFigures("beaten", bytes: 101, write: 4001, read: 3001)
        for recommendation in comparison([beaten, Self.small]).recommendations {
            #expect(recommendation.name == "small")
            #expect(!recommendation.reason.contains("beaten, "))
        }
    }

    @Test func `a single candidate is recommended for what it is, and none is no trap`() {
        #expect(comparison([Self.small]).recommendation(for: .read).reason == "small is the only candidate.")
        #expect(comparison([]).recommendation(for: .read).name.isEmpty)
        #expect(comparison([]).paretoFront(.append).isEmpty)
        #expect(!comparison([]).html(title: "").isEmpty)
    }

    @Test func `the front has whom nobody beats in both, smallest first`() {
        let all = comparison([Self.quick, Self.poor, Self.ready, Self.small])
        #expect(all.paretoFront(.durableAppend).map(\.name) == ["small", "quick"])
        #expect(all.paretoFront(.replay).map(\.name) == ["small", "quick", "ready"])
    }

    @Test func `equals are on the front together, and a tie in one decides by the other`() {
        let a = CodecFigures("a", bytes: 10, write: 10, read: 10)
        let b = CodecFigures("b", bytes: 10, write: 10, read: 10)
        let c = CodecFigures("c", bytes: 10, write: 11, read: 10)
        #expect(comparison([a, b, c]).paretoFront(.append).map(\.name) == ["a", "b"])
    }

    @Test func `rounds that differ much are said`() {
        #expect(!comparison([Self.small, Self.quick]).table.contains("unsteady"))
        var noisy = Self.quick
        noisy.replay.most = 5000
        #expect(
            comparison([Self.small, noisy]).table.contains(
                "The rounds are unsteady: by a factor of 2.5 at quick, replay."))
    }
}
