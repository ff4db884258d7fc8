/* A strict reader of what a client got: answers to its requests, in order. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include "fuzz.h"

enum { ANSWERS_MOST = 64 };

enum asked { ASKED_GET, ASKED_HEAD };

typedef struct answers {
  text got;
  enum asked asked[ANSWERS_MOST];
  uint32_t asked_count;
} answers;

/* One head. */
typedef struct answer_head {
  unsigned status;
  long long length; /* -1: none given */
  bool is_chunked, has_mark;
  uint32_t number;
} answer_head;

static inline void answers_free(answers *a)
{
  free(a->got.base);
  *a = (answers){0};
}

static inline const char *field_of(const char *head, const char *name)
{
  const char *at = strstr(head, name);
  return at == NULL ? NULL : at + strlen(name);
}

/* Returns where the body begins, or NULL if the head is cut. */
static inline const char *answer_head_read(const char *at, const char *end, answer_head *h)
{
  char head[512];
  const char *close = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
  if (close == NULL) return NULL;
  size_t size = (size_t)(close - at) + 2;
  if (size >= sizeof head) {
    test_fault(__FILE__, __LINE__, "a head of %zu octets: %.80s", size, at);
    return NULL;
  }
  memcpy(head, at, size);
  head[size] = '\0';
  *h = (answer_head){.length = -1};
  CHECK_EQ(sscanf(head, "HTTP/1.1 %3u ", &h->status), 1);
  const char *length = field_of(head, "\r\nContent-Length: "), *mark = field_of(head, "\r\nMark: ");
  h->is_chunked = strstr(head, "\r\nTransfer-Encoding: chunked\r\n") != NULL;
  h->has_mark = mark != NULL;
  uint32_t serial;
  if (length != NULL) h->length = atoll(length);
  if (mark != NULL) CHECK_EQ(sscanf(mark, "%u/%u\r\n", &serial, &h->number), 2);
  CHECK(!h->is_chunked || length == NULL);
  return close + 4;
}

/* Checks the octets of one handler, which are all the same. */
static inline void answer_octets_check(const char *at, size_t size, const answer_head *h)
{
  for (size_t i = 0; i < size && h->has_mark; i++) {
    if (at[i] == 'F' || at[i] == 'a' + (int)(h->number % 26)) continue;
    test_fault(__FILE__, __LINE__, "octet %d in the body of %u", at[i], h->number);
    return;
  }
}

/* Returns where the chunks end, or `end` if they are cut. */
static inline const char *answer_chunks_read(const char *at, const char *end, const answer_head *h)
{
  for (;;) {
    const char *line = memmem(at, (size_t)(end - at), "\r\n", 2);
    char *digits_end;
    if (line == NULL) return end;
    size_t size = strtoul(at, &digits_end, 16);
    CHECK(digits_end == line && line > at);
    if (digits_end != line || (size_t)(end - line) < size + 4) return end;
    answer_octets_check(line + 2, size, h);
    CHECK(memcmp(line + 2 + size, "\r\n", 2) == 0);
    at = line + 4 + size;
    if (size == 0) return at;
  }
}

/* Returns where the answer ends: `end` if it lasts until then, or is cut. */
static inline const char *answer_body_read(const char *at, const char *end, const answer_head *h,
                                           enum asked asked)
{
  bool is_empty = h->status < 200 || h->status == 204 || h->status == 304;
  if (is_empty || (asked == ASKED_HEAD && h->has_mark)) return at;
  if (h->is_chunked) return answer_chunks_read(at, end, h);
  size_t size = (size_t)(end - at);
  if (h->length >= 0 && (unsigned long long)h->length < size) size = (size_t)h->length;
  answer_octets_check(at, size, h);
  return at + size;
}

/* An answer without a mark comes from the library itself, and is the last one. */
static inline void answers_check(answers *a)
{
  text_add(&a->got, "", 1); /* terminates it, for string functions */
  const char *at = a->got.base, *end = at + a->got.size - 1;
  uint32_t number = 0;
  while (at < end) {
    answer_head h;
    const char *body = answer_head_read(at, end, &h);
    if (body == NULL) return;
    at = body;
    if (h.status == 100) continue;
    CHECK(number < a->asked_count);
    if (number >= a->asked_count) return;
    if (h.has_mark) CHECK_EQ(h.number, number);
    at = answer_body_read(body, end, &h, a->asked[number++]);
    if (!h.has_mark) CHECK(at == end);
  }
}

#endif
