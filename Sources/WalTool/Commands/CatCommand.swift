internal import ArgumentParser
internal import WriteAheadLog

struct CatCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cat", abstract: "Prints records, one JSON value a line.",
        discussion: """
            The log is opened for reading only, so that it can be read while another process writes it. Without --partition \
            all partitions are printed, one after the other in the order of their numbers.

            Records that are not JSON values, such as those of apps, are printed as an object with partition, lsn, codec, \
            type, length and hex. Of a damaged partition everything before the damage is printed.

            \(ExitStatus.help)
            """)

    @Argument(help: "The log's directory.")
    var directory: String
    @Option(help: "Only this partition, 0 to 65535.")
    var partition: UInt16?
    @Option(help: "Begin with this LSN; needs --partition where there are several.")
    var from: UInt64?
    @Option(help: "Print at most so many records in all.")
    var limit: Int?

    func validate() throws {
        if let from, from < 1 || from > LSN.max.rawValue {
            throw ValidationError("--from must be 1 … \(LSN.max): LSNs begin with 1.")
        }
        if let limit, limit < 0 { throw ValidationError("--limit must be 0 or more.") }
    }

    func run() async throws {
        var cat = Cat(directory: directory)
        cat.partition = partition.map { PartitionID(rawValue: $0) }
        cat.from = from.map { LSN($0) }
        cat.limit = limit
        throw ExitCode(await cat.run(to: .standard()).rawValue)
    }
}
