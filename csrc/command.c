/* Dispatches commands to the exchanges that they name. */
#include "command.h"

#include "body.h"
#include "output.h"
#include "pull.h"
#include "response.h"
#include "server.h"

static void run(bj_server *s, const bj_command *command)
{
  exchange *x = exchange_find(&s->exchanges, command->request, command->generation);
  if (x == NULL) {
    response_forget(command);
    return;
  }
  conn *c = x->conn;
  switch (command->type) {
  case BJ_WRITE: response_write(x, command); break;
  case BJ_CONSUME:
    x->unread -= command->body_size < x->unread ? command->body_size : x->unread;
    if ((command->flags & BJ_CONSUME_REST) != 0) pull_begin(x);
    response_continue(x);
    break;
  case BJ_ABORT: response_cut(x); break;
  case BJ_LIMIT: body_limit(x, (uint64_t)command->length_high << 32 | command->length_low); break;
  default: break;
  }
  conn_settle(c);
}

/* Reports what is not sent yet; above BJ_HIGH_WATER, BJ_DRAINED will follow. */
static void report_backlog(bj_server *s, bj_command *command)
{
  exchange *x = exchange_find(&s->exchanges, command->request, command->generation);
  size_t backlog = x == NULL ? 0 : output_backlog(x);
  if (backlog > BJ_HIGH_WATER) x->wants_drain = true;
  command->backlog = backlog < UINT32_MAX ? (uint32_t)backlog : UINT32_MAX;
}

void commands_run(bj_server *s, uint32_t count)
{
  ev_now_update(s->loop); /* handlers have run since the turn */
  for (uint32_t i = 0; i < count; i++) run(s, &s->commands[i]);
}

void commands_report(bj_server *s, uint32_t count)
{
  for (uint32_t i = 0; i < count; i++)
    if (s->commands[i].type == BJ_WRITE && (s->commands[i].flags & BJ_WRITE_END) == 0)
      report_backlog(s, &s->commands[i]);
}
