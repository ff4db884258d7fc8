/* A system that fails on demand: scripts/faults.ts renames the library's calls to these. The test
 * itself keeps the real ones. Three have names of their own: realloc() of libev, which cannot do
 * without memory, parking's socket_send() and the gate's epoll_ctl(). */
#ifndef SHIM_H
#define SHIM_H

#include <stdbool.h>

#define SHIM_CALLS(X)                                                                              \
  X(malloc)                                                                                        \
  X(calloc)                                                                                        \
  X(realloc)                                                                                       \
  X(libev_realloc)                                                                                 \
  X(strdup)                                                                                        \
  X(realpath)                                                                                      \
  X(getaddrinfo)                                                                                   \
  X(pthread_create)                                                                                \
  X(socket)                                                                                        \
  X(socketpair)                                                                                    \
  X(bind)                                                                                          \
  X(listen)                                                                                        \
  X(connect)                                                                                       \
  X(epoll_create1)                                                                                 \
  X(epoll_ctl)                                                                                     \
  X(gate_ctl)                                                                                      \
  X(epoll_wait)                                                                                    \
  X(accept4)                                                                                       \
  X(recv)                                                                                          \
  X(send)                                                                                          \
  X(sendmsg)                                                                                       \
  X(wake_send)                                                                                     \
  X(sendfile)                                                                                      \
  X(pread)                                                                                         \
  X(shutdown)                                                                                      \
  X(poll)                                                                                          \
  X(read)

#define SHIM_NUMBER(name) CALL_##name,
enum call { SHIM_CALLS(SHIM_NUMBER) CALLS };

extern const char *const call_names[CALLS];

/* The call that fails: the one with this number, counted from 1; with `every`, each one whose
 * number is a multiple of it. */
typedef struct fault {
  enum call call;
  int error; /* 0: it does less than asked */
  unsigned number, every;
  bool is_helpers; /* counts the helper thread's calls, not ours */
} fault;

/* Resets all counts. NULL: everything works. "Our" calls are those of the calling thread. */
void shim_start(const fault *f);

unsigned shim_count(enum call call, bool is_helpers);

/* Whether the fault has occurred. */
bool shim_has_failed(void);

/* Seconds by which the clocks run ahead of the system's. */
void shim_set_clocks(double real, double monotonic);

#endif
