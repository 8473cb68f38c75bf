/* SPDX-License-Identifier: MIT */
#include "bench/host/marks.h"

#include <stdlib.h>

#include "io/clock.h"

enum {
    TICK_US = 20000,
    IMAGE_NAMESPACE = 0x6d, /* ids of a guest's own images look otherwise */
    OURS = 1,               /* low bit of the release id; a recording's are even addresses */
};

struct drawing {
    QXLDrawable drawable; /* first: the library gives its address back */
    QXLImage image;
    uint32_t pixels[SM_MARK_WIDTH * SM_MARK_HEIGHT];
};

void sm_bench_marks_init(struct sm_bench_marks *marks, struct sm_bench_rings *rings)
{
    *marks = (struct sm_bench_marks){.rings = rings};
}

static bool draw(struct sm_bench_marks *marks, uint8_t place, bool is_last)
{
    struct drawing *d = calloc(1, sizeof(*d));
    if (!d)
        abort(); /* a bench without memory measures nothing */
    uint64_t now_us = sm_now_us();
    const struct sm_mark mark = {
        .number = place == SM_MARK_KEYS ? marks->keys : now_us / SM_MARK_TIME_UNIT_US,
        .place = place,
        .is_last = is_last,
    };
    sm_mark_draw(&mark, d->pixels);
    d->image = (QXLImage){
        .descriptor = {.id = (uint64_t)IMAGE_NAMESPACE << 56 | ++marks->images,
                       .type = SPICE_IMAGE_TYPE_BITMAP,
                       .width = SM_MARK_WIDTH,
                       .height = SM_MARK_HEIGHT},
        .bitmap = {.format = SPICE_BITMAP_FMT_32BIT,
                   .flags = QXL_BITMAP_DIRECT | QXL_BITMAP_TOP_DOWN,
                   .x = SM_MARK_WIDTH,
                   .y = SM_MARK_HEIGHT,
                   .stride = SM_MARK_WIDTH * 4,
                   .data = (uintptr_t)d->pixels},
    };
    const struct sm_mark_place *at = &SM_MARK_AT[place];
    d->drawable = (QXLDrawable){
        .release_info = {.id = (uintptr_t)d | OURS},
        .effect = QXL_EFFECT_OPAQUE,
        .type = QXL_DRAW_COPY,
        .bbox = {.left = at->x,
                 .top = at->y,
                 .right = at->x + SM_MARK_WIDTH,
                 .bottom = at->y + SM_MARK_HEIGHT},
        .clip = {.type = SPICE_CLIP_TYPE_NONE},
        .surfaces_dest = {-1, -1, -1},
        .u.copy = {.src_bitmap = (uintptr_t)&d->image,
                   .src_area = {.right = SM_MARK_WIDTH, .bottom = SM_MARK_HEIGHT},
                   .rop_descriptor = SPICE_ROPD_OP_PUT},
    };
    const QXLCommandExt command = {.cmd = {.data = (uintptr_t)d, .type = QXL_CMD_DRAW}};
    if (place != SM_MARK_KEYS)
        marks->drawn_us[place] = now_us;
    return sm_bench_rings_put(marks->rings, &command, true);
}

static bool is_under(const QXLRect *box, const struct sm_mark_place *at)
{
    return box->left < at->x + SM_MARK_WIDTH && box->right > at->x &&
           box->top < at->y + SM_MARK_HEIGHT && box->bottom > at->y;
}

unsigned sm_bench_marks_under(const QXLCommandExt *command)
{
    unsigned places = 0;
    if (command->cmd.type != QXL_CMD_DRAW)
        return 0;
    const QXLDrawable *drawable = (const QXLDrawable *)(uintptr_t)command->cmd.data;
    for (unsigned place = 0; drawable->surface_id == 0 && place < SM_MARK_PLACES; place++)
        if (is_under(&drawable->bbox, &SM_MARK_AT[place]))
            places |= 1u << place;
    return places;
}

bool sm_bench_marks_draw(struct sm_bench_marks *marks, unsigned places)
{
    bool is_asked_for = false;
    for (uint8_t place = 0; place < SM_MARK_PLACES; place++)
        if (places >> place & 1)
            is_asked_for |= draw(marks, place, false);
    return is_asked_for;
}

bool sm_bench_marks_tick(struct sm_bench_marks *marks)
{
    bool is_asked_for = false;
    for (uint8_t place = 0; place < SM_MARK_TIMES; place++)
        if (sm_now_us() - marks->drawn_us[place] >= TICK_US)
            is_asked_for |= draw(marks, place, false);
    return is_asked_for;
}

bool sm_bench_marks_end(struct sm_bench_marks *marks)
{
    bool is_asked_for = false;
    for (uint8_t place = 0; place < SM_MARK_TIMES; place++)
        is_asked_for |= draw(marks, place, true);
    return is_asked_for;
}

bool sm_bench_marks_key(struct sm_bench_marks *marks)
{
    marks->keys++;
    return draw(marks, SM_MARK_KEYS, false);
}

bool sm_bench_marks_release(const QXLReleaseInfo *info)
{
    if (!(info->id & OURS))
        return false;
    free((void *)(uintptr_t)(info->id & ~(uint64_t)OURS));
    return true;
}
