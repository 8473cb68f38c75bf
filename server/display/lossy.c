/* SPDX-License-Identifier: MIT */
#include "server/display/lossy.h"

#include <stdlib.h>

#include "core/wire/display.h"
#include "server/display/footprint.h"
#include "server/qxl/drawing.h"

enum {
    MANY_RECTS = 64, /* a region of more is not worth its exactness: one box is taken for it */
    ROPD_COMBINES = SM_ROPD_OP_OR | SM_ROPD_OP_AND | SM_ROPD_OP_XOR,
};

struct area {
    struct sm_list link;
    uint32_t surface_id;
    struct sm_region shown;     /* lossily */
    struct sm_region hot, warm; /* drawn so since the last tick, and before that since the one
                                   before */
};

static struct area *area_of(struct sm_list *link)
{
    return SM_LIST_ITEM(link, struct area, link);
}

static struct area *find(const struct sm_lossy *lossy, uint32_t surface_id)
{
    for (struct sm_list *link = lossy->surfaces.next; link != &lossy->surfaces; link = link->next)
        if (area_of(link)->surface_id == surface_id)
            return area_of(link);
    return NULL;
}

static void drop(struct area *area)
{
    sm_list_remove(&area->link);
    sm_region_finish(&area->shown);
    sm_region_finish(&area->hot);
    sm_region_finish(&area->warm);
    free(area);
}

void sm_lossy_init(struct sm_lossy *lossy)
{
    sm_list_init(&lossy->surfaces);
}

void sm_lossy_finish(struct sm_lossy *lossy)
{
    SM_LIST_FOR (link, &lossy->surfaces)
        drop(area_of(link));
}

bool sm_lossy_is_empty(const struct sm_lossy *lossy)
{
    return sm_list_is_empty(&lossy->surfaces);
}

void sm_lossy_forget(struct sm_lossy *lossy, uint32_t surface_id)
{
    struct area *area = find(lossy, surface_id);
    if (area)
        drop(area);
}

const struct sm_region *sm_lossy_region(const struct sm_lossy *lossy, uint32_t surface_id)
{
    const struct area *area = find(lossy, surface_id);
    return area ? &area->shown : NULL;
}

/* ---- what a drawing may do ---- */

bool sm_lossy_suits(const struct sm_display_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_DISPLAY_DRAW_COPY:
        return !(msg->draw_copy.ropd & ROPD_COMBINES);
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        return !(msg->draw_opaque.ropd & ROPD_COMBINES);
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        return true;
    default:
        return false;
    }
}

/* A surface that the drawing reads is lossy somewhere: what it says it reads is the guest's word.
 */
static bool reads_lossy(const struct sm_lossy *lossy, const struct sm_drawing *drawing)
{
    for (uint32_t i = 0; i < drawing->dependency_count; i++)
        if (find(lossy, drawing->dependencies[i].surface_id))
            return true;
    return false;
}

/* Every drawing message begins with the same base. */
static uint32_t target_of(const struct sm_drawing *drawing)
{
    return drawing->msg.draw_fill.base.surface_id;
}

static bool draws_over_lossy(const struct sm_lossy *lossy, const struct sm_drawing *drawing)
{
    const struct area *area = find(lossy, target_of(drawing));
    return area && sm_region_overlaps_rect(&area->shown, drawing->bounds);
}

/* With pixels that were there, in a way that can make a small difference a large one. */
static bool combines_with_old(const struct sm_display_msg *msg)
{
    switch (msg->type) {
    case SM_MSG_DISPLAY_DRAW_FILL:
        return msg->draw_fill.ropd & ROPD_COMBINES;
    case SM_MSG_DISPLAY_DRAW_OPAQUE:
        return msg->draw_opaque.ropd & ROPD_COMBINES;
    case SM_MSG_DISPLAY_DRAW_COPY:
        return msg->draw_copy.ropd & ROPD_COMBINES;
    case SM_MSG_DISPLAY_DRAW_STROKE:
        return msg->draw_stroke.fore_mode & ROPD_COMBINES;
    case SM_MSG_DISPLAY_DRAW_TEXT:
        return msg->draw_text.fore_mode & ROPD_COMBINES;
    case SM_MSG_DISPLAY_DRAW_BLEND:
    case SM_MSG_DISPLAY_DRAW_ROP3:
    case SM_MSG_DISPLAY_DRAW_TRANSPARENT:
    case SM_MSG_DISPLAY_DRAW_COMPOSITE:
        return true;
    default:
        return false; /* replaces, moves, mixes or inverts it */
    }
}

/* The colours of a surface it reads only go where it draws, as they are or mixed. */
static bool shows_its_source(const struct sm_display_msg *msg)
{
    return msg->type == SM_MSG_DISPLAY_COPY_BITS || sm_lossy_suits(msg);
}

bool sm_lossy_admits(const struct sm_lossy *lossy, const struct sm_drawing *drawing)
{
    if (sm_lossy_is_empty(lossy))
        return true;
    if (combines_with_old(&drawing->msg) && draws_over_lossy(lossy, drawing))
        return false;
    return shows_its_source(&drawing->msg) || !reads_lossy(lossy, drawing);
}

/* ---- what it did ---- */

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

static void grow(struct sm_region *region, const struct sm_region *by)
{
    enum sm_status status = sm_region_union(region, region, by);
    if (status || region->count > MANY_RECTS)
        simplify(region, sm_region_bounds(by));
}

static struct area *find_or_make(struct sm_lossy *lossy, uint32_t surface_id)
{
    struct area *area = find(lossy, surface_id);
    if (area)
        return area;
    area = calloc(1, sizeof(*area));
    if (!area)
        return NULL;
    area->surface_id = surface_id;
    struct sm_list *where = surface_id == 0 ? lossy->surfaces.next : &lossy->surfaces;
    sm_list_append(where, &area->link); /* before `where` */
    return area;
}

static enum sm_status add(struct sm_lossy *lossy, uint32_t surface_id,
                          const struct sm_region *region)
{
    if (sm_region_is_empty(region))
        return SM_OK;
    struct area *area = find_or_make(lossy, surface_id);
    if (!area)
        return SM_ERR_NOMEM;
    grow(&area->shown, region);
    grow(&area->hot, region);
    return SM_OK;
}

enum sm_status sm_lossy_add(struct sm_lossy *lossy, uint32_t surface_id, struct sm_rect rect)
{
    struct sm_region region;
    sm_region_init_rect(&region, rect);
    return add(lossy, surface_id, &region);
}

/* What cannot be taken away for lack of memory stays lossy, and is sent once too often. */
static void clear(struct sm_lossy *lossy, uint32_t surface_id, const struct sm_region *region)
{
    struct area *area = find(lossy, surface_id);
    if (!area || sm_region_subtract(&area->shown, &area->shown, region))
        return;
    if (area->shown.count > MANY_RECTS)
        simplify(&area->shown, sm_region_bounds(&area->shown));
    if (sm_region_is_empty(&area->shown))
        drop(area);
}

/* Where the surface is lossy, `dx`, `dy` away, comes to `writes`. */
static enum sm_status move(struct sm_lossy *lossy, const struct sm_drawing *drawing,
                           const struct sm_footprint *footprint)
{
    uint32_t id = target_of(drawing);
    const struct area *area = find(lossy, id);
    if (!area)
        return SM_OK;
    struct sm_region moved = {0};
    enum sm_status status = SM_ERR_NOMEM;
    if (footprint->reads == SM_FOOTPRINT_READS_SHADOW) {
        status = sm_region_copy(&moved, &area->shown);
        sm_region_translate(&moved, footprint->dx == INT32_MIN ? INT32_MAX : -footprint->dx,
                            footprint->dy == INT32_MIN ? INT32_MAX : -footprint->dy);
        if (!status)
            status = sm_region_intersect_rect(&moved, drawing->bounds);
    }
    if (status) {
        sm_region_finish(&moved);
        sm_region_init_rect(&moved, drawing->bounds); /* anything may have come there */
    }
    if (footprint->is_opaque)
        clear(lossy, id, &footprint->writes);
    status = add(lossy, id, &moved);
    sm_region_finish(&moved);
    return status;
}

enum sm_status sm_lossy_note(struct sm_lossy *lossy, const struct sm_drawing *drawing,
                             const struct sm_footprint *footprint, struct sm_rect part,
                             bool is_lossy)
{
    if (!is_lossy && sm_lossy_is_empty(lossy))
        return SM_OK;
    if (drawing->msg.type == SM_MSG_DISPLAY_COPY_BITS)
        return move(lossy, drawing, footprint);
    if (is_lossy || reads_lossy(lossy, drawing))
        return sm_lossy_add(lossy, target_of(drawing), sm_rect_intersect(drawing->bounds, part));
    if (!footprint->is_opaque)
        return SM_OK;
    struct sm_region written = {0};
    if (sm_region_copy(&written, &footprint->writes) == SM_OK &&
        sm_region_intersect_rect(&written, part) == SM_OK)
        clear(lossy, target_of(drawing), &written);
    sm_region_finish(&written);
    return SM_OK;
}

/* ---- putting it right ---- */

void sm_lossy_tick(struct sm_lossy *lossy)
{
    SM_LIST_FOR (link, &lossy->surfaces) {
        struct area *area = area_of(link);
        sm_region_finish(&area->warm);
        area->warm = area->hot;
        area->hot = (struct sm_region){0};
    }
}

/* The first piece of the area that is still, or the nearest to the focus; empty if there is none.
 */
static struct sm_rect still_of(const struct area *area, const struct sm_focus *focus,
                               uint32_t max_pixels)
{
    struct sm_region still = {0};
    struct sm_rect piece = {0};
    uint32_t count;
    if (sm_region_subtract(&still, &area->shown, &area->hot) == SM_OK &&
        sm_region_subtract(&still, &still, &area->warm) == SM_OK && !sm_region_is_empty(&still) &&
        !(area->surface_id == 0 && sm_focus_nearest(focus, &still, max_pixels, &piece)))
        piece = sm_region_rects(&still, &count)[0];
    sm_region_finish(&still);
    return piece;
}

bool sm_lossy_find_still(const struct sm_lossy *lossy, const struct sm_focus *focus,
                         uint32_t max_pixels, uint32_t *surface_id, struct sm_rect *piece)
{
    for (struct sm_list *link = lossy->surfaces.next; link != &lossy->surfaces; link = link->next) {
        struct sm_rect rect = still_of(area_of(link), focus, max_pixels);
        if (sm_rect_is_empty(rect))
            continue;
        int64_t rows = max_pixels / sm_rect_width(rect);
        if (rows < 1)
            rows = 1;
        if (rows < sm_rect_height(rect))
            rect.bottom = rect.top + (int32_t)rows;
        *surface_id = area_of(link)->surface_id;
        *piece = rect;
        return true;
    }
    return false;
}
