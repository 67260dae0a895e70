/* Section [mysql] of the configuration; apart from node.c, which knows the client library. */
#include "node.h"

#include <stddef.h>

#include "secret.h"

const struct config_key node_keys[] = {
    {"mysql", "host", CONFIG_STRING, offsetof(struct node_settings, host), "", 0, 0, NULL,
     "server to ask; empty or localhost: through the Unix socket"},
    {"mysql", "port", CONFIG_NUMBER, offsetof(struct node_settings, port), "0", 0, 65535, NULL,
     "TCP port of the server; 0: what defaults_file says, else 3306"},
    {"mysql", "socket", CONFIG_PATH, offsetof(struct node_settings, socket), "", 0, 0, NULL,
     "Unix socket of the server; empty: the client library's default"},
    {"mysql", "user", CONFIG_STRING, offsetof(struct node_settings, user), "", 0, 0, NULL,
     "account to log in with, no privilege but USAGE is needed; empty: that of defaults_file, else " NODE_DEFAULT_USER},
    {"mysql", "password", CONFIG_SECRET, offsetof(struct node_settings, password), "", 0, 0, NULL,
     "password of the account; password_file is safer"},
    {"mysql", "password_file", CONFIG_PATH, offsetof(struct node_settings, password_file), "", 0, 0, NULL,
     "file whose first line is the password"},
    {"mysql", "defaults_file", CONFIG_PATH, offsetof(struct node_settings, defaults_file), "", 0, 0, NULL,
     "MySQL option file for what is not set here"},
    {"mysql", "defaults_group", CONFIG_STRING, offsetof(struct node_settings, defaults_group), "", 0, 0, NULL,
     "group to read in defaults_file besides [client]"},
    {"mysql", "ssl_ca", CONFIG_PATH, offsetof(struct node_settings, ssl_ca), "", 0, 0, NULL,
     "certificates to trust, PEM; setting it turns TLS on"},
    {"mysql", "ssl_cert", CONFIG_PATH, offsetof(struct node_settings, ssl_cert), "", 0, 0, NULL,
     "our own certificate, PEM; setting it turns TLS on"},
    {"mysql", "ssl_key", CONFIG_PATH, offsetof(struct node_settings, ssl_key), "", 0, 0, NULL, "key of ssl_cert, PEM"},
    {"mysql", "ssl_verify", CONFIG_BOOLEAN, offsetof(struct node_settings, ssl_verify), "yes", 0, 0, NULL,
     "whether the server's certificate must be valid and name `host`"},
    {"mysql", "extra_port", CONFIG_NUMBER, offsetof(struct node_settings, extra_port), "0", 0, 65535, NULL,
     "port to try when all connections are taken (the server's own extra_port); 0: none"},
};

const size_t node_key_count = sizeof node_keys / sizeof node_keys[0];

bool node_read_password(struct config *config, struct node_settings *settings, struct error *error)
{
    if (settings->password_file == NULL)
        return true;
    if (settings->password != NULL && !config_outranks(config, "mysql", "password_file", "password"))
        return true;
    return secret_read(settings->password_file, &settings->password, error);
}
