/* SPDX-License-Identifier: MIT */
#include "core/gfx/stroke.h"

#include <stdlib.h>

#include "core/gfx/brush.h"
#include "core/gfx/pen.h"
#include "core/gfx/polyline.h"

enum {
    MAX_CURVE_DEPTH = 24,
    FIRST_CAPACITY = 64,
};

/* The polyline being made, in whole pixels. */
struct list {
    struct sm_point *points; /* owned */
    size_t count, capacity;
    size_t curve_points; /* made by flattening, in the whole command */
    enum sm_status status;
};

/* Sub-pixels; curves beyond would overflow 64 bits and are refused. */
static const int32_t CURVE_LIMIT = 1 << 29;

/* A point of a curve, 28.4, wide enough that no step can overflow. */
struct fine_point {
    int64_t x, y;
};

static struct sm_point rounded(struct fine_point p)
{
    return (struct sm_point){(int32_t)((p.x + 7) >> 4), (int32_t)((p.y + 7) >> 4)};
}

static struct fine_point fine(struct sm_point p)
{
    return (struct fine_point){p.x, p.y};
}

static void append(struct list *list, struct sm_point point)
{
    if (list->status != SM_OK || list->count >= SM_GFX_STROKE_MAX_POINTS)
        return;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : FIRST_CAPACITY;
        struct sm_point *points = realloc(list->points, capacity * sizeof(*points));
        if (!points) {
            list->status = SM_ERR_NOMEM;
            return;
        }
        list->points = points;
        list->capacity = capacity;
    }
    list->points[list->count++] = point;
}

static struct fine_point minus(struct fine_point a, struct fine_point b)
{
    return (struct fine_point){a.x - b.x, a.y - b.y};
}

static int64_t dot(struct fine_point a, struct fine_point b)
{
    return (a.x * b.x + a.y * b.y) >> 4;
}

static struct fine_point middle(struct fine_point a, struct fine_point b)
{
    return (struct fine_point){(a.x + b.x) / 2, (a.y + b.y) / 2};
}

/* How far the control points are from the chord, squared and scaled by its length squared. */
static double height(struct fine_point control, struct fine_point chord)
{
    int64_t cc = dot(control, control), bb = dot(chord, chord), cb = dot(control, chord);
    const int64_t limit = INT64_C(1) << 31;
    if (cc < limit && bb < limit && cb < limit && cb > -limit)
        return (double)((cc * bb - cb * cb) >> 3);
    return ((double)cc * (double)bb - (double)cb * (double)cb) / 8;
}

static bool is_flat(const struct fine_point p[4])
{
    struct fine_point a = minus(p[1], p[0]), b = minus(p[3], p[0]), c = minus(p[2], p[3]);
    double limit = (double)dot(b, b);
    return height(a, b) < limit && height(c, minus(p[0], p[3])) < limit;
}

static bool is_one_point(const struct fine_point p[4])
{
    for (unsigned i = 1; i < 4; i++)
        if (p[i].x != p[0].x || p[i].y != p[0].y)
            return false;
    return true;
}

static void flatten(struct list *list, const struct fine_point p[4], unsigned depth)
{
    if (list->curve_points >= SM_GFX_STROKE_MAX_POINTS)
        return;
    if (depth == MAX_CURVE_DEPTH || is_flat(p) || is_one_point(p)) {
        append(list, rounded(p[3]));
        list->curve_points++;
        return;
    }
    struct fine_point p01 = middle(p[0], p[1]), p12 = middle(p[1], p[2]), p23 = middle(p[2], p[3]);
    struct fine_point p012 = middle(p01, p12), p123 = middle(p12, p23), m = middle(p012, p123);
    flatten(list, (struct fine_point[]){p[0], p01, p012, m}, depth + 1);
    flatten(list, (struct fine_point[]){m, p123, p23, p[3]}, depth + 1);
}

static void append_curves(struct list *list, const struct sm_point *points, uint32_t count)
{
    for (uint32_t i = 0; i + 2 < count && list->status == SM_OK; i += 3) {
        struct sm_point last = list->points[list->count - 1];
        const struct fine_point p[4] = {
            {(int64_t)last.x * 16, (int64_t)last.y * 16},
            fine(points[i]),
            fine(points[i + 1]),
            fine(points[i + 2]),
        };
        flatten(list, p, 0);
    }
}

static bool has_curves(const struct sm_gfx_stroke *stroke)
{
    for (size_t i = 0; i < stroke->segment_count; i++)
        if (stroke->segments[i].flags & SM_GFX_PATH_BEZIER)
            return true;
    return false;
}

static bool is_within_limit(const struct sm_gfx_path_segment *s)
{
    for (uint32_t i = 0; i < s->count; i++) {
        struct sm_point p = s->points[i];
        if (p.x > CURVE_LIMIT || p.x < -CURVE_LIMIT || p.y > CURVE_LIMIT || p.y < -CURVE_LIMIT)
            return false;
    }
    return true;
}

/* Walks the path without drawing: every segment has something to continue, curves have triples. */
static bool is_valid(const struct sm_gfx_stroke *stroke)
{
    bool has_points = false, is_limited = has_curves(stroke);
    for (size_t i = 0; i < stroke->segment_count; i++) {
        const struct sm_gfx_path_segment *s = &stroke->segments[i];
        uint32_t rest = s->count;
        if (is_limited && !is_within_limit(s))
            return false;
        if (s->flags & SM_GFX_PATH_BEGIN) {
            if (rest == 0)
                return false;
            rest--;
            has_points = true;
        }
        if (s->flags & SM_GFX_PATH_BEZIER && (rest % 3 != 0 || !has_points))
            return false;
        has_points = has_points || rest > 0;
        if (s->flags & SM_GFX_PATH_END) {
            if (s->flags & SM_GFX_PATH_CLOSE && !has_points)
                return false;
            has_points = false;
        }
    }
    return true;
}

static void draw_list(struct list *list, struct sm_gfx_pen *pen, const struct sm_gfx_dashes *dashes)
{
    if (list->status == SM_OK && list->count > 1) {
        if (dashes->count > 0)
            list->status = sm_gfx_polyline_dashed(pen, list->points, list->count, dashes);
        else
            sm_gfx_polyline_solid(pen, list->points, list->count);
    }
    list->count = 0;
}

static void draw_segment(struct list *list, const struct sm_gfx_path_segment *s,
                         struct sm_gfx_pen *pen, const struct sm_gfx_dashes *dashes)
{
    const struct sm_point *points = s->points;
    uint32_t count = s->count;
    if (s->flags & SM_GFX_PATH_BEGIN) {
        draw_list(list, pen, dashes);
        append(list, rounded(fine(points[0])));
        points++;
        count--;
    }
    if (s->flags & SM_GFX_PATH_BEZIER) {
        if (list->status == SM_OK)
            append_curves(list, points, count);
    } else {
        for (uint32_t i = 0; i < count; i++)
            append(list, rounded(fine(points[i])));
    }
    if (s->flags & SM_GFX_PATH_END) {
        if (s->flags & SM_GFX_PATH_CLOSE && list->status == SM_OK)
            append(list, list->points[0]);
        draw_list(list, pen, dashes);
    }
}

enum sm_status sm_gfx_stroke(const struct sm_pixels *target, const struct sm_region *region,
                             const struct sm_gfx_stroke *stroke, const struct sm_gfx_brush *brush,
                             enum sm_gfx_op op)
{
    if (sm_region_is_empty(region) || !sm_gfx_brush_fits(brush, target) || !is_valid(stroke))
        return SM_OK;
    struct sm_gfx_dashes dashes;
    sm_gfx_dashes_init(&dashes, stroke);
    struct sm_gfx_pen pen = {
        .target = target,
        .region = region,
        .brush = brush,
        .op = op,
        .steps_left = SM_GFX_STROKE_MAX_STEPS,
    };
    struct list list = {0};
    for (size_t i = 0; i < stroke->segment_count && list.status == SM_OK && pen.steps_left > 0; i++)
        draw_segment(&list, &stroke->segments[i], &pen, &dashes);
    draw_list(&list, &pen, &dashes);
    free(list.points);
    sm_gfx_pen_finish(&pen);
    return list.status;
}
