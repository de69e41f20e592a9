#define _GNU_SOURCE 1
#include "clinux_sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 8 };

static int answer(long result) { return result < 0 ? -errno : (int)result; }

int errand_loopback_up(void) {
  int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return -errno;
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo");
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  int result = answer(ioctl(probe, SIOCSIFFLAGS, &request));
  close(probe);
  return result;
}

int errand_listen_loopback(uint16_t port) {
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (listener < 0) return -errno;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int one = 1;
  if (setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
      bind(listener, (struct sockaddr *)&address, sizeof address) == 0 && listen(listener, 128) == 0)
    return listener;
  int failure = -errno;
  close(listener);
  return failure;
}

int errand_pipe(int *ends) { return answer(pipe2(ends, O_CLOEXEC)); }

long errand_send(int socket, const uint8_t *bytes, size_t length, const int *descriptors, size_t count) {
  if (count > MOST_DESCRIPTORS) return -EINVAL;
  union {
    char room[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
    struct cmsghdr align;
  } control;
  memset(&control, 0, sizeof control);
  struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = control.room;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
  }
  ssize_t sent;
  do sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : sent;
}

long errand_receive(int socket, uint8_t *bytes, size_t length, int *descriptors, size_t room, size_t *count) {
  *count = 0;
  if (room > MOST_DESCRIPTORS) return -EINVAL;
  union {
    char room[CMSG_SPACE(sizeof(int) * MOST_DESCRIPTORS)];
    struct cmsghdr align;
  } control;
  struct iovec part = {.iov_base = bytes, .iov_len = length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room};
  message.msg_controllen = sizeof control.room;
  ssize_t got;
  do got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  while (got < 0 && errno == EINTR);
  if (got < 0) return -errno;
  int cut = (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t held = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < held; i++) {
      int descriptor;
      memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof descriptor);
      if (*count < room && !cut) descriptors[(*count)++] = descriptor;
      else close(descriptor), cut = 1;
    }
  }
  if (!cut) return got;
  for (size_t i = 0; i < *count; i++) close(descriptors[i]);
  *count = 0;
  return -EMSGSIZE;
}

static int child_failed(int *slot, int stage) {
  slot[0] = errno;
  slot[1] = stage;
  _exit(127);
}

int errand_spawn(const errand_command *command, int *stage) {
  volatile int failure[2] = {0, 0};
  sigset_t none;
  sigemptyset(&none);
  pid_t pid = vfork();
  if (pid < 0) {
    *stage = 4;
    return -errno;
  }
  if (pid == 0) {
    int *slot = (int *)(uintptr_t)failure;
    setsid();
    int input = command->input >= 0 ? command->input : open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (input < 0 || dup2(input, 0) < 0 || dup2(command->output, 1) < 0 || dup2(command->error, 2) < 0)
      child_failed(slot, 1);
    if (chdir(command->directory) < 0) child_failed(slot, 2);
    syscall(SYS_close_range, 3, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int refused = 0;
    errno = ENOENT;
    for (const char *const *program = command->programs; *program != NULL; program++) {
      execve(*program, command->arguments, command->environment);
      if (errno == EACCES) refused = 1;
      if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) child_failed(slot, 3);
    }
    if (refused) errno = EACCES;
    child_failed(slot, 3);
  }
  if (failure[0] == 0) return pid;
  *stage = failure[1];
  return -failure[0];
}
