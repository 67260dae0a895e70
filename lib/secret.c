#include "secret.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"

enum { SECRET_MOST = 1024 };

bool secret_read(const char *path, char **secret, struct error *error)
{
    char line[SECRET_MOST];
    struct stat status;
    FILE *stream = fopen(path, "re");

    if (stream == NULL)
        return error_set(error, EXIT_CONFIG, "cannot read the password file %s: %s", path, strerror(errno));
    if (fstat(fileno(stream), &status) == 0 && (status.st_mode & S_IROTH) != 0)
        log_info("password file %s can be read by every user; chmod it to 0640 or 0600", path);
    const char *text = fgets(line, sizeof line, stream);
    int read_error = ferror(stream) ? errno : 0;
    bool whole = text == NULL || strchr(line, '\n') != NULL || feof(stream);
    fclose(stream);
    if (read_error != 0)
        return error_set(error, EXIT_CONFIG, "cannot read the password file %s: %s", path, strerror(read_error));
    if (!whole) {
        explicit_bzero(line, sizeof line);
        return error_set(error, EXIT_CONFIG, "the first line of the password file %s is longer than %d bytes", path,
                         SECRET_MOST - 2);
    }
    if (text == NULL)
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    if (line[0] == '\0')
        return error_set(error, EXIT_CONFIG, "the password file %s has no password in its first line", path);
    char *copy = strdup(line);
    explicit_bzero(line, sizeof line);
    if (copy == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    free(*secret);
    *secret = copy;
    return true;
}

void secret_wipe(char *argument)
{
    explicit_bzero(argument, strlen(argument));
}
