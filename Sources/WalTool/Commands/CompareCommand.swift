internal import ArgumentParser
internal import WalComparison

struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Compares codecs on the records of a file, and says which to take for size, writing or reading.",
        discussion: """
            Each line is a JSON value and a record. Codecs are measured in rounds, in which they take turns: bytes a record, \
            time to encode and to decode, appending to a log, appending durably, replaying, memory, and all of it by record size. \
            Every record is read back from memory and from a log, and compared. Logs are made in a new directory under --directory \
            and removed at the end; the durable figures are those of the disk that it is on.

            A record is any JSON here: an app's own type, by CodecComparison of the library WalComparison, has other \
            figures, for it codes its fields by what they are.

            Codecs:
            \(ComparisonCandidates.help)

            A dictionary is learnt from every other record, and all codecs are measured on the rest then.

            \(ToolStatus.help)
            """)

    @Argument(help: "A file of JSON values, one a line; - for standard input.")
    var file: String
    @Option(help: "Which codecs, separated by commas; all by default. Names are below.")
    var codecs: String?
    @Option(help: "How many records the codecs whose names end in -batch append together.")
    var batch = 64
    @Option(help: "zstd's level, -5 to 22.")
    var level = 1
    @Option(help: "At most so many records are read, from the beginning.")
    var records = 100_000
    @Option(help: "Seconds for each codec and each of five measures.")
    var seconds = 0.5
    @Option(help: "How often codecs take turns; the median counts.")
    var rounds = 5
    @Option(help: "Where logs are made for the time; by default TMPDIR or /tmp, which may be in memory.")
    var directory: String?
    @Option(
        help: "What matters: size, write, read or balanced. It is recommended last, and alone in JSON.",
        transform: { text in
            guard let priority = CodecComparison.Priority(rawValue: text) else {
                throw ValidationError("must be size, write, read or balanced.")
            }
            return priority
        })
    var priority: CodecComparison.Priority?
    @Option(help: "Write a page with charts to this file, which must not be there.", completion: .file())
    var html: String?
    @Flag(help: "Let the page replace a file that is there.")
    var force = false
    @Flag(help: "Print percentiles by record size too; the page and JSON always have them.")
    var sizes = false
    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if !(1...1_000_000).contains(batch) { throw ValidationError("--batch must be 1 to 1000000.") }
        if records < 1 { throw ValidationError("--records must be 1 or more.") }
        if !(seconds > 0 && seconds <= 3600) { throw ValidationError("--seconds must be over 0 and at most 3600.") }
        if !(1...1000).contains(rounds) { throw ValidationError("--rounds must be 1 to 1000.") }
        if force, html == nil { throw ValidationError("--force needs --html: there is nothing else to replace.") }
    }

    func run() async throws {
        var compare = Compare(name: file == "-" ? "standard input" : file)
        compare.codecs = codecs
        compare.settings.batch = batch
        compare.settings.level = level
        compare.limit = records
        compare.time = .nanoseconds(Int64(seconds * 1e9))
        compare.rounds = rounds
        compare.directory = directory
        compare.priority = priority
        compare.html = html
        compare.force = force
        compare.sizes = sizes
        compare.json = json
        let interruption = Interruption()
        compare.willMeasure = { interruption.arm() }
        let task = Task { [compare, file] in
            await compare.run(
                input: { () throws(ToolError) in
                    file == "-"
                        ? .standardInput(limit: Append.lineLimit) : try .file(file, limit: Append.lineLimit)
                }, to: .standard())
        }
        interruption.onSignal { task.cancel() }
        throw ExitCode(await task.value.rawValue)
    }
}
