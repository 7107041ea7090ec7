/// What the process ends with. The numbers are an interface: scripts test for them, and `--help` lists them.
package enum ExitStatus: Int32, Sendable {
    case success = 0
    /// Records that should be there can't be read.
    case damaged = 1
    /// There is nothing to work with at that path.
    case unusable = 2
    /// What the user gave is wrong: a line, an LSN.
    case badInput = 3
    /// The operating system refused something on the way.
    case failed = 4
    case alreadyOpen = 5
    /// The options make no sense; as sysexits.h has it.
    case usage = 64
    /// Whoever read the output closed it: what a shell reports for a process that SIGPIPE ended.
    case brokenPipe = 141

    /// For `--help`.
    static var help: String {
        """
        Exit status:
          0    all is well
          1    the log is damaged: records that were durable can't be read
          2    unusable: no such directory, not a log, no permission, a newer format, another record type
          3    bad input: a line that is not JSON or is too long, an LSN that is not in the log
          4    a failure of the system: disk full, I/O error, too many open files
          5    the log is open for writing elsewhere
          64   options that make no sense
          141  the reader of the output closed it
        """
    }
}
