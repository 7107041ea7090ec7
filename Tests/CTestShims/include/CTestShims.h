// What tests need and Swift does not offer.
#pragma once
#include <stdint.h>
#include <sys/types.h>

/// fork(2), which Swift hides.
pid_t test_fork(void);
/// The same by the system call alone, so that no handler of pthread_atfork(3) runs; -1 where there is none.
pid_t test_bare_fork(void);
/// Sets the soft limit of the size of a file (RLIMIT_FSIZE); UINT64_MAX for the hard one.
int test_limit_file_size(uint64_t bytes);
