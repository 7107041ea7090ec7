internal import ArgumentParser
internal import WriteAheadLog

extension CodecChoice: ExpressibleByArgument {}
extension Append.Sync: ExpressibleByArgument {}

struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append", abstract: "Appends each line of standard input, a JSON value, as one record.",
        discussion: """
            The log's directory is made where it is missing, its parent is not. Lines of white space alone are skipped, \
            but counted. Order and repetition of keys, and the text of numbers, stay as they are.

            A line that is not JSON ends it: the error names the line, and all records before it are kept, made durable \
            and reported. A line, and the lines of one batch together, may have 67108864 bytes.

            With --ack standard output has the LSNs and nothing else, each on a line of its own; the summary then goes to \
            standard error.

            \(ExitStatus.help)
            """)

    @Argument(help: "The log's directory.")
    var directory: String
    @Option(help: "The partition, 0 to 65535.")
    var partition: UInt16 = 0
    @Option(help: "How new segments are encoded; zstd is zstd over binary.")
    var codec = CodecChoice.binary
    @Option(
        help: """
            When records are made durable: each before the next is read, all at the end, or none, where nothing is \
            synced until the log is closed.
            """)
    var sync = Append.Sync.end
    @Option(help: "How many records are appended together; after a crash all of them are there or none.")
    var batch = 1
    @Option(name: .customLong("segment-size"), help: "Size at which a new segment begins, in bytes, 65536 or more.")
    var segmentSize: Int?
    @Flag(help: "Print each LSN as soon as it is durable; needs --sync each.")
    var ack = false
    @Flag(help: "Print the summary as JSON.")
    var json = false

    func validate() throws {
        if ack, sync != .each { throw ValidationError("--ack needs --sync each: only then a record is durable by itself.") }
        if batch < 1 { throw ValidationError("--batch must be 1 or more.") }
    }

    func run() async throws {
        var append = Append(directory: directory)
        append.partition = PartitionID(rawValue: partition)
        append.codec = codec
        append.sync = sync
        append.batch = batch
        append.segmentSize = segmentSize
        append.acknowledges = ack
        append.json = json
        let status = await append.run(input: .standardInput(limit: Append.lineLimit), to: .standard())
        throw ExitCode(status.rawValue)
    }
}
