/* SPDX-License-Identifier: MIT */
#include "server/display/backlog.h"

#include <stdlib.h>

#include "core/gfx/region.h"

struct missed {
    struct sm_list link;
    uint32_t surface_id;
    struct sm_region region;
    struct sm_rect last; /* the piece taken last */
};

enum {
    MANY_RECTS = 64, /* a region of more is not worth its exactness: one box is sent */
};

static struct missed *missed_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct missed, link);
}

static void drop(struct missed *missed)
{
    sm_list_remove(&missed->link);
    sm_region_finish(&missed->region);
    free(missed);
}

static struct missed *find(struct sm_backlog *backlog, uint32_t surface_id)
{
    SM_LIST_FOR (link, &backlog->surfaces)
        if (missed_of(link)->surface_id == surface_id)
            return missed_of(link);
    return NULL;
}

void sm_backlog_init(struct sm_backlog *backlog)
{
    *backlog = (struct sm_backlog){0};
    sm_list_init(&backlog->surfaces);
}

void sm_backlog_finish(struct sm_backlog *backlog)
{
    SM_LIST_FOR (link, &backlog->surfaces)
        drop(missed_of(link));
}

bool sm_backlog_is_empty(const struct sm_backlog *backlog)
{
    return sm_list_is_empty(&backlog->surfaces);
}

uint64_t sm_backlog_pixels(const struct sm_backlog *backlog)
{
    uint64_t pixels = 0;
    for (struct sm_list *link = backlog->surfaces.next; link != &backlog->surfaces;
         link = link->next)
        pixels += sm_region_area(&missed_of(link)->region);
    return pixels;
}

/* One box around everything; needs no memory. */
static void simplify(struct sm_region *region, struct sm_rect more)
{
    struct sm_rect all = sm_region_bounds(region);
    if (sm_region_is_empty(region))
        all = more;
    all.left = all.left < more.left ? all.left : more.left;
    all.top = all.top < more.top ? all.top : more.top;
    all.right = all.right > more.right ? all.right : more.right;
    all.bottom = all.bottom > more.bottom ? all.bottom : more.bottom;
    sm_region_finish(region);
    sm_region_init_rect(region, all);
}

enum sm_status sm_backlog_add(struct sm_backlog *backlog, uint32_t surface_id, struct sm_rect area)
{
    if (sm_rect_is_empty(area))
        return SM_OK;
    struct missed *missed = find(backlog, surface_id);
    if (!missed) {
        missed = calloc(1, sizeof(*missed));
        if (!missed)
            return SM_ERR_NOMEM;
        missed->surface_id = surface_id;
        sm_list_append(&backlog->surfaces, &missed->link);
    }
    uint32_t count = 0;
    if (sm_region_union_rect(&missed->region, area) == SM_OK)
        (void)sm_region_rects(&missed->region, &count);
    else
        count = MANY_RECTS + 1;
    if (count > MANY_RECTS)
        simplify(&missed->region, area);
    return SM_OK;
}

void sm_backlog_forget(struct sm_backlog *backlog, uint32_t surface_id)
{
    struct missed *missed = find(backlog, surface_id);
    if (missed)
        drop(missed);
}

/* The first piece of the region inside `within`; empty if there is none. */
static struct sm_rect first_in(const struct sm_region *region, struct sm_rect within)
{
    uint32_t count;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    for (uint32_t i = 0; i < count; i++) {
        struct sm_rect piece = sm_rect_intersect(rects[i], within);
        if (!sm_rect_is_empty(piece))
            return piece;
    }
    return (struct sm_rect){0};
}

/* Beside the last piece, else below it, else from the top again. */
static struct sm_rect next_piece(const struct missed *missed)
{
    struct sm_rect all = sm_region_bounds(&missed->region), last = missed->last;
    struct sm_rect beside = {last.right, last.top, all.right, last.bottom};
    struct sm_rect below = {all.left, last.bottom, all.right, all.bottom};
    struct sm_rect piece = first_in(&missed->region, beside);
    if (sm_rect_is_empty(piece))
        piece = first_in(&missed->region, below);
    return sm_rect_is_empty(piece) ? first_in(&missed->region, all) : piece;
}

/* ---- taking ---- */

/* Whose turn it is, and what of it. */
static struct missed *choose(struct sm_backlog *backlog, uint32_t max_pixels, struct sm_rect *piece)
{
    struct missed *primary = backlog->was_near ? NULL : find(backlog, 0);
    backlog->was_near =
        primary && sm_focus_nearest(backlog->focus, &primary->region, max_pixels, piece);
    if (backlog->was_near)
        return primary;
    struct missed *first = missed_of(backlog->surfaces.next);
    *piece = next_piece(first);
    return first;
}

bool sm_backlog_take(struct sm_backlog *backlog, uint32_t max_pixels, uint32_t *surface_id,
                     struct sm_rect *area)
{
    if (sm_backlog_is_empty(backlog))
        return false;
    struct sm_rect piece;
    struct missed *missed = choose(backlog, max_pixels, &piece);
    int64_t rows = max_pixels / sm_rect_width(piece);
    if (rows < 1)
        rows = 1;
    if (rows < sm_rect_height(piece))
        piece.bottom = piece.top + (int32_t)rows;

    if (!backlog->was_near)
        missed->last = piece;
    *surface_id = missed->surface_id;
    *area = piece;
    if (sm_region_subtract_rect(&missed->region, piece) != SM_OK)
        return true; /* it is sent once more, without harm */
    if (sm_region_is_empty(&missed->region)) {
        drop(missed);
    } else if (!backlog->was_near) {
        sm_list_remove(&missed->link);
        sm_list_append(&backlog->surfaces, &missed->link);
    }
    return true;
}
