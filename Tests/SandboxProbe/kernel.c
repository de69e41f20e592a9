#define _GNU_SOURCE 1
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static long answer(long result) { return result < 0 ? -errno : result; }

// Arguments that the kernel refuses: outside the call answers EFAULT, EINVAL or EBADF, and nothing happens.
static long bpf_load(void) { return answer(syscall(SYS_bpf, 5, NULL, 0)); }
static long bpf_map(void) { return answer(syscall(SYS_bpf, 0, NULL, 4096 * 16)); }
static long perf_open(void) { return answer(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0)); }
static long userfault(void) { return answer(syscall(SYS_userfaultfd, 0x7FFFFFFF)); }
static long io_uring_setup(void) { return answer(syscall(SYS_io_uring_setup, 0, NULL)); }
static long io_uring_enter(void) { return answer(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0)); }
static long io_uring_register(void) { return answer(syscall(SYS_io_uring_register, -1, 0, NULL, 0)); }
static long kexec_load(void) { return answer(syscall(SYS_kexec_load, 0, 0, NULL, ~0ul)); }
static long init_module(void) { return answer(syscall(SYS_init_module, NULL, 0, NULL)); }
static long finit_module(void) { return answer(syscall(SYS_finit_module, -1, NULL, 0)); }
static long delete_module(void) { return answer(syscall(SYS_delete_module, NULL, 0)); }
static long open_by_handle(void) { return answer(syscall(SYS_open_by_handle_at, -1, NULL, 0)); }
static long fanotify(void) { return answer(syscall(SYS_fanotify_init, ~0u, 0)); }
static long quotactl_bad(void) { return answer(syscall(SYS_quotactl, -1, NULL, 0, NULL)); }
static long acct_bad(void) { return answer(syscall(SYS_acct, (char *)1)); }
static long swapon_bad(void) { return answer(syscall(SYS_swapon, (char *)1, 0)); }
static long reboot_bad(void) { return answer(syscall(SYS_reboot, 0, 0, 0, NULL)); }
static long syslog_read(void) { return answer(syscall(SYS_syslog, 3, NULL, 0)); }
static long kcmp_bad(void) { return answer(syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0)); }
static long move_pages_self(void) { return answer(syscall(SYS_move_pages, 0, 0, NULL, NULL, NULL, 0)); }
static long mbind_bad(void) { return answer(syscall(SYS_mbind, 0, 0, 99, NULL, 0, 0)); }
static long clock_set(void) { return answer(syscall(SYS_clock_settime, 99, NULL)); }
static long time_set(void) { return answer(syscall(SYS_settimeofday, (void *)1, NULL)); }
static long adjust_time(void) { return answer(syscall(SYS_adjtimex, NULL)); }
static long modify_ldt_read(void) {
#if defined(__x86_64__)
  char room[64];
  return answer(syscall(SYS_modify_ldt, 0, room, sizeof room));
#else
  return -ENOTSUP;
#endif
}
static long io_privilege(void) {
#if defined(__x86_64__)
  return answer(syscall(SYS_iopl, 9));
#else
  return -ENOTSUP;
#endif
}
static long keyctl_session(void) { return answer(syscall(SYS_keyctl, 0, -3, 0)) >= 0 ? 0 : -errno; }
static long add_key_bad(void) { return answer(syscall(SYS_add_key, NULL, NULL, NULL, 0, 0)); }
static long request_key_bad(void) { return answer(syscall(SYS_request_key, NULL, NULL, NULL, 0)); }

static long ptrace_parent(void) { return answer(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL)); }
static long read_memory(void) {
  char here[8], there[8];
  struct iovec local = {here, 8}, remote = {there, 8};
  return answer(process_vm_readv(getpid(), &local, 1, &remote, 1, 0)) >= 0 ? 0 : -errno;
}
static long getfd(void) {
  int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
  return process < 0 ? -errno : answer(syscall(SYS_pidfd_getfd, process, 0, 0)) >= 0 ? 0 : -errno;
}
static long execute_memory(void) {
  int from = open("/usr/bin/true", O_RDONLY);
  int file = (int)syscall(SYS_memfd_create, "payload", 0);
  if (from < 0 || file < 0) return -errno;
  char part[65536];
  for (ssize_t got; (got = read(from, part, sizeof part)) > 0;)
    if (write(file, part, (size_t)got) != got) return -EIO;
  pid_t child = fork();
  if (child == 0) {
    char *const arguments[] = {(char *)"true", NULL}, *const none[] = {NULL};
    fexecve(file, arguments, none);
    _exit(99);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

static int terminal(void) {
  int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
  if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) return -1;
  setsid();
  int slave = open(ptsname(master), O_RDWR);
  if (slave >= 0) ioctl(slave, TIOCSCTTY, 0);
  return slave;
}
static long on_terminal(unsigned long request, void *argument) {
  int slave = terminal();
  if (slave < 0) return -ENOTTY;
  return answer(syscall(SYS_ioctl, slave, request, argument));
}
static long inject(void) { return on_terminal(TIOCSTI, (void *)"x"); }
static long inject_hidden(void) { return on_terminal((1ul << 32) | TIOCSTI, (void *)"x"); }
static long line_discipline(void) {
  int kind = 0;
  return on_terminal(TIOCSETD, &kind);
}
static long console_select(void) {
  char code = 99;
  return on_terminal(TIOCLINUX, &code);
}
static long window_size(void) {
  struct winsize size = {24, 80, 0, 0};
  return on_terminal(TIOCSWINSZ, &size);
}

const struct attempt kernel_attempts[] = {
    {"bpf-load", bpf_load},
    {"bpf-map", bpf_map},
    {"perf_event_open", perf_open},
    {"userfaultfd", userfault},
    {"io_uring_setup", io_uring_setup},
    {"io_uring_enter", io_uring_enter},
    {"io_uring_register", io_uring_register},
    {"kexec_load", kexec_load},
    {"init_module", init_module},
    {"finit_module", finit_module},
    {"delete_module", delete_module},
    {"open_by_handle_at", open_by_handle},
    {"fanotify_init", fanotify},
    {"quotactl", quotactl_bad},
    {"acct", acct_bad},
    {"swapon", swapon_bad},
    {"reboot", reboot_bad},
    {"syslog", syslog_read},
    {"kcmp", kcmp_bad},
    {"move_pages", move_pages_self},
    {"mbind", mbind_bad},
    {"clock_settime", clock_set},
    {"settimeofday", time_set},
    {"adjtimex", adjust_time},
    {"modify_ldt", modify_ldt_read},
    {"iopl", io_privilege},
    {"keyctl", keyctl_session},
    {"add_key", add_key_bad},
    {"request_key", request_key_bad},
    {"ptrace-parent", ptrace_parent},
    {"process_vm_readv", read_memory},
    {"pidfd_getfd", getfd},
    {"execute-memory", execute_memory},
    {"inject-input", inject},
    {"inject-input-high-bits", inject_hidden},
    {"line-discipline", line_discipline},
    {"console-select", console_select},
    {"window-size", window_size},
    {0, 0},
};
