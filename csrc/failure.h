/* Set-up errors in words for the caller. */
#ifndef FAILURE_H
#define FAILURE_H

/* Writes "call: reason" to `error` (BJ_ERROR_SIZE bytes). Returns the error number negated. */
int failure(char *error, const char *call, int reason);

#endif
