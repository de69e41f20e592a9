// The event loop's calls: epoll with a 64-bit token and nanosecond waits, and one pointer per thread.
#pragma once
#include <stdint.h>
#include <sys/epoll.h>

static inline uint64_t clinux_event_token(const struct epoll_event *event) { return event->data.u64; }
static inline uint32_t clinux_event_flags(const struct epoll_event *event) { return event->events; }

/// Registers a descriptor under a token; 0 or -1 with errno.
static inline int clinux_epoll_add(int epoll, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event);
}

static inline int clinux_epoll_remove(int epoll, int descriptor) {
    struct epoll_event event = {0};
    return epoll_ctl(epoll, EPOLL_CTL_DEL, descriptor, &event);
}

/// Waits with nanosecond resolution (negative: for ever), in milliseconds where the kernel has no epoll_pwait2.
int clinux_epoll_wait(int epoll, struct epoll_event *events, int capacity, int64_t nanoseconds);

/// Names the calling thread; the kernel keeps the first 15 bytes.
void clinux_name_thread(const char *name);

/// The pointer that clinux_set_thread_value stored for this thread, or null.
void *clinux_thread_value(void);
void clinux_set_thread_value(void *value);
