/* Plays the scenario with a fault, and compares it with the one without. */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include <sys/wait.h>

#include "scenario.h"

/* How many clients got less than expected; what they got must be the beginning of it. */
static int scenario_cut(scenario *s, const scenario *expected)
{
  int cut = 0;
  for (int i = 0; i < SCRIPTS; i++) {
    result *r = &s->results[i];
    const result *all = &expected->results[i];
    if (r->size > all->size || memcmp(r->got, all->got, r->size) != 0)
      test_fault(__FILE__, __LINE__, "\"%s\" got something else: %.200s", scripts[i].name, r->got);
    cut += r->size < all->size;
  }
  return cut;
}

static scenario reference;
static unsigned reference_counts[2][CALLS];

/* Plays the scenario without a fault, and counts its calls. */
static void scenario_refer(void)
{
  scenario_free(&reference);
  scenario_play(&reference, NULL, NULL);
  CHECK(reference.is_set_up && !reference.hangs);
  for (int i = 0; i < CALLS; i++) {
    reference_counts[0][i] = shim_count((enum call)i, false);
    reference_counts[1][i] = shim_count((enum call)i, true);
  }
}

enum outcome { SAME_ANSWERS, ONE_CUT, ALL_CUT, NO_SERVER };

/* Plays the scenario with the fault. Returns the worst outcome; reports anything worse than
 * `worst`. */
static enum outcome scenario_try(const fault *f, enum outcome worst)
{
  static scenario s;
  int before = test_faults;
  scenario_play(&s, f, &reference);
  enum outcome came = NO_SERVER;
  if (s.is_set_up) {
    int cut = scenario_cut(&s, &reference);
    came = cut == 0 ? SAME_ANSWERS : cut == 1 ? ONE_CUT : ALL_CUT;
    if (s.hangs) test_fault(__FILE__, __LINE__, "%d clients wait for ever", cut);
  }
  if (came > worst) test_fault(__FILE__, __LINE__, "outcome %d, at worst %d", came, worst);
  scenario_free(&s);
  if (test_faults > before)
    printf("  with %s %s %u%s: %s\n", f->is_helpers ? "the helper's" : "our", call_names[f->call],
           f->every > 0 ? f->every : f->number, f->every > 0 ? " and its multiples" : "",
           f->error > 0 ? strerror(f->error) : "short");
  return came;
}

/* Whether the scenario ends within `seconds` in a process of its own, and at most one client pays.
 */
static inline bool scenario_survives(const fault *f, unsigned seconds)
{
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    alarm(seconds);
    close(STDERR_FILENO);
    test_faults = 0;
    enum outcome came = scenario_try(f, NO_SERVER);
    _exit(test_faults > 0 || came == ALL_CUT);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

#endif
