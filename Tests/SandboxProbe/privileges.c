#define _GNU_SOURCE 1
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long answer(long result) { return result < 0 ? -errno : result; }

static long unshare_user(void) { return answer(unshare(CLONE_NEWUSER)); }
static long unshare_mount(void) { return answer(unshare(CLONE_NEWNS)); }
static long unshare_net(void) { return answer(unshare(CLONE_NEWNET)); }
static long unshare_pid(void) { return answer(unshare(CLONE_NEWPID)); }
static long unshare_time(void) { return answer(unshare(0x80)); }
static long unshare_cgroup(void) { return answer(unshare(CLONE_NEWCGROUP)); }
static long unshare_uts(void) { return answer(unshare(CLONE_NEWUTS)); }
static long unshare_ipc(void) { return answer(unshare(CLONE_NEWIPC)); }

static long clone_with(unsigned long flags) {
  long pid = syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);
  if (pid == 0) _exit(0);
  if (pid < 0) return -errno;
  waitpid((pid_t)pid, NULL, 0);
  return 0;
}
static long clone_user(void) { return clone_with(CLONE_NEWUSER); }
static long clone_net(void) { return clone_with(CLONE_NEWNET); }
static long clone_plain(void) { return clone_with(0); }
static long clone3_empty(void) { return answer(syscall(SYS_clone3, NULL, 0)); }

static void *nothing(void *value) { return value; }
static long thread(void) {
  pthread_t thread;
  int failure = pthread_create(&thread, NULL, nothing, NULL);
  if (failure != 0) return -failure;
  return -pthread_join(thread, NULL);
}

static long setns_net(void) {
  int fd = open("/proc/self/ns/net", O_RDONLY);
  return fd < 0 ? -errno : answer(setns(fd, CLONE_NEWNET));
}
static long setns_pidfd(void) {
  int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
  return fd < 0 ? -errno : answer(setns(fd, CLONE_NEWUTS));
}

// Outside, in a mount namespace of the attempt's own: nothing that it does is seen by the machine.
static void private_mounts(void) {
  if (unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0) return;
  if (geteuid() == 0) _exit(3);  // a privileged attempt never touches the machine's own mounts
}
static long mount_tmpfs(void) {
  private_mounts();
  return answer(mount("tmpfs", "/mnt", "tmpfs", 0, NULL));
}
static long mount_bind(void) {
  private_mounts();
  return answer(mount("/tmp", "/etc", NULL, MS_BIND, NULL));
}
static long umount_proc(void) {
  private_mounts();
  return answer(umount2("/proc", MNT_DETACH));
}
static long remount_root(void) {
  private_mounts();
  return answer(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL));
}
static long pivot(void) {
  private_mounts();
  return answer(syscall(SYS_pivot_root, ".", "."));
}
static long change_root(void) { return answer(chroot("/")); }
static long open_tree_bad(void) { return answer(syscall(SYS_open_tree, -1, "", 0)); }
static long move_mount_bad(void) { return answer(syscall(SYS_move_mount, -1, "", -1, "", 0)); }
static long fsopen_bad(void) { return answer(syscall(SYS_fsopen, NULL, 0)); }
static long fsconfig_bad(void) { return answer(syscall(SYS_fsconfig, -1, 0, NULL, NULL, 0)); }
static long fsmount_bad(void) { return answer(syscall(SYS_fsmount, -1, 0, 0)); }
static long fspick_bad(void) { return answer(syscall(SYS_fspick, -1, "", 0)); }
static long mount_setattr_bad(void) { return answer(syscall(SYS_mount_setattr, -1, "", 0, NULL, 0)); }

static long capset_all(void) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  data[0].effective = data[0].permitted = data[0].inheritable = 1u << CAP_CHOWN;
  return answer(syscall(SYS_capset, &header, data));
}
static long ambient_raise(void) {
  capset_all();
  return answer(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}
static long unset_nnp(void) { return answer(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
static long get_nnp(void) { return answer(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)); }
static long set_securebits(void) { return answer(prctl(PR_SET_SECUREBITS, 0, 0, 0, 0)); }
static long become_root(void) { return answer(syscall(SYS_setresuid, 0, 0, 0)); }
static long join_group(void) {
  gid_t group = 0;
  return answer(syscall(SYS_setgroups, 1, &group));
}

static long interrupt_80(void) {
#if defined(__x86_64__)
  long result;
  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory", "r8", "r9", "r10", "r11");
  return result > 0 ? 0 : result;
#else
  return -ENOTSUP;
#endif
}
static long x32_getpid(void) { return answer(syscall(0x40000000 | 39)); }
static long personality_no_aslr(void) { return answer(personality(ADDR_NO_RANDOMIZE)); }
static long personality_exec(void) { return answer(personality(READ_IMPLIES_EXEC)); }
static long personality_query(void) { return answer(personality(0xFFFFFFFF)) >= 0 ? 0 : -errno; }
static long no_trace(void) { return answer(ptrace(PTRACE_TRACEME, 0, NULL, NULL)); }

const struct attempt privilege_attempts[] = {
    {"unshare-user", unshare_user},
    {"unshare-mount", unshare_mount},
    {"unshare-net", unshare_net},
    {"unshare-pid", unshare_pid},
    {"unshare-time", unshare_time},
    {"unshare-cgroup", unshare_cgroup},
    {"unshare-uts", unshare_uts},
    {"unshare-ipc", unshare_ipc},
    {"clone-user", clone_user},
    {"clone-net", clone_net},
    {"clone-plain", clone_plain},
    {"clone3", clone3_empty},
    {"thread", thread},
    {"setns-net", setns_net},
    {"setns-pidfd", setns_pidfd},
    {"mount-tmpfs", mount_tmpfs},
    {"mount-bind", mount_bind},
    {"umount-proc", umount_proc},
    {"remount", remount_root},
    {"pivot-root", pivot},
    {"chroot", change_root},
    {"open_tree", open_tree_bad},
    {"move_mount", move_mount_bad},
    {"fsopen", fsopen_bad},
    {"fsconfig", fsconfig_bad},
    {"fsmount", fsmount_bad},
    {"fspick", fspick_bad},
    {"mount_setattr", mount_setattr_bad},
    {"capset", capset_all},
    {"ambient-raise", ambient_raise},
    {"unset-no-new-privileges", unset_nnp},
    {"get-no-new-privileges", get_nnp},
    {"securebits", set_securebits},
    {"setuid-root", become_root},
    {"setgroups", join_group},
    {"int-80", interrupt_80},
    {"x32", x32_getpid},
    {"personality-no-aslr", personality_no_aslr},
    {"personality-read-implies-exec", personality_exec},
    {"personality-query", personality_query},
    {"ptrace-traceme", no_trace},
    {0, 0},
};
