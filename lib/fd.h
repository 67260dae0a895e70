/* File descriptors: what their system calls leave to everybody to do again. */
#ifndef FD_H
#define FD_H

#include <stdbool.h>
#include <stddef.h>

/* All of it, however many calls that takes; false with errno. For files and pipes that block. */
bool fd_write(int fd, const void *bytes, size_t length);

/* Closes it unless it is -1, which it is afterwards; errno stays. */
void fd_close(int *fd);

#endif
