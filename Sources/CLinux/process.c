#define _GNU_SOURCE 1
#include "include/clinux_process.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/landlock.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

enum { stack_size = 64 * 1024 };

// The library's `clone` under the name that the thread sanitizer does not replace by a fork of its own.
extern int __clone(int (*run)(void *), void *stack, int flags, void *argument, ...);

// What follows runs in the child on its own stack, sharing memory with the sleeping parent thread: the error is a plain
// store. Where a sanitizer would note a call as one of the parent's, the kernel is called directly.
static int fail(struct clinux_spawn *spawn, const char *stage) {
    spawn->error = errno;
    spawn->stage = stage;
    syscall(SYS_exit_group, 127);
    __builtin_unreachable();
}

static int run_child(void *argument) {
    struct clinux_spawn *spawn = argument;
    // The kernel's own call, because the library's refuses the numbers it keeps to itself. All zero is SIG_DFL.
    unsigned long standard[4] = {0};
    for (int number = 1; number < 65; number++) syscall(SYS_rt_sigaction, number, standard, NULL, 8);
    if (spawn->new_session && setsid() < 0) return fail(spawn, "setsid");
    if (spawn->directory && chdir(spawn->directory) < 0) return fail(spawn, "chdir");
    if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0) return fail(spawn, "close_range");

    // Sources first move above every target number, so that no dup3 overwrites a source still needed.
    int moved[CLINUX_MAX_MAPPED], floor = 3;
    for (int index = 0; index < spawn->mapping_count; index++)
        if (spawn->mappings[index].child >= floor) floor = spawn->mappings[index].child + 1;
    for (int index = 0; index < spawn->mapping_count; index++) {
        moved[index] = (int)syscall(SYS_fcntl, spawn->mappings[index].raw, F_DUPFD_CLOEXEC, floor);
        if (moved[index] < 0) return fail(spawn, "dup");
    }
    for (int index = 0; index < spawn->mapping_count; index++)
        if (syscall(SYS_dup3, moved[index], spawn->mappings[index].child, 0) < 0) return fail(spawn, "dup3");

    if (spawn->death_signal) {
        if (prctl(PR_SET_PDEATHSIG, spawn->death_signal) < 0) return fail(spawn, "prctl(PDEATHSIG)");
        if (getppid() != spawn->parent) syscall(SYS_exit_group, 127);
    }
    unsigned long none = 0;
    syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof none);
    execve(spawn->path, spawn->arguments, spawn->environment);
    return fail(spawn, "execve");
}

int clinux_spawn_process(struct clinux_spawn *spawn) {
    spawn->parent = getpid();
    spawn->pidfd = -1;
    spawn->error = 0;
    if (spawn->mapping_count > CLINUX_MAX_MAPPED) {
        spawn->error = EINVAL;
        spawn->stage = "mappings";
        return -1;
    }
    char *stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        spawn->error = errno;
        spawn->stage = "mmap";
        return -1;
    }
    // No handler of this process may run in the child while it shares our memory.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = __clone(
        run_child, stack + stack_size, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, spawn, &spawn->pidfd);
    if (pid < 0) {
        spawn->error = errno;
        spawn->stage = "clone";
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    munmap(stack, stack_size);
    if (pid >= 0 && spawn->error) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        close(spawn->pidfd);
        spawn->pidfd = -1;
    }
    return spawn->error ? -1 : pid;
}

int clinux_parent_death_signal(void) {
    int signal = 0;
    return prctl(PR_GET_PDEATHSIG, &signal) < 0 ? -1 : signal;
}

int clinux_request_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

int clinux_pidfd_open(pid_t pid) { return (int)syscall(SYS_pidfd_open, pid, 0); }

int clinux_pidfd_signal(int pidfd, int signal) { return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0); }

int clinux_pidfd_reap(int pidfd, int *code, int *status) {
    siginfo_t info = {0};
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG) < 0) return -1;
    if (info.si_pid == 0) return 0;
    *code = info.si_code;
    *status = info.si_status;
    return 1;
}

int clinux_pipe(int *ends) { return pipe2(ends, O_CLOEXEC); }

int clinux_open(const char *path, int flags, uint32_t mode) { return open(path, flags, (mode_t)mode); }

int clinux_free_bytes(const char *path, int64_t *bytes) {
    struct statvfs volume;
    if (statvfs(path, &volume) < 0) return -1;
    *bytes = (int64_t)volume.f_bavail * (int64_t)volume.f_frsize;
    return 0;
}

char *const *clinux_environment(void) { return environ; }

int clinux_processor_count(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

int clinux_landlock_version(void) {
    return (int)syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
}

int clinux_clock_is_synchronized(void) {
    struct timex state = {0};
    int result = adjtimex(&state);
    return result < 0 ? -1 : result != TIME_ERROR;
}
