/* SPDX-License-Identifier: MIT */
#include "core/gfx/polyline.h"

/* Division rounding down; `d` is positive. */
static int64_t floor_div(int64_t n, int64_t d)
{
    int64_t q = n / d;
    return q * d > n ? q - 1 : q;
}

/* One coordinate walked step by step: positions at from + sign * i for 0 <= i < count. */
struct walk {
    int64_t from, sign, count;
};

/* Cuts the steps to those whose position is in low..high-1; returns false if none are left. */
static bool cut(struct walk w, int64_t low, int64_t high, int64_t *first, int64_t *end)
{
    *first = w.sign > 0 ? low - w.from : w.from - (high - 1);
    *end = w.sign > 0 ? high - w.from : w.from - low + 1;
    *first = *first > 0 ? *first : 0;
    *end = *end < w.count ? *end : w.count;
    return *first < *end;
}

static int64_t sign_of(int64_t d)
{
    return d < 0 ? -1 : 1;
}

static void draw_flat(struct sm_gfx_pen *pen, struct sm_point p, int64_t dx, int64_t dy)
{
    struct sm_rect bounds = pen->region->bounds;
    int64_t ax = dx < 0 ? -dx : dx, ay = dy < 0 ? -dy : dy;
    int64_t sx = sign_of(dx), sy = sign_of(dy), bias = dx < 0;
    int64_t i = 0, end = 0;
    if (!cut((struct walk){p.x, sx, ax}, bounds.left, bounds.right, &i, &end))
        return;
    while (i < end && pen->steps_left > 0) {
        int64_t offset = floor_div(2 * i * ay + ax - bias, 2 * ax);
        /* The first step of the next row: where 2*i*ay + ax - bias reaches 2*ax*(offset + 1). */
        int64_t next = end;
        if (ay > 0) {
            int64_t needed = 2 * ax * (offset + 1) - ax + bias;
            next = (needed + 2 * ay - 1) / (2 * ay);
            next = next < end ? next : end;
        }
        int64_t x = p.x + sx * i, last = p.x + sx * (next - 1);
        sm_gfx_pen_run(pen, x < last ? x : last, (x > last ? x : last) + 1, p.y + sy * offset);
        i = next;
    }
}

static void draw_steep(struct sm_gfx_pen *pen, struct sm_point p, int64_t dx, int64_t dy)
{
    struct sm_rect bounds = pen->region->bounds;
    int64_t ax = dx < 0 ? -dx : dx, ay = dy < 0 ? -dy : dy;
    int64_t sx = sign_of(dx), sy = sign_of(dy), bias = dy < 0;
    int64_t i = 0, end = 0;
    if (ay == 0 || !cut((struct walk){p.y, sy, ay}, bounds.top, bounds.bottom, &i, &end))
        return;
    int64_t error = 2 * i * ax + ay - bias; /* i steps in, before the division by 2 * ay */
    int64_t offset = floor_div(error, 2 * ay);
    error -= offset * 2 * ay;
    for (; i < end && pen->steps_left > 0; i++) {
        int64_t x = p.x + sx * offset;
        sm_gfx_pen_run(pen, x, x + 1, p.y + sy * i);
        error += 2 * ax;
        if (error >= 2 * ay) {
            error -= 2 * ay;
            offset++;
        }
    }
}

void sm_gfx_polyline_solid(struct sm_gfx_pen *pen, const struct sm_point *points, size_t count)
{
    for (size_t i = 0; i + 1 < count && pen->steps_left > 0; i++) {
        int64_t dx = (int64_t)points[i + 1].x - points[i].x;
        int64_t dy = (int64_t)points[i + 1].y - points[i].y;
        pen->steps_left--;
        if ((dx < 0 ? -dx : dx) > (dy < 0 ? -dy : dy))
            draw_flat(pen, points[i], dx, dy);
        else
            draw_steep(pen, points[i], dx, dy);
    }
}
