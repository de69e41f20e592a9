#define _GNU_SOURCE 1
#include "attempts.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static long answer(long result) { return result < 0 ? -errno : result; }

static long make(int family, int type, int protocol) { return answer(socket(family, type, protocol)) >= 0 ? 0 : -errno; }
static long local_stream(void) { return make(AF_UNIX, SOCK_STREAM, 0); }
static long local_pair(void) {
  int ends[2];
  return answer(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}
static long pair_inet(void) {
  int ends[2];
  return answer(socketpair(AF_INET, SOCK_STREAM, 0, ends));
}
static long netlink(void) { return make(AF_NETLINK, SOCK_RAW, 0); }
static long packet(void) { return make(AF_PACKET, SOCK_RAW, 0); }
static long vsock(void) { return make(40, SOCK_STREAM, 0); }
static long xdp(void) { return make(44, SOCK_RAW, 0); }
static long raw_socket(void) { return make(AF_INET, SOCK_RAW, IPPROTO_ICMP); }
static long raw_socket_6(void) { return make(AF_INET6, SOCK_RAW, IPPROTO_ICMPV6); }
static long ping_socket(void) { return make(AF_INET, SOCK_DGRAM, IPPROTO_ICMP); }
static long multipath(void) { return make(AF_INET, SOCK_STREAM, 262); }
static long tcp(void) { return make(AF_INET, SOCK_STREAM, 0); }
static long tcp_6(void) { return make(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP); }
static long udp(void) { return make(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_UDP); }

// The families that answer anything but EAFNOSUPPORT, as a bit set.
static long families(void) {
  long seen = 0;
  for (int family = 0; family < 47; family++) {
    for (int type = 1; type < 6; type++) {
      int made = socket(family, type, 0);
      if (made >= 0) {
        seen |= 1l << family;
        close(made);
      }
    }
  }
  return seen;
}

static long connect_to(const char *text, int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  inet_pton(AF_INET, text, &address.sin_addr);
  int stream = socket(AF_INET, SOCK_STREAM, 0);
  return stream < 0 ? -errno : answer(connect(stream, (struct sockaddr *)&address, sizeof address));
}
static long documentation_address(void) { return connect_to("192.0.2.1", 9); }
static long metadata_address(void) { return connect_to("169.254.169.254", 80); }

static long open_path(const char *path, int flags) { return answer(open(path, flags, 0600)) >= 0 ? 0 : -errno; }
static long read_shadow(void) { return open_path("/etc/shadow", O_RDONLY); }
static long read_root_home(void) { return open_path("/root/.profile", O_RDONLY); }
static long read_host_release(void) { return open_path("/etc/debian_version", O_RDONLY); }
static long init_root(void) { return open_path("/proc/1/root", O_RDONLY); }
static long init_environment(void) { return open_path("/proc/1/environ", O_RDONLY); }
static long init_descriptors(void) { return open_path("/proc/1/fd", O_RDONLY); }
static long init_memory(void) { return open_path("/proc/1/mem", O_RDWR); }
static long tun(void) { return open_path("/dev/net/tun", O_RDWR); }
static long kvm(void) { return open_path("/dev/kvm", O_RDWR); }
static long sys_tree(void) { return open_path("/sys/kernel", O_RDONLY); }
static long cgroup_tree(void) { return open_path("/sys/fs/cgroup", O_RDONLY); }
static long write_usr(void) { return open_path("/usr/errand-probe", O_WRONLY | O_CREAT); }
static long write_etc(void) { return open_path("/etc/errand-probe", O_WRONLY | O_CREAT); }
static long write_root(void) { return open_path("/errand-probe", O_WRONLY | O_CREAT); }
static long write_dev(void) { return open_path("/dev/errand-probe", O_WRONLY | O_CREAT); }
static long write_here(void) { return open_path("errand-probe", O_WRONLY | O_CREAT); }
static long write_core_pattern(void) { return open_path("/proc/sys/kernel/core_pattern", O_WRONLY); }
static long write_hostname(void) { return open_path("/proc/sys/kernel/hostname", O_WRONLY); }
static long write_forwarding(void) { return open_path("/proc/sys/net/ipv4/ip_forward", O_WRONLY); }
static long write_userns_limit(void) { return open_path("/proc/sys/user/max_user_namespaces", O_WRONLY); }
static long reopen_program(void) { return open_path("/proc/self/exe", O_RDWR); }
static long link_program(void) { return answer(linkat(AT_FDCWD, "/usr/bin/env", AT_FDCWD, "linked", 0)); }
static long make_device(void) { return answer(mknod("device", S_IFCHR | 0666, 0x0103)); }
static long make_fifo(void) { return answer(mkfifo("fifo", 0600)); }
static long kernel_symbols(void) {
  char first[32];
  int file = open("/proc/kallsyms", O_RDONLY);
  return file < 0 ? -errno : answer(read(file, first, sizeof first));
}

static long kill_init(void) {
  long result = answer(kill(1, SIGKILL));
  return kill(1, 0) == 0 ? result : -errno;
}
static long raise_priority(void) { return answer(setpriority(PRIO_PROCESS, 0, -10)); }
static long raise_files(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return -errno;
  limit.rlim_max += 1;
  return answer(setrlimit(RLIMIT_NOFILE, &limit));
}

const struct attempt reach_attempts[] = {
    {"socket-local", local_stream},
    {"socketpair-local", local_pair},
    {"socketpair-inet", pair_inet},
    {"socket-netlink", netlink},
    {"socket-packet", packet},
    {"socket-vsock", vsock},
    {"socket-xdp", xdp},
    {"socket-raw", raw_socket},
    {"socket-raw-6", raw_socket_6},
    {"socket-ping", ping_socket},
    {"socket-multipath", multipath},
    {"socket-tcp", tcp},
    {"socket-tcp-6", tcp_6},
    {"socket-udp", udp},
    {"socket-families", families},
    {"connect-documentation", documentation_address},
    {"connect-metadata", metadata_address},
    {"read-shadow", read_shadow},
    {"read-root-home", read_root_home},
    {"read-host-release", read_host_release},
    {"init-root", init_root},
    {"init-environment", init_environment},
    {"init-descriptors", init_descriptors},
    {"init-memory", init_memory},
    {"open-tun", tun},
    {"open-kvm", kvm},
    {"open-sys", sys_tree},
    {"open-cgroup", cgroup_tree},
    {"write-usr", write_usr},
    {"write-etc", write_etc},
    {"write-root", write_root},
    {"write-dev", write_dev},
    {"write-here", write_here},
    {"write-core-pattern", write_core_pattern},
    {"write-hostname", write_hostname},
    {"write-forwarding", write_forwarding},
    {"write-userns-limit", write_userns_limit},
    {"reopen-program", reopen_program},
    {"link-program", link_program},
    {"make-device", make_device},
    {"make-fifo", make_fifo},
    {"kernel-symbols", kernel_symbols},
    {"kill-init", kill_init},
    {"raise-priority", raise_priority},
    {"raise-file-limit", raise_files},
    {0, 0},
};
