#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "bjoern.h"
#include "failure.h"
#include "file.h"
#include "socket.h"

/* Closes `fd` without losing errno. */
static int failed_closing(char *error, const char *call, int fd)
{
  int result = failure(error, call, errno);
  close(fd);
  return result;
}

static int start_listening(listener *l, int fd, uint32_t backlog, char *error)
{
  if (listen(fd, (int)backlog) < 0) return failed_closing(error, "listen", fd);
  l->fd = fd;
  return 0;
}

static int open_tcp(listener *l, const struct addrinfo *a, uint32_t backlog, bool reuse_port,
                    char *error)
{
  int on = 1, off = 0, fd = socket_open(a->ai_family, SOCK_STREAM);
  if (fd < 0) return failure(error, "socket", errno);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (a->ai_family == AF_INET6)
    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off); /* "::" serves IPv4 as well */
  if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
    return failed_closing(error, "setsockopt(SO_REUSEPORT)", fd);
  socket_keep_alive(fd);
  if (bind(fd, a->ai_addr, a->ai_addrlen) < 0) return failed_closing(error, "bind", fd);
  return start_listening(l, fd, backlog, error);
}

/* The first address of the name that can be bound. */
static int open_name(listener *l, const char *host, uint32_t port, uint32_t backlog,
                     bool reuse_port, char *error)
{
  char service[16];
  struct addrinfo *list,
    hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
  snprintf(service, sizeof service, "%u", port);
  int refused = getaddrinfo(host[0] == '\0' ? NULL : host, service, &hints, &list);
  if (refused != 0) {
    snprintf(error, BJ_ERROR_SIZE, "getaddrinfo: %s", gai_strerror(refused));
    return -ENOENT;
  }
  int result = -ENOENT;
  for (struct addrinfo *a = list; a != NULL && result < 0; a = a->ai_next)
    result = open_tcp(l, a, backlog, reuse_port, error);
  freeaddrinfo(list);
  return result;
}

/* A socket file outlives a server that was killed. Only a refused connection proves that; macOS
 * also refuses while a backlog is full, and there is no telling the two apart. */
static bool is_stale(const struct sockaddr_un *where, socklen_t size)
{
  struct stat file;
  if (stat(where->sun_path, &file) < 0 || !S_ISSOCK(file.st_mode)) return false;
  int fd = socket_open(AF_UNIX, SOCK_STREAM);
  if (fd < 0) return false;
  bool stale = connect(fd, (const struct sockaddr *)where, size) < 0 && errno == ECONNREFUSED;
  close(fd);
  return stale;
}

/* Serialises those who open the same path: a file that is not listened on yet looks stale, and a
 * stale one may be replaced between check and unlink(2). Waits for a second at most, since anybody
 * may hold such a lock. */
static int lock_folder(const char *path)
{
  char folder[sizeof((struct sockaddr_un *)0)->sun_path];
  const char *slash = strrchr(path, '/');
  size_t size = slash == NULL ? 0 : (size_t)(slash - path) + 1;
  memcpy(folder, path, size);
  memcpy(folder + size, ".", 2);
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (int i = 0; fd >= 0 && i < 100 && flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
    if (errno != EWOULDBLOCK && errno != EINTR) break; /* a file system without locks */
    poll(NULL, 0, 10);
  }
  return fd;
}

static int bind_path(int fd, const struct sockaddr_un *where, socklen_t size)
{
  const struct sockaddr *address = (const struct sockaddr *)where;
  if (bind(fd, address, size) == 0) return 0;
  if (errno != EADDRINUSE || where->sun_path[0] == '\0') return -1;
  if (!is_stale(where, size)) {
    errno = EADDRINUSE;
    return -1;
  }
  unlink(where->sun_path);
  return bind(fd, address, size);
}

/* Remembers the socket file by its absolute path: the process may chdir(2). A chmod(2) after
 * bind(2) is not too late: nobody can connect before listen(2). */
static int keep_file(listener *l, const char *path, uint32_t mode)
{
  if (mode != 0 && chmod(path, (mode_t)mode) < 0) return -1;
  l->path = realpath(path, NULL);
  return l->path == NULL ? -1 : stat(path, &l->file);
}

/* Inode numbers are reused, but not with the same mtime. */
static bool is_same(const struct stat *a, const struct stat *b)
{
  struct timespec at = file_time(a), bt = file_time(b);
  return a->st_dev == b->st_dev && a->st_ino == b->st_ino && at.tv_sec == bt.tv_sec &&
         at.tv_nsec == bt.tv_nsec;
}

/* Somebody else may have put another file there. */
static void remove_file(listener *l)
{
  struct stat now;
  if (stat(l->path, &now) == 0 && is_same(&now, &l->file)) unlink(l->path);
  free(l->path);
  l->path = NULL;
}

/* "@name" is an abstract address: a NUL first, no file, Linux only. */
static int open_address(listener *l, const char *path, uint32_t backlog, uint32_t mode, char *error)
{
  struct sockaddr_un where = {.sun_family = AF_UNIX};
  size_t size = strlen(path);
  bool abstract = path[0] == '@';
  if (size == 0 || size >= sizeof where.sun_path)
    return failure(error, "bind", size == 0 ? EINVAL : ENAMETOOLONG);
  if (abstract && !socket_takes_abstract_names())
    return failure(error, "bind: there are no abstract names here", EOPNOTSUPP);
  memcpy(where.sun_path, path, size);
  if (abstract) where.sun_path[0] = '\0';
  int fd = socket_open(AF_UNIX, SOCK_STREAM);
  if (fd < 0) return failure(error, "socket", errno);
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size + !abstract);
  if (bind_path(fd, &where, length) < 0) return failed_closing(error, "bind", fd);
  if (!abstract && keep_file(l, path, mode) < 0) {
    int result = failed_closing(error, "chmod", fd);
    unlink(path);
    return result;
  }
  return start_listening(l, fd, backlog, error);
}

static int open_unix(listener *l, const char *path, uint32_t backlog, uint32_t mode, char *error)
{
  bool has_file = path[0] != '@' && strlen(path) < sizeof((struct sockaddr_un *)0)->sun_path - 1;
  int lock = has_file ? lock_folder(path) : -1;
  int refused = open_address(l, path, backlog, mode, error);
  if (lock >= 0) close(lock);
  return refused;
}

static int check_listening(int fd, char *error)
{
  int listening = 0, type = 0;
  socklen_t size = sizeof listening;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) < 0 ||
      getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
    return failure(error, "getsockopt(SO_ACCEPTCONN)", errno);
  return listening && type == SOCK_STREAM
           ? 0
           : failure(error, "accept: the socket is not listening", EINVAL);
}

/* From 10 up, clear of the descriptors that a process starts with: Deno mixes up that of its IPC
 * channel. */
static int open_duplicate(listener *l, int fd, char *error)
{
  int refused = check_listening(fd, error);
  if (refused != 0) return refused;
  l->fd = fcntl(fd, F_DUPFD_CLOEXEC, 10);
  return l->fd < 0 ? failure(error, "fcntl(F_DUPFD_CLOEXEC)", errno) : 0;
}

int listener_open(listener *l, const char *host, uint32_t port, uint32_t backlog, bool reuse_port,
                  uint32_t mode, char *error)
{
  *l = (listener){.fd = -1, .reserve = -1};
  int refused = strncmp(host, "unix:", 5) == 0 ? open_unix(l, host + 5, backlog, mode, error)
                : strncmp(host, "fd:", 3) == 0
                  ? open_duplicate(l, atoi(host + 3), error)
                  : open_name(l, host, port, backlog, reuse_port, error);
  if (refused != 0) listener_close(l);
  return refused;
}

/* O_NONBLOCK belongs to all processes that share the socket, and any may clear it: Deno does when
 * it hands the socket to a child. accept(2) would then block, and all our clients with it. So the
 * flag is set again before accepting; should it be cleared just then, SO_RCVTIMEO keeps the wait
 * short (on Linux it counts in jiffies). */
void listener_unblock(const listener *l)
{
  if (l->adopted) fcntl(l->fd, F_SETFL, O_RDWR | O_NONBLOCK);
}

int listener_adopt(listener *l, int fd, char *error)
{
  struct timeval short_time = {.tv_usec = 1};
  *l = (listener){.fd = -1, .reserve = -1, .adopted = true};
  int refused = check_listening(fd, error);
  if (refused != 0) return refused;
  if (socket_unblock(fd) < 0) return failure(error, "fcntl(O_NONBLOCK)", errno);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof short_time);
  l->fd = fd;
  return 0;
}

void listener_reserve(listener *l)
{
  if (!l->adopted && l->reserve < 0) l->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void listener_spend_reserve(listener *l)
{
  if (l->reserve >= 0) close(l->reserve);
  l->reserve = -1;
}

void listener_close(listener *l)
{
  listener_spend_reserve(l);
  if (l->path != NULL) remove_file(l);
  if (l->fd >= 0 && !l->adopted) close(l->fd);
  l->fd = -1;
}

static int32_t unix_address(const struct sockaddr_un *where, socklen_t size, char *address)
{
  size_t length = size - offsetof(struct sockaddr_un, sun_path);
  if (size <= offsetof(struct sockaddr_un, sun_path)) length = 0;
  const char *name = where->sun_path;
  bool abstract = length > 0 && name[0] == '\0';
  snprintf(address, BJ_ADDRESS_SIZE, "unix:%s%.*s", abstract ? "@" : "",
           (int)(abstract ? length - 1 : strnlen(name, length)), abstract ? name + 1 : name);
  return 0;
}

void listener_write_ip(const void *ip, char *address)
{
  struct in6_addr in6;
  memcpy(&in6, ip, sizeof in6);
  bool mapped = IN6_IS_ADDR_V4MAPPED(&in6);
  inet_ntop(mapped ? AF_INET : AF_INET6, in6.s6_addr + (mapped ? 12 : 0), address, BJ_ADDRESS_SIZE);
}

int32_t bj_address(int32_t fd, char *address)
{
  union {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
  } where;
  socklen_t size = sizeof where;
  address[0] = '\0';
  if (getsockname(fd, &where.any, &size) < 0) return -1;
  switch (where.any.sa_family) {
  case AF_INET:
    inet_ntop(AF_INET, &where.in.sin_addr, address, BJ_ADDRESS_SIZE);
    return ntohs(where.in.sin_port);
  case AF_INET6:
    listener_write_ip(&where.in6.sin6_addr, address);
    return ntohs(where.in6.sin6_port);
  case AF_UNIX: return unix_address(&where.un, size, address);
  default: return -1;
  }
}

/* ---- those of the caller ------------------------------------------------------------------ */

bj_listener *bj_listener_open(const char *host, uint32_t port, uint32_t backlog,
                              uint32_t reuse_port, uint32_t mode, uint32_t *reason, char *error)
{
  bj_listener *l = malloc(sizeof *l);
  if (l == NULL) {
    *reason = (uint32_t)-failure(error, "malloc", ENOMEM);
    return NULL;
  }
  int refused = listener_open(l, host, port, backlog, reuse_port != 0, mode, error);
  if (refused == 0) return l;
  free(l);
  *reason = (uint32_t)-refused;
  return NULL;
}

int32_t bj_listener_fd(const bj_listener *l)
{
  return l->fd;
}

void bj_listener_close(bj_listener *l)
{
  listener_close(l);
  free(l);
}
