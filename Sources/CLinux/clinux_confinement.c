#define _GNU_SOURCE 1
#include "clinux_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

_Static_assert(RLIMIT_CORE == 4 && RLIMIT_NPROC == 6 && RLIMIT_NOFILE == 7 && RLIMIT_MEMLOCK == 8 &&
                   RLIMIT_SIGPENDING == 11 && RLIMIT_MSGQUEUE == 12 && RLIMIT_NICE == 13 && RLIMIT_RTPRIO == 14,
               "resource limits differ on this architecture");

static int answer(long result) { return result < 0 ? -errno : (int)result; }

int errand_prctl(int option, unsigned long argument) { return answer(prctl(option, argument, 0, 0, 0)); }
int errand_no_new_privileges(void) { return answer(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); }
int errand_no_groups(void) { return answer(syscall(SYS_setgroups, 0, NULL)); }
int errand_new_keyring(void) { return answer(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL)) < 0 ? -errno : 0; }

// Raw calls: the process has one thread, so that glibc's broadcast to all threads is not wanted.
int errand_become(unsigned uid, unsigned gid) {
  if (syscall(SYS_setresgid, gid, gid, gid) < 0) return -errno;
  return answer(syscall(SYS_setresuid, uid, uid, uid));
}

// The bounding set goes first, as dropping from it needs CAP_SETPCAP; the loop ends at the kernel's last capability.
int errand_drop_capabilities(void) {
  for (unsigned long capability = 0; capability < 64; capability++) {
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) < 0) break;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -errno;
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return -errno;
  unsigned long bits = SECURE_ALL_BITS | SECURE_ALL_LOCKS;
  bits &= ~(unsigned long)issecure_mask(SECURE_KEEP_CAPS);
  if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0) return -errno;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2];
  memset(none, 0, sizeof none);
  return answer(syscall(SYS_capset, &header, none));
}

int errand_holds_capability(int capability) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct data[2];
  if (syscall(SYS_capget, &header, data) < 0) return -errno;
  return (data[capability / 32].effective >> (capability % 32)) & 1;
}

int errand_install_filter(const uint8_t *program, size_t length) {
  struct sock_fprog filter = {
      .len = (unsigned short)(length / sizeof(struct sock_filter)),
      .filter = (struct sock_filter *)(uintptr_t)program,
  };
  return answer(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter));
}

int errand_limit(int resource, uint64_t value) {
  struct rlimit limit = {.rlim_cur = value, .rlim_max = value};
  return answer(setrlimit(resource, &limit));
}

int errand_landlock_abi(void) {
  return answer(syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION));
}
