/* SPDX-License-Identifier: MIT */
/*
 * When a reader hears of damage. A drawing after a pause is told at once, and so are a few that
 * follow it; those of a flood are told together, every other millisecond: nobody looks more often,
 * and to wake a reader costs more than most drawings.
 */
#ifndef SM_CLIENT_DAMAGE_H
#define SM_CLIENT_DAMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "io/loop.h"

/** Called with what is told; never with an empty rectangle. */
typedef void sm_damage_func(void *opaque, struct sm_rect damage);

/** Zeroed before it begins. Thread: the loop's. */
struct sm_damage {
    struct sm_rect untold; /* or empty */
    unsigned credit;       /* so often more at once */
    uint64_t credited_us;
    struct sm_loop loop;
    struct sm_timer *timer; /* owned */
    bool is_armed;
    sm_damage_func *tell;
    void *opaque;
};

/** @return SM_OK; SM_ERR_NOMEM, then nothing was begun */
SM_NODISCARD enum sm_status sm_damage_begin(struct sm_damage *damage, struct sm_loop loop,
                                            sm_damage_func *tell, void *opaque);

/** Tells what is untold and frees the timer; nothing if it was not begun. */
void sm_damage_end(struct sm_damage *damage);

/** Tells of `rect`, now or soon. */
void sm_damage_add(struct sm_damage *damage, struct sm_rect rect, uint64_t now_us);

/** Tells at once what is untold: something that comes after it is about to be told. */
void sm_damage_flush(struct sm_damage *damage);

#endif
