import Foundation
import WalBinary
import WalComparison
import WalJSON
import WalZstd
import WriteAheadLog

/// What a shop records.
enum Event: Codable, WalCodable, Equatable {
    case ordered(id: UUID, customer: Int, lines: [Line], note: String?)
    case paid(id: UUID, cents: Int)
    case cancelled(id: UUID, reason: String)

    struct Line: Codable, Equatable {
        var article: String
        var count: Int
        var cents: Int
    }

    static var walTypeName: String { "shop.Event" }
}

/// Compares codecs on the app's own type, and writes a page: `compare [PAGE.html]`.
@main
struct Compare {
    static func main() async throws {
        let comparison = try await CodecComparison.run(
            samples: events(5_000),
            candidates: [
                CodecCandidate("binary", codec: .binary()),
                CodecCandidate("json", codec: .json()),
                CodecCandidate("zstd", codec: .zstd(.binary())),
                // The same codec again, for an app that has several records at hand when it appends.
                CodecCandidate("zstd, batches of 64", codec: .zstd(.binary()), batch: 64),
            ], options: .init(time: .milliseconds(500)))
        print(comparison.table)
        if let path = CommandLine.arguments.dropFirst().first {
            try Data(comparison.html(title: "Codecs for shop events").utf8).write(to: URL(fileURLWithPath: path))
        }
    }

    /// An app would take them from its log; these are made up, the same each time.
    static func events(_ count: Int) -> [Event] {
        var random = Random()
        return (0..<count).map { _ in
            let id = UUID()
            switch random.below(10) {
            case 0..<6:
                let lines = (0...random.below(4)).map { _ in
                    Event.Line(
                        article: "article-\(random.below(2_000))", count: 1 + random.below(3),
                        cents: 99 + random.below(20_000))
                }
                return .ordered(
                    id: id, customer: random.below(50_000), lines: lines,
                    note: random.below(8) == 0 ? "leave at the door" : nil)
            case 6..<9: return .paid(id: id, cents: 99 + random.below(60_000))
            default:
                return .cancelled(
                    id: id, reason: ["changed my mind", "too late", "found it elsewhere"][random.below(3)])
            }
        }
    }

    struct Random {
        var state: UInt64 = 1

        mutating func below(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
    }
}
