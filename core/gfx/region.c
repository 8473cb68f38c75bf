/* SPDX-License-Identifier: MIT */
#include "core/gfx/region.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/alloc.h"

/* Which pixels a combination of two regions keeps. */
enum keep {
    KEEP_ONLY_A = 1,
    KEEP_ONLY_B = 2,
    KEEP_BOTH = 4,
};

/* Beyond every coordinate, so that a finished list never has the next edge. */
static const int64_t NEVER = (int64_t)INT32_MAX + 1;

/* Rectangles in the making. */
struct builder {
    struct sm_rect *rects; /* owned */
    uint32_t count, capacity;
    uint32_t band_start;      /* first rectangle of the band being written */
    uint32_t last_band_start; /* first rectangle of the band before it */
    enum sm_status status;
};

/* The bands of one operand, from top to bottom. */
struct bands {
    const struct sm_rect *next, *end; /* `next` is the first rectangle of the current band */
};

void sm_region_finish(struct sm_region *region)
{
    free(region->rects);
    sm_region_init(region);
}

static void add_rect(struct builder *b, struct sm_rect rect)
{
    if (b->status != SM_OK)
        return;
    if (b->count == b->capacity) {
        if (b->count >= SM_REGION_MAX_RECTS) {
            b->status = SM_ERR_LIMIT;
            return;
        }
        uint32_t capacity = b->capacity ? b->capacity * 2 : 16;
        struct sm_rect *rects = realloc(b->rects, capacity * sizeof(*rects));
        if (!rects) {
            b->status = SM_ERR_NOMEM;
            return;
        }
        b->rects = rects;
        b->capacity = capacity;
    }
    b->rects[b->count++] = rect;
}

/* Joins the band just written with the one above it if they differ only in height. */
static void end_band(struct builder *b)
{
    uint32_t size = b->count - b->band_start;
    if (b->status != SM_OK || size == 0)
        return;
    struct sm_rect *above = b->rects + b->last_band_start;
    const struct sm_rect *band = b->rects + b->band_start;
    bool joins = b->band_start - b->last_band_start == size && above->bottom == band->top;
    for (uint32_t i = 0; joins && i < size; i++)
        joins = above[i].left == band[i].left && above[i].right == band[i].right;
    if (!joins) {
        b->last_band_start = b->band_start;
        b->band_start = b->count;
        return;
    }
    for (uint32_t i = 0; i < size; i++)
        above[i].bottom = band->bottom;
    b->count = b->band_start;
}

static int64_t next_edge(const struct sm_rect *at, const struct sm_rect *end, bool inside)
{
    if (at == end)
        return NEVER;
    return inside ? at->right : at->left;
}

/* Combines two bands of rectangles over the rows top..bottom; either may have none. */
static void combine_rows(struct builder *out, int32_t top, int32_t bottom, struct bands a,
                         struct bands b, unsigned keep)
{
    bool in_a = false, in_b = false, drawing = false;
    int32_t left = 0;
    for (;;) {
        int64_t edge_a = next_edge(a.next, a.end, in_a);
        int64_t edge_b = next_edge(b.next, b.end, in_b);
        int64_t x = edge_a < edge_b ? edge_a : edge_b;
        if (x == NEVER)
            break;
        if (edge_a == x) {
            a.next += in_a;
            in_a = !in_a;
        }
        if (edge_b == x) {
            b.next += in_b;
            in_b = !in_b;
        }
        unsigned state = in_a ? (in_b ? KEEP_BOTH : KEEP_ONLY_A) : (in_b ? KEEP_ONLY_B : 0);
        bool draws = (state & keep) != 0;
        if (draws && !drawing)
            left = (int32_t)x;
        if (!draws && drawing && left < x)
            add_rect(out, (struct sm_rect){left, top, (int32_t)x, bottom});
        drawing = draws;
    }
    end_band(out);
}

static const struct sm_rect *band_end(struct bands b)
{
    const struct sm_rect *at = b.next;
    while (at != b.end && at->top == b.next->top)
        at++;
    return at;
}

static int64_t next_row_edge(struct bands b, int64_t y)
{
    if (b.next == b.end)
        return NEVER;
    return b.next->top > y ? b.next->top : b.next->bottom;
}

static struct bands band_at(struct bands b, const struct sm_rect *end, int64_t y)
{
    if (b.next == b.end || b.next->top > y)
        return (struct bands){0};
    return (struct bands){.next = b.next, .end = end};
}

static void combine(struct builder *out, struct bands a, struct bands b, unsigned keep)
{
    const struct sm_rect *a_end = band_end(a), *b_end = band_end(b);
    int64_t y = INT64_MIN;
    while (out->status == SM_OK) {
        if ((a.next == a.end && !(keep & KEEP_ONLY_B)) ||
            (b.next == b.end && !(keep & KEEP_ONLY_A)))
            break;
        int64_t edge_a = next_row_edge(a, y), edge_b = next_row_edge(b, y);
        int64_t next = edge_a < edge_b ? edge_a : edge_b;
        if (next == NEVER)
            break;
        struct bands rows_a = band_at(a, a_end, y), rows_b = band_at(b, b_end, y);
        if (rows_a.next || rows_b.next)
            combine_rows(out, (int32_t)y, (int32_t)next, rows_a, rows_b, keep);
        y = next;
        if (a.next != a.end && a.next->bottom == y) {
            a.next = a_end;
            a_end = band_end(a);
        }
        if (b.next != b.end && b.next->bottom == y) {
            b.next = b_end;
            b_end = band_end(b);
        }
    }
}

static struct sm_rect bounds_of(const struct sm_rect *rects, uint32_t count)
{
    struct sm_rect all = rects[0];
    for (uint32_t i = 1; i < count; i++) {
        if (rects[i].left < all.left)
            all.left = rects[i].left;
        if (rects[i].right > all.right)
            all.right = rects[i].right;
    }
    all.bottom = rects[count - 1].bottom;
    return all;
}

/* Makes `region` the rectangles of `b` and takes its memory. */
static enum sm_status take(struct sm_region *region, struct builder *b)
{
    if (b->status != SM_OK) {
        free(b->rects);
        return b->status;
    }
    free(region->rects);
    sm_region_init(region);
    if (b->count == 0) {
        free(b->rects);
        return SM_OK;
    }
    region->bounds = bounds_of(b->rects, b->count);
    region->count = b->count;
    if (b->count == 1)
        free(b->rects);
    else
        region->rects = b->rects;
    return SM_OK;
}

static struct bands all_bands(const struct sm_region *region)
{
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    return (struct bands){.next = rects, .end = rects + count};
}

static enum sm_status combine_regions(struct sm_region *out, const struct sm_region *a,
                                      const struct sm_region *b, unsigned keep)
{
    struct builder built = {0};
    combine(&built, all_bands(a), all_bands(b), keep);
    return take(out, &built);
}

static void set_rect(struct sm_region *region, struct sm_rect rect)
{
    free(region->rects);
    sm_region_init_rect(region, rect);
}

enum sm_status sm_region_copy(struct sm_region *out, const struct sm_region *from)
{
    if (out == from)
        return SM_OK;
    struct sm_rect *rects = NULL;
    if (from->rects) {
        rects = sm_memdup(from->rects, from->count * sizeof(*rects));
        if (!rects)
            return SM_ERR_NOMEM;
    }
    free(out->rects);
    *out = (struct sm_region){.bounds = from->bounds, .rects = rects, .count = from->count};
    return SM_OK;
}

/* True if `region` is one rectangle that covers `rect`. */
static bool is_cover(const struct sm_region *region, struct sm_rect rect)
{
    return region->count == 1 && sm_rect_contains(region->bounds, rect);
}

enum sm_status sm_region_union(struct sm_region *out, const struct sm_region *a,
                               const struct sm_region *b)
{
    if (b->count == 0 || is_cover(a, b->bounds))
        return sm_region_copy(out, a);
    if (a->count == 0 || is_cover(b, a->bounds))
        return sm_region_copy(out, b);
    return combine_regions(out, a, b, KEEP_ONLY_A | KEEP_ONLY_B | KEEP_BOTH);
}

enum sm_status sm_region_intersect(struct sm_region *out, const struct sm_region *a,
                                   const struct sm_region *b)
{
    struct sm_rect common = sm_rect_intersect(a->bounds, b->bounds);
    if (a->count == 0 || b->count == 0 || sm_rect_is_empty(common)) {
        sm_region_finish(out);
        return SM_OK;
    }
    if (a->count == 1 && b->count == 1) {
        set_rect(out, common);
        return SM_OK;
    }
    if (is_cover(a, b->bounds))
        return sm_region_copy(out, b);
    if (is_cover(b, a->bounds))
        return sm_region_copy(out, a);
    return combine_regions(out, a, b, KEEP_BOTH);
}

enum sm_status sm_region_subtract(struct sm_region *out, const struct sm_region *a,
                                  const struct sm_region *b)
{
    if (a->count == 0 || b->count == 0 || sm_rect_is_empty(sm_rect_intersect(a->bounds, b->bounds)))
        return sm_region_copy(out, a);
    if (is_cover(b, a->bounds)) {
        sm_region_finish(out);
        return SM_OK;
    }
    return combine_regions(out, a, b, KEEP_ONLY_A);
}

enum sm_status sm_region_union_rect(struct sm_region *out, struct sm_rect rect)
{
    struct sm_region other;
    sm_region_init_rect(&other, rect);
    return sm_region_union(out, out, &other);
}

enum sm_status sm_region_intersect_rect(struct sm_region *out, struct sm_rect rect)
{
    struct sm_region other;
    sm_region_init_rect(&other, rect);
    return sm_region_intersect(out, out, &other);
}

enum sm_status sm_region_subtract_rect(struct sm_region *out, struct sm_rect rect)
{
    struct sm_region other;
    sm_region_init_rect(&other, rect);
    return sm_region_subtract(out, out, &other);
}

/* Halves the list until single rectangles are left: n log n, and a depth of log n. */
static enum sm_status from_rects(struct sm_region *out, const struct sm_rect *rects, size_t count,
                                 struct sm_rect within)
{
    if (count <= 1) {
        set_rect(out, count ? sm_rect_intersect(rects[0], within) : (struct sm_rect){0});
        return SM_OK;
    }
    struct sm_region half = {0};
    enum sm_status status = from_rects(out, rects, count / 2, within);
    if (status == SM_OK)
        status = from_rects(&half, rects + count / 2, count - count / 2, within);
    if (status == SM_OK)
        status = sm_region_union(out, out, &half);
    sm_region_finish(&half);
    return status;
}

enum sm_status sm_region_from_rects(struct sm_region *out, const struct sm_rect *rects,
                                    size_t count, struct sm_rect within)
{
    struct sm_region made = {0};
    enum sm_status status = from_rects(&made, rects, count, within);
    if (status != SM_OK) {
        sm_region_finish(&made);
        return status;
    }
    free(out->rects);
    *out = made;
    return SM_OK;
}

static bool moves_within_range(struct sm_rect r, int32_t dx, int32_t dy)
{
    return (int64_t)r.left + dx >= INT32_MIN && (int64_t)r.right + dx <= INT32_MAX &&
           (int64_t)r.top + dy >= INT32_MIN && (int64_t)r.bottom + dy <= INT32_MAX;
}

static struct sm_rect moved(struct sm_rect r, int32_t dx, int32_t dy)
{
    return (struct sm_rect){r.left + dx, r.top + dy, r.right + dx, r.bottom + dy};
}

/* The rectangle that, moved, fills the 32-bit range as far as it can. */
static struct sm_rect movable(int32_t dx, int32_t dy)
{
    return (struct sm_rect){
        .left = dx < 0 ? INT32_MIN - dx : INT32_MIN,
        .top = dy < 0 ? INT32_MIN - dy : INT32_MIN,
        .right = dx > 0 ? INT32_MAX - dx : INT32_MAX,
        .bottom = dy > 0 ? INT32_MAX - dy : INT32_MAX,
    };
}

void sm_region_translate(struct sm_region *region, int32_t dx, int32_t dy)
{
    if (region->count == 0)
        return;
    if (!moves_within_range(region->bounds, dx, dy)) {
        /* Cutting rectangles off never needs more of them, so only memory can be missing; then
         * nothing is left, which is the safe side of "cut off". */
        if (sm_region_intersect_rect(region, movable(dx, dy)) != SM_OK)
            sm_region_finish(region);
        if (region->count == 0)
            return;
    }
    region->bounds = moved(region->bounds, dx, dy);
    for (uint32_t i = 0; region->rects && i < region->count; i++)
        region->rects[i] = moved(region->rects[i], dx, dy);
}

/* The first rectangle whose band ends below row `y`; count if there is none. */
static uint32_t first_below(const struct sm_rect *rects, uint32_t count, int32_t y)
{
    uint32_t low = 0, high = count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (rects[middle].bottom > y)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

bool sm_region_contains_point(const struct sm_region *region, int32_t x, int32_t y)
{
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    for (uint32_t i = first_below(rects, count, y); i < count && rects[i].top <= y; i++)
        if (x >= rects[i].left && x < rects[i].right)
            return true;
    return false;
}

bool sm_region_contains_rect(const struct sm_region *region, struct sm_rect rect)
{
    if (sm_rect_is_empty(rect))
        return true;
    if (!sm_rect_contains(region->bounds, rect) || region->count == 0)
        return false;
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    int32_t y = rect.top; /* all rows above it are covered */
    for (uint32_t i = first_below(rects, count, y); i < count && y < rect.bottom; i++) {
        if (rects[i].top > y)
            return false; /* a gap, or this band had no rectangle wide enough */
        if (rects[i].left <= rect.left && rects[i].right >= rect.right)
            y = rects[i].bottom;
    }
    return y >= rect.bottom;
}

bool sm_region_overlaps_rect(const struct sm_region *region, struct sm_rect rect)
{
    if (region->count == 0 || sm_rect_is_empty(sm_rect_intersect(region->bounds, rect)))
        return false;
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    for (uint32_t i = first_below(rects, count, rect.top); i < count && rects[i].top < rect.bottom;
         i++)
        if (!sm_rect_is_empty(sm_rect_intersect(rects[i], rect)))
            return true;
    return false;
}

bool sm_region_overlaps(const struct sm_region *a, const struct sm_region *b)
{
    if (a->count > b->count) {
        const struct sm_region *swap = a;
        a = b;
        b = swap;
    }
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(a, &count);
    for (uint32_t i = 0; i < count; i++)
        if (sm_region_overlaps_rect(b, rects[i]))
            return true;
    return false;
}

bool sm_region_equal(const struct sm_region *a, const struct sm_region *b)
{
    if (a->count != b->count || !sm_rect_equal(a->bounds, b->bounds))
        return false;
    return !a->rects || memcmp(a->rects, b->rects, a->count * sizeof(*a->rects)) == 0;
}

uint64_t sm_region_area(const struct sm_region *region)
{
    uint32_t count = 0;
    const struct sm_rect *rects = sm_region_rects(region, &count);
    uint64_t area = 0;
    for (uint32_t i = 0; i < count; i++)
        area += (uint64_t)(sm_rect_width(rects[i]) * sm_rect_height(rects[i]));
    return area;
}
