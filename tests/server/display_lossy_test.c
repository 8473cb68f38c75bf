/* SPDX-License-Identifier: MIT */
/* Lossy areas beside a model that keeps a mark for every pixel. */
#include "tests/support/check.h"

#include <string.h>

#include "core/gfx/rop.h"
#include "server/display/footprint.h"
#include "server/display/lossy.h"
#include "server/qxl/drawing.h"

enum { SIDE = 48, SURFACES = 3, RECTS = 2 };

/* Per surface and pixel: 0 exact, 1 lossy. */
static uint8_t model[SURFACES][SIDE][SIDE];

static uint32_t pixels[SIDE * SIDE];

static struct sm_pixels find_surface(const void *surfaces, uint32_t id)
{
    (void)surfaces;
    struct sm_pixels none = {.format = SM_PIXEL_NONE};
    if (id >= SURFACES)
        return none;
    return (struct sm_pixels){.format = SM_PIXEL_XRGB32,
                              .width = SIDE,
                              .height = SIDE,
                              .stride_bytes = SIDE * 4,
                              .data = (uint8_t *)pixels};
}

static const struct sm_footprint_source SURFACES_SEEN = {.find = find_surface};

/* A drawing and what it points to. */
struct drawn {
    struct sm_drawing drawing;
    struct sm_footprint footprint;
    struct sm_image image, mask;
    struct sm_rect clip[RECTS];
    bool is_lossy; /* its source is sent so */
};

static struct sm_rect random_rect(struct sm_test_random *random)
{
    int32_t x = (int32_t)(sm_test_random_next(random) % (SIDE - 1));
    int32_t y = (int32_t)(sm_test_random_next(random) % (SIDE - 1));
    int32_t w = 1 + (int32_t)(sm_test_random_next(random) % 20);
    int32_t h = 1 + (int32_t)(sm_test_random_next(random) % 20);
    struct sm_rect rect = {x, y, x + w, y + h};
    return sm_rect_intersect(rect, (struct sm_rect){0, 0, SIDE, SIDE});
}

static void bitmap_of(struct sm_image *image, struct sm_rect box)
{
    uint32_t width = (uint32_t)sm_rect_width(box), height = (uint32_t)sm_rect_height(box);
    *image = (struct sm_image){.type = SM_IMAGE_TYPE_BITMAP,
                               .width = width,
                               .height = height,
                               .bitmap = {.format = SM_BITMAP_FORMAT_32BIT,
                                          .x = width,
                                          .y = height,
                                          .stride = width * 4,
                                          .data = {(uint8_t *)pixels, width * height * 4}}};
}

static void surface_of(struct drawn *d, uint32_t id, struct sm_rect area)
{
    d->image = (struct sm_image){
        .type = SM_IMAGE_TYPE_SURFACE, .width = SIDE, .height = SIDE, .surface_id = id};
    d->drawing.dependency_count = 1;
    d->drawing.dependencies[0] = (struct sm_drawing_dependency){.surface_id = id, .area = area};
}

/* A drawing of `type` to `box`, with everything plain. */
static void begin(struct drawn *d, uint16_t type, uint32_t surface, struct sm_rect box)
{
    memset(d, 0, sizeof(*d));
    struct sm_display_msg *msg = &d->drawing.msg;
    msg->type = type;
    msg->draw_fill.base.surface_id = surface;
    msg->draw_fill.base.box = box;
    d->drawing.bounds = box;
    struct sm_rect source = {0, 0, box.right - box.left, box.bottom - box.top};
    bitmap_of(&d->image, box);
    switch (type) {
    case SM_MSG_DISPLAY_DRAW_COPY:
        msg->draw_copy.src_bitmap = &d->image;
        msg->draw_copy.src_area = source;
        msg->draw_copy.ropd = SM_ROPD_OP_PUT;
        break;
    case SM_MSG_DISPLAY_DRAW_FILL:
        msg->draw_fill.brush.type = SM_BRUSH_TYPE_SOLID;
        msg->draw_fill.ropd = SM_ROPD_OP_PUT;
        break;
    case SM_MSG_DISPLAY_DRAW_ALPHA_BLEND:
        msg->draw_alpha_blend.src_bitmap = &d->image;
        msg->draw_alpha_blend.src_area = source;
        break;
    case SM_MSG_DISPLAY_DRAW_BLEND:
        msg->draw_blend.src_bitmap = &d->image;
        msg->draw_blend.src_area = source;
        msg->draw_blend.ropd = SM_ROPD_OP_XOR;
        break;
    default:
        break;
    }
}

static void finish(struct drawn *d)
{
    sm_footprint_init(&d->footprint, &d->drawing, &SURFACES_SEEN);
}

static enum sm_status note(struct sm_lossy *lossy, struct drawn *d)
{
    return sm_lossy_note(lossy, &d->drawing, &d->footprint, d->drawing.bounds, d->is_lossy);
}

static bool is_lossy_at(const struct sm_lossy *lossy, uint32_t surface, int32_t x, int32_t y)
{
    const struct sm_region *region = sm_lossy_region(lossy, surface);
    return region && sm_region_contains_point(region, x, y);
}

/* ---- at random, beside the model ---- */

static bool is_clipped(const struct drawn *d, int32_t x, int32_t y)
{
    const struct sm_clip *clip = &d->drawing.msg.draw_fill.base.clip;
    if (clip->type == SM_CLIP_TYPE_NONE)
        return false;
    for (uint32_t i = 0; i < clip->num_rects; i++) {
        const struct sm_rect *r = &clip->rects[i];
        if (x >= r->left && x < r->right && y >= r->top && y < r->bottom)
            return false;
    }
    return true;
}

static bool any_lossy(uint32_t surface, struct sm_rect r)
{
    for (int32_t y = r.top; y < r.bottom; y++)
        for (int32_t x = r.left; x < r.right; x++)
            if (model[surface][y][x])
                return true;
    return false;
}

/* Pixel by pixel: is it what the server has, given what its sources were? */
static void model_apply(const struct drawn *d)
{
    static uint8_t before[SURFACES][SIDE][SIDE];
    memcpy(before, model, sizeof(before));
    const struct sm_display_msg *msg = &d->drawing.msg;
    uint32_t surface = msg->draw_fill.base.surface_id;
    struct sm_rect b = msg->draw_fill.base.box;
    for (int32_t y = b.top; y < b.bottom; y++) {
        for (int32_t x = b.left; x < b.right; x++) {
            if (is_clipped(d, x, y))
                continue;
            uint8_t source = d->is_lossy;
            if (msg->type == SM_MSG_DISPLAY_COPY_BITS) {
                struct sm_point at = msg->copy_bits.src_pos;
                source = before[surface][at.y + y - b.top][at.x + x - b.left];
            } else if (d->image.type == SM_IMAGE_TYPE_SURFACE) {
                source = before[d->image.surface_id][y - b.top][x - b.left];
            }
            bool keeps = msg->type == SM_MSG_DISPLAY_DRAW_ALPHA_BLEND ||
                         msg->type == SM_MSG_DISPLAY_DRAW_BLEND;
            model[surface][y][x] = source | (keeps ? before[surface][y][x] : 0);
        }
    }
}

static void random_drawing(struct drawn *d, struct sm_test_random *random)
{
    static const uint16_t TYPES[] = {SM_MSG_DISPLAY_DRAW_COPY,  SM_MSG_DISPLAY_DRAW_COPY,
                                     SM_MSG_DISPLAY_COPY_BITS,  SM_MSG_DISPLAY_DRAW_FILL,
                                     SM_MSG_DISPLAY_DRAW_BLEND, SM_MSG_DISPLAY_DRAW_ALPHA_BLEND};
    uint16_t type = TYPES[sm_test_random_next(random) % 6];
    struct sm_rect box = random_rect(random);
    begin(d, type, sm_test_random_next(random) % SURFACES, box);
    struct sm_display_base *base = &d->drawing.msg.draw_fill.base;
    if (sm_test_random_next(random) % 3 == 0) {
        for (unsigned i = 0; i < RECTS; i++)
            d->clip[i] = sm_rect_intersect(random_rect(random), box);
        base->clip =
            (struct sm_clip){.type = SM_CLIP_TYPE_RECTS, .num_rects = RECTS, .rects = d->clip};
    }
    if (type == SM_MSG_DISPLAY_COPY_BITS) {
        struct sm_rect from = random_rect(random);
        int32_t w = box.right - box.left, h = box.bottom - box.top;
        d->drawing.msg.copy_bits.src_pos.x = from.left + w > SIDE ? SIDE - w : from.left;
        d->drawing.msg.copy_bits.src_pos.y = from.top + h > SIDE ? SIDE - h : from.top;
    } else if (type == SM_MSG_DISPLAY_DRAW_COPY && sm_test_random_next(random) % 4 == 0) {
        uint32_t other = sm_test_random_next(random) % SURFACES;
        if (other != base->surface_id)
            surface_of(d, other, box);
    }
    d->is_lossy = d->image.type == SM_IMAGE_TYPE_BITMAP && sm_lossy_suits(&d->drawing.msg) &&
                  sm_test_random_next(random) % 3 == 0;
    finish(d);
}

/* Nothing that is lossy is taken for exact; and not everything for lossy. */
static void check_model(const struct sm_lossy *lossy, unsigned *claimed, unsigned *lossy_count)
{
    for (uint32_t s = 0; s < SURFACES; s++)
        for (int32_t y = 0; y < SIDE; y++)
            for (int32_t x = 0; x < SIDE; x++) {
                bool is_claimed = is_lossy_at(lossy, s, x, y);
                if (model[s][y][x] && !is_claimed)
                    fail_msg("surface %u, %d,%d is lossy and nobody knows", s, x, y);
                *claimed += is_claimed;
                *lossy_count += model[s][y][x];
            }
}

static void nothing_lossy_is_forgotten(void **state)
{
    (void)state;
    unsigned claimed = 0, count = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct sm_test_random random = {seed * 7919};
        struct sm_lossy lossy;
        sm_lossy_init(&lossy);
        memset(model, 0, sizeof(model));
        for (unsigned i = 0; i < 60; i++) {
            struct drawn d;
            random_drawing(&d, &random);
            if (sm_lossy_admits(&lossy, &d.drawing)) {
                sm_check_status(note(&lossy, &d), SM_OK);
                model_apply(&d);
            } else {
                refused++;
                /* it would have combined what is lossy */
                assert_int_equal(d.drawing.msg.type, SM_MSG_DISPLAY_DRAW_BLEND);
            }
            if (d.drawing.msg.type == SM_MSG_DISPLAY_DRAW_BLEND &&
                !any_lossy(0, d.drawing.bounds) && sm_lossy_is_empty(&lossy))
                assert_true(sm_lossy_admits(&lossy, &d.drawing));
            check_model(&lossy, &claimed, &count);
            sm_footprint_finish(&d.footprint);
        }
        sm_lossy_finish(&lossy);
    }
    assert_in_range(refused, 20, 60 * 60);
    assert_in_range(count, 10000, UINT64_MAX);
    /* clips are taken for boxes, surfaces that are read for lossy everywhere: more than there is */
    assert_in_range(claimed, count, count * 2);
}

/* ---- one thing at a time ---- */

static const struct sm_rect BOX = {10, 10, 30, 30};

static void copy(struct sm_lossy *lossy, uint32_t surface, struct sm_rect box, bool is_lossy)
{
    struct drawn d;
    begin(&d, SM_MSG_DISPLAY_DRAW_COPY, surface, box);
    d.is_lossy = is_lossy;
    finish(&d);
    sm_check_status(note(lossy, &d), SM_OK);
    sm_footprint_finish(&d.footprint);
}

static void exact_copies_clear_and_masked_ones_do_not(void **state)
{
    (void)state;
    struct sm_lossy lossy;
    sm_lossy_init(&lossy);
    copy(&lossy, 0, BOX, false);
    assert_true(sm_lossy_is_empty(&lossy));
    copy(&lossy, 0, BOX, true);
    assert_true(is_lossy_at(&lossy, 0, 10, 10));
    assert_false(is_lossy_at(&lossy, 1, 10, 10));

    struct drawn d;
    begin(&d, SM_MSG_DISPLAY_DRAW_COPY, 0, BOX);
    bitmap_of(&d.mask, BOX);
    d.drawing.msg.draw_copy.mask.bitmap = &d.mask;
    finish(&d);
    sm_check_status(note(&lossy, &d), SM_OK);
    assert_true(is_lossy_at(&lossy, 0, 20, 20));

    copy(&lossy, 0, (struct sm_rect){10, 10, 30, 20}, false);
    assert_false(is_lossy_at(&lossy, 0, 10, 19));
    assert_true(is_lossy_at(&lossy, 0, 10, 20));
    copy(&lossy, 0, (struct sm_rect){0, 20, 48, 48}, false);
    assert_true(sm_lossy_is_empty(&lossy));
    sm_lossy_finish(&lossy);
}

static void parts_of_a_drawing_are_noted_one_by_one(void **state)
{
    (void)state;
    struct sm_lossy lossy;
    struct drawn d;
    sm_lossy_init(&lossy);
    begin(&d, SM_MSG_DISPLAY_DRAW_COPY, 0, BOX);
    finish(&d);
    struct sm_rect top = {10, 10, 30, 20}, low = {10, 20, 30, 30};
    sm_check_status(sm_lossy_note(&lossy, &d.drawing, &d.footprint, top, true), SM_OK);
    sm_check_status(sm_lossy_note(&lossy, &d.drawing, &d.footprint, low, false), SM_OK);
    assert_int_equal(sm_region_area(sm_lossy_region(&lossy, 0)), 200);
    sm_check_status(sm_lossy_note(&lossy, &d.drawing, &d.footprint, low, true), SM_OK);
    sm_check_status(sm_lossy_note(&lossy, &d.drawing, &d.footprint, top, false), SM_OK);
    assert_int_equal(sm_region_area(sm_lossy_region(&lossy, 0)), 200);
    assert_true(is_lossy_at(&lossy, 0, 10, 20));
    sm_lossy_finish(&lossy);
    sm_footprint_finish(&d.footprint);
}

static void combining_with_lossy_pixels_is_refused(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        uint16_t ropd;
        bool is_refused;
    } CASES[] = {
        {SM_MSG_DISPLAY_DRAW_FILL, SM_ROPD_OP_PUT, false},
        {SM_MSG_DISPLAY_DRAW_FILL, SM_ROPD_OP_XOR, true},
        {SM_MSG_DISPLAY_DRAW_COPY, SM_ROPD_OP_PUT, false},
        {SM_MSG_DISPLAY_DRAW_COPY, SM_ROPD_OP_AND, true},
        {SM_MSG_DISPLAY_DRAW_OPAQUE, SM_ROPD_OP_OR, true},
        {SM_MSG_DISPLAY_DRAW_OPAQUE, SM_ROPD_OP_PUT, false},
        {SM_MSG_DISPLAY_DRAW_BLEND, SM_ROPD_OP_PUT, true},
        {SM_MSG_DISPLAY_DRAW_ROP3, 0, true},
        {SM_MSG_DISPLAY_DRAW_TRANSPARENT, 0, true},
        {SM_MSG_DISPLAY_DRAW_COMPOSITE, 0, true},
        {SM_MSG_DISPLAY_DRAW_STROKE, SM_ROPD_OP_PUT, false},
        {SM_MSG_DISPLAY_DRAW_STROKE, SM_ROPD_OP_XOR, true},
        {SM_MSG_DISPLAY_DRAW_TEXT, SM_ROPD_OP_PUT, false},
        {SM_MSG_DISPLAY_DRAW_BLACKNESS, 0, false},
        {SM_MSG_DISPLAY_DRAW_INVERS, 0, false},
        {SM_MSG_DISPLAY_DRAW_ALPHA_BLEND, 0, false},
        {SM_MSG_DISPLAY_COPY_BITS, 0, false},
    };
    struct sm_lossy lossy;
    sm_lossy_init(&lossy);
    for (unsigned i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct drawn d;
        begin(&d, CASES[i].type, 0, BOX);
        struct sm_display_msg *msg = &d.drawing.msg;
        if (CASES[i].type == SM_MSG_DISPLAY_DRAW_FILL)
            msg->draw_fill.ropd = CASES[i].ropd;
        else if (CASES[i].type == SM_MSG_DISPLAY_DRAW_COPY)
            msg->draw_copy.ropd = CASES[i].ropd;
        else if (CASES[i].type == SM_MSG_DISPLAY_DRAW_OPAQUE)
            msg->draw_opaque.ropd = CASES[i].ropd;
        else if (CASES[i].type == SM_MSG_DISPLAY_DRAW_STROKE)
            msg->draw_stroke.fore_mode = CASES[i].ropd;
        else if (CASES[i].type == SM_MSG_DISPLAY_DRAW_TEXT)
            msg->draw_text.fore_mode = CASES[i].ropd;
        assert_true(sm_lossy_admits(&lossy, &d.drawing)); /* all is exact */
        copy(&lossy, 0, (struct sm_rect){29, 29, 40, 40}, true);
        assert_int_equal(sm_lossy_admits(&lossy, &d.drawing), !CASES[i].is_refused);
        copy(&lossy, 0, (struct sm_rect){29, 29, 30, 40}, false); /* no more of the box is */
        assert_true(sm_lossy_admits(&lossy, &d.drawing));
        sm_lossy_forget(&lossy, 0);
    }
    sm_lossy_finish(&lossy);
}

static void lossy_surfaces_may_be_shown_but_not_combined(void **state)
{
    (void)state;
    struct sm_lossy lossy;
    struct drawn d;
    sm_lossy_init(&lossy);
    copy(&lossy, 2, BOX, true);
    begin(&d, SM_MSG_DISPLAY_DRAW_COPY, 0, BOX);
    surface_of(&d, 2, BOX);
    finish(&d);
    assert_true(sm_lossy_admits(&lossy, &d.drawing));
    sm_check_status(note(&lossy, &d), SM_OK);
    assert_true(is_lossy_at(&lossy, 0, 20, 20));
    sm_footprint_finish(&d.footprint);
    /* a brush out of it, a composite over an exact area */
    begin(&d, SM_MSG_DISPLAY_DRAW_FILL, 1, BOX);
    surface_of(&d, 2, BOX);
    assert_false(sm_lossy_admits(&lossy, &d.drawing));
    begin(&d, SM_MSG_DISPLAY_DRAW_COMPOSITE, 1, BOX);
    surface_of(&d, 2, BOX);
    assert_false(sm_lossy_admits(&lossy, &d.drawing));
    sm_lossy_forget(&lossy, 2);
    assert_true(sm_lossy_admits(&lossy, &d.drawing));
    sm_lossy_finish(&lossy);
}

static void what_rests_is_found_piece_by_piece(void **state)
{
    (void)state;
    struct sm_lossy lossy;
    uint32_t surface;
    struct sm_rect area;
    sm_lossy_init(&lossy);
    assert_false(sm_lossy_find_still(&lossy, NULL, 1000, &surface, &area));
    copy(&lossy, 1, BOX, true);
    copy(&lossy, 0, BOX, true);
    sm_lossy_tick(&lossy);
    assert_false(sm_lossy_find_still(&lossy, NULL, 1000, &surface, &area));
    copy(&lossy, 0, (struct sm_rect){10, 10, 30, 12}, true); /* this moves */
    sm_lossy_tick(&lossy);
    unsigned pieces = 0, sum = 0;
    while (sm_lossy_find_still(&lossy, NULL, 100, &surface, &area)) {
        if (pieces == 0)
            assert_int_equal(surface, 0); /* the primary comes first */
        assert_in_range(sm_rect_width(area) * sm_rect_height(area), 1, 100);
        copy(&lossy, surface, area, false);
        sum += (unsigned)(sm_rect_width(area) * sm_rect_height(area));
        pieces++;
    }
    assert_int_equal(sum, 400 + 360);
    assert_int_equal(pieces, 4 + 4);
    assert_null(sm_lossy_region(&lossy, 1));
    sm_lossy_tick(&lossy);
    assert_true(sm_lossy_find_still(&lossy, NULL, 100, &surface, &area));
    assert_true(sm_rect_equal(area, (struct sm_rect){10, 10, 30, 12}));
    copy(&lossy, 0, area, false);
    assert_true(sm_lossy_is_empty(&lossy));
    sm_lossy_finish(&lossy);
}

static void what_rests_where_somebody_looks_comes_first(void **state)
{
    (void)state;
    struct sm_lossy lossy;
    struct sm_focus focus = {0};
    uint32_t surface;
    struct sm_rect area;
    sm_lossy_init(&lossy);
    sm_check_status(sm_lossy_add(&lossy, 0, (struct sm_rect){0, 0, 1920, 1080}), SM_OK);
    sm_lossy_tick(&lossy);
    sm_lossy_tick(&lossy);
    assert_true(sm_lossy_find_still(&lossy, &focus, 1 << 18, &surface, &area));
    assert_int_equal(area.top, 0); /* nobody looks anywhere: from the top */
    sm_focus_set(&focus, 1700, 900);
    uint64_t sum = 0;
    for (unsigned i = 0; sm_lossy_find_still(&lossy, &focus, 1 << 18, &surface, &area); i++) {
        bool is_there =
            area.left <= 1700 && 1700 < area.right && area.top <= 900 && 900 < area.bottom;
        assert_int_equal(is_there, i == 0);
        copy(&lossy, 0, area, false);
        sum += (uint64_t)(sm_rect_width(area) * sm_rect_height(area));
    }
    assert_int_equal(sum, 1920 * 1080);
    assert_true(sm_lossy_is_empty(&lossy));
    sm_lossy_finish(&lossy);
}

static void many_small_areas_become_one(void **state)
{
    (void)state;
    struct sm_lossy lossy;
    sm_lossy_init(&lossy);
    for (int32_t i = 0; i < 400; i++) {
        struct sm_rect dot = {i % 20 * 2, i / 20 * 2, i % 20 * 2 + 1, i / 20 * 2 + 1};
        sm_check_status(sm_lossy_add(&lossy, 0, dot), SM_OK);
        assert_true(is_lossy_at(&lossy, 0, dot.left, dot.top));
        uint32_t count;
        (void)sm_region_rects(sm_lossy_region(&lossy, 0), &count);
        assert_in_range(count, 1, 64);
    }
    sm_lossy_finish(&lossy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_lossy_is_forgotten),
        cmocka_unit_test(exact_copies_clear_and_masked_ones_do_not),
        cmocka_unit_test(parts_of_a_drawing_are_noted_one_by_one),
        cmocka_unit_test(combining_with_lossy_pixels_is_refused),
        cmocka_unit_test(lossy_surfaces_may_be_shown_but_not_combined),
        cmocka_unit_test(what_rests_is_found_piece_by_piece),
        cmocka_unit_test(what_rests_where_somebody_looks_comes_first),
        cmocka_unit_test(many_small_areas_become_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
