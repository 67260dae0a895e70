/* Text from outside, made fit to stand in one line of a log, a header or a JSON string. */
#ifndef ESCAPE_H
#define ESCAPE_H

#include <stddef.h>

/*
 * A line that is being put together in a fixed buffer. It never overflows and is always terminated;
 * what does not fit is cut off, between two characters' escapes and not inside one.
 */
struct line {
    char *text;
    size_t size;
    size_t length;
};

#define LINE_IN(buffer) ((struct line){.text = (buffer), .size = sizeof(buffer), .length = 0})

void line_add(struct line *line, const char *text);

/*
 * Control characters (C0, DEL, C1) and backslash as \xHH, \n, \t, \\; other well-formed UTF-8 stays, other bytes
 * become \xHH.
 */
void line_add_escaped(struct line *line, const char *text);

/* The same as a JSON string, quotes included; bytes that are not UTF-8 become U+FFFD. */
void line_add_json(struct line *line, const char *text);

/* As a value in key=value: escaped, and in double quotes when it is empty or has a blank, a quote or '='. */
void line_add_value(struct line *line, const char *text);

#endif
