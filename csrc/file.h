/* A file, or a part of one, on its way to a socket. */
#ifndef FILE_H
#define FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

typedef struct file {
  int fd;        /* -1: none */
  uint64_t from; /* the next byte */
} file;

/* Reads up to `size` bytes from `from`, and moves it. Returns how many, fewer only at the end of
 * the file; -1 with errno. */
ssize_t file_read(file *f, char *to, size_t size);

/* Sends up to `size` bytes from `from`, as far as the socket takes them, and moves it. Returns how
 * many, 0 at the end of the file, -1 with errno. */
ssize_t file_send(file *f, int socket, size_t size);

void file_close(file *f);

/* The file's mtime. */
struct timespec file_time(const struct stat *s);

#endif
