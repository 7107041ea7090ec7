#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CWalShims.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/vfs.h>
#endif

int wal_openat(int dirfd, const char *path, int flags, int mode) {
    int fd;
    do fd = openat(dirfd, path, flags | O_CLOEXEC, (mode_t)mode); while (fd < 0 && errno == EINTR);
    return fd < 0 ? -errno : fd;
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
