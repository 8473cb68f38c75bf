/* SPDX-License-Identifier: MIT */
/* Drawings that wait, and are left out when nobody could see them, against drawing at once. */
#include "tests/support/check.h"

#include <string.h>

#include "core/wire/types.h"
#include "tests/server/support/easel.h"

static void add(struct sm_test_studio *f, struct sm_test_easel *easel, uint64_t address)
{
    struct sm_drawable *drawable = sm_test_easel_parse(f, easel, address);
    if (drawable)
        sm_surfaces_add_drawable(&easel->surfaces, drawable);
    sm_drawable_unref(drawable);
}

static void draw(struct sm_test_studio *f, const QXLDrawable *drawable)
{
    uint64_t address = sm_test_guest_put(&f->guest, drawable, sizeof(*drawable));
    add(f, &f->late, address);
    add(f, &f->now, address);
    sm_surfaces_render_all(&f->now.surfaces);
}

static void check_all(struct sm_test_studio *f)
{
    sm_surfaces_render_all(&f->late.surfaces);
    assert_int_equal(f->late.surfaces.pending_count, 0);
    assert_int_equal(f->late.surfaces.pending_bytes, 0);
    sm_test_studio_check_all(f);
}

static void look_somewhere(struct sm_test_studio *f, struct sm_test_doodle *doodle)
{
    const struct sm_test_doodle_surface *shape =
        &sm_test_easel_shapes[sm_test_doodle_pick(doodle, TEST_EASEL_SURFACES)];
    QXLRect r = sm_test_doodle_rect(doodle, shape->width, shape->height);
    struct sm_rect area = {r.left, r.top, r.right, r.bottom};
    switch (sm_test_doodle_pick(doodle, 4)) {
    case 0:
        (void)sm_surfaces_render_oldest(&f->late.surfaces, sm_test_doodle_pick(doodle, 5));
        break;
    case 1:
        sm_test_easel_remove_surface(&f->late, shape->id);
        sm_test_easel_remove_surface(&f->now, shape->id);
        sm_test_easel_add_surface(&f->late, shape->id);
        sm_test_easel_add_surface(&f->now, shape->id);
        break;
    default:
        sm_surfaces_render_area(&f->late.surfaces, f->late.surfaces.table[shape->id], area);
        sm_test_studio_check_area(f, shape->id, area);
        break;
    }
}

static void waiting_changes_no_picture(void **state)
{
    struct sm_test_studio *f = *state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct sm_test_doodle doodle = {.guest = &f->guest,
                                        .random = {.state = seed * 977},
                                        .surfaces = sm_test_easel_shapes,
                                        .surface_count = TEST_EASEL_SURFACES,
                                        .copy_in = 3 + seed % 13};
        for (uint32_t i = 0; i < 150; i++) {
            sm_test_guest_reset(&f->guest);
            QXLDrawable d = sm_test_doodle_next(&doodle);
            draw(f, &d);
            if (sm_test_doodle_pick(&doodle, 40) == 0)
                look_somewhere(f, &doodle);
        }
        check_all(f);
    }
}

/* ---- what is left out ---- */

/* What is said to be opaque gives the same pixels whatever was there. */
static void opaque_drawings_are_opaque(void **state)
{
    struct sm_test_studio *f = *state;
    struct sm_test_doodle doodle = {.guest = &f->guest,
                                    .random = {.state = 4711},
                                    .surfaces = sm_test_easel_shapes,
                                    .surface_count = TEST_EASEL_SURFACES,
                                    .copy_in = 5};
    uint32_t opaque = 0;
    for (uint32_t i = 0; i < 4000; i++) {
        sm_test_guest_reset(&f->guest);
        QXLDrawable d = sm_test_doodle_next(&doodle);
        uint64_t address = sm_test_guest_put(&f->guest, &d, sizeof(d));
        struct sm_drawable *drawable = sm_test_easel_parse(f, &f->late, address);
        if (drawable && drawable->footprint.is_opaque && !drawable->drawing->has_self_bitmap &&
            drawable->footprint.reads == SM_FOOTPRINT_READS_NOTHING) {
            memset(f->late.pixels[d.surface_id], 0x35, sizeof(f->late.pixels[0]));
            memset(f->now.pixels[d.surface_id], 0xca, sizeof(f->now.pixels[0]));
            add(f, &f->late, address);
            add(f, &f->now, address);
            sm_surfaces_render_all(&f->now.surfaces);
            sm_surfaces_render_all(&f->late.surfaces);
            uint32_t count;
            const struct sm_rect *rects = sm_region_rects(&drawable->footprint.writes, &count);
            for (uint32_t r = 0; r < count; r++)
                sm_test_studio_check_area(f, d.surface_id, rects[r]);
            memcpy(f->late.pixels, f->now.pixels, sizeof(f->now.pixels));
            opaque++;
        }
        sm_drawable_unref(drawable);
    }
    assert_in_range(opaque, 800, 4000);
}

static void fill(struct sm_test_studio *f, QXLRect box, uint32_t color)
{
    QXLDrawable d = {.type = QXL_DRAW_FILL, .bbox = box, .surfaces_dest = {-1, -1, -1}};
    d.u.fill.brush = (QXLBrush){.type = SM_BRUSH_TYPE_SOLID, .u.color = color};
    d.u.fill.rop_descriptor = SM_ROPD_OP_PUT;
    draw(f, &d);
}

static void move(struct sm_test_studio *f, QXLRect box, int32_t x, int32_t y)
{
    QXLDrawable d = {.type = QXL_COPY_BITS, .bbox = box, .surfaces_dest = {0, -1, -1}};
    d.u.copy_bits.src_pos.x = x;
    d.u.copy_bits.src_pos.y = y;
    draw(f, &d);
}

static uint32_t pending(const struct sm_test_studio *f)
{
    return f->late.surfaces.pending_count;
}

static void covered_drawing_is_left_out(void **state)
{
    struct sm_test_studio *f = *state;
    fill(f, sm_test_rect(5, 5, 15, 15), 1);
    fill(f, sm_test_rect(5, 5, 10, 15), 2);
    assert_int_equal(pending(f), 2);
    fill(f, sm_test_rect(10, 5, 15, 15), 3); /* with the one before it covers the first */
    assert_int_equal(pending(f), 2);
    fill(f, sm_test_rect(0, 0, 40, 30), 4);
    assert_int_equal(pending(f), 1);
    check_all(f);
}

static void what_lets_the_old_pixels_through_covers_nothing(void **state)
{
    struct sm_test_studio *f = *state;
    fill(f, sm_test_rect(5, 5, 15, 15), 1);
    QXLDrawable d = {
        .type = QXL_DRAW_INVERS, .bbox = sm_test_rect(0, 0, 40, 30), .surfaces_dest = {-1, -1, -1}};
    draw(f, &d);
    d.type = QXL_DRAW_FILL;
    d.u.fill.brush = (QXLBrush){.type = SM_BRUSH_TYPE_SOLID, .u.color = 0x123456};
    d.u.fill.rop_descriptor = SM_ROPD_OP_XOR;
    draw(f, &d);
    assert_int_equal(pending(f), 3);
    fill(f, sm_test_rect(0, 0, 40, 30), 4); /* covers all three, what they read included */
    assert_int_equal(pending(f), 1);
    check_all(f);
}

static void what_a_move_reads_is_kept(void **state)
{
    struct sm_test_studio *f = *state;
    fill(f, sm_test_rect(0, 0, 10, 10), 1);
    fill(f, sm_test_rect(10, 0, 20, 10), 2);
    move(f, sm_test_rect(20, 0, 30, 10), 0, 0); /* the first one's pixels */
    fill(f, sm_test_rect(0, 0, 20, 10), 3);
    assert_int_equal(pending(f), 3); /* the second is gone */
    fill(f, sm_test_rect(20, 0, 30, 10), 4);
    assert_int_equal(pending(f), 3); /* the move is; the first was needed when it was passed */
    fill(f, sm_test_rect(0, 0, 40, 30), 5);
    assert_int_equal(pending(f), 1);
    check_all(f);
}

static void only_the_newest_of_many_frames_is_drawn(void **state)
{
    struct sm_test_studio *f = *state;
    for (uint32_t i = 0; i < 3000; i++) {
        sm_test_guest_reset(&f->guest);
        fill(f, sm_test_rect(0, 0, 40, 30), i);
        assert_int_equal(pending(f), 1);
    }
    check_all(f);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_studio_set_up, sm_test_studio_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(waiting_changes_no_picture),  TEST(opaque_drawings_are_opaque),
        TEST(covered_drawing_is_left_out), TEST(what_lets_the_old_pixels_through_covers_nothing),
        TEST(what_a_move_reads_is_kept),   TEST(only_the_newest_of_many_frames_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
