import Foundation
import WriteAheadLog

@main
struct Main {
    static let usage = """
        usage: kvstore DIR set KEY VALUE    durable when it returns
               kvstore DIR get KEY          prints the value; status 1 where there is none
               kvstore DIR remove KEY
               kvstore DIR fill N           sets N keys from 64 tasks, printing each once it is durable
               kvstore DIR count
        """

    static func main() async {
        let arguments = Array(CommandLine.arguments.dropFirst())
        do {
            guard arguments.count >= 2 else { throw Usage() }
            let store = try await KeyValueStore(at: arguments[0])
            let status = try await run(store, arguments[1], Array(arguments.dropFirst(2)))
            try await store.close()
            exit(status)
        } catch is Usage {
            print(usage)
            exit(2)
        } catch {
            FileHandle.standardError.write(Data("kvstore: \(error)\n".utf8))
            exit(1)
        }
    }

    struct Usage: Error {}

    static func run(_ store: KeyValueStore, _ command: String, _ arguments: [String]) async throws -> Int32 {
        switch (command, arguments.count) {
        case ("set", 2): try await store.set(arguments[1], for: arguments[0])
        case ("get", 1):
            guard let value = await store.value(for: arguments[0]) else { return 1 }
            print(value)
        case ("remove", 1): try await store.remove(arguments[0])
        case ("count", 0): print(await store.count)
        case ("fill", 1):
            guard let count = Int(arguments[0]), count > 0 else { throw Usage() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for task in 0..<min(64, count) {
                    group.addTask {
                        for k in stride(from: task, to: count, by: 64) {
                            try await store.set("value \(k)", for: "key \(k)")
                            FileHandle.standardOutput.write(Data("key \(k)\n".utf8))
                        }
                    }
                }
                try await group.waitForAll()
            }
        default: throw Usage()
        }
        return 0
    }
}
