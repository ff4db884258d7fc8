/* macOS as the library sees it, on Linux: included before everything else in a build that says
 * __APPLE__ and not __linux__. What Linux has and macOS has not does not compile; what only macOS
 * has is made of what Linux has (macos.c), with the behaviour that the library counts on. */
#ifndef MACOS_H
#define MACOS_H

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#undef SOCK_NONBLOCK
#undef SOCK_CLOEXEC
#undef MSG_MORE
#define SOCK_NONBLOCK macos_has_no_SOCK_NONBLOCK
#define SOCK_CLOEXEC macos_has_no_SOCK_CLOEXEC
#define MSG_MORE macos_has_no_MSG_MORE
#define accept4 macos_has_no_accept4

#define SO_NOSIGPIPE 0x1022
#define SO_NWRITE 0x1024
#define TCP_KEEPALIVE TCP_KEEPIDLE
#define F_GETPATH 50
#define st_mtimespec st_mtim

int macos_socket(int family, int type, int protocol);
int macos_socketpair(int family, int type, int protocol, int fds[2]);
int macos_accept(int listener, struct sockaddr *peer, socklen_t *size);
int macos_setsockopt(int fd, int level, int name, const void *value, socklen_t size);
int macos_getsockopt(int fd, int level, int name, void *value, socklen_t *size);
ssize_t macos_send(int fd, const void *from, size_t size, int flags);
ssize_t macos_sendmsg(int fd, const struct msghdr *message, int flags);
int macos_sendfile(int file, int fd, off_t from, off_t *count, void *headers, int flags);
int macos_fcntl(int fd, int command, ...);
char ***macos_argv(void);
int pthread_main_np(void);

#define socket(family, type, protocol) macos_socket(family, type, protocol)
#define socketpair(family, type, protocol, fds) macos_socketpair(family, type, protocol, fds)
#define accept(listener, peer, size) macos_accept(listener, peer, size)
#define setsockopt(fd, level, name, value, size) macos_setsockopt(fd, level, name, value, size)
#define getsockopt(fd, level, name, value, size) macos_getsockopt(fd, level, name, value, size)
#define send(fd, from, size, flags) macos_send(fd, from, size, flags)
#define sendmsg(fd, message, flags) macos_sendmsg(fd, message, flags)
#define sendfile macos_sendfile
#define fcntl macos_fcntl
#define _NSGetArgv macos_argv

#endif
