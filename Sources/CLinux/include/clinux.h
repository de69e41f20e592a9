// Admission rule: only what Glibc's Swift module omits (constants, macros, variadics, raw system calls). No logic.
#pragma once
#define _GNU_SOURCE 1
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
