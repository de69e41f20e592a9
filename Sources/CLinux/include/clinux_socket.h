// Descriptors over a Unix socket: SCM_RIGHTS needs the CMSG macros. No <sys/socket.h> here: a header included by two
// modules loses its declarations in files that import only one of them.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// Accepts a connection, non-blocking and close-on-exec; the descriptor, or -1 with errno.
int clinux_accept(int socket, void *address, uint32_t *length);

/// The most descriptors one message carries here; the kernel's own limit is 253.
#define CLINUX_MAX_DESCRIPTORS 64

/// Sends one message with descriptors; the byte count, or -1 with errno.
long clinux_send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors, int descriptor_count);

/// Receives one message, its descriptors close-on-exec; `flags` tells MSG_TRUNC and MSG_CTRUNC.
long clinux_receive_descriptors(int socket, void *bytes, size_t capacity, int *descriptors, int *descriptor_count, int *flags);
