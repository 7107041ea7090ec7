#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CWalShims.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__linux__)
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/vfs.h>
#endif

static int copy_name(const char *name, char *out, size_t size) {
    if (!name || !*name || strlen(name) >= size) return -ENOENT;
    strcpy(out, name);
    return 0;
}

int wal_user_name(uid_t id, char *out, size_t size) {
    struct passwd entry, *found = NULL;
    char room[4096];
    if (getpwuid_r(id, &entry, room, sizeof room, &found) != 0 || !found) return -ENOENT;
    return copy_name(found->pw_name, out, size);
}

int wal_group_name(gid_t id, char *out, size_t size) {
    struct group entry, *found = NULL;
    char room[4096];
    if (getgrgid_r(id, &entry, room, sizeof room, &found) != 0 || !found) return -ENOENT;
    return copy_name(found->gr_name, out, size);
}

uint64_t wal_file_size_limit(void) {
    struct rlimit r;
    if (getrlimit(RLIMIT_FSIZE, &r) < 0 || r.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
    return (uint64_t)r.rlim_cur;
}

int wal_path_of(int fd, char *out, size_t size) {
#if defined(__linux__)
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, size - 1);
    if (n <= 0 || (size_t)n >= size - 1 || out[0] != '/') return -ENOENT;
    out[n] = 0;
    return 0;
#elif defined(__APPLE__)
    if (size < 1024) return -ENOENT;
    return fcntl(fd, F_GETPATH, out) < 0 ? -errno : 0;
#else
    (void)fd; (void)out; (void)size;
    return -ENOENT;
#endif
}

// A stream whose descriptor is none of 0 to 2.
static FILE *read_stream(const char *path) {
    int fd = wal_openat(AT_FDCWD, path, O_RDONLY, 0);
    if (fd < 0) return NULL;
    FILE *f = fdopen(fd, "r");
    if (!f) close(fd);
    return f;
}

#if defined(__linux__)
// proc(5): fdinfo says which mount a descriptor is of, mountinfo what is mounted there; the type follows " - ".
static int mounted_type(int fd, char *out, size_t size) {
    char path[64], *line = NULL;
    size_t room = 0;
    long mount = -1;
    int result = -ENOENT;
    snprintf(path, sizeof path, "/proc/self/fdinfo/%d", fd);
    FILE *f = read_stream(path);
    if (!f) return result;
    while (getline(&line, &room, f) > 0)
        if (sscanf(line, "mnt_id: %ld", &mount) == 1) break;
    fclose(f);
    f = mount >= 0 ? read_stream("/proc/self/mountinfo") : NULL;
    while (f && getline(&line, &room, f) > 0) {
        if (strtol(line, NULL, 10) != mount) continue;
        char *type = strstr(line, " - ");
        if (!type) break;
        type += 3;
        type[strcspn(type, " \n")] = 0;
        result = copy_name(type, out, size);
        break;
    }
    if (f) fclose(f);
    free(line);
    return result;
}
#endif

int wal_file_system_name(int fd, char *out, size_t size) {
#if defined(__linux__)
    if (mounted_type(fd, out, size) == 0) return 0;
    struct statfs s;
    if (fstatfs(fd, &s) < 0) return -errno;
    static const struct { unsigned long type; const char *name; } known[] = {
        {0xEF53, "ext2, ext3 or ext4"}, {0x58465342, "xfs"}, {0x01021994, "tmpfs"}, {0x9123683E, "btrfs"},
        {0x794C7630, "overlay"}, {0x6969, "nfs"}, {0x65735546, "fuse"}, {0xFF534D42, "cifs"}, {0xFE534D42, "smb2"},
        {0x2FC12FC1, "zfs"}, {0xCA451A4E, "bcachefs"}, {0xF2F52010, "f2fs"}, {0x01021997, "9p"}, {0x4D44, "vfat"},
        {0x2011BAB0, "exfat"}, {0x858458F6, "ramfs"}, {0x0BD00BD0, "lustre"}, {0x00C36400, "ceph"},
    };
    for (size_t k = 0; k < sizeof known / sizeof *known; k++)
        if (known[k].type == (unsigned long)s.f_type) return copy_name(known[k].name, out, size);
    snprintf(out, size, "type 0x%lx", (unsigned long)s.f_type);
    return 0;
#else
    (void)fd; (void)out; (void)size;
    return -ENOENT;
#endif
}

int wal_overwrite_in_place(int fd) {
#if defined(FS_IOC_GETFLAGS) && defined(FS_NOCOW_FL)
    // ioctl_iflags(2): elsewhere than on btrfs the flag is refused or means nothing.
    int flags = 0;
    if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) return -errno;
    if (flags & FS_NOCOW_FL) return 0;
    flags |= FS_NOCOW_FL;
    return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? -errno : 0;
#else
    (void)fd;
    return -EOPNOTSUPP;
#endif
}

enum { PROBED = 64 << 10 };

int wal_probe_mapping(int dirfd, const char *name, int *step) {
    *step = WAL_PROBE_MAKE;
    int fd = -1;
#if defined(O_TMPFILE)
    // It never has a name, where that can be had.
    fd = wal_openat(dirfd, ".", O_TMPFILE | O_RDWR, 0600);
#endif
    if (fd < 0) {
        fd = wal_openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
        if (fd < 0) return fd;
        // Whatever happens from here on, it is gone with the descriptor.
        if (unlinkat(dirfd, name, 0) < 0) {
            int code = errno;
            close(fd);
            return -code;
        }
    }
    int code = 0;
    struct stat s;
    *step = WAL_PROBE_ALLOCATE;
    if (wal_file_size_limit() < PROBED) code = -EFBIG;
    if (code == 0) code = wal_allocate(fd, 0, PROBED);
    if (code == 0) {
        *step = WAL_PROBE_SPACE;
        if (fstat(fd, &s) < 0) code = -errno;
        else if (s.st_size != PROBED || s.st_blocks < PROBED / 512) code = -EOPNOTSUPP;
    }
    if (code == 0) {
        *step = WAL_PROBE_MAP;
        unsigned char *p = mmap(NULL, PROBED, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED) code = -errno;
        else {
            // Not the first page alone: the mapping must be of all that was allocated.
            for (size_t k = 0; k < PROBED; k += 4096) p[k] = 1;
            *step = WAL_PROBE_SYNC;
            code = wal_data_sync(fd);
            unsigned char seen = 0;
            if (code == 0 && (pread(fd, &seen, 1, PROBED - 4096) != 1 || seen != 1)) code = -EOPNOTSUPP;
            munmap(p, PROBED);
        }
    }
    close(fd);
    return code;
}
