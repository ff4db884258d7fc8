#include "parking.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "bjoern.h"
#include "test.h"

enum { PATIENCE = 5000, A_MOMENT = 20 };

static parking p;
static int watched[2]; /* [0] is watched, [1] makes it readable */

/* By orders and, where there is epoll, by a gate. */
#if defined(__linux__)
#define EACH_WAY for (int gate = 0; gate < 2; gate++)
#else
#define EACH_WAY for (int gate = 0; gate < 1; gate++)
#endif

static void begin(bool has_gate)
{
  char error[BJ_ERROR_SIZE] = "";
  CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, watched), 0);
  CHECK_EQ(parking_start(&p, has_gate ? watched[0] : -1, error), 0);
}

static void arm(int timeout)
{
  if (p.gate >= 0) {
    CHECK(parking_open(&p, watched[0], timeout));
    return;
  }
  struct pollfd *fds = malloc(2 * sizeof *fds);
  if (fds == NULL) abort();
  fds[1] = (struct pollfd){.fd = watched[0], .events = POLLIN};
  parking_arm(&p, fds, 1, timeout);
}

static void end(void)
{
  parking_stop(&p);
  parking_stop(&p);
  close(p.wake[0]);
  close(watched[0]);
  close(watched[1]);
}

/* How many wake-ups came within that time. */
static long woken(int milliseconds)
{
  struct pollfd wake = {.fd = p.wake[0], .events = POLLIN};
  char octets[16];
  return poll(&wake, 1, milliseconds) > 0 ? (long)read(p.wake[0], octets, sizeof octets) : 0;
}

TEST("a parked owner is woken once when there is something to read")
{
  EACH_WAY
  {
    begin(gate);
    arm(-1);
    CHECK_EQ(woken(A_MOMENT), 0);
    CHECK_EQ(write(watched[1], "x", 1), 1);
    CHECK_EQ(woken(PATIENCE), 1);
    CHECK_EQ(woken(A_MOMENT), 0);
    end();
  }
}

TEST("what was readable before parking wakes too, each time")
{
  EACH_WAY
  {
    begin(gate);
    CHECK_EQ(write(watched[1], "x", 1), 1);
    for (int i = 0; i < 50; i++) {
      arm(-1);
      CHECK_EQ(woken(PATIENCE), 1);
    }
    end();
  }
}

TEST("a parked owner is woken once after its timeout")
{
  EACH_WAY
  {
    begin(gate);
    arm(1);
    CHECK_EQ(woken(PATIENCE), 1);
    CHECK_EQ(woken(A_MOMENT), 0);
    end();
  }
}

TEST("the latest timeout counts")
{
  EACH_WAY
  {
    begin(gate);
    arm(-1);
    arm(60000);
    CHECK_EQ(woken(A_MOMENT), 0);
    arm(0);
    CHECK_EQ(woken(PATIENCE), 1);
    end();
  }
}

TEST("a thread that already waits for the same need not be armed again")
{
  EACH_WAY
  {
    begin(gate);
    CHECK(!parking_holds(&p, watched[0], -1));
    arm(-1);
    CHECK(parking_holds(&p, watched[0], -1));
    CHECK(!parking_holds(&p, watched[0], 60000));
    CHECK(!parking_holds(&p, watched[1], -1));
    arm(60000);
    CHECK(parking_holds(&p, watched[0], -1));
    CHECK(parking_holds(&p, watched[0], 120000));
    CHECK(!parking_holds(&p, watched[0], 1000));
    CHECK_EQ(write(watched[1], "x", 1), 1);
    CHECK_EQ(woken(PATIENCE), 1);
    CHECK(!parking_holds(&p, watched[0], -1));
    end();
  }
}

TEST("an owner that is not parked is not woken")
{
  EACH_WAY
  {
    begin(gate);
    CHECK_EQ(write(watched[1], "x", 1), 1);
    CHECK_EQ(woken(A_MOMENT), 0);
    end();
  }
}

TEST("the thread ends, parked or not, and the owner sees the end")
{
  EACH_WAY
  {
    begin(gate);
    arm(60000);
    parking_stop(&p);
    CHECK_EQ(woken(PATIENCE), 0);
    end();
  }
}

TEST("a descriptor left open by a dead owner is closed, a reused number is not")
{
  EACH_WAY
  {
    begin(gate);
    int left = p.wake[0];
    parking_abandon(&p);
    CHECK_EQ(fcntl(left, F_GETFD), -1);
    close(watched[0]);
    close(watched[1]);

    begin(gate);
    CHECK_EQ(dup2(watched[0], p.wake[0]), p.wake[0]);
    parking_abandon(&p);
    CHECK_EQ(fcntl(p.wake[0], F_GETFD), 0);
    close(p.wake[0]);
    close(watched[0]);
    close(watched[1]);
  }
}

#if defined(__linux__)
TEST("a gate opens only to its epoll, and wakes the owner once")
{
  begin(true);
  CHECK(!parking_open(&p, 1 << 20, -1));
  arm(-1);
  arm(30000);
  arm(60000);
  CHECK_EQ(write(watched[1], "x", 1), 1);
  CHECK_EQ(woken(PATIENCE), 1);
  CHECK_EQ(woken(A_MOMENT), 0);
  end();
}

TEST("an owner that was woken is not woken again for an earlier timeout")
{
  begin(true);
  CHECK_EQ(write(watched[1], "x", 1), 1);
  arm(A_MOMENT);
  CHECK_EQ(woken(PATIENCE), 1);
  CHECK_EQ(woken(3 * A_MOMENT), 0);
  arm(-1);
  CHECK_EQ(woken(PATIENCE), 1);
  end();
}
#endif
