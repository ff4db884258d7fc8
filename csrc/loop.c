/* libev is compiled as part of this unit, for access to the loop's members. */
#include "loop.h"

#include "ev.c"

/* libev's own choice distrusts kqueue, which is sound for sockets (on macOS only select would be
 * left), and does not check that LIBEV_FLAGS names a backend that is compiled in. */
uint32_t loop_backend(uint32_t wanted)
{
  const char *flags = getenv("LIBEV_FLAGS");
  uint32_t built = EVBACKEND_SELECT | EVBACKEND_POLL;
  built |= EV_USE_EPOLL ? EVBACKEND_EPOLL : EVBACKEND_KQUEUE;
  if (wanted == 0 && flags != NULL) wanted = (uint32_t)strtoul(flags, NULL, 10) & EVBACKEND_MASK;
  if (wanted == 0) wanted = built;
  wanted &= built;
  return wanted == 0 ? 0 : 1u << (31 - __builtin_clz(wanted));
}

/* ---- memory ------------------------------------------------------------------------------- */

#define TIMERS 16 /* more than a server has */

/* Grows an array; all bytes of new elements are `fill`. NULL without memory, and the array is as
 * before. */
static void *grown(void *array, int *count, int wanted, size_t size, int fill)
{
  if (wanted <= *count) return array;
  char *made = realloc(array, (size_t)wanted * size);
  if (made == NULL) return NULL;
  memset(made + (size_t)*count * size, fill, (size_t)(wanted - *count) * size);
  *count = wanted;
  return made;
}

#define GROW(array, count, wanted, fill)                                                           \
  ((made = grown((array), &(count), (wanted), sizeof *(array), (fill))) != NULL &&                 \
   ((array) = made, true))

#if EV_USE_EPOLL
/* libev replaces this list only when it was full. */
static bool reserve_kernel(struct ev_loop *loop, int fds)
{
  void *made;
  return GROW(loop->epoll_events, loop->epoll_eventmax, fds + 1, 0);
}
#else
/* Per descriptor two filters, each deleted and added. */
static bool reserve_kernel(struct ev_loop *loop, int fds)
{
  void *made;
  return GROW(loop->kqueue_changes, loop->kqueue_changemax, fds * 4, 0) &&
         GROW(loop->kqueue_events, loop->kqueue_eventmax, fds * 4 + 1, 0);
}
#endif

static bool reserve_sets(struct ev_loop *loop, int fds)
{
  void **sets[] = {&loop->vec_ri, &loop->vec_ro, &loop->vec_wi, &loop->vec_wo};
  int words = fds / (int)NFDBITS + 1;
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    int count = loop->vec_max;
    void *made = grown(*sets[i], &count, words, NFDBYTES, 0);
    if (made == NULL) return false;
    *sets[i] = made;
  }
  loop->vec_max = words > loop->vec_max ? words : loop->vec_max;
  return true;
}

static bool reserve_backend(struct ev_loop *loop, int fds)
{
  void *made;
  switch (loop->backend) {
  case EVBACKEND_SELECT: return reserve_sets(loop, fds);
  case EVBACKEND_POLL:
    return GROW(loop->pollidxs, loop->pollidxmax, fds, -1) &&
           GROW(loop->polls, loop->pollmax, fds, 0);
  default: return reserve_kernel(loop, fds);
  }
}

/* A descriptor has one change and two watchers. `anfds` grows last: its length vouches for the
 * others. */
bool loop_reserve(struct ev_loop *loop, int fd)
{
  void *made;
  if (fd < loop->anfdmax) return true;
  int fds = array_nextsize(sizeof(ANFD), loop->anfdmax, fd + 1);
  return GROW(loop->fdchanges, loop->fdchangemax, fds, 0) &&
         GROW(loop->pendings[NUMPRI - 1], loop->pendingmax[NUMPRI - 1], fds * 2 + TIMERS, 0) &&
         reserve_backend(loop, fds) && GROW(loop->anfds, loop->anfdmax, fds, 0);
}

static bool reserve_timers(struct ev_loop *loop)
{
  void *made;
  return GROW(loop->timers, loop->timermax, TIMERS + HEAP0, 0) &&
         GROW(loop->rfeeds, loop->rfeedmax, TIMERS, 0) &&
         GROW(loop->pendings[0], loop->pendingmax[0], TIMERS, 0);
}

/* ev_loop_new() that returns NULL without memory, where libev would end the process. One allocation
 * is left unchecked: libev's first list of events. */
struct ev_loop *loop_new(uint32_t backend)
{
  uint32_t chosen = loop_backend(backend);
  struct ev_loop *loop = chosen == 0 ? NULL : calloc(1, sizeof *loop);
  if (loop == NULL) {
    errno = chosen == 0 ? EINVAL : ENOMEM;
    return NULL;
  }
  loop_init(loop, chosen | EVFLAG_NOENV);
  if (loop->backend == 0) {
    free(loop);
    return NULL;
  }
  if (reserve_timers(loop) && loop_reserve(loop, 0)) return loop;
  ev_loop_destroy(loop);
  errno = ENOMEM;
  return NULL;
}

/* ---- facts -------------------------------------------------------------------------------- */

int loop_fd(struct ev_loop *loop)
{
  return loop->backend_fd;
}

struct pollfd *loop_watched(struct ev_loop *loop, nfds_t first, nfds_t *count)
{
  bool has_own = loop->backend_fd >= 0;
  int most = has_own ? 1 : loop->anfdmax;
  struct pollfd *fds = malloc((first + (nfds_t)most) * sizeof *fds);
  if (fds == NULL) return NULL;
  struct pollfd *to = fds + first;
  if (has_own) *to++ = (struct pollfd){.fd = loop->backend_fd, .events = POLLIN};
  for (int fd = 0; fd < most && !has_own; fd++) {
    int events = loop->anfds[fd].events;
    if (events != 0)
      *to++ = (struct pollfd){
        .fd = fd, .events = (events & EV_READ ? POLLIN : 0) | (events & EV_WRITE ? POLLOUT : 0)};
  }
  *count = (nfds_t)(to - fds) - first;
  return fds;
}

bool loop_settled(struct ev_loop *loop)
{
  return loop->fdchangecnt == 0;
}

ev_tstamp loop_now(struct ev_loop *loop)
{
  return loop->mn_now;
}
