/* Shared by the fuzz targets: the driver of the C tests without its main(), and growing texts.
 * Targets use the checks of test.h; a failed one aborts the process, which is how a fuzzer notices.
 */
#ifndef FUZZ_H
#define FUZZ_H

#define main test_main /* libFuzzer and replay.c have their own */
#include "../c/driver.h"
#undef main

/* Set by replay.c, which has the time: what a fuzzer tries at some places is tried at all. */
__attribute__((weak)) int fuzz_thorough = 0;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Octets collected so far. Not having room for them is a fault of the target. */
typedef struct text {
  char *base;
  size_t size, capacity;
} text;

static inline void text_add(text *t, const void *base, size_t size)
{
  if (t->size + size > t->capacity) {
    t->capacity = 2 * (t->size + size);
    t->base = realloc(t->base, t->capacity);
    if (t->base == NULL) abort();
  }
  if (size > 0) memcpy(t->base + t->size, base, size);
  t->size += size;
}

#define text_print(t, ...)                                                                         \
  do {                                                                                             \
    char line_[256];                                                                               \
    text_add(t, line_, (size_t)snprintf(line_, sizeof line_, __VA_ARGS__));                        \
  } while (0)

static inline bool text_same(const text *a, const text *b)
{
  return a->size == b->size && (a->size == 0 || memcmp(a->base, b->base, a->size) == 0);
}

/* Removes every copy of `what`. */
static inline void text_remove(text *t, const char *what)
{
  size_t size = strlen(what);
  for (size_t i = 0; i + size <= t->size;) {
    if (memcmp(t->base + i, what, size) != 0) {
      i++;
      continue;
    }
    memmove(t->base + i, t->base + i + size, t->size - i - size);
    t->size -= size;
  }
}

/* The numbers an input stands for must be the same each time it is tried (FNV-1a). */
static inline uint32_t fuzz_hash(const uint8_t *data, size_t size, uint32_t salt)
{
  uint32_t hash = 2166136261u ^ salt;
  for (size_t i = 0; i < size; i++) hash = (hash ^ data[i]) * 16777619u;
  return hash ^ hash >> 15;
}

static inline int fuzz_verdict(void)
{
  if (test_faults == 0) return 0;
  fflush(stdout);
  abort();
}

#endif
