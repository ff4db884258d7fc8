/* The part of the API that needs no server. */
#include <errno.h>
#include <stdlib.h>

#include "bjoern.h"
#include "failure.h"
#include "file.h"
#include "listener.h"
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

bj_listener *bj_listener_open(const char *host, uint32_t port, uint32_t backlog,
                              uint32_t reuse_port, uint32_t mode, uint32_t *reason, char *error)
{
  bj_listener *l = malloc(sizeof *l);
  if (l == NULL) {
    *reason = (uint32_t)-failure(error, "malloc", ENOMEM);
    return NULL;
  }
  int refused = listener_open(l, host, port, backlog, reuse_port != 0, mode, error);
  if (refused == 0) return l;
  free(l);
  *reason = (uint32_t)-refused;
  return NULL;
}

int32_t bj_listener_fd(const bj_listener *l)
{
  return l->fd;
}

void bj_listener_close(bj_listener *l)
{
  listener_close(l);
  free(l);
}

int32_t bj_address(int32_t fd, char *address)
{
  return listener_address(fd, address);
}

int32_t bj_file_open(const char *path, double *facts, char *real_path, char *error)
{
  return file_open(path, facts, real_path, error);
}

int32_t bj_file_adopt(int32_t fd, double *facts, char *error)
{
  return file_adopt(fd, facts, error);
}

int32_t bj_file_read(int32_t fd, char *to, uint32_t size, uint32_t offset_low, uint32_t offset_high)
{
  file f = {.fd = fd, .from = (uint64_t)offset_high << 32 | offset_low};
  ssize_t n = file_read(&f, to, size < INT32_MAX ? size : INT32_MAX);
  return n < 0 ? -errno : (int32_t)n;
}

void bj_file_close(int32_t fd)
{
  file_close(&(file){.fd = fd});
}
