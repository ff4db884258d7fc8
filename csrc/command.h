/* What the caller wants done, record by record. */
#ifndef COMMAND_H
#define COMMAND_H

#include "bjoern.h"

/* Carries out the first `count` commands. Nothing is sent before output_flush(). */
void commands_run(bj_server *s, uint32_t count);

/* Tells in the commands how much waits of the answers that go on. */
void commands_report(bj_server *s, uint32_t count);

#endif
