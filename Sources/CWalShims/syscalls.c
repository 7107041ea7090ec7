#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CWalShims.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif

// A program may be started with descriptors 0 to 2 closed (a daemon, cron). What it prints goes to whatever has those numbers, so
// that no file of ours may ever have one, not even for a moment.
#if defined(O_PATH)
enum { HARMLESS = O_PATH | O_CLOEXEC };
#else
enum { HARMLESS = O_RDONLY | O_DIRECTORY | O_CLOEXEC };
#endif

static int above_standard(int fd) {
    if (fd < 0 || fd > 2) return fd;
    int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3), code = errno;
    close(fd);
    errno = code;
    return moved;
}

// Takes those of 0 to 2 that are closed, by something that nobody can read or write, and returns how many.
static int take_standard(int taken[3]) {
    struct pollfd standard[3] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
    int count = 0;
    if (poll(standard, 3, 0) <= 0) return 0;
    for (int fd = 0; fd <= 2; fd++) {
        if (!(standard[fd].revents & POLLNVAL)) continue;
        int got = open("/", HARMLESS);
        if (got > 2) close(got);
        else if (got >= 0) taken[count++] = got;
    }
    return count;
}

int wal_openat(int dirfd, const char *path, int flags, int mode) {
    int taken[3], count = take_standard(taken), fd;
    do fd = openat(dirfd, path, flags | O_CLOEXEC, (mode_t)mode); while (fd < 0 && errno == EINTR);
    // Whoever closed one of them since then.
    fd = above_standard(fd);
    int code = errno;
    while (count > 0) close(taken[--count]);
    return fd < 0 ? -code : fd;
}

int wal_duplicate(int fd) {
    int fresh = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    return fresh < 0 ? -errno : fresh;
}

int wal_allocate(int fd, int64_t offset, int64_t length) {
#if defined(__linux__)
    int r;
    do r = fallocate(fd, 0, offset, length); while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
#else
    (void)fd; (void)offset; (void)length;
    return -EOPNOTSUPP;
#endif
}

int64_t wal_pwrite_frame(
    int fd, uint64_t first, uint64_t second, const void *bytes, size_t count, int zeros, int64_t offset) {
    uint64_t header[2] = {first, second};
    static const uint8_t padding[8];
    struct iovec v[3] = {{header, sizeof header}, {(void *)bytes, count}, {(void *)padding, (size_t)(zeros & 7)}};
    ssize_t n = pwritev(fd, v, 3, offset);
    return n < 0 ? -errno : n;
}

int64_t wal_pwrite_dsync(int fd, const void *bytes, size_t count, int64_t offset) {
#if defined(__linux__) && defined(RWF_DSYNC)
    struct iovec v = {(void *)bytes, count};
    ssize_t n = pwritev2(fd, &v, 1, offset, RWF_DSYNC);
    return n < 0 ? -errno : n;
#else
    (void)fd; (void)bytes; (void)count; (void)offset;
    return -EOPNOTSUPP;
#endif
}

static int lock_byte(int fd, off_t byte, short type) {
#if defined(F_OFD_SETLK)
    struct flock f;
    memset(&f, 0, sizeof f);
    f.l_type = type;
    f.l_whence = SEEK_SET;
    f.l_start = byte;
    f.l_len = 1;
    return fcntl(fd, F_OFD_SETLK, &f) < 0 ? -errno : 0;
#else
    (void)fd; (void)byte; (void)type;
    return -EOPNOTSUPP;
#endif
}

int wal_lock_file(int fd) { return lock_byte(fd, 0, F_WRLCK); }
int wal_unlock_file(int fd) { return lock_byte(fd, 0, F_UNLCK); }

int wal_lock_directory(int fd) {
    int r;
    do r = flock(fd, LOCK_EX | LOCK_NB); while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

int wal_unlock_directory(int fd) { return flock(fd, LOCK_UN) < 0 ? -errno : 0; }

int wal_lock_announcement(int fd) {
    for (int i = 0;; i++) {
        int r = lock_byte(fd, 1, F_WRLCK);
        if ((r != -EAGAIN && r != -EACCES) || i == 1000) return r;
        struct timespec pause = {0, 1000000};
        nanosleep(&pause, NULL);
    }
}

int wal_unlock_announcement(int fd) { return lock_byte(fd, 1, F_UNLCK); }

int wal_data_sync(int fd) {
#if defined(__APPLE__)
    return wal_full_sync(fd);
#else
    return fdatasync(fd) < 0 ? -errno : 0;
#endif
}

int wal_full_sync(int fd) {
#if defined(__APPLE__)
    // F_FULLFSYNC: fsync there does not flush the drive's cache (fcntl(2)).
    return fcntl(fd, F_FULLFSYNC) < 0 ? -errno : 0;
#else
    return fsync(fd) < 0 ? -errno : 0;
#endif
}

int wal_sync_file_system(int fd) {
#if defined(__linux__)
    return syncfs(fd) < 0 ? -errno : 0;
#else
    (void)fd;
    return -EOPNOTSUPP;
#endif
}

int wal_file_identity(int fd, wal_file_identity_t *found) {
    memset(found, 0, sizeof *found);
    struct stat s;
    if (fstat(fd, &s) < 0) return -errno;
    found->inode = (uint64_t)s.st_ino;
    found->links = (uint64_t)s.st_nlink;
#if defined(__linux__) && defined(STATX_BTIME)
    // An old kernel, or a filter of system calls, refuses statx(2): the rest is known all the same.
    struct statx x;
    if (statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) == 0 && (x.stx_mask & STATX_BTIME) && x.stx_btime.tv_sec > 0)
        found->birth = (uint64_t)x.stx_btime.tv_sec * 1000000000u + x.stx_btime.tv_nsec;
#elif defined(__APPLE__)
    found->birth = (uint64_t)s.st_birthtimespec.tv_sec * 1000000000u + (uint64_t)s.st_birthtimespec.tv_nsec;
#endif
    return 0;
}

int wal_populate_write(void *base, size_t count) {
#if defined(__linux__)
    return madvise(base, count, 23 /* MADV_POPULATE_WRITE, Linux 5.14 */) < 0 ? -errno : 0;
#else
    (void)base; (void)count;
    return -ENOSYS;
#endif
}

bool wal_filesystem_guarantees_allocation(int fd) {
#if defined(__linux__)
    struct statfs s;
    if (fstatfs(fd, &s) < 0) return false;
    switch ((unsigned long)s.f_type) {
    case 0xEF53:     // ext2, ext3, ext4
    case 0x58465342: // XFS
    case 0x01021994: // tmpfs
        return true;
    default: return false; // copy-on-write (btrfs, ZFS, bcachefs), network, FUSE and stacked file systems: no promise
    }
#else
    (void)fd;
    return false;
#endif
}

uint64_t wal_open_files_limit(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == RLIM_INFINITY) return 1024;
    return (uint64_t)r.rlim_cur;
}
