// Starting a program: everything between clone and exec is C, and a pidfd comes with the child.
#pragma once
#include <stdint.h>

/// The most descriptors a child is given by number.
#define CLINUX_MAX_MAPPED 32

/// A descriptor of this process under the number that the child shall see.
struct clinux_mapping {
    int child;
    int raw;
};

struct clinux_spawn {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    const struct clinux_mapping *mappings;
    int mapping_count;
    int new_session;
    int death_signal;
    int parent;
    int pidfd;
    int error;
    const char *stage;
};

/// Starts the program and returns its pid with `pidfd` set, or -1 with `error` (an errno) and `stage` set.
///
/// The calling thread sleeps until the child has executed the program or failed. The death signal is tied to the
/// calling thread. All other descriptors are closed by exec; signals are unblocked and have their default action.
int clinux_spawn_process(struct clinux_spawn *spawn);

/// The signal that the kernel sends to this process when its parent ends, 0 for none, or -1 with errno.
int clinux_parent_death_signal(void);

/// Asks for that signal; tied to the calling thread, and forgotten when the process changes its user.
int clinux_request_parent_death_signal(int signal);

int clinux_pidfd_open(int pid);
int clinux_pidfd_signal(int pidfd, int signal);

/// Reaps without blocking: 1 with `code` (CLD_EXITED, CLD_KILLED, CLD_DUMPED) and `status`, 0 still running, -1 with errno.
int clinux_pidfd_reap(int pidfd, int *code, int *status);

/// Makes a close-on-exec pipe: `ends[0]` reads, `ends[1]` writes.
int clinux_pipe(int *ends);

int clinux_open(const char *path, int flags, uint32_t mode);

/// The bytes that an ordinary user may still write to a path's file system; 0 or -1 with errno.
int clinux_free_bytes(const char *path, int64_t *bytes);

/// This process's environment, null-terminated.
char *const *clinux_environment(void);

/// The processors that this process may run on, at least 1.
int clinux_processor_count(void);

/// The kernel's Landlock version, or -1 with errno.
int clinux_landlock_version(void);

/// Whether the kernel's clock follows a time server: 1, 0, or -1 with errno.
int clinux_clock_is_synchronized(void);
