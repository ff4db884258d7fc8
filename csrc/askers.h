/* How many clients have sent requests lately: bj_server_wait() spins for few and sleeps for
 * many. */
#ifndef ASKERS_H
#define ASKERS_H

#include <stdbool.h>
#include <stdint.h>

enum {
  ASKERS_FEW = 8,
  ASKERS_WAITS = 16, /* in a period */
};

typedef struct askers {
  uint32_t period; /* number of the current one, never 0 */
  uint32_t waits;
  uint32_t clients; /* that asked in it */
  uint32_t before;  /* that asked in the one before */
} askers;

/* Counts a client, once a period. `latest` is the client's: the period in which it last asked. */
static inline void askers_count(askers *a, uint32_t *latest)
{
  if (*latest == a->period) return;
  *latest = a->period;
  a->clients++;
}

/* Whether few have asked. Call once a wait. */
static inline bool askers_are_few(askers *a)
{
  bool few = a->clients <= ASKERS_FEW && a->before <= ASKERS_FEW;
  if (++a->waits == ASKERS_WAITS) *a = (askers){.period = a->period + 1, .before = a->clients};
  return few;
}

#endif
