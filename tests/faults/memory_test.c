/* Memory that runs out: each allocation of the scenario fails once. */
#include "attempt.h"

/* Provided by the leak sanitizer, if there is one. */
int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static unsigned played;

static void fail_each(enum call call, int error, enum outcome worst)
{
  for (unsigned i = 1; i <= reference_counts[0][call]; i++, played++) {
    int before = test_faults;
    scenario_try(&(fault){.call = call, .error = error, .number = i}, worst);
    if (&__lsan_do_recoverable_leak_check != NULL) CHECK_EQ(__lsan_do_recoverable_leak_check(), 0);
    if (test_faults > before + 10) return;
  }
}

TEST("the scenario needs memory at many places")
{
  scenario_refer();
  CHECK(reference_counts[0][CALL_malloc] > 30);
  CHECK(reference_counts[0][CALL_libev_realloc] > 5);
}

TEST("an allocation that fails costs one connection at most, or the server does not start")
{
  fail_each(CALL_malloc, ENOMEM, NO_SERVER);
  fail_each(CALL_calloc, ENOMEM, NO_SERVER);
  fail_each(CALL_realloc, ENOMEM, ONE_CUT);
  fail_each(CALL_strdup, ENOMEM, NO_SERVER);
  fail_each(CALL_realpath, ENOMEM, NO_SERVER);
  fail_each(CALL_getaddrinfo, ENOMEM, NO_SERVER);
  fail_each(CALL_pthread_create, EAGAIN, NO_SERVER);
  printf("%u allocations failed\n", played);
}

/* libev aborts the process if it gets no memory. So it gets what it needs in advance (csrc/loop.c),
 * except for its first list of events, which is made along with the server. */
TEST("so does an allocation by libev, with any backend")
{
  static const enum bj_backend backends[] = {BJ_BACKEND_EPOLL, BJ_BACKEND_POLL, BJ_BACKEND_SELECT};
  for (size_t i = 0; i < sizeof backends / sizeof *backends; i++) {
    scenario_backend = backends[i];
    scenario_refer();
    unsigned count = reference_counts[0][CALL_libev_realloc], own = backends[i] == BJ_BACKEND_EPOLL;
    for (unsigned k = 1; k <= count; k++) {
      fault f = {.call = CALL_libev_realloc, .error = ENOMEM, .number = k};
      if (scenario_survives(&f, 20) != (k > own))
        test_fault(__FILE__, __LINE__, "backend %d, allocation %u", (int)backends[i], k);
    }
    printf("%u of libev's arrays were not made longer\n", count - own);
  }
  scenario_backend = BJ_BACKEND_AUTO;
}
