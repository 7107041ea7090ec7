import ArgumentParser
import Foundation
import WriteAheadLog

/// One of several processes that open a log at the same moment.
struct OpenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "open", abstract: "Opens a log for writing when told to, and says whether it could.",
        discussion: "It begins with the first line of standard input, and lets go of the log at the end of it.")

    @Argument var directory: String

    func run() async throws {
        print("ready")
        fflush(nil)
        guard readLine() != nil else { return }
        do throws(WalError) {
            let wal = try Wal<Sample>.openAndWait(at: directory, configuration: .init())
            print("won")
            fflush(nil)
            while readLine() != nil {}
            try wal.closeAndWait()
        } catch {
            print("lost \(error.code) \(error.message)")
        }
    }
}
