/* What the systems do differently about sockets. */
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

/* Has the kernel ask peers that say nothing for a minute whether they are there, for another one.
 * What a listening socket accepts inherits that. */
void socket_keep_alive(int fd);

/* Sends parts that follow each other, as far as the socket takes them; never raises SIGPIPE. `more`
 * means that the next octets follow at once. */
ssize_t socket_send(int fd, const struct iovec *parts, size_t count, bool more);

/* Octets that can be read. */
size_t socket_unread(int fd);

/* Octets that the kernel has taken and the peer has not acknowledged; of a Unix socket with what
 * the kernel adds to them. */
size_t socket_unsent(int fd);

/* Whether one of `count` descriptors is ready. Sleeps until then, for `micros` microseconds at most
 * and where the system knows such short times. */
bool socket_wait(struct pollfd *fds, nfds_t count, uint32_t micros);

enum socket_peer {
  PEER_THERE, /* as far as is known */
  PEER_ENDED, /* it sends nothing more than what can be read */
  PEER_GONE,  /* the connection is broken */
};

/* What has become of the peer, of which nothing is read. */
enum socket_peer socket_peer(int fd);

#endif
