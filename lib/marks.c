#include "marks.h"

#include <stdio.h>
#include <unistd.h>

static const char classic_disable_file[] = "/var/tmp/clustercheck.disabled";

/* The name that the state transfer scripts of MariaDB and PXC use (scripts/wsrep_sst_common, SST_PROGRESS_FILE). */
static const char sst_mark[] = "sst_in_progress";

static bool file_exists(const char *path)
{
    return path != NULL && access(path, F_OK) == 0;
}

bool mark_disabled(const char *disable_file)
{
    return file_exists(disable_file) || file_exists(classic_disable_file);
}

bool mark_draining(const char *drain_file)
{
    return file_exists(drain_file);
}

bool mark_transfer(const char *datadir)
{
    char path[4096];

    if (datadir == NULL)
        return false;
    snprintf(path, sizeof path, "%s/%s", datadir, sst_mark);
    return file_exists(path);
}
