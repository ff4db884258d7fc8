/* System calls that fail: each call of the scenario once, with each error it may have, and some
 * repeatedly. */
#include "attempt.h"

static unsigned played;

typedef struct row {
  enum call call;
  enum outcome worst;
  int errors[8]; /* 0 ends it, SHORT transfers a single octet or event */
  unsigned but;  /* this many calls succeed first */
} row;

enum { SHORT = -1 };

static int error_of(int error)
{
  return error == SHORT ? 0 : error;
}

static void fail_each(const row *r, bool is_helpers)
{
  for (int k = 0; r->errors[k] != 0; k++) {
    int before = test_faults;
    for (unsigned i = r->but + 1; i <= reference_counts[is_helpers][r->call]; i++, played++) {
      fault f = {
        .call = r->call, .error = error_of(r->errors[k]), .number = i, .is_helpers = is_helpers};
      scenario_try(&f, r->worst);
      if (test_faults > before + 5) break;
    }
  }
}

TEST("the scenario makes every call")
{
  static const enum call helpers[] = {CALL_epoll_wait, CALL_read};
  scenario_refer();
  for (int i = 0; i < CALLS; i++)
    if (reference_counts[i == CALL_read][i] == 0) printf("%s is not called\n", call_names[i]);
  CHECK(reference_counts[1][helpers[0]] > 0 && reference_counts[1][helpers[1]] > 0);
}

TEST("calls that were interrupted, came too early or did little change no answer")
{
  static const row rows[] = {
    {CALL_recv, SAME_ANSWERS, {EINTR, EAGAIN, SHORT}},
    {CALL_send, SAME_ANSWERS, {EINTR, EAGAIN, SHORT}},
    {CALL_sendmsg, SAME_ANSWERS, {EINTR, EAGAIN, SHORT}},
    {CALL_sendfile, SAME_ANSWERS, {EINTR, EAGAIN, SHORT}},
    {CALL_pread, SAME_ANSWERS, {EINTR, SHORT}},
    {CALL_accept4, SAME_ANSWERS, {EINTR, EAGAIN, ECONNABORTED}},
    {CALL_epoll_wait, SAME_ANSWERS, {EINTR, SHORT}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) fail_each(&rows[i], false);
}

TEST("a file system without sendfile(2) changes no answer")
{
  static const row r = {CALL_sendfile, SAME_ANSWERS, {EINVAL, ENOSYS}};
  fail_each(&r, false);
}

TEST("accepting goes on when the system has room again")
{
  static const row r = {
    CALL_accept4, SAME_ANSWERS, {EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTO, EPERM}};
  fail_each(&r, false);
}

TEST("a broken connection costs its own client's answers only")
{
  static const row rows[] = {
    {CALL_recv, ONE_CUT, {ECONNRESET, ETIMEDOUT, ENOMEM, ENOBUFS}},
    {CALL_send, ONE_CUT, {EPIPE, ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT}},
    {CALL_sendmsg, ONE_CUT, {EPIPE, ECONNRESET, ENOBUFS, ENOMEM, ETIMEDOUT}},
    {CALL_sendfile, ONE_CUT, {EPIPE, ECONNRESET, EIO, ENOMEM}},
    {CALL_pread, ONE_CUT, {EIO}},
    {CALL_shutdown, ONE_CUT, {ENOTCONN}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) fail_each(&rows[i], false);
}

TEST("a descriptor that epoll refuses costs its own client's answers only")
{
  static const row r = {CALL_epoll_ctl, ONE_CUT, {ENOMEM, ENOSPC}};
  fail_each(&r, false);
}

TEST("a gate that epoll refuses to open changes no answer")
{
  static const row r = {CALL_gate_ctl, SAME_ANSWERS, {ENOMEM, ENOSPC}, .but = 2};
  CHECK(reference_counts[0][CALL_gate_ctl] > 2);
  fail_each(&r, false);
}

TEST("a call that fails while a server starts is an error with a reason")
{
  static const row rows[] = {
    {CALL_socket, NO_SERVER, {EMFILE, ENOBUFS}},  {CALL_socketpair, NO_SERVER, {EMFILE}},
    {CALL_epoll_create1, NO_SERVER, {EMFILE}},    {CALL_gate_ctl, NO_SERVER, {ENOMEM, ENOSPC}},
    {CALL_bind, NO_SERVER, {EADDRINUSE, EACCES}}, {CALL_listen, NO_SERVER, {EADDRINUSE, ENOMEM}},
    {CALL_connect, NO_SERVER, {ENETUNREACH}},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) fail_each(&rows[i], false);
}

TEST("the helper thread goes on when it is interrupted")
{
  static const row rows[] = {{CALL_epoll_wait, SAME_ANSWERS, {EINTR, ENOMEM}},
                             {CALL_read, SAME_ANSWERS, {EINTR, SHORT}},
                             {CALL_wake_send, SAME_ANSWERS, {EINTR}}};
  static const row ours = {CALL_wake_send, SAME_ANSWERS, {EINTR}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) fail_each(&rows[i], true);
  fail_each(&ours, false);
}

/* libev's number for poll is 2. */
TEST("so it does where the loop has no epoll")
{
  static const row rows[] = {{CALL_poll, SAME_ANSWERS, {EINTR, ENOMEM}},
                             {CALL_read, SAME_ANSWERS, {EINTR, SHORT}},
                             {CALL_wake_send, SAME_ANSWERS, {EINTR}}};
  setenv("LIBEV_FLAGS", "2", 1);
  scenario_refer();
  CHECK(reference_counts[1][CALL_poll] > 0 && reference_counts[1][CALL_read] > 0);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) fail_each(&rows[i], true);
  unsetenv("LIBEV_FLAGS");
  scenario_refer();
}

/* A full socket already has octets that wake the thread; one without memory has none. */
TEST("a wake that finds no memory is not lost")
{
  for (int is_helpers = 0; is_helpers < 2; is_helpers++)
    for (unsigned i = 1; i <= reference_counts[is_helpers][CALL_wake_send]; i++, played++) {
      fault f = {
        .call = CALL_wake_send, .error = ENOBUFS, .number = i, .is_helpers = is_helpers != 0};
      if (!scenario_survives(&f, 4))
        test_fault(__FILE__, __LINE__, "%s octet %u is lost", is_helpers ? "the helper's" : "our",
                   i);
    }
}

TEST("many interrupted, early or short calls change no answer")
{
  static const enum call calls[] = {CALL_recv,  CALL_send,    CALL_sendmsg,   CALL_sendfile,
                                    CALL_pread, CALL_accept4, CALL_epoll_wait};
  static const int errors[] = {EINTR, EAGAIN, SHORT};
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    for (size_t k = 0; k < sizeof errors / sizeof *errors; k++)
      for (unsigned every = 2; every <= 3; every++, played++) {
        if (errors[k] == SHORT && calls[i] == CALL_accept4) continue;
        if (errors[k] == EAGAIN && (calls[i] == CALL_pread || calls[i] == CALL_epoll_wait))
          continue;
        scenario_try(&(fault){.call = calls[i], .error = error_of(errors[k]), .every = every},
                     SAME_ANSWERS);
      }
  printf("%u calls failed\n", played);
}
