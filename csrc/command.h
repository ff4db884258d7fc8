/* Carries out what the caller wants done, record by record. */
#ifndef COMMAND_H
#define COMMAND_H

#include "bjoern.h"

/* Carries out the first `count` commands. Output is collected for output_flush(), large parts
 * aside. */
void commands_run(bj_server *s, uint32_t count);

/* Sets `backlog` in the writes that do not end an answer. */
void commands_report(bj_server *s, uint32_t count);

#endif
