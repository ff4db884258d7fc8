#include "failure.h"

#include <stdio.h>
#include <string.h>

#include "bjoern.h"

int failure(char *error, const char *call, int reason)
{
  snprintf(error, BJ_ERROR_SIZE, "%s: %s", call, strerror(reason));
  return -reason;
}
