/* SPDX-License-Identifier: MIT */
#include "client/damage.h"

#include <stddef.h>

#include "io/clock.h"

enum {
    PERIOD_MS = 2,
    CREDIT_MAX = 8,
};

static const uint64_t PERIOD_US = PERIOD_MS * 1000;

void sm_damage_flush(struct sm_damage *damage)
{
    struct sm_rect untold = damage->untold;
    damage->untold = (struct sm_rect){0};
    if (!sm_rect_is_empty(untold))
        damage->tell(damage->opaque, untold);
}

static void refill(struct sm_damage *damage, uint64_t now_us)
{
    uint64_t periods = (now_us - damage->credited_us) / PERIOD_US;
    if (periods >= CREDIT_MAX - damage->credit) {
        damage->credit = CREDIT_MAX;
        damage->credited_us = now_us;
        return;
    }
    damage->credit += (unsigned)periods;
    damage->credited_us += periods * PERIOD_US;
}

static void on_timer(void *opaque)
{
    struct sm_damage *damage = opaque;
    damage->is_armed = false;
    if (sm_rect_is_empty(damage->untold))
        return;
    refill(damage, sm_now_us());
    if (damage->credit > 0)
        damage->credit--;
    sm_damage_flush(damage);
}

enum sm_status sm_damage_begin(struct sm_damage *damage, struct sm_loop loop, sm_damage_func *tell,
                               void *opaque)
{
    struct sm_timer *timer = sm_loop_timer_add(loop, on_timer, damage);
    if (!timer)
        return SM_ERR_NOMEM;
    *damage = (struct sm_damage){.credit = CREDIT_MAX,
                                 .credited_us = sm_now_us(),
                                 .loop = loop,
                                 .timer = timer,
                                 .tell = tell,
                                 .opaque = opaque};
    return SM_OK;
}

void sm_damage_end(struct sm_damage *damage)
{
    if (!damage->timer)
        return;
    sm_damage_flush(damage);
    sm_loop_timer_remove(damage->loop, damage->timer);
    damage->timer = NULL;
}

void sm_damage_add(struct sm_damage *damage, struct sm_rect rect, uint64_t now_us)
{
    damage->untold = sm_rect_unite(damage->untold, rect);
    refill(damage, now_us);
    if (damage->credit > 0) {
        damage->credit--;
        sm_damage_flush(damage);
    } else if (!damage->is_armed) {
        damage->is_armed = true;
        sm_loop_timer_start(damage->loop, damage->timer, PERIOD_MS);
    }
}
