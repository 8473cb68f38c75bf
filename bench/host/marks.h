/* SPDX-License-Identifier: MIT */
/*
 * Keeps marks (mark.h) on top of what a guest draws: they are drawn again when something drew over
 * them, and as time goes by.
 */
#ifndef SM_BENCH_HOST_MARKS_H
#define SM_BENCH_HOST_MARKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/host/mark.h"
#include "bench/host/ring.h"

/** Thread: the one that feeds, where nothing else is said. */
struct sm_bench_marks {
    struct sm_bench_rings *rings;      /* borrowed */
    uint64_t drawn_us[SM_MARK_PLACES]; /* when each was drawn last */
    _Atomic uint64_t keys, images;
};

void sm_bench_marks_init(struct sm_bench_marks *marks, struct sm_bench_rings *rings);

/** The places that `command` will draw over, a bit each; asked before it is queued. */
unsigned sm_bench_marks_under(const QXLCommandExt *command);

/*
 * What draws returns true if the server is to be told (spice_qxl_wakeup()).
 */

/** Draws these places again. */
bool sm_bench_marks_draw(struct sm_bench_marks *marks, unsigned places);

/** Draws the time where it was drawn more than 20 ms ago. */
bool sm_bench_marks_tick(struct sm_bench_marks *marks);

/** Draws everywhere that this was the last time. */
bool sm_bench_marks_end(struct sm_bench_marks *marks);

/** A key was pressed: counts it and draws the count. Thread: any. */
bool sm_bench_marks_key(struct sm_bench_marks *marks);

/** True, and freed, if the command given back was a mark. Thread: any. */
bool sm_bench_marks_release(const QXLReleaseInfo *info);

#endif
