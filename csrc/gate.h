/* An epoll that a thread sleeps by, through which another one can be waited for: to open it to that
 * one takes the thread's owner a system call, and does not wake the thread. Linux only. */
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
