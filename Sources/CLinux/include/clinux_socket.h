// Descriptors over a Unix socket: SCM_RIGHTS needs the CMSG macros.
#pragma once
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

/// Accepts a connection, non-blocking and close-on-exec; the descriptor, or -1 with errno.
int clinux_accept(int socket, struct sockaddr *address, socklen_t *length);

/// The most descriptors one message carries here; the kernel's own limit is 253.
#define CLINUX_MAX_DESCRIPTORS 64

/// Sends one message with descriptors; the byte count, or -1 with errno.
ssize_t clinux_send_descriptors(int socket, const void *bytes, size_t count, const int *descriptors, int descriptor_count);

/// Receives one message, its descriptors close-on-exec; `flags` tells MSG_TRUNC and MSG_CTRUNC.
ssize_t clinux_receive_descriptors(int socket, void *bytes, size_t capacity, int *descriptors, int *descriptor_count, int *flags);
