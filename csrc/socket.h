/* What differs between systems about sockets. */
#ifndef SOCKET_H
#define SOCKET_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

/* A non-blocking socket that children do not inherit, or -1. */
int socket_open(int family, int type);

/* Makes an inherited descriptor non-blocking; -1 on failure. */
int socket_unblock(int fd);

/* Whether a Unix socket may have a name without a file. */
bool socket_takes_abstract_names(void);

/* Both ends of a connected pair of such stream sockets; -1 on failure. */
int socket_pair(int fds[2]);

/* The next connection of a listening socket, ready for use; -1 with errno. */
int socket_accept(int listener, struct sockaddr_storage *peer);

/* TCP keep-alive: the kernel probes a peer that has been silent for a minute, for another one. What
 * a listening socket accepts inherits this. */
void socket_keep_alive(int fd);

/* Sends the parts in order, as far as the socket takes them; never raises SIGPIPE. `more`: the next
 * bytes follow at once. */
ssize_t socket_send(int fd, const struct iovec *parts, size_t count, bool more);

/* Bytes that can be read. */
size_t socket_unread(int fd);

/* Bytes that the kernel has taken and the peer has not acknowledged; on a Unix socket with the
 * kernel's overhead. */
size_t socket_unsent(int fd);

/* Whether one of `count` descriptors is ready. Sleeps for that, `micros` microseconds at most; not
 * at all where the system has no ppoll(2). */
bool socket_wait(struct pollfd *fds, nfds_t count, uint32_t micros);

enum socket_peer {
  PEER_THERE, /* as far as is known */
  PEER_ENDED, /* it sends no more than what can be read */
  PEER_GONE,  /* the connection is broken */
};

/* The state of a peer, without reading from it. */
enum socket_peer socket_peer(int fd);

#endif
