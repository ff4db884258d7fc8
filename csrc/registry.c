#include "registry.h"

#include <stdbool.h>
#include <stddef.h>

#if defined(__linux__)

#include <sys/syscall.h>
#include <unistd.h>

static bool is_main_thread(void)
{
  return syscall(SYS_gettid) == getpid();
}

#else

static bool is_main_thread(void)
{
  return pthread_main_np() != 0;
}

#endif

/* The one mutable global of the library: everything else hangs from a server. */
static struct {
  pthread_mutex_t lock;
  pthread_key_t key;
  int has_key;
  registered *first;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* Runs when a thread that made servers ends. They stay allocated: a Worker that is being torn down
 * may still hold them. */
static void on_thread_end(void *value)
{
  (void)value;
  pthread_mutex_lock(&registry.lock);
  for (registered **at = &registry.first; *at != NULL;) {
    registered *server = *at;
    if (pthread_equal(server->owner, pthread_self())) {
      *at = server->next;
      server->halt(server);
    } else {
      at = &server->next;
    }
  }
  pthread_mutex_unlock(&registry.lock);
}

/* Either the last thread that had the library unloads it, and no other uses a server any more; or
 * the main thread exits the process, while others may be in the middle of a turn: theirs are left
 * to the system. The key must go before the code that it points to. */
__attribute__((destructor)) static void on_unload(void)
{
  pthread_mutex_lock(&registry.lock);
  if (registry.has_key) {
    pthread_key_delete(registry.key);
    registry.has_key = 0;
  }
  bool is_exit = is_main_thread();
  for (registered *server = registry.first; server != NULL; server = server->next)
    if (!is_exit || pthread_equal(server->owner, pthread_self())) server->halt(server);
  registry.first = NULL;
  pthread_mutex_unlock(&registry.lock);
}

int registry_add(registered *server)
{
  int refused = 0;
  pthread_mutex_lock(&registry.lock);
  if (!registry.has_key) {
    refused = pthread_key_create(&registry.key, on_thread_end);
    registry.has_key = refused == 0;
  }
  if (refused == 0) refused = pthread_setspecific(registry.key, &registry);
  if (refused == 0) {
    server->owner = pthread_self();
    server->next = registry.first;
    registry.first = server;
  }
  pthread_mutex_unlock(&registry.lock);
  return refused;
}

void registry_remove(registered *server)
{
  pthread_mutex_lock(&registry.lock);
  for (registered **at = &registry.first; *at != NULL; at = &(*at)->next) {
    if (*at == server) {
      *at = server->next;
      break;
    }
  }
  pthread_mutex_unlock(&registry.lock);
}
