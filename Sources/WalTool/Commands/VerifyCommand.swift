internal import ArgumentParser

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Checks every byte of a log.",
        discussion: """
            Status 0 means no damage, 1 damage, each place listed with partition, segment, offset and LSN, and 2 that there \
            is nothing to check or no permission to.

            What a crash tore off above the last mark is reported, but is no damage: nobody was told that it was durable, \
            and the next writer drops it. Nothing is written.

            \(ExitStatus.help)
            """)

    @Argument(help: "The log's directory.")
    var directory: String
    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        var verify = Verify(directory: directory)
        verify.json = json
        throw ExitCode(await verify.run(to: .standard()).rawValue)
    }
}
