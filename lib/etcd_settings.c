/* [etcd] of the configuration: its keys, and what they are worth. */
#include <stdlib.h>
#include <string.h>

#include "etcd_client.h"
#include "secret.h"

static const struct config_choice api_choices[] = {{"auto", ETCD_AUTO}, {"v3", ETCD_V3}, {"v2", ETCD_V2}, {NULL, 0}};

const struct config_key etcd_keys[] = {
    {"etcd", "endpoints", CONFIG_STRING, offsetof(struct etcd_settings, endpoints), "http://127.0.0.1:2379", 0, 0, NULL,
     "URLs of the etcd members, with commas between them; one after the other is tried"},
    {"etcd", "api", CONFIG_CHOICE, offsetof(struct etcd_settings, api), "auto", 0, 0, api_choices,
     "auto, v3 or v2; auto asks the server and takes v3 where it exists"},
    {"etcd", "user", CONFIG_STRING, offsetof(struct etcd_settings, user), "", 0, 0, NULL,
     "user to log in as, when etcd has authentication enabled"},
    {"etcd", "password", CONFIG_SECRET, offsetof(struct etcd_settings, password), "", 0, 0, NULL,
     "password of the user; password_file is safer"},
    {"etcd", "password_file", CONFIG_PATH, offsetof(struct etcd_settings, password_file), "", 0, 0, NULL,
     "file whose first line is the password"},
    {"etcd", "ca", CONFIG_PATH, offsetof(struct etcd_settings, ca), "", 0, 0, NULL,
     "certificates to trust for https endpoints, PEM; empty: those of the system"},
    {"etcd", "cert", CONFIG_PATH, offsetof(struct etcd_settings, cert), "", 0, 0, NULL,
     "our own certificate, PEM, when etcd asks for one"},
    {"etcd", "key", CONFIG_PATH, offsetof(struct etcd_settings, key), "", 0, 0, NULL, "key of cert, PEM"},
    {"etcd", "timeout", CONFIG_DURATION, offsetof(struct etcd_settings, timeout_ms), "2s", 50, 60000, NULL,
     "how long one endpoint may take to answer before the next one is asked"},
};

const size_t etcd_key_count = sizeof etcd_keys / sizeof etcd_keys[0];

/* --- endpoints ---------------------------------------------------------------------------------------------------- */

static bool url_is_usable(const char *url)
{
    const char *host = strncmp(url, "http://", 7) == 0 ? url + 7 : strncmp(url, "https://", 8) == 0 ? url + 8 : NULL;

    if (host == NULL || host[0] == '\0' || host[0] == ':' || host[0] == '/')
        return false;
    for (const char *c = url; *c != '\0'; c++) {
        if (*c <= ' ' || *c > '~' || strchr("\"<>\\^`{|}@?#", *c) != NULL)
            return false;
    }
    return true;
}

static bool add_server(struct etcd *etcd, const char *start, size_t length, struct error *error)
{
    while (length > 0 && start[length - 1] == '/')
        length--;
    if (etcd->server_count == ETCD_ENDPOINTS_MOST)
        return error_set(error, EXIT_CONFIG, "more than %d etcd endpoints", ETCD_ENDPOINTS_MOST);
    char *url = strndup(start, length);
    if (url == NULL)
        return error_set(error, EXIT_INTERNAL, "out of memory");
    etcd->server[etcd->server_count++].url = url;
    if (!url_is_usable(url))
        return error_set(error, EXIT_CONFIG, "etcd endpoint '%s' is not a URL like http://10.0.0.5:2379", url);
    return true;
}

bool etcd_add_servers(struct etcd *etcd, struct error *error)
{
    static const char separators[] = ", \t";
    const char *list = etcd->settings->endpoints == NULL ? "" : etcd->settings->endpoints;

    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        size_t length = strcspn(list, separators);
        if (!add_server(etcd, list, length, error))
            return false;
        list += length;
    }
    return etcd->server_count > 0 || error_set(error, EXIT_CONFIG, "no etcd endpoint is configured");
}

void etcd_free_servers(struct etcd *etcd)
{
    for (size_t i = 0; i < etcd->server_count; i++)
        free(etcd->server[i].url);
}

/* --- the password ------------------------------------------------------------------------------------------------- */

static bool has_password(const struct etcd_settings *settings, struct error *error)
{
    return settings->user == NULL || settings->password != NULL || settings->password_file != NULL ||
           error_set(error, EXIT_CONFIG, "[etcd] has a user and no password: set password_file");
}

bool etcd_read_password(struct etcd_settings *settings, struct error *error)
{
    if (!has_password(settings, error))
        return false;
    return settings->user == NULL || settings->password != NULL ||
           secret_read(settings->password_file, &settings->password, error);
}

/* --- both --------------------------------------------------------------------------------------------------------- */

bool etcd_check(const struct etcd_settings *settings, struct error *error)
{
    struct etcd etcd = {.settings = settings};
    bool right = has_password(settings, error) && etcd_add_servers(&etcd, error);

    etcd_free_servers(&etcd);
    return right;
}
