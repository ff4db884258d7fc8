/* An epoll that a thread sleeps in, with another one in its set that is told of once each time that
 * the gate is opened to it: one epoll_ctl(2) of another thread's, which does not wake the sleeper.
 * Linux only. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

/* A gate that is open to `control`, and can be opened to `epoll`; -1 with errno. */
int gate_new(int control, int epoll);

/* Lets `epoll` through once. False with errno. */
bool gate_open(int gate, int epoll);

/* Sleeps up to `timeout` milliseconds, -1: without end. Returns who is ready; -1: nobody. */
int gate_wait(int gate, int timeout);

#endif
