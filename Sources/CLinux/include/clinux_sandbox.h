// Admission rule: raw calls of the sandbox launcher that Glibc's Swift module lacks. No policy; every call answers -errno.
#pragma once
#include <linux/prctl.h>
#include <stddef.h>
#include <stdint.h>

// Namespace flags for errand_clone, errand_unshare and errand_setns.
static const uint64_t ERRAND_NEWNS = 0x00020000, ERRAND_NEWCGROUP = 0x02000000, ERRAND_NEWUTS = 0x04000000,
                      ERRAND_NEWIPC = 0x08000000, ERRAND_NEWUSER = 0x10000000, ERRAND_NEWPID = 0x20000000,
                      ERRAND_NEWNET = 0x40000000, ERRAND_NEWTIME = 0x00000080;
// Mount attributes as in MOUNT_ATTR_*.
static const uint64_t ERRAND_RDONLY = 1, ERRAND_NOSUID = 2, ERRAND_NODEV = 4, ERRAND_NOEXEC = 8;

// Resource limits as in RLIMIT_*, which glibc hides in an enum.
static const int32_t ERRAND_LIMIT_FSIZE = 1, ERRAND_LIMIT_CORE = 4, ERRAND_LIMIT_NPROC = 6, ERRAND_LIMIT_NOFILE = 7,
                     ERRAND_LIMIT_MEMLOCK = 8, ERRAND_LIMIT_SIGPENDING = 11, ERRAND_LIMIT_MSGQUEUE = 12,
                     ERRAND_LIMIT_NICE = 13, ERRAND_LIMIT_RTPRIO = 14;
// An open flag that Glibc's module omits.
static const int32_t ERRAND_O_PATH = 010000000;

// A new process with the given namespaces and no shared memory: 0 in the child, the pid in the parent.
int errand_clone(uint64_t namespaces, int *pidfd);
int errand_fork(void);
int errand_unshare(uint64_t namespaces);
int errand_setns(int descriptor, uint64_t kind);
int errand_pidfd_kill(int pidfd, int signal);
int errand_reap(int pidfd, int *exited, int *status);

// A detached private copy of the mount below (directory, path), with the attributes set on it.
int errand_clone_tree(int directory, const char *path, uint64_t attributes, int recursive);
int errand_new_mount(const char *type, const char *const *keys_and_values, uint64_t attributes);
int errand_attach(int mount, int directory, const char *path);
int errand_set_attributes(int directory, const char *path, uint64_t attributes);
int errand_make_private(void);
int errand_pivot_here(void);
int errand_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int errand_open_beneath(int directory, const char *path, uint64_t flags);
int errand_device(int directory, const char *name, unsigned mode, unsigned major, unsigned minor);

int errand_prctl(int option, unsigned long argument);
int errand_no_new_privileges(void);
int errand_no_groups(void);
int errand_become(unsigned uid, unsigned gid);
int errand_new_keyring(void);
int errand_drop_capabilities(void);
int errand_holds_capability(int capability);
int errand_install_filter(const uint8_t *program, size_t length);
int errand_limit(int resource, uint64_t value);
int errand_landlock_abi(void);

int errand_loopback_up(void);
int errand_listen_loopback(uint16_t port);
int errand_pipe(int *ends);
int errand_anonymous_file(const char *name);
int errand_seal(int memfd);
int errand_child_signals(void);
int errand_close_range(unsigned first, unsigned last);

// SOCK_SEQPACKET messages with descriptors. Receive answers the length (0: the peer has gone), -EMSGSIZE when cut.
long errand_send(int socket, const uint8_t *bytes, size_t length, const int *descriptors, size_t count);
long errand_receive(int socket, uint8_t *bytes, size_t length, int *descriptors, size_t room, size_t *count);

// vfork to execve in one function: nothing of the caller's runtime runs in the child.
typedef struct {
  const char *const *programs;  // candidates in order, null-terminated
  char *const *arguments;
  char *const *environment;
  const char *directory;
  int input, output, error;  // input -1: the sandbox's own /dev/null
} errand_command;
// The pid, or -errno with the failing stage in *stage: 1 stdio, 2 working directory, 3 execve, 4 vfork.
int errand_spawn(const errand_command *command, int *stage);

// The next names of an open directory, each ended by a zero byte, without "." and ".."; 0 at the end. Room: 16 KiB.
long errand_read_names(int directory, char *names, size_t room, int *ended);
