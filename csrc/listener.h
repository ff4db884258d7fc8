/* A listening socket: made from an address, or adopted from the caller. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct bj_listener {
  int fd;           /* -1: closed */
  int reserve;      /* a descriptor to give up when there is no other; -1: none */
  bool adopted;     /* the caller's: neither closed nor unlinked */
  char *path;       /* of the socket file, absolute, or NULL */
  struct stat file; /* what was made there: only that is removed */
} listener;

/* Listens on `host` and `port`, "unix:/path" or "unix:@name", or has a duplicate of the listening
 * socket "fd:N". Returns 0, or a negative error number
 * with the reason in `error` (BJ_ERROR_SIZE octets). A socket file that nobody serves any more is
 * replaced. */
int listener_open(listener *l, const char *host, uint32_t port, uint32_t backlog, bool reuse_port,
                  uint32_t mode, char *error);

/* Takes a listening socket that stays the caller's. */
int listener_adopt(listener *l, int fd, char *error);

/* Has accept(2) not wait, whatever the other processes do that share an adopted socket. */
void listener_unblock(const listener *l);

/* Lays a descriptor by for when there is no other one left, unless the socket is adopted. */
void listener_reserve(listener *l);

/* Gives it up. */
void listener_spend_reserve(listener *l);

/* Closes what listener_open() made and removes its socket file. */
void listener_close(listener *l);

/* Writes an IPv6 address, or the IPv4 one that is mapped in it. */
void listener_write_ip(const void *ip, char *address);

#endif
