/* An epoll that a thread sleeps by, through which another one can be waited for: to open it to that
 * one takes the thread's owner a system call, and does not wake the thread. Linux only. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

/* A gate that is open to `control`; -1 with errno. */
int gate_new(int control);

/* Whether the gate is open to `fd` from now on. */
bool gate_open(int gate, int fd);
void gate_shut(int gate, int fd);

/* Sleeps up to `timeout` milliseconds, -1: without end. Returns who is ready; -1: nobody. */
int gate_wait(int gate, int timeout);

#endif
