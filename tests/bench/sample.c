#include "sample.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void sample_add(struct sample *s, uint64_t value)
{
    if (s->count == s->room) {
        size_t room = s->room ? s->room * 2 : 1024;
        uint64_t *grown = reallocarray(s->value, room, sizeof *grown);
        if (!grown)
            bench_die(70, "out of memory after %zu samples", s->count);
        s->value = grown;
        s->room = room;
    }
    s->value[s->count++] = value;
    s->sorted = false;
}

static int value_compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

uint64_t sample_quantile(struct sample *s, unsigned per_mille)
{
    if (s->count == 0)
        return 0;
    if (!s->sorted) {
        qsort(s->value, s->count, sizeof *s->value, value_compare);
        s->sorted = true;
    }
    size_t rank = (s->count * per_mille + 999) / 1000;
    return s->value[rank ? rank - 1 : 0];
}

double sample_mean(const struct sample *s)
{
    double sum = 0;
    for (size_t i = 0; i < s->count; i++)
        sum += (double)s->value[i];
    return s->count ? sum / (double)s->count : 0;
}

void sample_free(struct sample *s)
{
    free(s->value);
    *s = (struct sample){0};
}

uint64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

bool number_parse(const char *text, uint64_t least, uint64_t most, uint64_t *out)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end = NULL;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno != 0 || *end != '\0' || value < least || value > most)
        return false;
    *out = value;
    return true;
}

void json_string(FILE *out, const char *text)
{
    fputc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            fprintf(out, "\\%c", *p);
        } else if (*p < 0x20) {
            fprintf(out, "\\u%04x", *p);
        } else {
            fputc(*p, out);
        }
    }
    fputc('"', out);
}

void bench_die(int code, const char *format, ...)
{
    char message[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(message, sizeof message, format, list);
    va_end(list);
    fprintf(stderr, "%s: %s\n", program_invocation_short_name, message);
    exit(code);
}
