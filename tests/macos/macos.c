/* What macos.h declares. Facts of macOS are from its kernel's sources (bsd/kern/uipc_socket.c,
 * uipc_syscalls.c) and manual pages. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
  DESCRIPTORS = 1024,
  SO_NOSIGPIPE = 0x1022,
  SO_NWRITE = 0x1024,
  F_GETPATH = 50,
  PATH_SIZE = 1024
};

/* Which sockets have SO_NOSIGPIPE. Sending on any other whose peer is gone ends the process. */
static bool silent[DESCRIPTORS];

static int opened(int fd)
{
  if (fd >= DESCRIPTORS) abort();
  if (fd >= 0) silent[fd] = false;
  return fd;
}

int macos_socket(int family, int type, int protocol)
{
  return opened(socket(family, type, protocol));
}

int macos_socketpair(int family, int type, int protocol, int fds[2])
{
  if (socketpair(family, type, protocol, fds) < 0) return -1;
  opened(fds[0]);
  opened(fds[1]);
  return 0;
}

int macos_accept(int listener, struct sockaddr *peer, socklen_t *size)
{
  return opened(accept(listener, peer, size));
}

/* No option can be set on a socket that is closed in both directions. */
static bool is_shut(int fd)
{
  struct sockaddr_storage peer;
  socklen_t size = sizeof peer;
  struct pollfd one = {.fd = fd};
  return getpeername(fd, (struct sockaddr *)&peer, &size) == 0 && poll(&one, 1, 0) > 0 &&
         (one.revents & POLLHUP) != 0;
}

int macos_setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
  if (level != SOL_SOCKET || name != SO_NOSIGPIPE) return setsockopt(fd, level, name, value, size);
  if (is_shut(fd)) {
    errno = EINVAL;
    return -1;
  }
  silent[fd] = *(const int *)value != 0;
  return 0;
}

int macos_getsockopt(int fd, int level, int name, void *value, socklen_t *size)
{
  if (level != SOL_SOCKET || name != SO_NWRITE) return getsockopt(fd, level, name, value, size);
  return ioctl(fd, SIOCOUTQ, value);
}

static int signal_flag(int fd)
{
  return fd >= 0 && fd < DESCRIPTORS && silent[fd] ? MSG_NOSIGNAL : 0;
}

ssize_t macos_send(int fd, const void *from, size_t size, int flags)
{
  return send(fd, from, size, flags | signal_flag(fd));
}

ssize_t macos_sendmsg(int fd, const struct msghdr *message, int flags)
{
  return sendmsg(fd, message, flags | signal_flag(fd));
}

/* Tells in `count` what has gone, also when the socket is full: then with EAGAIN. */
int macos_sendfile(int file, int fd, off_t from, off_t *count, void *headers, int flags)
{
  char octets[4096];
  off_t wanted = *count, sent = 0;
  int reason = headers != NULL || flags != 0 ? EINVAL : 0;
  while (reason == 0 && (wanted == 0 || sent < wanted)) {
    off_t rest =
      wanted == 0 || wanted - sent > (off_t)sizeof octets ? (off_t)sizeof octets : wanted - sent;
    ssize_t got = pread(file, octets, (size_t)rest, from + sent);
    if (got == 0) break;
    ssize_t n = got < 0 ? -1 : send(fd, octets, (size_t)got, signal_flag(fd));
    if (n < 0)
      reason = errno;
    else
      sent += n;
  }
  *count = sent;
  errno = reason;
  return reason == 0 ? 0 : -1;
}

static int path_of(int fd, char *path)
{
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t size = readlink(link, path, PATH_SIZE - 1);
  if (size < 0) return -1;
  path[size] = '\0';
  return 0;
}

int macos_fcntl(int fd, int command, ...)
{
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return command == F_GETPATH ? path_of(fd, argument) : fcntl(fd, command, argument);
}

static char **arguments;

/* The C library hands the arguments of main() to whoever runs before it. */
__attribute__((constructor)) static void keep_arguments(int count, char **values)
{
  (void)count;
  arguments = values;
}

char ***macos_argv(void)
{
  return &arguments;
}

int pthread_main_np(void)
{
  return syscall(SYS_gettid) == getpid();
}
