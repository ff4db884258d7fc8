#include "askers.h"

#include "test.h"

/* A wait after the `clients` of `latest` have asked. */
static bool are_few_after(askers *a, uint32_t *latest, int clients)
{
  for (int i = 0; i < clients; i++) askers_count(a, &latest[i]);
  return askers_are_few(a);
}

TEST("a client counts once, however often it asks")
{
  askers a = {.period = 1};
  uint32_t latest[ASKERS_FEW] = {0};
  for (int i = 0; i < 5 * ASKERS_WAITS; i++) CHECK(are_few_after(&a, latest, ASKERS_FEW));
}

TEST("one more than few is many, until they have been few for a whole period")
{
  askers a = {.period = 1};
  uint32_t latest[ASKERS_FEW + 1] = {0};
  CHECK(!are_few_after(&a, latest, ASKERS_FEW + 1));
  for (int i = 1; i < 2 * ASKERS_WAITS; i++) CHECK(!are_few_after(&a, latest, 1));
  for (int i = 0; i < 2 * ASKERS_WAITS; i++) CHECK(are_few_after(&a, latest, 1));
}

TEST("many clients that take turns in asking are many")
{
  askers a = {.period = 1};
  uint32_t latest[3 * ASKERS_WAITS] = {0};
  int waits = 3 * ASKERS_WAITS;
  for (int i = 0; i < waits; i++) {
    bool few = are_few_after(&a, &latest[i], 1);
    CHECK(few == (i < ASKERS_FEW));
  }
}
