/* Answers: from a command record, or an error of our own, to bytes (RFC 9112 sections 4 to 7). */
#ifndef RESPONSE_H
#define RESPONSE_H

#include "exchange.h"

/* Carries out a BJ_WRITE for the exchange; a second answer is ignored. */
void response_write(exchange *x, const bj_command *command);

/* Answers with an error of our own, after which the connection closes. */
void response_error(exchange *x, unsigned status);

/* Sends 100 (Continue) if the client still waits for it. */
void response_continue(exchange *x);

/* Ends an answer that cannot be completed. */
void response_cut(exchange *x);

/* Ends an answer, complete or not. */
void response_end(exchange *x);

/* Closes the file of a command whose request is over. */
void response_forget(const bj_command *command);

#endif
