#include "schema.h"

#include "admin.h"

/* Every column is compared bytewise: names of nodes differ by case. */
#define MAKE                                                                                                           \
    "CREATE DATABASE IF NOT EXISTS `" SCHEMA_NAME "` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;"                       \
    "CREATE TABLE IF NOT EXISTS `" SCHEMA_NAME "`.`view` (node VARCHAR(64) NOT NULL PRIMARY KEY, gcomm_uuid CHAR(36)," \
    " conf_id BIGINT, generation BIGINT, mark BIGINT UNSIGNED) ENGINE=InnoDB;"                                         \
    "CREATE TABLE IF NOT EXISTS `" SCHEMA_NAME "`.`seed` (id TINYINT UNSIGNED NOT NULL PRIMARY KEY,"                   \
    " state VARCHAR(16), sha256 CHAR(64), `database` VARCHAR(64), made_with VARCHAR(200), node VARCHAR(64),"           \
    " loader CHAR(32), users_sha256 CHAR(64),"                                                                         \
    " updated TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP) ENGINE=InnoDB;"                \
    "INSERT IGNORE INTO `" SCHEMA_NAME "`.`seed` (id) VALUES (1)"

static bool is_complete(struct node *node, bool *complete, struct error *error)
{
    struct text sql = {0};
    int64_t count = 0;

    *complete = false;
    text_add(&sql, "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '" SCHEMA_NAME
                   "' AND table_name IN ('view', 'seed')");
    bool answered = admin_number(node, &sql, &count, error);
    if (answered && count == 2) {
        text_clear(&sql);
        text_add(&sql, "SELECT COUNT(*) FROM `" SCHEMA_NAME "`.`seed` WHERE id = 1");
        answered = admin_number(node, &sql, &count, error);
        *complete = count == 1;
    }
    text_free(&sql);
    return answered;
}

bool schema_make(struct node *node, struct error *error)
{
    bool complete;

    if (!is_complete(node, &complete, error))
        return false;
    return complete || admin_do(node, "SET SESSION wsrep_OSU_method = 'TOI';" MAKE, error) ||
           error_context(error, "cannot make the schema " SCHEMA_NAME);
}
