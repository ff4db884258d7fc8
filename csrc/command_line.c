/* How this process was started: Deno does not tell, and lets only processes with all permissions
 * read /proc. */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bjoern.h"

#if defined(__APPLE__)
#include <crt_externs.h>

int32_t bj_command_line(char *to, uint32_t size)
{
  uint32_t used = 0;
  for (char **argument = *_NSGetArgv(); *argument != NULL; argument++) {
    size_t length = strlen(*argument) + 1;
    if (length > size - used) return -ERANGE;
    memcpy(to + used, *argument, length);
    used += (uint32_t)length;
  }
  return (int32_t)used;
}

#else

int32_t bj_command_line(char *to, uint32_t size)
{
  int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -errno;
  uint32_t used = 0;
  ssize_t n = 0;
  while (used < size && (n = read(fd, to + used, size - used)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) break;
    used += (uint32_t)n;
  }
  int reason = n < 0 ? errno : ERANGE;
  close(fd);
  return n < 0 || used == size ? -reason : (int32_t)used;
}

#endif
