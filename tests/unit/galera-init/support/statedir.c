#include "statedir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../row.h"
#include "samples.h"

int statedir_begin(void **state)
{
    struct place_on_disk *disk = calloc(1, sizeof *disk);

    assert_non_null(disk);
    snprintf(disk->root, sizeof disk->root, "/tmp/statefile.XXXXXX");
    assert_non_null(mkdtemp(disk->root));
    snprintf(disk->directory, sizeof disk->directory, "%s/state", disk->root);
    *state = disk;
    return 0;
}

const char *file_in(const struct place_on_disk *disk, const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", disk->directory, name);
    return path;
}

int statedir_end(void **state)
{
    struct place_on_disk *disk = *state;

    (void)unlink(file_in(disk, "state.json"));
    (void)rmdir(file_in(disk, "state.json"));
    (void)rmdir(file_in(disk, "state.json.new"));
    (void)unlink(file_in(disk, "lock"));
    (void)rmdir(disk->directory);
    int removed = rmdir(disk->root); /* nothing else was left there */
    free(disk);
    return removed;
}

struct state some_state(void)
{
    uint64_t seed = 3;
    struct state state = {.cluster = "x",
                          .node = "n1",
                          .datadir = "/var/lib/my \"sql\"\xC3\xA4",
                          .epoch = 4,
                          .pledged = true,
                          .fresh = true,
                          .served = true,
                          .installing = true,
                          .peer_count = NODES_MOST,
                          .server_pid = 4194304,
                          .server_start = INT64_MAX,
                          .lease = INT64_MAX};

    state.lineage = sample_lineage(&seed);
    assert_int_not_equal(state.lineage.count, 0);
    for (size_t i = 0; i < NODES_MOST; i++) {
        snprintf(state.peer[i].name, sizeof state.peer[i].name, "n%zu", i);
        if (i % 2 == 0)
            snprintf(state.peer[i].address, sizeof state.peer[i].address, "[::1]:%zu", 4567 + i);
        if (i % 3 == 0)
            snprintf(state.peer[i].sql, sizeof state.peer[i].sql, "db%zu.example.com:3306", i);
    }
    return state;
}

void assert_same(const struct state *a, const struct state *b)
{
    assert_string_equal(a->cluster, b->cluster);
    assert_string_equal(a->node, b->node);
    assert_string_equal(a->datadir, b->datadir);
    assert_true(same_lineage(&a->lineage, &b->lineage));
    assert_int_equal(a->epoch, b->epoch);
    assert_int_equal(a->pledged, b->pledged);
    assert_int_equal(a->fresh, b->fresh);
    assert_int_equal(a->served, b->served);
    assert_int_equal(a->installing, b->installing);
    assert_int_equal(a->server_pid, b->server_pid);
    assert_int_equal(a->server_start, b->server_start);
    assert_int_equal(a->lease, b->lease);
    assert_int_equal(a->peer_count, b->peer_count);
    for (size_t i = 0; i < a->peer_count; i++) {
        assert_string_equal(a->peer[i].name, b->peer[i].name);
        assert_string_equal(a->peer[i].address, b->peer[i].address);
        assert_string_equal(a->peer[i].sql, b->peer[i].sql);
    }
}

void must_open(struct statefile *file, const struct place_on_disk *disk, struct state *state)
{
    struct error error = {.text = ""};

    if (!statefile_open(file, disk->directory, "x", "n1", state, &error))
        fail_msg("%s", error.text);
}

void must_save(struct statefile *file, const struct state *state)
{
    struct error error = {.text = ""};

    if (!statefile_save(file, state, &error))
        fail_msg("%s", error.text);
}

void write_file(const struct place_on_disk *disk, const char *name, const char *text, size_t length)
{
    (void)mkdir(disk->directory, 0700);
    int fd = open(file_in(disk, name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, length), length);
    close(fd);
}
