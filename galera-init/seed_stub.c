#include "admin.h"
#include "schema.h"
#include "seed.h"
enum exit_code seed_run(const struct seed_job *job, struct error *error)
{
    (void)job;
    error_set(error, EXIT_TRY_AGAIN, "not yet");
    return EXIT_TRY_AGAIN;
}
bool accounts_make(const struct seed_job *job, struct error *error)
{
    struct node *node = admin_open(job->settings, job->socket, 10000, error);
    if (node == NULL)
        return false;
    bool ok = schema_make(node, error) &&
              admin_do(node,
                       "CREATE USER IF NOT EXISTS clustercheck@'%' IDENTIFIED BY 'check-secret'; GRANT SELECT ON "
                       "galera_init.* TO clustercheck@'%';CREATE USER IF NOT EXISTS app@'%' IDENTIFIED BY "
                       "'app-secret';CREATE DATABASE IF NOT EXISTS app;GRANT ALL ON app.* TO app@'%'",
                       error);
    node_close(node);
    return ok;
}
