import Foundation
import Testing
import WalTool

/// Runs the executable that was built beside the tests.
@Suite(.serialized, .timeLimit(.minutes(15))) struct `The walctl process` {
    struct Finished {
        var status: Int32
        var output: String
        var errors: String
    }

    /// The directory of the test bundle, whatever the runner is called.
    private static var executable: URL? {
        var places = [URL(fileURLWithPath: CommandLine.arguments[0]), Bundle.main.bundleURL]
        if let option = CommandLine.arguments.firstIndex(of: "--test-bundle-path"),
            option + 1 < CommandLine.arguments.count
        {
            places.append(URL(fileURLWithPath: CommandLine.arguments[option + 1]))
        }
        for place in places {
            var directory = place
            while directory.path != "/" {
                let candidate = directory.appendingPathComponent("walctl")
                var isDirectory: ObjCBool = false
                if FileManager.default.fileExists(atPath: candidate.path, isDirectory: &isDirectory),
                    !isDirectory.boolValue
                {
                    return candidate
                }
                directory.deleteLastPathComponent()
            }
        }
        return nil
    }

    private func start(
        _ arguments: [String], _ input: Pipe? = nil, of program: String? = nil
    ) throws -> (Process, Pipe, Pipe) {
        let process = Process()
        let executable = try #require(Self.executable, "walctl was not built beside the tests")
        process.executableURL = program.map { URL(fileURLWithPath: $0) } ?? executable
        process.arguments = arguments
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        if let input { process.standardInput = input } else { process.standardInput = FileHandle.nullDevice }
        try process.run()
        return (process, output, errors)
    }

    private func run(
        _ arguments: [String], input text: String? = nil, of program: String? = nil
    ) throws -> Finished {
        let input = text.map { _ in Pipe() }
        let (process, output, errors) = try start(arguments, input, of: program)
        if let input, let text {
            let handle = input.fileHandleForWriting
            try handle.write(contentsOf: Data(text.utf8))
            try handle.close()
        }
        let printed = try output.fileHandleForReading.readToEnd() ?? Data()
        let said = try errors.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        #expect(process.terminationReason == .exit)
        return Finished(
            status: process.terminationStatus, output: String(decoding: printed, as: UTF8.self),
            errors: String(decoding: said, as: UTF8.self))
    }

    @Test func `it has the documented exit statuses`() async throws {
        try await withTemporaryDirectory { path in
            let log = "\(path)/log"
            #expect(try run(["append", log], input: "1\n2\n").status == 0)
            #expect(try run(["cat", log]).output == "1\n2\n")
            #expect(try run(["verify", log]).status == 0)
            #expect(try run(["info", log]).status == 0)
            #expect(try run(["append", log], input: "3\n?\n").status == 3)
            #expect(try run(["cat", log]).output == "1\n2\n3\n")
            #expect(try run(["cat", log, "--from", "9"]).status == 3)
            try flip(try segmentPath(log), at: 12_300)
            #expect(try run(["verify", log]).status == 1)
            #expect(try run(["cat", log]).status == 1)
            // Opening for writing reads headers, and frames behind the last mark alone.
            try flip(try segmentPath(log), at: 30)
            #expect(try run(["append", log], input: "4\n").status == 1)
            for command in ["cat", "info", "verify"] {
                let result = try run([command, "\(path)/none"])
                #expect(result.status == 2)
                #expect(result.output.isEmpty)
                #expect(result.errors.hasPrefix("walctl: ") && result.errors.split(separator: "\n").count == 1)
            }
            #expect(try run(["append", log, "--ack"], input: "").status == 64)
            #expect(try run(["append", log, "--batch", "0"], input: "").status == 64)
            #expect(try run(["append", log, "--codec", "xml"], input: "").status == 64)
            #expect(try run(["append", "\(path)/new", "--segment-size", "7"], input: "").status == 64)
            #expect(try run(["cat", log, "--from", "0"]).status == 64)
            #expect(try run(["frobnicate"]).status == 64)
            #expect(try run(["--help"]).output.contains("141  the reader of the output closed it"))
        }
    }

    @Test func `a closed pipe ends cat quietly`() async throws {
        try await withTemporaryDirectory { path in
            let text = (1...30_000).map { "\"record \($0)\"\n" }.joined()
            await append(text, to: path)
            let (process, output, errors) = try start(["cat", path])
            let first = try #require(try output.fileHandleForReading.read(upToCount: 10))
            #expect(String(decoding: first, as: UTF8.self) == "\"record 1\"")
            try output.fileHandleForReading.close()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit)
            #expect(process.terminationStatus == 141)
            #expect(try errors.fileHandleForReading.readToEnd() ?? Data() == Data())
        }
    }

    @Test func `each LSN is printed at once, and survives a kill`() async throws {
        try await withTemporaryDirectory { path in
            let input = Pipe()
            let (process, output, _) = try start(["append", path, "--sync", "each", "--ack"], input)
            for k in 1...20 {
                try input.fileHandleForWriting.write(contentsOf: Data("[\(k)]\n".utf8))
                // The process waits for the next line now: nothing but the flush can bring this.
                var line = ""
                while !line.hasSuffix("\n") {
                    let byte = try #require(try output.fileHandleForReading.read(upToCount: 1))
                    line += String(decoding: byte, as: UTF8.self)
                }
                #expect(line == "\(k)\n")
            }
            let busy = try run(["append", path], input: "1\n")
            #expect(busy.status == 5)
            #expect(busy.errors.contains("process \(process.processIdentifier)"))
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            #expect(try run(["verify", path]).status == 0)
            #expect(try run(["cat", path]).output == (1...20).map { "[\($0)]\n" }.joined())
        }
    }

    @Test func `acknowledging into a closed pipe ends append quietly and keeps what was appended`() async throws {
        try await withTemporaryDirectory { path in
            let input = Pipe()
            let (process, output, errors) = try start(["append", path, "--sync", "each", "--ack"], input)
            try output.fileHandleForReading.close()
            try input.fileHandleForWriting.write(contentsOf: Data("1\n2\n3\n".utf8))
            process.waitUntilExit()
            #expect(process.terminationStatus == 141)
            #expect(try errors.fileHandleForReading.readToEnd() ?? Data() == Data())
            #expect(try run(["cat", path]).output == "1\n")
            #expect(try run(["info", path]).output.contains(", clean, "))
        }
    }

    @Test func `a partition of more segments than files may be open is read, verified and appended to`() async throws {
        try await withTemporaryDirectory { path in
            let log = "\(path)/log"
            let line = "\"\(String(repeating: "x", count: 60_000))\"\n"
            await append(String(repeating: line, count: 60), to: log) { $0.segmentSize = 65_536 }
            #expect(try segmentCount(log) == 60)
            let script = """
                ulimit -n 40 || exit 99
                "$0" cat "$1" | wc -l && "$0" verify "$1" && "$0" info "$1" > "$2" && echo 1 | "$0" append "$1"
                """
            let executable = try #require(Self.executable?.path)
            let result = try run(["-c", script, executable, log, "\(path)/info"], of: "/bin/sh")
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.hasPrefix("60\n"))
        }
    }

    @Test func `compare reads a file or standard input, and says which file is not there`() async throws {
        try await withTemporaryDirectory { path in
            try replace("\(path)/records", with: Array("1\n2\n".utf8))
            let short = ["--codecs", "json", "--seconds", "0.001", "--rounds", "1", "--directory", path]
            #expect(try run(["compare", "\(path)/records"] + short).output.hasPrefix("2 records of 1.0 bytes"))
            #expect(try run(["compare", "-"] + short, input: "1\n").output.hasPrefix("1 record of 1.0 bytes"))
            let missing = try run(["compare", "\(path)/nothing"] + short)
            #expect(missing.status == 2)
            #expect(missing.errors.hasPrefix("walctl: cannot open \(path)/nothing: "))
            #expect(try run(["compare", "\(path)/records", "--directory", "/no/such/place"]).status == 2)
            #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["records"])
        }
    }

    @Test func `an interrupted compare removes its logs`() async throws {
        try await withTemporaryDirectory { path in
            let input = Pipe()
            let (process, _, errors) = try start(
                ["compare", "-", "--codecs", "json", "--seconds", "60", "--rounds", "1000", "--directory", path], input)
            try input.fileHandleForWriting.write(contentsOf: Data(numbers(1...1000).utf8))
            try input.fileHandleForWriting.close()
            while try FileManager.default.contentsOfDirectory(atPath: path).isEmpty, process.isRunning {
                try await Task.sleep(for: .milliseconds(10))
            }
            process.interrupt()
            let said = try errors.fileHandleForReading.readToEnd() ?? Data()
            process.waitUntilExit()
            #expect(process.terminationReason == .exit && process.terminationStatus == 4)
            #expect(String(decoding: said, as: UTF8.self).hasPrefix("walctl: the comparison was cancelled"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: path).isEmpty)
        }
    }

    @Test func `a directory that may not be written is unusable`() async throws {
        try await withTemporaryDirectory { path in
            try await withReadOnly(path) {
                // The superuser may do anything.
                guard getuid() != 0 else { return }
                let result = try run(["append", "\(path)/log"], input: "1\n")
                #expect(result.status == 2)
                #expect(result.errors.hasPrefix("walctl: cannot create directory"))
            }
        }
    }

    private func withReadOnly(_ path: String, _ body: () throws -> Void) async throws {
        try FileManager.default.setAttributes([.posixPermissions: 0o500], ofItemAtPath: path)
        defer { try? FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: path) }
        try body()
    }
}
