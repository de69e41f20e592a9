// What a hostile program tries. Each attempt runs in a process of its own and answers a result or -errno.
#pragma once

struct attempt {
  const char *name;
  long (*run)(void);
};

extern const struct attempt privilege_attempts[];
extern const struct attempt kernel_attempts[];
extern const struct attempt reach_attempts[];
