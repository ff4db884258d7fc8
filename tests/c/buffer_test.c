/* Includes the unit, so that its malloc() can fail. */
#include <stdbool.h>
#include <stdlib.h>

static bool no_memory;

static void *fallible(size_t size)
{
  return no_memory ? NULL : malloc(size);
}

#define malloc fallible
#include "buffer.c"
#undef malloc

#include "test.h"

TEST("an empty buffer owns no memory")
{
  buffer b = {0};
  CHECK_EQ(buffer_append(&b, (bytes){NULL, 0}), BUFFERED);
  CHECK(b.memory == NULL);
  CHECK_EQ(buffer_append(&b, BYTES("abc")), BUFFERED);
  buffer_consume(&b, 3);
  CHECK_EQ(buffer_size(&b), 0);
  buffer_free(&b);
  CHECK(b.memory == NULL);
}

TEST("spares keep memory of worthwhile size, up to a total, and lend it to empty buffers")
{
  static char large[20000];
  spares all = {.count = 0};
  for (unsigned i = 0; i < SPARES + 5; i++) {
    buffer b = {0};
    CHECK_EQ(buffer_append(&b, (bytes){large, sizeof large}), BUFFERED);
    spares_keep(&all, &b);
    CHECK(b.memory == NULL && b.capacity == 0);
  }
  CHECK_EQ(all.count, SPARES);
  buffer small = {0}, used = {0}, huge = {0};
  CHECK_EQ(buffer_append(&small, BYTES("abc")), BUFFERED);
  CHECK_EQ(buffer_append(&used, BYTES("abc")), BUFFERED);
  spares_lend(&all, &used); /* has its own */
  CHECK_EQ(all.count, SPARES);
  buffer lent = {0};
  spares_lend(&all, &lent);
  CHECK_EQ(all.count, SPARES - 1);
  CHECK(lent.memory != NULL && lent.capacity >= sizeof large && buffer_size(&lent) == 0);
  spares_keep(&all, &small); /* too small to keep */
  CHECK(buffer_room(&huge, 1 << 20) != NULL);
  spares_keep(&all, &huge); /* too large: a borrower would be charged for all of it */
  CHECK_EQ(all.count, SPARES - 1);
  CHECK(buffer_room(&huge, 4 << 20) != NULL);
  spares_keep(&all, &huge);
  CHECK_EQ(all.count, SPARES - 1);
  spares_keep(&all, &lent);
  spares_keep(&all, &used);
  CHECK_EQ(all.count, SPARES);
  spares_free(&all);
  CHECK_EQ(all.count, 0);
  spares_lend(&all, &lent);
  CHECK(lent.memory == NULL);
}

TEST("what is appended comes out in order, in whatever pieces")
{
  const size_t cuts[] = {1, 2, 3, 7, 64, 1000};
  for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
    buffer b = {0};
    unsigned char in = 0, out = 0;
    for (int round = 0; round < 500; round++) {
      char piece[1000];
      for (size_t k = 0; k < cuts[i]; k++) piece[k] = (char)in++;
      CHECK_EQ(buffer_append(&b, (bytes){piece, cuts[i]}), BUFFERED);
      size_t take = round % 3 == 0 ? buffer_size(&b) : buffer_size(&b) / 2;
      bool same = true;
      for (size_t k = 0; k < take; k++)
        same &= (unsigned char)buffer_bytes(&b).base[k] == (unsigned char)(out + k);
      CHECK(same);
      out = (unsigned char)(out + take);
      buffer_consume(&b, take);
      CHECK(b.start <= b.end && b.end <= b.capacity);
    }
    buffer_free(&b);
  }
}

TEST("a buffer that is consumed as it grows stays small")
{
  buffer b = {0};
  CHECK_EQ(buffer_append(&b, BYTES("0123456789")), BUFFERED);
  for (int i = 0; i < 10000; i++) {
    CHECK_EQ(buffer_append(&b, BYTES("0123456789")), BUFFERED);
    buffer_consume(&b, 10);
  }
  CHECK(b.capacity <= 80);
  buffer_free(&b);
}

TEST("room is committed as far as it was used")
{
  buffer b = {0};
  char *room = buffer_room(&b, 100);
  memcpy(room, "ab", 2);
  buffer_commit(&b, 2);
  room = buffer_room(&b, 5000);
  memset(room, 'c', 5000);
  buffer_commit(&b, 1);
  CHECK_BYTES(buffer_bytes(&b).base, buffer_size(&b), "abc");
  buffer_free(&b);
}

TEST("room for 0 bytes is not NULL")
{
  buffer b = {0};
  CHECK(buffer_room(&b, 0) != NULL);
  buffer_free(&b);
}

TEST("clearing forgets the content and keeps the memory")
{
  buffer b = {0};
  buffer_append(&b, BYTES("abc"));
  const char *memory = b.memory;
  buffer_clear(&b);
  CHECK_EQ(buffer_size(&b), 0);
  buffer_append(&b, BYTES("xyz"));
  CHECK(b.memory == memory);
  CHECK_BYTES(buffer_bytes(&b).base, buffer_size(&b), "xyz");
  buffer_free(&b);
}

TEST("the content may be replaced by a part of itself, or by nothing")
{
  buffer b = {0};
  buffer_append(&b, BYTES("abcdef"));
  CHECK_EQ(buffer_replace(&b, bytes_from(buffer_bytes(&b), 2)), BUFFERED);
  CHECK_BYTES(buffer_bytes(&b).base, buffer_size(&b), "cdef");
  CHECK_EQ(buffer_replace(&b, (bytes){NULL, 0}), BUFFERED);
  CHECK(b.memory == NULL);
}

TEST("a failed allocation leaves the buffer as before")
{
  buffer b = {0};
  buffer_append(&b, BYTES("abc"));
  no_memory = true;
  CHECK(buffer_room(&b, 100) == NULL);
  CHECK_EQ(buffer_append(&b, BYTES("0123456789")), BUFFER_NO_MEMORY);
  CHECK_EQ(buffer_replace(&b, BYTES("0123456789")), BUFFER_NO_MEMORY);
  no_memory = false;
  CHECK_BYTES(buffer_bytes(&b).base, buffer_size(&b), "abc");
  buffer_free(&b);
}
