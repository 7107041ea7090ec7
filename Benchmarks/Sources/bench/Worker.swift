import CBaseline
import Foundation
import WriteAheadLog

/// A process that runs one repetition of a row when it is asked to: the same sources built with another commit's log, or bare loops in C.
///
/// A request is a line: `names`, `run NAME` or `limit NAME`. The answer is a line: `ok` and values, or `failed` and why,
/// with tabs between them.
final class Worker {
    static let argument = "worker"
    private let program: String
    private let directory: String
    private var process = Process()
    private var requests = Pipe()
    private var answers = Pipe()
    private var received = Data()

    init(program: String, directory: String) throws {
        self.program = program
        self.directory = directory
        try start()
    }

    private func start() throws {
        process = Process()
        requests = Pipe()
        answers = Pipe()
        received = Data()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [Self.argument]
        process.environment = ProcessInfo.processInfo.environment.merging(["BENCH_DIR": directory]) { $1 }
        process.standardInput = requests
        process.standardOutput = answers
        try process.run()
    }

    func end() {
        try? requests.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func restart() throws {
        end()
        try start()
    }

    func names() throws -> [String] { try ask("names") }

    func values(_ request: String) throws -> [Double] {
        let values = try ask(request).compactMap { Double($0) }
        guard !values.isEmpty else { throw WalError(.io, "a worker's answer to '\(request)' has no values") }
        return values
    }

    private func ask(_ request: String) throws -> [String] {
        try requests.fileHandleForWriting.write(contentsOf: Data("\(request)\n".utf8))
        while true {
            if let end = received.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: received[..<end], as: UTF8.self)
                received = Data(received[(end + 1)...])
                let words = line.split(separator: "\t").map(String.init)
                guard words.first == "ok" else { throw WalError(.io, words.dropFirst().joined(separator: " ")) }
                return Array(words.dropFirst())
            }
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else { throw WalError(.io, "the process that was asked to '\(request)' ended") }
            received += more
        }
    }

    /// What the process does.
    static func main(_ place: Place) async throws {
        while let line = readLine() {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            do {
                let values: [String]
                switch (words.first, words.last) {
                case ("names", _): values = place.all.map(\.name)
                case ("run", let name?):
                    guard let row = place.all.first(where: { $0.name == name }) else {
                        throw WalError(.notFound, "there is no row \(name)")
                    }
                    values = try await row.ours().map { String($0) }
                case ("limit", let name?):
                    values = [
                        String(
                            limit_run(
                                name, place.directory, recordA, UInt32(recordA.count), recordB, UInt32(recordB.count)))
                    ]
                default: throw WalError(.notFound, "'\(line)' is no request")
                }
                print((["ok"] + values).joined(separator: "\t"))
            } catch {
                print("failed\t" + String(describing: error).replacing("\n", with: " "))
            }
            fflush(nil)
        }
        try removeIfThere(place.directory)
    }
}
