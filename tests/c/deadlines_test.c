#include "deadlines.h"

#include <time.h>

#include "loop.h"
#include "test.h"

enum { OWNERS = 8 };

static struct fixture {
  struct ev_loop *loop;
  deadlines all;
  deadline each[OWNERS];
  char passed[64]; /* owners, in the order of passing */
  size_t count;
  struct {
    int by, clear, set; /* when `by` passes, clear or set another: -1 for none */
    enum deadline_kind kind;
  } then;
} f;

static void on_passed(void *owner, enum deadline_kind kind)
{
  deadline *one = owner;
  int which = (int)(one - f.each);
  CHECK(one->next == NULL);
  CHECK_EQ(kind, one->kind);
  f.passed[f.count++] = (char)('0' + which);
  if (which == f.then.by) {
    if (f.then.clear >= 0) deadline_clear(&f.each[f.then.clear]);
    if (f.then.set >= 0) deadline_set(&f.all, &f.each[f.then.set], f.then.kind);
    f.then.by = -1;
  }
}

static void begin_with(const deadline_time times[DEADLINE_KINDS])
{
  f = (struct fixture){.loop = loop_new(0), .then = {-1, -1, -1, 0}};
  deadlines_start(&f.all, f.loop, times, on_passed);
  for (int i = 0; i < OWNERS; i++) f.each[i].owner = &f.each[i];
}

static void begin(uint32_t idle, uint32_t head, uint32_t body)
{
  begin_with((deadline_time[DEADLINE_KINDS]){{idle, 0}, {head, 0}, {body, 0}, {0, 0}, {1, 0}});
}

/* Until nothing is left to wait for. */
static void run(void)
{
  ev_run(f.loop, 0);
}

static void end(void)
{
  deadlines_stop(&f.all);
  ev_loop_destroy(f.loop);
}

static bool all_clear(void)
{
  bool clear = true;
  for (int kind = 0; kind < DEADLINE_KINDS; kind++)
    clear &= f.all.kinds[kind].list.next == &f.all.kinds[kind].list;
  return clear;
}

TEST("deadlines pass in the order in which they were set within a kind, and kinds by their times")
{
  begin(120, 3, 60); /* far enough apart for a machine that stalls */
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[1], DEADLINE_BODY);
  deadline_set(&f.all, &f.each[2], DEADLINE_HEAD);
  deadline_set(&f.all, &f.each[3], DEADLINE_BODY);
  deadline_set(&f.all, &f.each[4], DEADLINE_HEAD);
  run();
  CHECK_BYTES(f.passed, f.count, "24130");
  CHECK(all_clear());
  end();
}

TEST("no deadline passes before its time")
{
  begin(5, 0, 0);
  ev_tstamp start = loop_now(f.loop);
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  run();
  CHECK(loop_now(f.loop) - start >= .005);
  CHECK_BYTES(f.passed, f.count, "0");
  end();
}

TEST("a time of 0 means never, and ends what was running")
{
  begin(1, 0, 0);
  deadline_set(&f.all, &f.each[0], DEADLINE_HEAD);
  CHECK(f.each[0].next == NULL);
  deadline_set(&f.all, &f.each[1], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[1], DEADLINE_HEAD);
  CHECK(f.each[1].next == NULL && all_clear());
  run();
  CHECK_EQ(f.count, 0);
  end();
}

TEST("a cleared deadline does not pass, cleared once or twice")
{
  begin(1, 2, 0);
  for (int i = 0; i < 5; i++)
    deadline_set(&f.all, &f.each[i], i < 3 ? DEADLINE_IDLE : DEADLINE_HEAD);
  deadline_clear(&f.each[1]);
  deadline_clear(&f.each[1]);
  deadline_clear(&f.each[3]);
  run();
  CHECK_BYTES(f.passed, f.count, "024");
  end();
}

TEST("a deadline set again goes last, a kept one stays, one of another kind moves")
{
  begin(2, 6, 0);
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[1], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[2], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  deadline_keep(&f.all, &f.each[1], DEADLINE_IDLE);
  deadline_keep(&f.all, &f.each[2], DEADLINE_HEAD);
  run();
  CHECK_BYTES(f.passed, f.count, "102");
  end();
}

TEST("when one passes, its owner may clear and set others, and itself")
{
  begin(1, 3, 0);
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[1], DEADLINE_IDLE);
  f.then.by = 0, f.then.clear = 1, f.then.set = 0, f.then.kind = DEADLINE_IDLE;
  run();
  CHECK_BYTES(f.passed, f.count, "00");
  deadline_set(&f.all, &f.each[2], DEADLINE_HEAD);
  f.then.by = 2, f.then.clear = -1, f.then.set = 3, f.then.kind = DEADLINE_IDLE;
  run();
  CHECK_BYTES(f.passed, f.count, "0023");
  CHECK(all_clear());
  end();
}

TEST("a deadline before the one that the timer is set for is not late")
{
  begin(2000, 2, 0);
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[1], DEADLINE_HEAD);
  while (f.count == 0) ev_run(f.loop, EVRUN_ONCE);
  CHECK_BYTES(f.passed, f.count, "1");
  CHECK(ev_is_active(&f.all.timer));
  deadline_clear(&f.each[0]);
  end();
}

/* Runs the loop until a deadline passes. */
static void wait_for_one(void)
{
  for (size_t before = f.count; f.count == before && !all_clear();) ev_run(f.loop, EVRUN_ONCE);
}

static bool has_passed(char who)
{
  return memchr(f.passed, who, f.count) != NULL;
}

TEST("bytes earn time by the rate: trickling runs out sooner than pausing")
{
  begin_with(
    (deadline_time[DEADLINE_KINDS]){[DEADLINE_HEAD] = {10, 0}, [DEADLINE_BODY] = {150, 1000}});
  deadline_extend(&f.all, &f.each[0], DEADLINE_BODY, 0);
  deadline_extend(&f.all, &f.each[1], DEADLINE_BODY, 0);
  for (int i = 0; i < 30 && !has_passed('0');
       i++) { /* each 10 ms: 1 byte, which earns 1 ms, and 100 */
    deadline_set(&f.all, &f.each[2], DEADLINE_HEAD);
    wait_for_one();
    if (!has_passed('0')) deadline_extend(&f.all, &f.each[0], DEADLINE_BODY, 1);
    deadline_extend(&f.all, &f.each[1], DEADLINE_BODY, 100);
  }
  CHECK(has_passed('0') && !has_passed('1'));
  run();
  CHECK(has_passed('1') && all_clear());
  end();
}

TEST("no bytes earn nothing, whatever the rate; clearing restores the whole time")
{
  begin_with((deadline_time[DEADLINE_KINDS]){
    [DEADLINE_HEAD] = {8, 0}, [DEADLINE_BODY] = {20, 0}, [DEADLINE_WRITE] = {20, 1}});
  deadline_extend(&f.all, &f.each[0], DEADLINE_BODY, 0);
  deadline_extend(&f.all, &f.each[1], DEADLINE_WRITE, 0);
  deadline_extend(&f.all, &f.each[2], DEADLINE_WRITE, 0);
  deadline_extend(&f.all, &f.each[3], DEADLINE_BODY, 0);
  deadline_set(&f.all, &f.each[4], DEADLINE_HEAD);
  wait_for_one();
  deadline_extend(&f.all, &f.each[0], DEADLINE_BODY, 0);
  deadline_extend(&f.all, &f.each[1], DEADLINE_WRITE, 0);
  deadline_clear(&f.each[2]);
  deadline_extend(&f.all, &f.each[2], DEADLINE_WRITE, 0);
  deadline_extend(&f.all, &f.each[3], DEADLINE_BODY, 1);
  run();
  CHECK_BYTES(f.passed, f.count, "40132");
  end();
}

static void begin_another(struct ev_loop *loop, ev_timer *timer, int events)
{
  (void)loop, (void)timer, (void)events;
  deadline_set(&f.all, &f.each[1], DEADLINE_HEAD);
}

TEST("a deadline that is set just when another passes does not delay it")
{
  begin(1, 60000, 0);
  ev_timer other;
  ev_timer_init(&other, begin_another, .001, 0.);
  ev_timer_start(f.loop, &other);
  deadline_set(&f.all, &f.each[0], DEADLINE_IDLE);
  nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL); /* both are over by now */
  ev_run(f.loop, EVRUN_NOWAIT);
  CHECK(f.each[1].next != NULL);
  CHECK_BYTES(f.passed, f.count, "0");
  deadline_clear(&f.each[1]);
  end();
}

TEST("a moved deadline keeps its place in line")
{
  begin(20, 1, 0);
  for (int i = 0; i < 3; i++) deadline_set(&f.all, &f.each[i], DEADLINE_IDLE);
  deadline_set(&f.all, &f.each[4], DEADLINE_HEAD);
  wait_for_one();
  deadline_move(&f.each[3], &f.each[1]);
  CHECK(f.each[1].next == NULL);
  f.each[3].owner = &f.each[3];
  deadline_move(&f.each[5], &f.each[6]); /* one that does not run leaves nothing */
  CHECK(f.each[5].next == NULL);
  run();
  CHECK_BYTES(f.passed, f.count, "4032");
  CHECK(all_clear());
  end();
}

/* Retries each time, as for a connection that waits for its turn. */
static void on_passed_again(void *owner, enum deadline_kind kind)
{
  (void)kind;
  int which = (int)((deadline *)owner - f.each);
  if (which == 0 && f.count < 20) deadline_retry(&f.all, owner);
  if (f.count < sizeof f.passed) f.passed[f.count++] = (char)('0' + which);
}

TEST("one that is retried again and again does not hold up the others of its kind")
{
  begin(5, 0, 0);
  f.all.passed = on_passed_again;
  for (int i = 0; i < 3; i++) deadline_set(&f.all, &f.each[i], DEADLINE_IDLE);
  run();
  CHECK_BYTES(f.passed, 3, "012");
  CHECK(f.count > 3);
  for (size_t i = 3; i < f.count; i++) CHECK_EQ(f.passed[i], '0');
  end();
}
