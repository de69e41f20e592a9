// Admission rule: only what Glibc's Swift module omits (constants, macros, variadics, raw system calls, thread
// locals) and what no Swift may run (between clone and exec). One header per topic.
#pragma once
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include "clinux_loop.h"
#include "clinux_process.h"
#include "clinux_socket.h"
