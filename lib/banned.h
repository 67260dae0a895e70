/*
 * Functions that cannot be called safely are errors at compile time.
 *
 * The Makefile includes this header in every one of our translation units (-include), so a use is
 * found by the compiler and not by a reviewer. Each has a replacement in the C library or in lib/.
 */
#ifndef BANNED_H
#define BANNED_H

/* The system's headers must declare these names before they become errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BANNED(name) use_a_bounded_function_instead_of_##name

#undef strcpy
#undef strcat
#undef sprintf
#undef vsprintf
#undef strtok
#undef atoi
#undef atol
#undef gets
#define strcpy(...)   BANNED(strcpy)
#define strcat(...)   BANNED(strcat)
#define sprintf(...)  BANNED(sprintf)
#define vsprintf(...) BANNED(vsprintf)
#define strtok(...)   BANNED(strtok)
#define atoi(...)     BANNED(atoi)
#define atol(...)     BANNED(atol)
#define gets(...)     BANNED(gets)

#endif
