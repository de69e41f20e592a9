#define _GNU_SOURCE 1
#include "include/clinux_loop.h"
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <time.h>

static _Thread_local void *thread_value;

void clinux_name_thread(const char *name) { prctl(PR_SET_NAME, name); }

void *clinux_thread_value(void) { return thread_value; }
void clinux_set_thread_value(void *value) { thread_value = value; }

int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds) {
    if (nanoseconds <= 0) return epoll_wait(epoll, events, capacity, nanoseconds == 0 ? 0 : -1);
    struct timespec timeout = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    int count = epoll_pwait2(epoll, events, capacity, &timeout, NULL);
    if (count >= 0 || (errno != ENOSYS && errno != EPERM)) return count;
    int64_t milliseconds = (nanoseconds + 999999) / 1000000;
    return epoll_wait(epoll, events, capacity, milliseconds > INT_MAX ? INT_MAX : (int)milliseconds);
}
