internal import ArgumentParser

/// The command line, for `main.swift`.
public enum Walctl {
    /// Parses the process's arguments, runs the command and ends the process.
    public static func main() async {
        Descriptor.ignoreBrokenPipes()
        await WalctlCommand.main()
    }
}

struct WalctlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walctl", abstract: "Looks into write-ahead logs and appends to them.",
        discussion: ExitStatus.help,
        subcommands: [AppendCommand.self, CatCommand.self, InfoCommand.self, VerifyCommand.self])
}
