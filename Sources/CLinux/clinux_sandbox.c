#define _GNU_SOURCE 1
#include "clinux_sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

_Static_assert(O_PATH == 010000000, "O_PATH differs on this architecture");

static int answer(long result) { return result < 0 ? -errno : (int)result; }

int errand_clone(uint64_t namespaces, int *pidfd) {
  struct clone_args arguments;
  memset(&arguments, 0, sizeof arguments);
  arguments.flags = namespaces | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  arguments.pidfd = (uint64_t)(uintptr_t)pidfd;
  arguments.exit_signal = SIGCHLD;
  return answer(syscall(SYS_clone3, &arguments, sizeof arguments));
}

int errand_fork(void) { return answer(fork()); }
int errand_unshare(uint64_t namespaces) { return answer(syscall(SYS_unshare, namespaces)); }
int errand_setns(int descriptor, uint64_t kind) { return answer(syscall(SYS_setns, descriptor, kind)); }

int errand_pidfd_kill(int pidfd, int signal) {
  return answer(syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0));
}

int errand_reap(int pidfd, int *exited, int *status) {
  siginfo_t info;
  memset(&info, 0, sizeof info);
  if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL) < 0) return -errno;
  if (info.si_pid == 0) return -EAGAIN;
  *exited = info.si_code == CLD_EXITED;
  *status = info.si_status;
  return 0;
}

int errand_clone_tree(int directory, const char *path, uint64_t attributes, int recursive) {
  struct mount_attr wanted = {.attr_set = attributes, .propagation = MS_PRIVATE};
  unsigned depth = recursive ? AT_RECURSIVE : 0;
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | depth;
  long tree = syscall(SYS_open_tree_attr, directory, path, flags, &wanted, sizeof wanted);
  if (tree >= 0 || errno != ENOSYS) return answer(tree);
  tree = syscall(SYS_open_tree, directory, path, flags);
  if (tree < 0) return -errno;
  if (syscall(SYS_mount_setattr, (int)tree, "", AT_EMPTY_PATH | depth, &wanted, sizeof wanted) == 0) return (int)tree;
  int failure = -errno;
  close((int)tree);
  return failure;
}

int errand_new_mount(const char *type, const char *const *keys_and_values, uint64_t attributes) {
  int context = (int)syscall(SYS_fsopen, type, 1 /* FSOPEN_CLOEXEC */);
  if (context < 0) return -errno;
  long result = 0;
  for (size_t i = 0; result == 0 && keys_and_values[i] != NULL; i += 2)
    result = syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, keys_and_values[i], keys_and_values[i + 1], 0);
  if (result == 0) result = syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (result == 0) result = syscall(SYS_fsmount, context, 1 /* FSMOUNT_CLOEXEC */, attributes);
  int value = answer(result);
  close(context);
  return value;
}

int errand_attach(int mount, int directory, const char *path) {
  unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (path[0] == 0 ? MOVE_MOUNT_T_EMPTY_PATH : 0);
  return answer(syscall(SYS_move_mount, mount, "", directory, path, flags));
}

int errand_set_attributes(int directory, const char *path, uint64_t attributes) {
  struct mount_attr wanted = {.attr_set = attributes};
  return answer(syscall(SYS_mount_setattr, directory, path, AT_EMPTY_PATH, &wanted, sizeof wanted));
}

int errand_make_private(void) { return answer(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)); }

int errand_pivot_here(void) {
  if (syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
  if (umount2(".", MNT_DETACH) < 0) return -errno;
  return answer(chdir("/"));
}

int errand_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
  struct open_how how = {.flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve};
  return answer(syscall(SYS_openat2, directory, path, &how, sizeof how));
}

int errand_open_beneath(int directory, const char *path, uint64_t flags) {
  uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  return errand_openat2(directory, path, flags, 0, resolve);
}

int errand_device(int directory, const char *name, unsigned mode, unsigned major, unsigned minor) {
  if (mknodat(directory, name, S_IFCHR | mode, makedev(major, minor)) < 0) return -errno;
  return answer(fchmodat(directory, name, mode, 0));
}

int errand_seal(int memfd) {
  return answer(fcntl(memfd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE));
}

int errand_anonymous_file(const char *name) { return answer(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING)); }

int errand_child_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  if (sigprocmask(SIG_BLOCK, &set, NULL) < 0) return -errno;
  return answer(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int errand_close_range(unsigned first, unsigned last) { return answer(syscall(SYS_close_range, first, last, 0)); }

long errand_read_names(int directory, char *names, size_t room, int *ended) {
  char records[16384];
  long held = syscall(SYS_getdents64, directory, records, room < sizeof records ? room : sizeof records);
  *ended = held <= 0;
  if (held < 0) return -errno;
  size_t used = 0;
  for (long at = 0; at < held;) {
    struct dirent64 *entry = (struct dirent64 *)(records + at);
    at += entry->d_reclen;
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    size_t length = strlen(entry->d_name) + 1;
    memcpy(names + used, entry->d_name, length);
    used += length;
  }
  return (long)used;
}
