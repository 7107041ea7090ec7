#if canImport(Glibc)
internal import Glibc
#elseif canImport(Musl)
internal import Musl
#elseif canImport(Darwin)
internal import Darwin
#endif

/// The one place that turns an errno into a ``WalError`` (errno(3), open(2), fallocate(2), mmap(2), fcntl(2), flock(2),
/// pthread_create(3)): each from each call with a sentence that is true of it.
package enum SystemError {
    package static func error(_ errno: Int32, _ operation: String, _ name: String) -> WalError {
        let (code, remedy) = meaning(errno, Call(operation))
        let text = String(cString: strerror(errno))
        return WalError(code, "cannot \(operation) \(name): \(text); \(remedy)", errno: errno)
    }

    /// What was not even tried, because the process's limit of file sizes forbids it.
    static func beyondLimit(_ limit: UInt64, _ operation: String, _ name: String) -> WalError {
        WalError(
            .noSpace,
            "cannot \(operation) \(name): this process may not write files beyond \(limit) bytes (RLIMIT_FSIZE, `ulimit -f`); raise the limit and try again, or open the log under it, with smaller segments",
            errno: EFBIG)
    }

    /// What a call is about, as far as the meaning of an errno depends on it.
    private enum Call {
        case thread, map, allocate, lock, directorySync, makeDirectory, other
        /// Their failure may say something of the data.
        case sync, write

        init(_ operation: String) {
            let kinds: [(String, Call)] = [
                ("start thread", .thread), ("map", .map), ("allocate", .allocate), ("lock", .lock),
                ("sync directory", .directorySync), ("syncDirectory", .directorySync),
                ("syncParent", .directorySync), ("create directory", .makeDirectory), ("sync", .sync),
                ("write", .write), ("truncate", .write),
            ]
            self = kinds.first { operation.hasPrefix($0.0) }?.1 ?? .other
        }
    }

    private static func meaning(_ errno: Int32, _ call: Call) -> (WalError.Code, String) {
        switch errno {
        case ENOSPC: (.noSpace, "make room on its file system (`df` and `df -i` tell) and try again")
        case EDQUOT: (.noSpace, "the user's quota is used up; raise it, or remove files, and try again")
        case EFBIG:
            (
                .noSpace,
                "the process may not write files so large (RLIMIT_FSIZE, `ulimit -f`), or the file system can't hold them; raise the limit, or lower `segmentSize`, and try again"
            )
        case ENOENT: (.notFound, "check the path")
        case ENOTDIR: (.notALog, "a file stands where a directory should be")
        case ELOOP: (.notALog, "a symbolic link stands where the log's own file should be; it is not followed")
        case EISDIR: (.notALog, "a directory stands where a file should be")
        case ENAMETOOLONG: (.invalidArgument, "the path is too long; use a shorter one, or a relative one")
        case EEXIST: (.io, "something of that name is there already; another program works in the log's directory")
        case EROFS:
            (
                .permissionDenied,
                "the file system is mounted for reading only, which the kernel also does after the device failed (its log tells); mount it for writing, or open the log with `openReadOnly`"
            )
        case EMFILE:
            (
                .tooManyFiles,
                "raise the process's limit of open files (`ulimit -n`), or use fewer readers and partitions"
            )
        case ENFILE: (.tooManyFiles, "the system's limit of open files is reached (fs.file-max); raise it")
        case EIO: (.io, "the device failed; check the system's log and the device")
        case ENXIO,
            ENODEV where call != .map:
            (.io, "the device is gone; check the system's log")
        case ESTALE: (.io, "the server no longer knows the file: somebody removed or replaced it; open the log again")
        case EBADF where call != .lock && call != .directorySync:
            (
                .io,
                "other code in this process closed a descriptor that is not its own; find that and open the log again"
            )
        case 117 /* EUCLEAN, EFSCORRUPTED */: (.io, "the file system is damaged; unmount it and have it checked (fsck)")
        case EMLINK where call == .makeDirectory:
            (
                .unsupported,
                "the file system allows no more directories in one; use fewer partitions, or another file system"
            )
        case EXDEV: (.io, "parts of the log's directory lie on different file systems; keep it on one")
        case EBUSY: (.io, "somebody else uses it, as a mount or a swap file; stop that and try again")
        case ENOTCONN, EHOSTDOWN, EHOSTUNREACH, ETIMEDOUT, ECONNREFUSED, ENETUNREACH, ECONNABORTED, ECONNRESET:
            (.io, "the file server does not answer; check it and the network")
        default: meaningOfRefusal(errno, call)
        }
    }

    private static func meaningOfRefusal(_ errno: Int32, _ call: Call) -> (WalError.Code, String) {
        switch call {
        case .thread:
            switch errno {
            case EAGAIN, ENOMEM:
                return (
                    .outOfResources,
                    "no more threads may be started (`ulimit -u`, pids.max of the container, or memory); raise the limit and try again"
                )
            default: return (.outOfResources, "the system starts no thread; try again")
            }
        case .map:
            switch errno {
            case ENOMEM, EAGAIN, EMFILE:
                return (
                    .outOfResources,
                    "address space (`ulimit -v`), mappings (vm.max_map_count) or memory ran out; raise the limit, or open the log with `writes: .written`"
                )
            case EOPNOTSUPP, ENOSYS, EINVAL, ENODEV:
                return (.unsupported, "the file system maps no files; open the log with `writes: .written`")
            default: break
            }
        case .allocate:
            if [EOPNOTSUPP, ENOSYS, EINVAL, ENODEV].contains(errno) {
                return (
                    .unsupported,
                    "the file system reserves no space; open the log with `writes: .written` or `.automatic`"
                )
            }
        case .lock:
            switch errno {
            case ENOLCK:
                return (
                    .unsupported,
                    "no lock service (on NFS: lockd, or a mount with `nolock`), or the system has no more locks"
                )
            case EACCES, EPERM:
                return (.permissionDenied, "a security policy or sandbox forbids locks; allow flock and fcntl")
            case EOPNOTSUPP, ENOSYS, EINVAL, EBADF, ENODEV:
                return (.unsupported, "the file system or the kernel has no such locks")
            default: break
            }
        case .directorySync:
            if [EOPNOTSUPP, ENOSYS, EINVAL, EBADF].contains(errno) {
                return (.unsupported, "the file system can't sync a directory")
            }
        case .sync, .write, .makeDirectory, .other: break
        }
        switch errno {
        case EACCES, EPERM: return (.permissionDenied, "give this user read and write access to the log's directory")
        case ENOMEM: return (.outOfResources, "the system or the process has no memory left; free some and try again")
        case EAGAIN: return (.outOfResources, "the system has no resources for it right now; try again")
        case EOPNOTSUPP, ENOSYS, EINVAL:
            return (.io, "the file system or the kernel does not do that; use another file system")
        default: return (.io, "the operating system refused; its log may say more")
        }
    }
}

extension WalError {
    private static let roomErrnos = [ENOSPC, EDQUOT, EFBIG]

    /// Some of what was to be written is there, but nothing counts before all of it is: it can be tried again.
    var retryable: WalError {
        guard let errno, Self.roomErrnos.contains(errno), code != .noSpace else { return self }
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
