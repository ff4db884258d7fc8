/* Memory that runs out: each allocation of the scenario fails once. */
#include "attempt.h"

/* Of the leak sanitizer, where it is. */
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

TEST("an allocation that fails costs one connection at most, or the server is not begun")
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

/* libev calls abort() when it gets no memory, unless ev_set_allocator() names an allocator that
 * never fails. */
TEST("libev's own allocations are the ones that end the process")
{
  unsigned ended = 0, count = reference_counts[0][CALL_libev_realloc];
  for (unsigned i = 1; i <= count; i++)
    ended +=
      !scenario_survives(&(fault){.call = CALL_libev_realloc, .error = ENOMEM, .number = i}, 5);
  printf("%u of libev's %u allocations end the process\n", ended, count);
}
