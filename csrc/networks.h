/* A set of networks, such as those of trusted proxies. */
#ifndef NETWORKS_H
#define NETWORKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct network {
  uint32_t address[4]; /* as in bj_event */
  uint32_t mask[4];
} network;

typedef struct networks {
  network *list;
  size_t count;
} networks;

/* Reads "127.0.0.0/8,::1". Returns 0, or a negative error number with the reason in `error`
 * (BJ_ERROR_SIZE bytes) and an empty set. */
int networks_read(networks *all, const char *text, char *error);

/* Whether one of them has the address. A Unix socket counts as 127.0.0.1. */
bool networks_have(const networks *all, const uint32_t address[4]);

void networks_free(networks *all);

#endif
