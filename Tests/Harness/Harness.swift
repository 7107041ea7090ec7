import ArgumentParser

/// Real processes on real file systems: writers that are killed, power that fails, disks that fill up, readers beside a writer.
///
/// Each scenario is a command of its own, so that whatever it does to itself (a trap, a SIGBUS, a hang) is seen by `run`, which
/// starts them all and counts. What can't be tried on this machine says `SKIPPED: reason` and counts as nothing else.
@main
struct Harness: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "harness", abstract: "Tries the log with real processes and real file systems.",
        subcommands: [
            RunCommand.self, KillsCommand.self, PowerLossCommand.self, FullDiskCommand.self, FileSystemsCommand.self,
            RaceCommand.self, TailsCommand.self, SelfTestCommand.self,
            WriteCommand.self, CheckCommand.self, DumpCommand.self, TailCommand.self, OpenCommand.self,
            FillCommand.self,
        ])
}
