/* Facts about the library itself. */
#include "bjoern.h"
#include "loop.h"

uint32_t bj_abi(void)
{
  return BJ_ABI;
}

uint32_t bj_libev_version(void)
{
  return (uint32_t)ev_version_major() << 16 | (uint32_t)ev_version_minor();
}

uint32_t bj_backend(uint32_t wanted)
{
  return loop_backend(wanted);
}
