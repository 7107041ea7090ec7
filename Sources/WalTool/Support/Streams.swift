/// What a command talks to: the output, the line for errors, and a terminal that wants to see progress.
package struct Streams {
    package var output: Output
    package var errors: Output
    let meter: ProgressMeter

    /// - Parameter showsProgress: `errors` is a terminal.
    package init(output: Output, errors: Output, showsProgress: Bool = false) {
        self.output = output
        self.errors = errors
        meter = ProgressMeter(showsProgress ? errors : nil)
    }

    static func standard() -> Streams {
        Streams(
            output: .descriptor(Descriptor.output), errors: .descriptor(Descriptor.errors),
            showsProgress: Descriptor.isTerminal(Descriptor.errors))
    }

    /// Says on one line what is wrong.
    func say(_ message: String) {
        meter.clear()
        // A path may hold anything; a line stays a line.
        let line = String(message.map { $0.isNewline ? " " : $0 })
        do throws(ToolError) {
            try errors.writeAtOnce("walctl: \(line)\n")
        } catch {
            // There is nobody left to tell.
        }
    }

    /// Runs a command: its status, or that of what it threw, which is said.
    func run(_ body: () async throws -> ExitStatus) async -> ExitStatus {
        do {
            let status = try await body()
            meter.clear()
            try output.flush()
            return status
        } catch {
            let error = ToolError(any: error)
            // What was printed before stays; if the output failed, that is what is said below.
            try? output.flush()
            meter.clear()
            if let message = error.message { say(message) }
            return error.status
        }
    }
}
