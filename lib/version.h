/* The version of the suite: here and nowhere else. */
#ifndef VERSION_H
#define VERSION_H

#define SUITE_VERSION "0.1.0"

#endif
