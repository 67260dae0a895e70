/* Text from outside in log lines and JSON, in buffers of every size. */
#include <ctype.h>
#include <string.h>

#include "escape.h"
#include "fuzz.h"

static void add(struct line *line, int form, const char *text)
{
    if (form == 0)
        line_add_escaped(line, text);
    else if (form == 1)
        line_add_json(line, text);
    else
        line_add_value(line, text);
}

static char *line_of(int form, const char *text, size_t size, size_t *length)
{
    char *buffer = malloc(size);
    struct line line = {.text = buffer, .size = size, .length = 0};

    MUST(buffer != NULL);
    buffer[0] = '\0';
    add(&line, form, text);
    MUST(line.size == size && line.length < size && strlen(buffer) == line.length);
    for (size_t i = 0; i < line.length; i++)
        MUST((unsigned char)buffer[i] >= 0x20 && buffer[i] != 0x7F);
    *length = line.length;
    return buffer;
}

/* Takes the escapes of a log line back. */
static size_t unescape(char *text)
{
    char *out = text;

    for (const char *in = text; *in != '\0'; in++) {
        if (*in != '\\') {
            *out++ = *in;
            continue;
        }
        in++;
        if (*in == 'x') {
            const char digits[] = {in[1], in[2], '\0'};
            MUST(isxdigit((unsigned char)in[1]) && isxdigit((unsigned char)in[2]));
            *out++ = (char)strtoul(digits, NULL, 16);
            in += 2;
        } else {
            MUST(*in == 'n' || *in == 't' || *in == '\\');
            *out++ = *in == 'n' ? '\n' : *in == 't' ? '\t' : '\\';
        }
    }
    return (size_t)(out - text);
}

static void check_json(const char *text, size_t length)
{
    MUST(length >= 2 && text[0] == '"' && text[length - 1] == '"');
    for (size_t i = 1; i < length - 1; i++) {
        MUST(text[i] != '"');
        if (text[i] == '\\') {
            MUST(++i < length - 1 && strchr("\"\\ntu", text[i]) != NULL);
            for (int k = 0; text[i] == 'u' && k < 4; k++)
                MUST(isxdigit((unsigned char)text[i + 1 + (size_t)k]));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    size_t length;

    MUST(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    size_t whole = strlen(text);

    char *log = line_of(0, text, 4 * whole + 1, &length);
    MUST(unescape(log) == whole && memcmp(log, text, whole) == 0);
    free(log);

    char *json = line_of(1, text, 6 * whole + 3, &length);
    check_json(json, length);
    free(json);

    /* The last byte chooses how narrow the buffer is. */
    size_t narrow = size == 0 ? 1 : (size_t)data[size - 1] + 1;
    for (int form = 0; form <= 2; form++) {
        char *line = line_of(form, text, narrow, &length);
        if (form == 1 && narrow >= 3)
            check_json(line, length);
        free(line);
    }
    free(text);
    return 0;
}
