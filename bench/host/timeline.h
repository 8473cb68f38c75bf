/* SPDX-License-Identifier: MIT */
/* When the commands of a recording were recorded. The public functions that play one do not tell.
 */
#ifndef SM_BENCH_HOST_TIMELINE_H
#define SM_BENCH_HOST_TIMELINE_H

#include <stddef.h>
#include <stdint.h>

struct sm_bench_timeline {
    uint64_t *at_us; /* owned; of each command, since the first event */
    size_t count;
};

/** Reads the recording at `path`; 0, or −1 with a message on stderr. */
int sm_bench_timeline_read(struct sm_bench_timeline *out, const char *path);

void sm_bench_timeline_finish(struct sm_bench_timeline *timeline);

#endif
