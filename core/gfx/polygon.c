/* SPDX-License-Identifier: MIT */
#include "core/gfx/polygon.h"

#include <math.h>

/*
 * One flank of the polygon, from its top to its bottom: the sides that are not horizontal, each
 * with the first row it bounds. A side is good until the row before the next one's first.
 */
struct chain {
    struct sm_gfx_side sides[SM_GFX_POLYGON_MAX_SIDES];
    int64_t first_row[SM_GFX_POLYGON_MAX_SIDES];
    unsigned count;
};

static int64_t ceil_row(double y)
{
    return (int64_t)ceil(y);
}

static int64_t ceil_div(int64_t n, int64_t d)
{
    int64_t q = n / d;
    return q * d < n ? q + 1 : q;
}

/* `step` is 1 to follow the sides from `from`, or count - 1 to follow them backwards. */
static struct chain chain_of(const struct sm_gfx_polygon *p, unsigned from, unsigned to,
                             unsigned step)
{
    struct chain chain = {0};
    for (unsigned i = from; i != to; i = (i + step) % p->count) {
        struct sm_gfx_side side = p->s[step == 1 ? i : (i + step) % p->count];
        if (side.dy == 0)
            continue;
        if (side.dy < 0)
            side = (struct sm_gfx_side){-side.dx, -side.dy, -side.k};
        chain.first_row[chain.count] = ceil_row(p->v[i].y);
        chain.sides[chain.count++] = side;
    }
    return chain;
}

static int64_t boundary(const struct sm_gfx_side *side, int64_t y)
{
    return ceil_div((int64_t)ceil(side->k) + y * side->dx, side->dy);
}

/* The rows of a chain one after another. */
struct cursor {
    const struct chain *chain;
    unsigned side;
    int64_t row;
};

/* Moves on to a side that has the current row; false behind the last row. */
static bool settle(struct cursor *c, int64_t last_row)
{
    while (c->side < c->chain->count) {
        int64_t end =
            c->side + 1 < c->chain->count ? c->chain->first_row[c->side + 1] - 1 : last_row;
        if (c->row <= end)
            return true;
        c->side++;
        if (c->side < c->chain->count)
            c->row = c->chain->first_row[c->side];
    }
    return false;
}

static struct cursor cursor_of(const struct chain *chain)
{
    return (struct cursor){.chain = chain, .row = chain->first_row[0]};
}

void sm_gfx_polygon_fill(struct sm_gfx_pen *pen, const struct sm_gfx_polygon *p,
                         struct sm_point origin)
{
    unsigned top = 0, bottom = 0;
    for (unsigned i = 1; i < p->count; i++) {
        if (p->v[i].y < p->v[top].y)
            top = i;
        if (p->v[i].y >= p->v[bottom].y)
            bottom = i;
    }
    int64_t last_row = ceil_row(p->v[bottom].y) - 1;
    const struct sm_gfx_side *i = &p->s[top], *j = &p->s[(top + p->count - 1) % p->count];
    struct chain forwards = chain_of(p, top, bottom, 1);
    struct chain backwards = chain_of(p, top, bottom, p->count - 1);
    bool right_is_backwards = (double)j->dy * (double)i->dx > (double)i->dy * (double)j->dx;

    struct cursor right = cursor_of(right_is_backwards ? &backwards : &forwards);
    struct cursor left = cursor_of(right_is_backwards ? &forwards : &backwards);
    int64_t y = right.row;
    for (; settle(&right, last_row) && settle(&left, last_row) && pen->steps_left > 0; y++) {
        sm_gfx_pen_run(pen, origin.x + boundary(&left.chain->sides[left.side], left.row),
                       origin.x + boundary(&right.chain->sides[right.side], right.row),
                       origin.y + y);
        left.row++;
        right.row++;
    }
}
