#include "networks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bjoern.h"
#include "failure.h"

/* The first `bits` of 128. */
static void make_mask(uint32_t mask[4], unsigned bits)
{
  for (unsigned i = 0; i < 4; i++) {
    unsigned here = bits < 32 * i ? 0 : bits - 32 * i < 32 ? bits - 32 * i : 32;
    mask[i] = here == 0 ? 0 : htonl(UINT32_MAX << (32 - here));
  }
}

/* "address" or "address/bits". */
static bool read_network(network *n, const char *text, size_t size)
{
  char copy[INET6_ADDRSTRLEN + 4];
  if (size >= sizeof copy) return false;
  memcpy(copy, text, size);
  copy[size] = '\0';
  char *slash = strchr(copy, '/'), *end = copy;
  if (slash != NULL) *slash = '\0';
  bool is_v4 = strchr(copy, ':') == NULL;
  unsigned long most = is_v4 ? 32 : 128, bits = most;
  if (slash != NULL) {
    bits = strtoul(slash + 1, &end, 10);
    if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || bits > most) return false;
  }
  *n = (network){.address = {0, 0, is_v4 ? htonl(0xffff) : 0, 0}};
  make_mask(n->mask, (unsigned)bits + (is_v4 ? 96 : 0));
  return inet_pton(is_v4 ? AF_INET : AF_INET6, copy, n->address + (is_v4 ? 3 : 0)) == 1;
}

int networks_read(networks *all, const char *text, char *error)
{
  size_t most = 1;
  for (const char *at = text; *at != '\0'; at++) most += *at == ',';
  *all = (networks){.list = calloc(most, sizeof *all->list)};
  if (all->list == NULL) return failure(error, "calloc", ENOMEM);
  for (const char *at = text; *at != '\0'; at += *at == ',') {
    size_t size = strcspn(at, ",");
    if (!read_network(&all->list[all->count++], at, size)) {
      int shown = size < INET6_ADDRSTRLEN ? (int)size : INET6_ADDRSTRLEN;
      snprintf(error, BJ_ERROR_SIZE, "inet_pton: \"%.*s\" is no network", shown, at);
      networks_free(all);
      return -EINVAL;
    }
    at += size;
  }
  return 0;
}

bool networks_have(const networks *all, const uint32_t address[4])
{
  static const uint32_t nobody[4];
  const uint32_t local[4] = {0, 0, htonl(0xffff), htonl(INADDR_LOOPBACK)};
  if (memcmp(address, nobody, sizeof nobody) == 0) address = local;
  for (size_t i = 0; i < all->count; i++) {
    const network *n = &all->list[i];
    uint32_t differ = 0;
    for (int k = 0; k < 4; k++) differ |= (address[k] ^ n->address[k]) & n->mask[k];
    if (differ == 0) return true;
  }
  return false;
}

void networks_free(networks *all)
{
  free(all->list);
  *all = (networks){0};
}
