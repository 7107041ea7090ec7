import Foundation
import FuzzBodies
import Testing

/// Every input that fuzzing kept, and every one that once found a bug, through the same code as the fuzz targets.
@Suite(.timeLimit(.minutes(15))) struct FuzzCorpusTests {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../Fuzz/Corpus").standardized.path

    private func expectHolds(_ target: FuzzTarget, _ input: [UInt8], _ name: String) {
        do {
            try input.withUnsafeBytes { try target.run($0) }
        } catch {
            Issue.record("\(target.rawValue), \(name): \(error)")
        }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `no input of the corpus breaks a promise`(target: FuzzTarget) throws {
        let pack = try CorpusPack(contentsOf: "\(Self.corpus)/\(target.rawValue)/corpus.pack")
        #expect(!pack.inputs.isEmpty)
        for (number, input) in pack.inputs.enumerated() { expectHolds(target, input, "input \(number)") }
    }

    @Test(arguments: FuzzTarget.allCases)
    func `no input that once found a bug does so again`(target: FuzzTarget) throws {
        let directory = "\(Self.corpus)/\(target.rawValue)/regressions"
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names.sorted() {
            let input = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(directory)/\(name)")))
            expectHolds(target, input, name)
        }
    }
}
