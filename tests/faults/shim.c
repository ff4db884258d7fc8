#include "shim.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SHIM_NAME(name) #name,
const char *const call_names[CALLS] = {SHIM_CALLS(SHIM_NAME)};

static struct {
  pthread_t ours;
  fault fault;
  bool is_armed;
  atomic_uint counts[2][CALLS];
  atomic_bool has_failed;
  double ahead[2];
} shim;

void shim_start(const fault *f)
{
  shim.is_armed = false;
  shim.ours = pthread_self();
  shim.has_failed = false;
  for (int i = 0; i < CALLS; i++) shim.counts[0][i] = shim.counts[1][i] = 0;
  if (f != NULL) shim.fault = *f;
  shim.is_armed = f != NULL;
}

unsigned shim_count(enum call call, bool is_helpers)
{
  return shim.counts[is_helpers][call];
}

bool shim_has_failed(void)
{
  return shim.has_failed;
}

void shim_set_clocks(double real, double monotonic)
{
  shim.ahead[0] = real;
  shim.ahead[1] = monotonic;
}

enum { WORKS = -1, SHORT = 0 };

/* What happens to this call: an error number, WORKS or SHORT. */
static int fate(enum call call)
{
  const fault *f = &shim.fault;
  bool is_helpers = !pthread_equal(pthread_self(), shim.ours);
  unsigned number = atomic_fetch_add(&shim.counts[is_helpers][call], 1) + 1;
  if (!shim.is_armed || f->call != call || f->is_helpers != is_helpers) return WORKS;
  if (f->every > 0 ? number % f->every != 0 : number != f->number) return WORKS;
  shim.has_failed = true;
  return f->error;
}

#define FAIL(call, failure)                                                                        \
  do {                                                                                             \
    int fate_ = fate(CALL_##call);                                                                 \
    if (fate_ > 0) {                                                                               \
      errno = fate_;                                                                               \
      return failure;                                                                              \
    }                                                                                              \
  } while (0)

/* ---- memory ------------------------------------------------------------------------------- */

void *fault_malloc(size_t size)
{
  FAIL(malloc, NULL);
  return malloc(size);
}

void *fault_calloc(size_t count, size_t size)
{
  FAIL(calloc, NULL);
  return calloc(count, size);
}

void *fault_realloc(void *old, size_t size)
{
  FAIL(realloc, NULL);
  return realloc(old, size);
}

void *fault_libev_realloc(void *old, size_t size)
{
  FAIL(libev_realloc, NULL);
  return realloc(old, size);
}

char *fault_strdup(const char *text)
{
  FAIL(strdup, NULL);
  return strdup(text);
}

char *fault_realpath(const char *path, char *to)
{
  FAIL(realpath, NULL);
  return realpath(path, to);
}

int fault_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                      struct addrinfo **list)
{
  FAIL(getaddrinfo, EAI_MEMORY);
  return getaddrinfo(host, service, hints, list);
}

int fault_pthread_create(pthread_t *thread, const pthread_attr_t *how, void *(*run)(void *),
                         void *argument)
{
  FAIL(pthread_create, EAGAIN);
  return pthread_create(thread, how, run, argument);
}

/* ---- descriptors -------------------------------------------------------------------------- */

int fault_socket(int family, int type, int protocol)
{
  FAIL(socket, -1);
  return socket(family, type, protocol);
}

int fault_socketpair(int family, int type, int protocol, int fds[2])
{
  FAIL(socketpair, -1);
  return socketpair(family, type, protocol, fds);
}

int fault_bind(int fd, const struct sockaddr *where, socklen_t size)
{
  FAIL(bind, -1);
  return bind(fd, where, size);
}

int fault_listen(int fd, int backlog)
{
  FAIL(listen, -1);
  return listen(fd, backlog);
}

int fault_connect(int fd, const struct sockaddr *where, socklen_t size)
{
  FAIL(connect, -1);
  return connect(fd, where, size);
}

int fault_epoll_create1(int flags)
{
  FAIL(epoll_create1, -1);
  return epoll_create1(flags);
}

int fault_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
  FAIL(epoll_ctl, -1);
  return epoll_ctl(epoll, what, fd, event);
}

int fault_shutdown(int fd, int how)
{
  FAIL(shutdown, -1);
  return shutdown(fd, how);
}

int fault_accept4(int fd, struct sockaddr *peer, socklen_t *size, int flags)
{
  FAIL(accept4, -1);
  return accept4(fd, peer, size, flags);
}

/* ---- waiting and moving ------------------------------------------------------------------- */

/* How many octets to transfer: just the first one if the transfer is to be short. */
#define TRANSFER(call, size, failure)                                                              \
  do {                                                                                             \
    int fate_ = fate(CALL_##call);                                                                 \
    if (fate_ > 0) {                                                                               \
      errno = fate_;                                                                               \
      return failure;                                                                              \
    }                                                                                              \
    if (fate_ == SHORT && size > 1) size = 1;                                                      \
  } while (0)

int fault_gate_ctl(int epoll, int what, int fd, struct epoll_event *event)
{
  FAIL(gate_ctl, -1);
  return epoll_ctl(epoll, what, fd, event);
}

int fault_epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
  TRANSFER(epoll_wait, most, -1);
  return epoll_wait(epoll, events, most, timeout);
}

int fault_poll(struct pollfd *fds, nfds_t count, int timeout)
{
  FAIL(poll, -1);
  return poll(fds, count, timeout);
}

ssize_t fault_recv(int fd, void *to, size_t size, int flags)
{
  TRANSFER(recv, size, -1);
  return recv(fd, to, size, flags);
}

ssize_t fault_read(int fd, void *to, size_t size)
{
  TRANSFER(read, size, -1);
  return read(fd, to, size);
}

ssize_t fault_pread(int fd, void *to, size_t size, off_t from)
{
  TRANSFER(pread, size, -1);
  return pread(fd, to, size, from);
}

ssize_t fault_sendfile(int to, int fd, off_t *from, size_t size)
{
  TRANSFER(sendfile, size, -1);
  return sendfile(to, fd, from, size);
}

ssize_t fault_send(int fd, const void *from, size_t size, int flags)
{
  TRANSFER(send, size, -1);
  return send(fd, from, size, flags);
}

ssize_t fault_sendmsg(int fd, const struct msghdr *message, int flags)
{
  size_t most = SIZE_MAX;
  TRANSFER(sendmsg, most, -1);
  if (most == SIZE_MAX) return sendmsg(fd, message, flags);
  struct iovec first = {0};
  for (size_t i = 0; i < message->msg_iovlen && first.iov_len == 0; i++)
    first = message->msg_iov[i];
  first.iov_len = first.iov_len > 0;
  return sendmsg(fd, &(struct msghdr){.msg_iov = &first, .msg_iovlen = 1}, flags);
}

/* Replaces the library's own function, whose calls would be counted among the others. */
ssize_t fault_wake_send(int fd, const struct iovec *parts, size_t count, bool more)
{
  FAIL(wake_send, -1);
  (void)more;
  return sendmsg(fd, &(struct msghdr){.msg_iov = (struct iovec *)parts, .msg_iovlen = count},
                 MSG_NOSIGNAL);
}

int fault_clock_gettime(clockid_t which, struct timespec *now)
{
  int refused = clock_gettime(which, now);
  double seconds = (double)now->tv_sec + shim.ahead[which != CLOCK_REALTIME];
  now->tv_sec = (time_t)seconds;
  now->tv_nsec += (long)((seconds - (double)now->tv_sec) * 1e9);
  if (now->tv_nsec >= 1000000000) {
    now->tv_sec++;
    now->tv_nsec -= 1000000000;
  }
  return refused;
}
