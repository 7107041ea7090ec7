#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CTestShims.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif

pid_t test_fork(void) { return fork(); }

pid_t test_bare_fork(void) {
#if defined(__linux__)
    return (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

int test_limit_file_size(uint64_t bytes) {
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes == UINT64_MAX || bytes > limit.rlim_max ? limit.rlim_max : (rlim_t)bytes;
    return setrlimit(RLIMIT_FSIZE, &limit);
}
