import Testing
import WalTesting
import WriteAheadLog

/// Promises 1 and 8: a file object that was closed does nothing any more, whoever still holds it.
@Suite("Closed files", .timeLimit(.minutes(5)))
struct ClosedFileTests {
    /// Every operation of a file, by name.
    static let operations: [(name: String, run: @Sendable (any WalFile) throws(WalError) -> Void)] = [
        ("size", { (file) throws(WalError) in _ = try file.size() }),
        ("read", { (file) throws(WalError) in _ = try file.read(8, at: 0) }),
        ("write", { (file) throws(WalError) in try file.write([1, 2, 3], at: 0) }),
        (
            "write a frame",
            { (file) throws(WalError) in
                try file.write(header: (1, 2), UnsafeRawBufferPointer(start: nil, count: 0), zeros: 0, at: 0)
            }
        ),
        (
            "write and sync",
            { (file) throws(WalError) in
                var byte: UInt8 = 1
                var failed: WalError?
                withUnsafeBytes(of: &byte) { bytes in
                    do throws(WalError) { _ = try file.writeSynced(bytes, at: 0) } catch { failed = error }
                }
                if let failed { throw failed }
            }
        ),
        ("allocate", { (file) throws(WalError) in try file.allocate(from: 0, to: 4096) }),
        ("truncate", { (file) throws(WalError) in try file.truncate(to: 0) }),
        ("sync", { (file) throws(WalError) in try file.sync() }),
        ("map", { (file) throws(WalError) in _ = try file.map(count: 4096, writable: true) }),
        ("content", { (file) throws(WalError) in _ = try file.content(from: 0) }),
        ("lock", { (file) throws(WalError) in _ = try file.lock() }),
    ]

    private func expectRefusals(_ directory: any WalDirectory) throws {
        for (name, run) in Self.operations {
            let file = try directory.openFile("file", .createOrOpen)
            file.close()
            do throws(WalError) {
                try run(file)
                Issue.record("\(name) worked")
            } catch {
                #expect(error.code == .closed, "\(name): \(error)")
            }
            // A second time is nothing.
            file.close()
        }
    }

    @Test("every operation is refused with .closed, on the machine, with faults and on the simulated disk")
    func refusals() async throws {
        try await withTemporaryDirectory { path in
            try expectRefusals(PosixStorage().openRoot(path, create: true))
            let faulty = FaultyStorage()
            try expectRefusals(faulty.openRoot(path, create: true))
            #expect(faulty.calls.allSatisfy { $0.operation == .openRoot || $0.operation == .openFile })
        }
        try expectRefusals(SimulatedDisk(seed: 1).storage.openRoot("log", create: true))
    }

    @Test("threads that use a file while it is closed get its bytes or .closed, never another file's")
    func closingUnderReaders() async throws {
        try await withTemporaryDirectory { path in
            let directory = try PosixStorage().openRoot(path, create: true)
            let mine = [UInt8](repeating: 7, count: 64)
            let other = [UInt8](repeating: 9, count: 64)
            try directory.openFile("mine", .createNew).write(mine, at: 0)
            try directory.openFile("other", .createNew).write(other, at: 0)
            for _ in 0..<300 {
                let file = try directory.openFile("mine", .read)
                let wrong = await withTaskGroup(of: Int.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            while true {
                                do throws(WalError) {
                                    if try file.read(64, at: 0) != mine { return 1 }
                                } catch {
                                    return error.code == .closed ? 0 : 1
                                }
                                await Task.yield()
                            }
                        }
                    }
                    group.addTask {
                        file.close()
                        // Gets the number that was just given back, if it was.
                        let next = try? directory.openFile("other", .read)
                        return (try? next?.read(64, at: 0)) == other ? 0 : 1
                    }
                    return await group.reduce(0, +)
                }
                #expect(wrong == 0)
            }
        }
    }
}
