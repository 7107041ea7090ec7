import Foundation

/// Says on standard error what is wrong.
func complain(_ message: String) { FileHandle.standardError.write(Data("harness: \(message)\n".utf8)) }

/// Says on standard output how things stand, at once.
func report(_ line: String) { FileHandle.standardOutput.write(Data("\(line)\n".utf8)) }

/// Something that must not be was seen: says so and ends the process.
func fail(_ message: String) -> Never {
    complain(message)
    exit(1)
}

/// A process of the harness's own, or a tool.
final class Child {
    enum End: Equatable, CustomStringConvertible {
        case exited(Int32)
        case killed(Int32)
        /// It did not end in time, and was killed for that.
        case hung

        var description: String {
            switch self {
            case .exited(let status): "exited with \(status)"
            case .killed(let signal): "was ended by signal \(signal) (\(String(cString: strsignal(signal))))"
            case .hung: "did not end in time"
            }
        }
    }

    private let process = Process()
    private let ended = DispatchSemaphore(value: 0)

    /// - Parameters:
    ///   - output: where standard output goes, appended; nil for this process's own.
    ///   - errors: the same for standard error.
    ///   - input: what it reads; nil for nothing.
    init(_ arguments: [String], output: String? = nil, errors: String? = nil, input: Pipe? = nil) throws {
        process.executableURL = URL(fileURLWithPath: try Child.path(of: arguments[0]))
        process.arguments = Array(arguments.dropFirst())
        // A process that crashes shall end at once, and by its signal.
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        process.standardInput = input ?? FileHandle.nullDevice
        if let output { process.standardOutput = try Child.appending(to: output) }
        if let errors { process.standardError = try Child.appending(to: errors) }
        process.terminationHandler = { [ended] _ in ended.signal() }
        try process.run()
    }

    private static func appending(to path: String) throws -> FileHandle {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Trouble("cannot open \(path): \(String(cString: strerror(errno)))") }
        return FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    /// Where a tool is; nil where it is not installed.
    static func find(_ tool: String) -> String? {
        if tool.contains("/") { return tool }
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let places = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        return places.map { "\($0)/\(tool)" }.first { access($0, X_OK) == 0 }
    }

    private static func path(of tool: String) throws -> String {
        guard let found = find(tool) else { throw Trouble("\(tool) is not installed") }
        return found
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    var processIdentifier: Int32 { process.processIdentifier }
    var isRunning: Bool { process.isRunning }

    /// Waits for its end, and kills it where that takes too long.
    func wait(seconds: Double = 120) -> End {
        if ended.wait(timeout: .now() + seconds) == .timedOut {
            signal(SIGKILL)
            process.waitUntilExit()
            return .hung
        }
        process.waitUntilExit()
        ended.signal()
        return process.terminationReason == .uncaughtSignal
            ? .killed(process.terminationStatus) : .exited(process.terminationStatus)
    }

    /// Runs a command to its end; what it printed, both outputs together.
    ///
    /// - Throws: where it did not exit with 0: that and what it printed.
    @discardableResult
    static func run(_ arguments: String..., seconds: Double = 120) throws -> String {
        try run(arguments, seconds: seconds)
    }

    @discardableResult
    static func run(_ arguments: [String], seconds: Double = 120) throws -> String {
        let file = NSTemporaryDirectory() + "harness-output-" + UUID().uuidString
        defer { unlink(file) }
        let end = try Child(arguments, output: file, errors: file).wait(seconds: seconds)
        let text = (try? String(contentsOfFile: file, encoding: .utf8)) ?? ""
        guard end == .exited(0) else {
            throw Trouble("\(arguments.joined(separator: " ")) \(end): \(text.trimmingCharacters(in: .newlines))")
        }
        return text
    }
}

/// Why a scenario can't go on.
struct Trouble: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// What a check found to be otherwise than it must be.
struct Objection: Error, CustomStringConvertible {
    let description: String
    /// The first of its lines.
    var summary: String { String(description.split(separator: "\n").first ?? "") }
}
