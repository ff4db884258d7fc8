/* An epoll for a thread to sleep in, with another epoll in its set. Each time the gate is opened to
 * that one it may wake the thread once. Opening takes one epoll_ctl(2), by another thread, and does
 * not disturb the sleeper. Linux only. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

/* A gate that `control` always passes, and `epoll` once after each gate_open(); -1 with errno. */
int gate_new(int control, int epoll);

/* Lets `epoll` through once. False with errno. */
bool gate_open(int gate, int epoll);

/* Sleeps up to `timeout` milliseconds, -1: without end. Returns the ready descriptor, or -1. */
int gate_wait(int gate, int timeout);

#endif
