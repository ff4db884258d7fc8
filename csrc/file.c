#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/sendfile.h>
#else
#include <sys/socket.h>
#endif

#include "bjoern.h"
#include "failure.h"
#include "socket.h"

/* ---- opening ---------------------------------------------------------------------------- */

struct timespec file_time(const struct stat *s)
{
#if defined(__APPLE__)
  return s->st_mtimespec;
#else
  return s->st_mtim;
#endif
}

/* Only a regular file has a known size and never keeps a reader waiting. */
static int check(int fd, double *facts, char *error)
{
  struct stat s;
  int reason = fstat(fd, &s) < 0     ? errno
               : S_ISDIR(s.st_mode)  ? EISDIR
               : !S_ISREG(s.st_mode) ? EINVAL
                                     : 0;
  if (reason != 0) {
    close(fd);
    return failure(error, reason == EINVAL ? "fstat: not a regular file" : "fstat", reason);
  }
  facts[0] = (double)s.st_size;
  struct timespec changed = file_time(&s);
  facts[1] = (double)changed.tv_sec * 1e3 + (double)changed.tv_nsec / 1e6;
  facts[2] = (double)lseek(fd, 0, SEEK_CUR);
  return fd;
}

/* By the descriptor: the path's links may have changed since it was opened. */
static void find(int fd, char *real_path)
{
  real_path[0] = '\0';
#if defined(__APPLE__)
  if (fcntl(fd, F_GETPATH, real_path) < 0) real_path[0] = '\0';
#else
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, real_path, BJ_PATH_SIZE - 1);
  real_path[size < 0 ? 0 : size] = '\0';
#endif
}

int32_t bj_file_open(const char *path, double *facts, char *real_path, char *error)
{
  /* O_NONBLOCK: opening a FIFO would wait for its writer. */
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return failure(error, "open", errno);
  find(fd, real_path);
  return check(fd, facts, error);
}

int32_t bj_file_adopt(int32_t fd, double *facts, char *error)
{
  int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return own < 0 ? failure(error, "fcntl(F_DUPFD_CLOEXEC)", errno) : check(own, facts, error);
}

void file_close(file *f)
{
  if (f->fd >= 0) close(f->fd);
  f->fd = -1;
}

void bj_file_close(int32_t fd)
{
  file_close(&(file){.fd = fd});
}

/* ---- moving ----------------------------------------------------------------------------- */

ssize_t file_read(file *f, char *to, size_t size)
{
  size_t got = 0;
  while (got < size) {
    ssize_t n = pread(f->fd, to + got, size - got, (off_t)f->from);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += (size_t)n;
    f->from += (uint64_t)n;
  }
  return (ssize_t)got;
}

int32_t bj_file_read(int32_t fd, char *to, uint32_t size, uint32_t offset_low, uint32_t offset_high)
{
  file f = {.fd = fd, .from = (uint64_t)offset_high << 32 | offset_low};
  ssize_t n = file_read(&f, to, size < INT32_MAX ? size : INT32_MAX);
  return n < 0 ? -errno : (int32_t)n;
}

/* For systems and file systems without sendfile(2). What the socket does not take is read again. */
static ssize_t copy(const file *f, int socket, size_t size)
{
  char octets[16384];
  ssize_t n = pread(f->fd, octets, size < sizeof octets ? size : sizeof octets, (off_t)f->from);
  if (n <= 0) return n;
  struct iovec span = {octets, (size_t)n};
  return socket_send(socket, &span, 1, false);
}

/* The system's sendfile(2). */
static ssize_t transfer(const file *f, int socket, size_t size)
{
#if defined(__linux__)
  off_t from = (off_t)f->from;
  return sendfile(socket, f->fd, &from, size);
#elif defined(__APPLE__)
  off_t count = (off_t)size;
  int refused = sendfile(f->fd, socket, (off_t)f->from, &count, NULL, 0);
  return refused < 0 && count == 0 ? -1 : (ssize_t)count;
#else
  (void)f, (void)socket, (void)size;
  errno = ENOSYS;
  return -1;
#endif
}

static bool is_unsupported(int error)
{
  return error == EINVAL || error == ENOSYS || error == ENOTSUP || error == EOPNOTSUPP;
}

ssize_t file_send(file *f, int socket, size_t size)
{
  ssize_t n = transfer(f, socket, size);
  if (n < 0 && is_unsupported(errno)) n = copy(f, socket, size);
  if (n > 0) f->from += (uint64_t)n;
  return n;
}
