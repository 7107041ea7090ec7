#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The system calls of the command line: the one file that makes any.
enum Descriptor {
    static let input: Int32 = 0
    static let output: Int32 = 1
    static let errors: Int32 = 2

    /// A write to a pipe that nobody reads is an error from now on, not the end of the process.
    static func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

    /// What asks a process to end.
    static var endingSignals: [Int32] { [SIGINT, SIGTERM] }
    static func ignore(_ number: Int32) { signal(number, SIG_IGN) }
    static func restore(_ number: Int32) { signal(number, SIG_DFL) }

    static func isTerminal(_ descriptor: Int32) -> Bool { isatty(descriptor) == 1 }

    /// Reads what is there, at least one byte; 0 at the end.
    static func read(_ descriptor: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(ToolError) -> Int {
        while true {
            #if canImport(Darwin)
            let count = Darwin.read(descriptor, buffer.baseAddress, buffer.count)
            #elseif canImport(Musl)
            let count = Musl.read(descriptor, buffer.baseAddress, buffer.count)
            #else
            let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            #endif
            if count >= 0 { return count }
            if errno == EINTR { continue }
            if errno == EAGAIN {
                wait(descriptor, for: POLLIN)
                continue
            }
            throw ToolError(.failed, "cannot read the input: \(String(cString: strerror(errno)))")
        }
    }

    static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) throws(ToolError) {
        var rest = bytes
        while !rest.isEmpty {
            #if canImport(Darwin)
            let count = Darwin.write(descriptor, rest.baseAddress, rest.count)
            #elseif canImport(Musl)
            let count = Musl.write(descriptor, rest.baseAddress, rest.count)
            #else
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            #endif
            if count >= 0 {
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                continue
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: wait(descriptor, for: POLLOUT)
            case EPIPE: throw .brokenPipe
            default: throw ToolError(.failed, "cannot write the output: \(String(cString: strerror(errno)))")
            }
        }
    }

    // MARK: Files

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// A file that is open as long as this is there.
    final class Reading {
        private let descriptor: Int32

        init(_ path: String) throws(ToolError) {
            descriptor = open(path, O_RDONLY | O_CLOEXEC)
            guard descriptor >= 0 else {
                throw ToolError(.unusable, "cannot open \(path): \(String(cString: strerror(errno)))")
            }
        }

        deinit { close(descriptor) }

        func read(into buffer: UnsafeMutableRawBufferPointer) throws(ToolError) -> Int {
            try Descriptor.read(descriptor, into: buffer)
        }
    }

    /// Writes a file anew; false where one is there and may not be replaced.
    static func create(_ path: String, replacing: Bool, _ bytes: [UInt8]) throws(ToolError) -> Bool {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (replacing ? O_TRUNC : O_EXCL), 0o644)
        guard descriptor >= 0 else {
            if errno == EEXIST { return false }
            throw ToolError(.failed, "cannot write \(path): \(String(cString: strerror(errno)))")
        }
        defer { close(descriptor) }
        let written = bytes.withUnsafeBytes { bytes in
            Result { () throws(ToolError) in try write(descriptor, bytes) }
        }
        try written.get()
        return true
    }

    /// For a descriptor that somebody else made non-blocking.
    private static func wait(_ descriptor: Int32, for events: Int32) {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        _ = poll(&request, 1, -1)
    }
}
