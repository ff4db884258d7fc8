/* How many clients have asked lately: few are waited for in another way than many. */
#ifndef ASKERS_H
#define ASKERS_H

#include <stdbool.h>
#include <stdint.h>

enum {
  ASKERS_FEW = 8,
  ASKERS_WAITS = 16, /* make a period */
};

typedef struct askers {
  uint32_t period; /* the number of this one, not 0 */
  uint32_t waits;
  uint32_t clients; /* who asked in it */
  uint32_t before;  /* and in the one before */
} askers;

/* A client asks; `latest` is its own, the period in which it did so last. */
static inline void askers_count(askers *a, uint32_t *latest)
{
  if (*latest == a->period) return;
  *latest = a->period;
  a->clients++;
}

/* Whether they are few; to be called once a wait. */
static inline bool askers_are_few(askers *a)
{
  bool few = a->clients <= ASKERS_FEW && a->before <= ASKERS_FEW;
  if (++a->waits == ASKERS_WAITS) *a = (askers){.period = a->period + 1, .before = a->clients};
  return few;
}

#endif
