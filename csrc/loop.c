/* libev is compiled as part of this unit, which gives it access to the loop's members. */
#include "loop.h"

#include "ev.c"

int loop_fd(struct ev_loop *loop)
{
  return loop->backend_fd;
}

bool loop_settled(struct ev_loop *loop)
{
  return loop->fdchangecnt == 0;
}

ev_tstamp loop_now(struct ev_loop *loop)
{
  return loop->mn_now;
}
