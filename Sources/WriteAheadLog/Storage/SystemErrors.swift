#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The one place that turns an errno into a ``WalError`` (errno(3), open(2), fallocate(2), mmap(2), fcntl(2)).
package enum SystemError {
    package static func error(_ errno: Int32, _ operation: String, _ name: String) -> WalError {
        let text = String(cString: strerror(errno))
        let (code, remedy): (WalError.Code, String) =
            switch errno {
            case ENOSPC, EDQUOT: (.noSpace, "make room on its file system and try again")
            case ENOENT: (.notFound, "check the path")
            case ENOTDIR: (.notALog, "a file stands where a directory should be")
            case ELOOP: (.notALog, "a symbolic link stands where the log's own file should be; it is not followed")
            case EISDIR: (.notALog, "a directory stands where a file should be")
            case EACCES, EPERM, EROFS:
                (.permissionDenied, "give this user read and write access to the log's directory")
            case EMFILE, ENFILE: (.tooManyFiles, "raise the limit of open files (ulimit -n) or use fewer readers")
            case ENOMEM, EAGAIN: (.outOfResources, "memory, mappings (vm.max_map_count) or threads ran out")
            default: (.io, "the device or file system failed; check the system's log")
            }
        return WalError(code, "cannot \(operation) \(name): \(text); \(remedy)", errno: errno)
    }
}

extension WalError {
    /// Some of what was to be written is there, but nothing counts before all of it is: it can be tried again.
    var retryable: WalError {
        guard errno == ENOSPC || errno == EDQUOT, code != .noSpace else { return self }
        return WalError(
            .noSpace, message, partition: partition, segment: segment, offset: offset, lsn: lsn, errno: errno)
    }
    /// A write that found no space, or the kernel no memory for it. Nobody was promised anything yet.
    var isRefusedWrite: Bool {
        guard let errno else { return false }
        return [ENOSPC, EDQUOT, EFBIG, ENOMEM].contains(errno)
    }
    /// Of a refused write: that not a byte of it is in the file.
    var isCleanRefusal: Bool { isRefusedWrite && code != .io }
    /// That nothing could be opened, for lack of descriptors or memory, is no news of what was written.
    var saysNothingOfData: Bool {
        guard let errno else { return false }
        return [EMFILE, ENFILE, ENOMEM].contains(errno)
    }
    static let notSupportedErrno = EOPNOTSUPP
    package var isUnsupportedOperation: Bool {
        guard let errno else { return false }
        return errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL
    }
}
