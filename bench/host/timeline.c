/* SPDX-License-Identifier: MIT */
#include "bench/host/timeline.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The last number of "binary Z NAME SIZE:" says how many raw bytes follow. False if cut off. */
static int skip_item(FILE *file)
{
    unsigned is_packed;
    char name[64];
    long size, packed_size = 0;
    if (fscanf(file, "%u %63s %ld:", &is_packed, name, &size) != 3)
        return 0;
    if (is_packed && fscanf(file, "%ld:", &packed_size) != 1)
        return 0;
    return fseek(file, is_packed ? packed_size : size, SEEK_CUR) == 0;
}

static int add(struct sm_bench_timeline *t, size_t *room, uint64_t at_us)
{
    if (t->count == *room) {
        *room = *room ? 2 * *room : 1024;
        uint64_t *grown = realloc(t->at_us, *room * sizeof(*grown));
        if (!grown)
            return 0;
        t->at_us = grown;
    }
    t->at_us[t->count++] = at_us;
    return 1;
}

int sm_bench_timeline_read(struct sm_bench_timeline *out, const char *path)
{
    FILE *file = fopen(path, "r");
    if (!file) {
        perror(path);
        return -1;
    }
    *out = (struct sm_bench_timeline){0};
    size_t room = 0;
    uint64_t first_ns = 0, ns;
    char word[64];
    unsigned what;
    /* Words of other lines are passed over one by one; binary items are skipped as a whole. */
    while (fscanf(file, "%63s", word) == 1) {
        if (strcmp(word, "binary") == 0) {
            if (!skip_item(file))
                break;
        } else if (strcmp(word, "event") == 0) {
            if (fscanf(file, "%*u %u %*u %" SCNu64, &what, &ns) != 2)
                break;
            first_ns = first_ns ? first_ns : ns;
            if (what == 0 && !add(out, &room, (ns - first_ns) / 1000))
                break;
        }
    }
    fclose(file);
    return 0;
}

void sm_bench_timeline_finish(struct sm_bench_timeline *timeline)
{
    free(timeline->at_us);
    *timeline = (struct sm_bench_timeline){0};
}
