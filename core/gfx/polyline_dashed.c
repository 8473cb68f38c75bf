/* SPDX-License-Identifier: MIT */
/*
 * Dashes are filled quadrilaterals of width 1 around the ideal line. The pixels depend on every
 * rounding, so the arithmetic is IEEE double precision in exactly the order written here; the build
 * forbids contraction. Source: docs/gfx.md, "Dashes".
 */
#include "core/gfx/polyline.h"

#include <math.h>

#include "core/gfx/polygon.h"

/* Mitres longer than this, squared, become bevels. */
static const double MITRE_LIMIT = 108.856472512142;

/* What a dash costs, in pixels. */
enum { DASH_STEPS = 16 };

/* Segments longer than this skip what is far from the region; exact pictures end at 2^15. */
static const double LONG_SEGMENT = 131072;

/* Where in the dash list the line is. */
struct phase {
    uint32_t index;
    int64_t offset;
};

/* An end of a segment: where, looking along which direction, with one corner of the dash there. */
struct face {
    struct sm_point at;
    int64_t dx, dy;
    struct sm_gfx_vertex corner;
    double k;
};

/* A segment while its dashes are drawn. */
struct segment {
    struct sm_point p, q;
    int64_t dx, dy;
    double length, k0;
    struct sm_gfx_vertex n1, n2; /* the corners beside either end */
};

/* What a dashed polyline is drawn with. */
struct dasher {
    struct sm_gfx_pen *pen;
    const struct sm_gfx_dashes *dashes;
    struct phase phase;
};

/* The corners of the dash being made: R and B move ahead, T and F stay behind. */
struct quad {
    struct sm_gfx_vertex t, r, b, f;
    double kr, kf;
};

/* To nearest, 8/16 down, as points are, and cut to 8 bits. */
static uint8_t dash_length(int32_t style)
{
    return (uint8_t)(((int64_t)style + 7) >> 4);
}

static struct phase advance(const struct sm_gfx_dashes *d, int64_t distance)
{
    if (distance < d->lengths[0])
        return (struct phase){.offset = distance};
    uint32_t index = 1 % d->count;
    distance -= d->lengths[0];
    if (d->sum <= distance)
        distance %= d->sum;
    while (distance >= d->lengths[index]) {
        distance -= d->lengths[index];
        index = (index + 1) % d->count;
    }
    return (struct phase){.index = index, .offset = distance};
}

void sm_gfx_dashes_init(struct sm_gfx_dashes *dashes, const struct sm_gfx_stroke *stroke)
{
    *dashes = (struct sm_gfx_dashes){0};
    if (!stroke->is_dashed || stroke->dash_count > SM_GFX_STROKE_MAX_DASHES)
        return;
    uint32_t count = (uint32_t)stroke->dash_count;
    uint32_t shift = stroke->starts_with_gap ? 1 : 0; /* the first entry goes to the end */
    for (uint32_t i = 0; i < count; i++) {
        dashes->lengths[i] = dash_length(stroke->dashes[(i + shift) % count]);
        dashes->sum += dashes->lengths[i];
    }
    dashes->count = dashes->sum ? count : 0;
    dashes->start = shift ? dashes->lengths[0] : 0;
}

static double half_with_sign(int64_t d)
{
    return d < 0 ? -0.5 : 0.5;
}

static struct segment segment_of(struct sm_point p, struct sm_point q)
{
    struct segment s = {.p = p, .q = q, .dx = (int64_t)q.x - p.x, .dy = (int64_t)q.y - p.y};
    struct sm_gfx_vertex u = {0};
    if (s.dx == 0) {
        s.length = (double)(s.dy < 0 ? -s.dy : s.dy);
        u.y = half_with_sign(s.dy);
    } else if (s.dy == 0) {
        s.length = (double)(s.dx < 0 ? -s.dx : s.dx);
        u.x = half_with_sign(s.dx);
    } else {
        s.length = sqrt((double)(s.dx * s.dx + s.dy * s.dy));
        double r = 0.5 / s.length;
        u.x = r * (double)s.dx;
        u.y = r * (double)s.dy;
    }
    s.k0 = 0.5 * s.length;
    s.n1 = (struct sm_gfx_vertex){u.y, -u.x};
    s.n2 = (struct sm_gfx_vertex){-u.y, u.x};
    return s;
}

static void fill_quad(struct sm_gfx_pen *pen, const struct segment *s, const struct quad *q,
                      struct sm_point origin)
{
    const struct sm_gfx_polygon polygon = {
        .v = {q->t, q->r, q->b, q->f},
        .s = {{s->dx, s->dy, s->k0},
              {-s->dy, s->dx, q->kr},
              {-s->dx, -s->dy, s->k0},
              {s->dy, -s->dx, q->kf}},
        .count = 4,
    };
    sm_gfx_polygon_fill(pen, &polygon, origin);
}

/*
 * For lines far longer than any screen: how many whole periods from `done` on can be left out
 * because they end before the line comes near the region, or because it has left it for good.
 */
static int64_t periods_out_of_sight(const struct dasher *d, const struct segment *s, double done)
{
    struct sm_rect b = d->pen->region->bounds;
    const double margin = 512; /* a dash is at most 255 long */
    double ux = (double)s->dx / s->length, uy = (double)s->dy / s->length;
    /* The region's bounds as a disc, which any direction of the line can be compared with. */
    double cx = ((double)b.left + b.right) / 2 - s->p.x,
           cy = ((double)b.top + b.bottom) / 2 - s->p.y;
    double radius = (sm_rect_width(b) + sm_rect_height(b)) / 2.0 + margin;
    double middle = cx * ux + cy * uy;
    double target = done < middle + radius ? middle - radius : s->length;
    target = target < s->length ? target : s->length;
    double periods = (target - done) / d->dashes->sum - 2;
    return periods >= 1 ? (int64_t)periods : 0;
}

static void skip_periods(const struct dasher *d, const struct segment *s, struct quad *q,
                         double *rest, int64_t periods)
{
    double distance = (double)periods * d->dashes->sum;
    struct sm_gfx_vertex step = {distance * (double)s->dx / s->length,
                                 distance * (double)s->dy / s->length};
    q->r.x += step.x;
    q->r.y += step.y;
    q->b.x += step.x;
    q->b.y += step.y;
    q->t = q->r;
    q->f = q->b;
    q->kf = -(q->r.x * (double)s->dx + q->r.y * (double)s->dy);
    *rest -= distance;
}

/* Draws the dashes of one segment and leaves the phase for the next one. */
static void dash_segment(struct dasher *d, const struct segment *s)
{
    const struct sm_gfx_dashes *list = d->dashes;
    uint32_t index = d->phase.index;
    double dx = (double)s->dx, dy = (double)s->dy;
    struct quad q = {.t = s->n1, .r = s->n1, .b = s->n2, .f = s->n2};
    double rest = s->length;
    int64_t dash = list->lengths[index] - d->phase.offset;
    while (rest > (double)dash && d->pen->steps_left > 0) {
        struct sm_gfx_vertex step = {(double)(dash * s->dx) / s->length,
                                     (double)(dash * s->dy) / s->length};
        q.r.x += step.x;
        q.r.y += step.y;
        q.b.x += step.x;
        q.b.y += step.y;
        q.kr = q.r.x * dx + q.r.y * dy;
        if (index % 2 == 0)
            fill_quad(d->pen, s, &q, s->p);
        d->pen->steps_left -= DASH_STEPS;
        rest -= (double)dash;
        index = (index + 1) % list->count;
        dash = list->lengths[index];
        q.t = q.r;
        q.f = q.b;
        q.kf = -q.kr;
        if (s->length > LONG_SEGMENT) {
            int64_t periods = periods_out_of_sight(d, s, s->length - rest);
            if (periods > 0)
                skip_periods(d, s, &q, &rest, periods);
        }
    }
    if (index % 2 == 0) {
        q.t.x -= dx;
        q.t.y -= dy;
        q.f.x -= dx;
        q.f.y -= dy;
        q.r = s->n1;
        q.b = s->n2;
        q.kr = 0;
        q.kf += (double)(s->dx * s->dx + s->dy * s->dy);
        fill_quad(d->pen, s, &q, s->q);
    }
    dash = (int64_t)((double)dash - rest);
    if (dash <= 0) {
        index = (index + 1) % list->count;
        dash = list->lengths[index];
    }
    d->phase = (struct phase){.index = index, .offset = list->lengths[index] - dash};
}

static struct face start_face(const struct segment *s)
{
    return (struct face){s->p, s->dx, s->dy, s->n1, s->k0};
}

static struct face end_face(const struct segment *s)
{
    return (struct face){s->q, -s->dx, -s->dy, s->n2, s->k0};
}

static void reverse(struct face *f)
{
    f->corner.x = -f->corner.x;
    f->corner.y = -f->corner.y;
    f->dx = -f->dx;
    f->dy = -f->dy;
}

static double absolute(double v)
{
    return v < 0 ? -v : v;
}

static void add_mitre(struct sm_gfx_polygon *p, const struct face *l, const struct face *r,
                      struct sm_gfx_vertex m, int64_t sign)
{
    p->v[3] = m;
    p->s[2] = (struct sm_gfx_side){sign * l->dx, sign * l->dy, (double)sign * l->k};
    p->s[3] = (struct sm_gfx_side){sign * r->dx, sign * r->dy, (double)sign * r->k};
    p->count = 4;
}

/* False if both corners are one, so that there is nothing to fill. */
static bool add_bevel(struct sm_gfx_polygon *p, const struct face *l, const struct face *r)
{
    struct sm_gfx_vertex la = l->corner, ra = r->corner;
    double ex = ra.x - la.x, ey = ra.y - la.y;
    double m = absolute(ex) > absolute(ey) ? absolute(ex) : absolute(ey);
    if (m == 0)
        return false;
    int64_t sx = (int64_t)(ex * 65536 / m), sy = (int64_t)(ey * 65536 / m);
    p->s[2] =
        (struct sm_gfx_side){sx, sy, ((la.x + ra.x) * (double)sy - (la.y + ra.y) * (double)sx) / 2};
    p->count = 3;
    return true;
}

static bool points_onward(const struct face *f)
{
    return f->dx > 0 || (f->dx == 0 && f->dy > 0);
}

/* Fills the gap that two dashes leave on the outer side of a corner. */
static void join(struct sm_gfx_pen *pen, struct face l, struct face r)
{
    if (!pen->collects && (points_onward(&l) || points_onward(&r)))
        return; /* that segment has painted the joint already */
    int64_t den = -l.dx * r.dy + r.dx * l.dy;
    if (den == 0)
        return;
    if (den > 0)
        reverse(&l);
    else
        reverse(&r);

    struct sm_gfx_polygon p = {
        .v = {r.corner, {0, 0}, l.corner},
        .s = {{-r.dy, r.dx, 0}, {l.dy, -l.dx, 0}},
    };
    double ldx = (double)l.dx, ldy = (double)l.dy, rdx = (double)r.dx, rdy = (double)r.dy;
    struct sm_gfx_vertex la = l.corner, ra = r.corner, m;
    m.y = (ldy * (ra.x * rdy - ra.y * rdx) - rdy * (la.x * ldy - la.y * ldx)) / (double)den;
    m.x = l.dy != 0 ? la.x + (m.y - la.y) * ldx / ldy : ra.x + (m.y - ra.y) * rdx / rdy;
    if ((m.x * m.x + m.y * m.y) * 4 <= MITRE_LIMIT)
        add_mitre(&p, &l, &r, m, den > 0 ? 1 : -1);
    else if (!add_bevel(&p, &l, &r))
        return;
    sm_gfx_polygon_fill(pen, &p, l.at);
}

static void draw_dashes(struct dasher *d, const struct sm_point *points, size_t count)
{
    const struct sm_point first = points[0], end = points[count - 1];
    bool is_closed = first.x == end.x && first.y == end.y;
    bool has_drawn = false, has_first = false, was_painting = false;
    struct face first_face = {0}, last_face = {0};
    for (size_t i = 0; i + 1 < count && d->pen->steps_left > 0; i++) {
        if (points[i].x == points[i + 1].x && points[i].y == points[i + 1].y)
            continue;
        struct segment s = segment_of(points[i], points[i + 1]);
        bool starts_painting = d->phase.index % 2 == 0;
        dash_segment(d, &s);
        if (starts_painting && has_drawn && was_painting)
            join(d->pen, start_face(&s), last_face);
        if (starts_painting && !has_drawn && is_closed) {
            first_face = start_face(&s);
            has_first = true;
        }
        was_painting = (d->phase.index % 2 != 0) != (d->phase.offset != 0);
        last_face = end_face(&s);
        has_drawn = true;
    }
    if (was_painting && has_first)
        join(d->pen, first_face, last_face);
}

/* Operations for which painting a pixel twice would show. */
static bool is_painted_once(enum sm_gfx_op op)
{
    return (op & 12) == 8 || (op & 3) == 2;
}

enum sm_status sm_gfx_polyline_dashed(struct sm_gfx_pen *pen, const struct sm_point *points,
                                      size_t count, const struct sm_gfx_dashes *dashes)
{
    struct dasher dasher = {.pen = pen, .dashes = dashes, .phase = advance(dashes, dashes->start)};
    bool collects = count >= 3 && is_painted_once(pen->op);
    if (collects) {
        enum sm_status status = sm_gfx_pen_collect(pen);
        if (status != SM_OK)
            return status;
    }
    draw_dashes(&dasher, points, count);
    if (collects)
        sm_gfx_pen_flush(pen);
    return SM_OK;
}
