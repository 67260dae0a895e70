#include "quick_start.h"

#include <nss.h>
#include <openssl/ssl.h>

/* Not linked against OpenSSL by ourselves: the function is there when the client library brings it. */
#pragma weak OPENSSL_init_ssl

/* mysql_init starts OpenSSL with its configuration file and its error texts, which a local connection never uses. */
static void start_openssl_bare(void)
{
    static const uint64_t bare = OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
                                 OPENSSL_INIT_NO_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_ADD_ALL_CIPHERS |
                                 OPENSSL_INIT_NO_ADD_ALL_DIGESTS | OPENSSL_INIT_NO_ATEXIT;

    if (OPENSSL_init_ssl != NULL)
        OPENSSL_init_ssl(bare, NULL);
}

void quick_start(bool tls)
{
    if (!tls)
        start_openssl_bare();
    /* mysql_init looks up the service "mysql", and nsswitch.conf's usual "db files" makes glibc search some seventy
     * directories for a library that is hardly ever there. */
    __nss_configure_lookup("services", "files");
}
