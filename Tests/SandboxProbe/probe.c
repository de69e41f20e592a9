// Runs the attempts named on the command line and prints one line each: name, result or signal, errno.
#define _GNU_SOURCE 1
#include "attempts.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct attempt *find(const char *name) {
  const struct attempt *const tables[] = {privilege_attempts, kernel_attempts, reach_attempts};
  for (int i = 0; i < 3; i++)
    for (const struct attempt *entry = tables[i]; entry->name != NULL; entry++)
      if (strcmp(entry->name, name) == 0) return entry;
  return NULL;
}

int main(int count, char **names) {
  for (int i = 1; i < count; i++) {
    const struct attempt *entry = find(names[i]);
    if (entry == NULL) {
      fprintf(stderr, "unknown attempt %s\n", names[i]);
      return 2;
    }
    int ends[2];
    if (pipe(ends) < 0) return 3;
    pid_t child = fork();
    if (child < 0) return 3;
    if (child == 0) {
      long result = entry->run();
      if (write(ends[1], &result, sizeof result) != sizeof result) _exit(3);
      _exit(0);
    }
    close(ends[1]);
    long result = 0;
    int status = 0;
    ssize_t held = read(ends[0], &result, sizeof result);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (held != sizeof result && WIFSIGNALED(status)) printf("%s signal %d\n", entry->name, WTERMSIG(status));
    else if (held != sizeof result) printf("%s lost 0\n", entry->name);
    else if (result < 0) printf("%s errno %ld\n", entry->name, -result);
    else printf("%s ok %ld\n", entry->name, result);
  }
  return 0;
}
