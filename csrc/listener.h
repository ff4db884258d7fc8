/* A listening socket: made from an address, or adopted from the caller. */
#ifndef LISTENER_H
#define LISTENER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

typedef struct bj_listener {
  int fd;           /* -1: closed */
  int reserve;      /* a spare descriptor for when there is no other; -1: none */
  bool adopted;     /* the caller's: neither closed nor unlinked */
  char *path;       /* of the socket file, absolute; or NULL */
  struct stat file; /* the file made there: no other is removed */
} listener;

/* Listens on `host` and `port`, "unix:/path" or "unix:@name", or duplicates the listening socket
 * "fd:N". Returns 0, or a negative error number with the reason in `error` (BJ_ERROR_SIZE bytes).
 * Replaces a socket file that nobody serves any more. */
int listener_open(listener *l, const char *host, uint32_t port, uint32_t backlog, bool reuse_port,
                  uint32_t mode, char *error);

/* Takes a listening socket that stays the caller's. */
int listener_adopt(listener *l, int fd, char *error);

/* Keeps accept(2) from blocking, whatever other processes did to an adopted socket they share. */
void listener_unblock(const listener *l);

/* Opens the reserve, unless the socket is adopted. */
void listener_reserve(listener *l);

/* Closes it: accept(2) can have its descriptor. */
void listener_spend_reserve(listener *l);

/* Closes what listener_open() made and removes its socket file. */
void listener_close(listener *l);

/* Writes an IPv6 address, or the IPv4 one that is mapped into it. */
void listener_write_ip(const void *ip, char *address);

#endif
