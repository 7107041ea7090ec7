internal import WriteAheadLog

#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// What is asked of the C library and the system: the one file that calls it.
enum Libc {
    // MARK: Numbers

    static func cubeRoot(_ value: Double) -> Double { cbrt(value) }
    static func logarithm10(_ value: Double) -> Double { log10(value) }
    static func power10(_ value: Double) -> Double { pow(10, value) }

    // MARK: Files

    /// Where temporary files go: TMPDIR, or /tmp.
    static var temporaryDirectory: String {
        guard let value = getenv("TMPDIR"), value.pointee != 0 else { return "/tmp" }
        return String(cString: value)
    }

    /// Makes a directory that was not there, for this user alone.
    static func makeDirectory(_ path: String) throws(WalError) {
        guard mkdir(path, 0o700) == 0 else { throw SystemError.error(errno, "create directory", path) }
    }

    /// Removes an empty directory.
    static func removeDirectory(_ path: String) throws(WalError) {
        guard rmdir(path) == 0 else { throw SystemError.error(errno, "remove directory", path) }
    }

    /// Whether the directory's files are in memory; false where the system does not tell.
    static func isInMemory(_ path: String) -> Bool {
        guard let resolved = realpath(path, nil) else { return false }
        defer { free(resolved) }
        let place = String(cString: resolved) + "/"
        var found = (length: -1, type: Substring())
        for line in (content("/proc/self/mounts") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 2 else { continue }
            let mount = fields[1].hasSuffix("/") ? String(fields[1]) : fields[1] + "/"
            // Of several at one place the last covers the others.
            if place.hasPrefix(mount), mount.utf8.count >= found.length { found = (mount.utf8.count, fields[2]) }
        }
        return found.type == "tmpfs" || found.type == "ramfs"
    }

    // MARK: The machine

    static var system: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        func text<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return "\(text(name.sysname)) \(text(name.release)) \(text(name.machine))"
    }

    static var cores: Int { max(Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))), 1) }

    static var processor: String? {
        guard let text = content("/proc/cpuinfo") else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last.map { String($0.drop { $0 == " " }) }
    }

    // MARK: Memory

    /// The process's resident bytes now, and the most since ``forgetPeak()``; nil where the system does not tell.
    static var resident: (now: Int, peak: Int)? {
        guard let text = content("/proc/self/status") else { return nil }
        func kibibytes(_ name: String) -> Int? {
            let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
            return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
        }
        guard let now = kibibytes("VmRSS:"), let peak = kibibytes("VmHWM:") else { return nil }
        return (now << 10, peak << 10)
    }

    /// Gives free memory back to the system, so that what is asked for anew is seen, and lets the peak begin anew (proc(5)).
    /// False where that can't be had.
    static func forgetPeak() -> Bool {
        #if canImport(Glibc)
        // Not in every C library's module: found by name where it is there.
        if let symbol = dlsym(nil, "malloc_trim") {
            typealias Trim = @convention(c) (Int) -> Int32
            _ = unsafeBitCast(symbol, to: Trim.self)(0)
        }
        #endif
        #if os(Linux)
        guard let file = fopen("/proc/self/clear_refs", "w") else { return false }
        let written = fputs("5", file)
        return fclose(file) == 0 && written >= 0
        #else
        return false
        #endif
    }

    /// The first MiB of a file of the system's, as text.
    private static func content(_ path: String) -> String? {
        #if os(Linux)
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 20) { buffer, count in
            count = fread(buffer.baseAddress, 1, buffer.count, file)
        }
        return String(decoding: bytes, as: UTF8.self)
        #else
        return nil
        #endif
    }
}
