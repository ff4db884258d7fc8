#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <unistd.h>

size_t socket_unread(int fd)
{
  int size = 0;
  return ioctl(fd, FIONREAD, &size) == 0 ? (size_t)size : 0;
}

#if defined(__linux__)

#include <linux/sockios.h>

int socket_open(int family, int type)
{
  return socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

int socket_pair(int fds[2])
{
  return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds);
}

static int accept_prepared(int listener, struct sockaddr *peer, socklen_t *size)
{
  return accept4(listener, peer, size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

size_t socket_unsent(int fd)
{
  int size = 0;
  return ioctl(fd, SIOCOUTQ, &size) == 0 ? (size_t)size : 0;
}

enum socket_peer socket_peer(int fd)
{
  struct pollfd it = {.fd = fd, .events = POLLRDHUP};
  if (poll(&it, 1, 0) <= 0) return PEER_THERE;
  /* A Unix socket hangs up at once, even with bytes left to read. */
  bool is_gone =
    (it.revents & POLLERR) != 0 || ((it.revents & POLLHUP) != 0 && socket_unread(fd) == 0);
  return is_gone ? PEER_GONE : PEER_ENDED;
}

bool socket_takes_abstract_names(void)
{
  return true;
}

bool socket_wait(struct pollfd *fds, nfds_t count, uint32_t micros)
{
  struct timespec most = {micros / 1000000, micros % 1000000 * 1000L};
  return ppoll(fds, count, &most, NULL) > 0;
}

enum { SEND_FLAGS = MSG_NOSIGNAL, SEND_MORE = MSG_MORE, TCP_IDLE = TCP_KEEPIDLE };

#else

static int prepare(int fd)
{
  int on = 1;
  if (fd < 0) return -1;
  if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 ||
      setsockopt(fd, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

int socket_open(int family, int type)
{
  return prepare(socket(family, type, 0));
}

int socket_pair(int fds[2])
{
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0) return -1;
  if (prepare(fds[0]) < 0) {
    close(fds[1]);
    return -1;
  }
  if (prepare(fds[1]) < 0) {
    close(fds[0]);
    return -1;
  }
  return 0;
}

/* On macOS setsockopt(2) fails once the peer has gone. */
static int accept_prepared(int listener, struct sockaddr *peer, socklen_t *size)
{
  int fd = accept(listener, peer, size);
  if (fd < 0 || prepare(fd) >= 0) return fd;
  if (errno == EINVAL) errno = ECONNABORTED;
  return -1;
}

bool socket_takes_abstract_names(void)
{
  return false;
}

size_t socket_unsent(int fd)
{
  int size = 0;
  socklen_t room = sizeof size;
  return getsockopt(fd, SOL_SOCKET, SO_NWRITE, &size, &room) == 0 ? (size_t)size : 0;
}

/* poll(2) of macOS does not tell a peer that closed its side from one that has gone. */
enum socket_peer socket_peer(int fd)
{
  int error = 0;
  socklen_t room = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &room);
  return error != 0 ? PEER_GONE : PEER_THERE;
}

bool socket_wait(struct pollfd *fds, nfds_t count, uint32_t micros)
{
  (void)micros; /* there is no ppoll(2) */
  return poll(fds, count, 0) > 0;
}

enum { SEND_FLAGS = 0, SEND_MORE = 0, TCP_IDLE = TCP_KEEPALIVE };

#endif

ssize_t socket_send(int fd, const struct iovec *parts, size_t count, bool more)
{
  int flags = more ? SEND_FLAGS | SEND_MORE : SEND_FLAGS;
  if (count == 1) return send(fd, parts->iov_base, parts->iov_len, flags); /* faster */
  struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts};
  message.msg_iovlen = (__typeof__(message.msg_iovlen))count;
  return sendmsg(fd, &message, flags);
}

void socket_keep_alive(int fd)
{
  int on = 1, idle = 60, interval = 10, count = 6; /* seconds, seconds, probes */
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  setsockopt(fd, IPPROTO_TCP, TCP_IDLE, &idle, sizeof idle);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

int socket_unblock(int fd)
{
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Answers leave whole, so waiting for more to send (Nagle) would only delay them. For a peer that
 * has gone already macOS does not fill in `peer`. */
int socket_accept(int listener, struct sockaddr_storage *peer)
{
  socklen_t size = sizeof *peer;
  peer->ss_family = AF_UNSPEC;
  int fd = accept_prepared(listener, (struct sockaddr *)peer, &size), on = 1;
  if (fd >= 0 && peer->ss_family != AF_UNIX)
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}
