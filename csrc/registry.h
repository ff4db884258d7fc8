/* The live servers of the process, for ends that nobody announces: the library is unloaded (Deno
 * does so on reload), the process exits, or a JavaScript thread ends (a terminated Worker). The
 * helper threads must stop before their code or their owner is gone. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include <pthread.h>

typedef struct registered {
  struct registered *next;
  pthread_t owner;
  void (*halt)(struct registered *server); /* stops threads and closes descriptors, frees nothing */
} registered;

/* Remembers a server of the calling thread. Returns 0, or an error number. */
int registry_add(registered *server);

void registry_remove(registered *server);

#endif
