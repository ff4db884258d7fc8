/* The C tests' framework. Each file is a program of TEST("a fact") { CHECK(...); }, run in order. A
 * failed check is reported with its place, and the test goes on. */
#ifndef TEST_H
#define TEST_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct test {
  const char *fact;
  void (*body)(void);
  struct test *next;
} *test_first, **test_end = &test_first;
static int test_faults;

#define TEST_PASTE(a, b) a##b
#define TEST_NAME(a, b) TEST_PASTE(a, b)
#define TEST(text)                                                                                 \
  static void TEST_NAME(test_at_, __LINE__)(void);                                                 \
  __attribute__((constructor)) static void TEST_NAME(enlist_, __LINE__)(void)                      \
  {                                                                                                \
    static struct test self = {.fact = text, .body = TEST_NAME(test_at_, __LINE__)};               \
    *test_end = &self;                                                                             \
    test_end = &self.next;                                                                         \
  }                                                                                                \
  static void TEST_NAME(test_at_, __LINE__)(void)

#define CHECK(condition)                                                                           \
  ((condition) ? (void)0 : test_fault(__FILE__, __LINE__, "not so: %s", #condition))
#define CHECK_EQ(got, expected)                                                                    \
  test_equal(__FILE__, __LINE__, #got, (long long)(got), (long long)(expected))
#define CHECK_BYTES(base, size, literal)                                                           \
  test_bytes(__FILE__, __LINE__, (base), (size), (literal), sizeof(literal) - 1)

#define test_fault(file, line, ...)                                                                \
  (test_faults++, printf("%s:%d: ", file, line), printf(__VA_ARGS__), (void)putchar('\n'))

static inline void test_equal(const char *file, int line, const char *what, long long got,
                              long long expected)
{
  if (got != expected) test_fault(file, line, "%s is %lld, expected %lld", what, got, expected);
}

static inline void test_bytes(const char *file, int line, const char *base, size_t size,
                              const char *expected, size_t expected_size)
{
  if (size != expected_size || (size > 0 && memcmp(base, expected, size) != 0))
    test_fault(file, line, "got \"%.*s\", expected \"%s\"", (int)size, base, expected);
}

/* A copy of the bytes, never freed, that ends where a page without access begins. */
static inline char *guarded(const void *base, size_t size)
{
  size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
  char *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
  if (start == MAP_FAILED || mprotect(start + room, page, PROT_NONE) != 0) abort();
  return size == 0 ? start + room : memcpy(start + room - size, base, size);
}

int main(void)
{
  setvbuf(stdout, NULL, _IOLBF, 0); /* keeps what was printed before a crash */
  int failed = 0;
  for (struct test *t = test_first; t != NULL; t = t->next, test_faults = 0) {
    t->body();
    printf("%s - %s\n", test_faults == 0 ? "ok" : "not ok", t->fact);
    failed |= test_faults != 0;
  }
  return failed;
}

#endif
