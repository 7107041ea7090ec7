internal import ArgumentParser

struct InfoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Shows partitions, segments, LSNs, histories, bytes, codecs and types.",
        discussion: """
            It reads headers and footers, also of logs of other types, of damaged ones, and of those that another process \
            writes just now. A partition is clean where it was closed in order. A log that looks damaged gives status 1.

            \(ToolStatus.help)
            """)

    @Argument(help: "The log's directory.")
    var directory: String
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        var info = Info(directory: directory)
        info.json = json
        throw ExitCode(await info.run(to: .standard()).rawValue)
    }
}
