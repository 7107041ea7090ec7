/// Whether a log's segments are mapped, and why.
struct WriteChoice {
    let isMapped: Bool
    let reason: String

    private init(_ isMapped: Bool, _ reason: String) {
        self.isMapped = isMapped
        self.reason = reason
    }

    /// `.automatic` maps where the file system is of a kind that keeps allocated space for stores *and* a file in the log's
    /// directory shows that it does; ext2, and ext3 and ext4 without extents, have the name and not the ability.
    ///
    /// - Throws: `.unsupported` where the configuration demands what can't be done.
    init(_ settings: LogSettings, _ root: any WalDirectory, _ notes: LogNotes) throws(WalError) {
        if settings.isReadOnly {
            self.init(false, "the log was opened for reading only")
            return
        }
        switch settings.writes {
        case .written: self.init(false, "the configuration says so")
        case .mapped:
            if case .refused(let error) = root.probeMapping() {
                throw WalError(
                    .unsupported,
                    "the configuration demands mapped segments (`writes: .mapped`), which can't be had here: \(error.message)",
                    errno: error.errno)
            }
            self.init(true, "the configuration says so")
        case .automatic:
            guard root.guaranteesAllocation() else {
                let name = root.fileSystemName.map { "the file system (\($0))" } ?? "the file system"
                self.init(false, "\(name) does not promise that reserved space takes later stores")
                notes.note(WalFallback(.writes, "Segments are written, not mapped: \(reason)"))
                return
            }
            switch root.probeMapping() {
            case .works: self.init(true, "a file in the directory showed that space can be reserved and mapped")
            case .unknown(let error):
                self.init(
                    true, "the file system is of a kind that reserves space; it could not be tried: \(error.message)")
            case .refused(let error):
                self.init(false, error.message)
                notes.note(
                    WalFallback(.writes, "Segments are written, not mapped: \(error.message)", errno: error.errno))
            }
        }
    }
}

extension LogSettings {
    /// Makes segments no larger than a file may be that this process writes.
    mutating func fit(into limit: UInt64?, _ notes: LogNotes) {
        guard let limit else { return }
        // The smallest with room for some records; what does not fit below the limit then is refused when it is appended.
        let least = 16 << 10
        func capacity(_ size: Int) -> UInt64 { UInt64(PartitionLog.capacity(for: 0, segmentSize: UInt64(size))) }
        guard capacity(segmentSize) > limit else { return }
        let configured = segmentSize
        segmentSize = Int(clamping: limit)
        while segmentSize > least, capacity(segmentSize) > limit {
            segmentSize -= min(segmentSize - least, max(4_096, Int(clamping: capacity(segmentSize) - limit)))
        }
        notes.note(
            WalFallback(
                .segmentSize,
                "Segments are of \(segmentSize) bytes instead of \(configured): this process may not write files beyond \(limit) bytes (RLIMIT_FSIZE, `ulimit -f`)"
            ))
    }
}
