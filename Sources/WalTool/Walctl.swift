internal import ArgumentParser

/// The command line, for `main.swift`.
public enum Walctl {
    /// Parses the process's arguments, runs the command and ends the process.
    public static func main() async {
        Descriptor.ignoreBrokenPipes()
        await WalctlCommand.main()
    }

    /// Parses arguments as ``main()`` does, and runs nothing: what the user is told where they make no sense, else nil.
    package static func complaint(about arguments: [String]) -> String? {
        do {
            _ = try WalctlCommand.parseAsRoot(arguments)
            return nil
        } catch {
            return WalctlCommand.fullMessage(for: error)
        }
    }
}

struct WalctlCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "walctl", abstract: "Looks into write-ahead logs, appends to them, and compares codecs.",
        discussion: ToolStatus.help,
        subcommands: [
            AppendCommand.self, CatCommand.self, InfoCommand.self, VerifyCommand.self, CompareCommand.self,
        ])
}
