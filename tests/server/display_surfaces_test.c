/* SPDX-License-Identifier: MIT */
/* Drawings that wait, and are left out when nobody could see them, against drawing at once. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"
#include "server/display/renderer.h"
#include "server/display/surfaces.h"
#include "tests/server/support/doodle.h"
#include "tests/server/support/lines.h"

enum { SURFACES = 4, MEMORY = 4 << 20 };

static const struct sm_test_doodle_surface SHAPES[SURFACES] = {
    {0, 40, 30}, {1, 24, 24}, {2, 40, 30}, {3, 16, 30}};
static const uint32_t FORMATS[SURFACES] = {SM_SURFACE_FORMAT_32_XRGB, SM_SURFACE_FORMAT_32_ARGB,
                                           SM_SURFACE_FORMAT_32_XRGB, SM_SURFACE_FORMAT_16_565};

/* Surfaces of one's own. */
struct easel {
    struct sm_renderer *renderer;
    struct sm_surfaces surfaces;
    struct sm_drawable_budget budget;
    uint8_t pixels[SURFACES][40 * 30 * 4];
};

struct fixture {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_memslots *slots;
    struct easel late, now; /* the one that is tested; the one that draws at once */
};

static bool find_surface(const void *surfaces, uint32_t id, struct sm_surface_shape *out)
{
    const struct sm_display_surface *surface = sm_surfaces_find(surfaces, id);
    if (surface)
        *out = (struct sm_surface_shape){surface->pixels.width, surface->pixels.height,
                                         surface->format};
    return surface;
}

static void add_surface(struct easel *easel, uint32_t i)
{
    uint32_t bytes = FORMATS[i] == SM_SURFACE_FORMAT_16_565 ? 2 : 4;
    struct sm_pixels pixels = {.data = easel->pixels[i],
                               .stride_bytes = SHAPES[i].width * bytes,
                               .width = SHAPES[i].width,
                               .height = SHAPES[i].height,
                               .format = FORMATS[i] == SM_SURFACE_FORMAT_16_565 ? SM_PIXEL_RGB565
                                         : FORMATS[i] == SM_SURFACE_FORMAT_32_ARGB
                                             ? SM_PIXEL_ARGB32
                                             : SM_PIXEL_XRGB32};
    struct sm_display_surface *surface;
    sm_check_status(sm_surfaces_add(&easel->surfaces, &surface, i, FORMATS[i], &pixels), SM_OK);
}

static void set_up_easel(struct easel *easel, const struct sm_memslots *slots)
{
    sm_check_status(sm_renderer_create(&easel->renderer, slots), SM_OK);
    sm_surfaces_init(&easel->surfaces, 1024, easel->renderer);
    for (uint32_t i = 0; i < SURFACES; i++)
        add_surface(easel, i);
}

static void tear_down_easel(struct easel *easel)
{
    for (uint32_t i = 0; i < SURFACES; i++)
        sm_surfaces_drop_pending(&easel->surfaces, easel->surfaces.table[i]);
    for (uint32_t i = 0; i < SURFACES; i++)
        sm_surfaces_remove(&easel->surfaces, easel->surfaces.table[i]);
    sm_renderer_destroy(easel->renderer);
    assert_int_equal(easel->budget.count, 0);
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    sm_test_guest_init(&f->guest, MEMORY);
    sm_test_lines_init(&f->lines);
    sm_check_status(sm_memslots_create(&f->slots, &sm_test_guest_info, &f->lines.log), SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    sm_memslots_add(f->slots, &slot);
    set_up_easel(&f->late, f->slots);
    set_up_easel(&f->now, f->slots);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    tear_down_easel(&f->late);
    tear_down_easel(&f->now);
    sm_memslots_destroy(f->slots);
    sm_test_lines_finish(&f->lines);
    sm_test_guest_finish(&f->guest);
    free(f);
    return 0;
}

static void resolve_self_bitmap(struct easel *easel, struct sm_drawing *drawing)
{
    struct sm_display_surface *target =
        sm_surfaces_find(&easel->surfaces, drawing->msg.draw_fill.base.surface_id);
    uint8_t *pixels, format, flags;
    uint32_t stride;
    sm_surfaces_render_area(&easel->surfaces, target, drawing->self_area);
    sm_check_status(
        sm_surface_snapshot(target, drawing->self_area, &pixels, &stride, &format, &flags), SM_OK);
    sm_check_status(sm_drawing_set_self_bitmap(drawing, 9, format, flags, pixels, stride), SM_OK);
}

static void add(struct fixture *f, struct easel *easel, uint64_t address)
{
    struct sm_drawing_source source = {.slots = f->slots,
                                       .group = TEST_GUEST_GROUP,
                                       .find_surface = find_surface,
                                       .surfaces = &easel->surfaces};
    struct sm_drawing *drawing;
    enum sm_status status = sm_drawing_parse(&drawing, &source, address);
    if (status == SM_AGAIN)
        return;
    sm_check_status(status, SM_OK);
    if (drawing->has_self_bitmap)
        resolve_self_bitmap(easel, drawing);
    struct sm_footprint_source shapes = sm_surfaces_for_footprints(&easel->surfaces);
    struct sm_drawable *drawable = sm_drawable_create(drawing, &easel->budget, &shapes);
    assert_non_null(drawable);
    sm_surfaces_add_drawable(&easel->surfaces, drawable);
    sm_drawable_unref(drawable);
}

static void draw(struct fixture *f, const QXLDrawable *drawable)
{
    uint64_t address = sm_test_guest_put(&f->guest, drawable, sizeof(*drawable));
    add(f, &f->late, address);
    add(f, &f->now, address);
    sm_surfaces_render_all(&f->now.surfaces);
}

static void check_area(const struct fixture *f, uint32_t id, struct sm_rect area)
{
    const struct sm_pixels *late = &f->late.surfaces.table[id]->pixels;
    const struct sm_pixels *now = &f->now.surfaces.table[id]->pixels;
    size_t bytes = sm_pixel_bits(late->format) / 8;
    for (int32_t y = area.top; y < area.bottom; y++)
        assert_memory_equal(sm_pixels_row(late, (uint32_t)y) + (size_t)area.left * bytes,
                            sm_pixels_row(now, (uint32_t)y) + (size_t)area.left * bytes,
                            (size_t)(area.right - area.left) * bytes);
}

static void check_all(struct fixture *f)
{
    sm_surfaces_render_all(&f->late.surfaces);
    assert_int_equal(f->late.surfaces.pending_count, 0);
    assert_int_equal(f->late.surfaces.pending_bytes, 0);
    for (uint32_t i = 0; i < SURFACES; i++)
        check_area(f, i,
                   (struct sm_rect){0, 0, (int32_t)SHAPES[i].width, (int32_t)SHAPES[i].height});
}

static void look_somewhere(struct fixture *f, struct sm_test_doodle *doodle)
{
    const struct sm_test_doodle_surface *shape = &SHAPES[sm_test_doodle_pick(doodle, SURFACES)];
    QXLRect r = sm_test_doodle_rect(doodle, shape->width, shape->height);
    struct sm_rect area = {r.left, r.top, r.right, r.bottom};
    switch (sm_test_doodle_pick(doodle, 4)) {
    case 0:
        (void)sm_surfaces_render_oldest(&f->late.surfaces, sm_test_doodle_pick(doodle, 5));
        break;
    case 1:
        sm_surfaces_remove(&f->late.surfaces, f->late.surfaces.table[shape->id]);
        sm_surfaces_remove(&f->now.surfaces, f->now.surfaces.table[shape->id]);
        memset(f->late.pixels[shape->id], 0, sizeof(f->late.pixels[0]));
        memset(f->now.pixels[shape->id], 0, sizeof(f->now.pixels[0]));
        add_surface(&f->late, shape->id);
        add_surface(&f->now, shape->id);
        break;
    default:
        sm_surfaces_render_area(&f->late.surfaces, f->late.surfaces.table[shape->id], area);
        check_area(f, shape->id, area);
        break;
    }
}

static void waiting_changes_no_picture(void **state)
{
    struct fixture *f = *state;
    for (uint32_t seed = 1; seed <= 60; seed++) {
        struct sm_test_doodle doodle = {.guest = &f->guest,
                                        .random = {.state = seed * 977},
                                        .surfaces = SHAPES,
                                        .surface_count = SURFACES,
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

static bool is_opaque_on(struct fixture *f, uint64_t address)
{
    struct sm_drawing_source source = {.slots = f->slots,
                                       .group = TEST_GUEST_GROUP,
                                       .find_surface = find_surface,
                                       .surfaces = &f->late.surfaces};
    struct sm_drawing *drawing;
    if (sm_drawing_parse(&drawing, &source, address) != SM_OK)
        return false;
    struct sm_footprint_source shapes = sm_surfaces_for_footprints(&f->late.surfaces);
    struct sm_footprint footprint;
    sm_footprint_init(&footprint, drawing, &shapes);
    bool is_opaque = footprint.is_opaque && footprint.reads == SM_FOOTPRINT_READS_NOTHING &&
                     !drawing->has_self_bitmap;
    sm_footprint_finish(&footprint);
    sm_drawing_destroy(drawing);
    return is_opaque;
}

/* What is said to be opaque gives the same pixels whatever was there, and changes no others. */
static void opaque_drawings_are_opaque(void **state)
{
    struct fixture *f = *state;
    struct sm_test_doodle doodle = {.guest = &f->guest,
                                    .random = {.state = 4711},
                                    .surfaces = SHAPES,
                                    .surface_count = SURFACES,
                                    .copy_in = 5};
    uint32_t opaque = 0;
    for (uint32_t i = 0; i < 4000; i++) {
        sm_test_guest_reset(&f->guest);
        QXLDrawable d = sm_test_doodle_next(&doodle);
        uint64_t address = sm_test_guest_put(&f->guest, &d, sizeof(d));
        if (!is_opaque_on(f, address))
            continue;
        memset(f->late.pixels[d.surface_id], 0x35, sizeof(f->late.pixels[0]));
        memset(f->now.pixels[d.surface_id], 0xca, sizeof(f->now.pixels[0]));
        add(f, &f->late, address);
        add(f, &f->now, address);
        struct sm_drawable *drawable =
            SM_LIST_ITEM(f->late.surfaces.pending.next, struct sm_drawable, all_link);
        struct sm_region writes = {0};
        sm_check_status(sm_region_copy(&writes, &drawable->footprint.writes), SM_OK);
        sm_surfaces_render_all(&f->now.surfaces);
        sm_surfaces_render_all(&f->late.surfaces);
        uint32_t count;
        const struct sm_rect *rects = sm_region_rects(&writes, &count);
        for (uint32_t r = 0; r < count; r++)
            check_area(f, d.surface_id, rects[r]);
        sm_region_finish(&writes);
        memcpy(f->late.pixels, f->now.pixels, sizeof(f->now.pixels));
        opaque++;
    }
    assert_in_range(opaque, 800, 4000);
}

static void fill(struct fixture *f, QXLRect box, uint32_t color)
{
    QXLDrawable d = {.type = QXL_DRAW_FILL, .bbox = box, .surfaces_dest = {-1, -1, -1}};
    d.u.fill.brush = (QXLBrush){.type = SM_BRUSH_TYPE_SOLID, .u.color = color};
    d.u.fill.rop_descriptor = SM_ROPD_OP_PUT;
    draw(f, &d);
}

static void move(struct fixture *f, QXLRect box, int32_t x, int32_t y)
{
    QXLDrawable d = {.type = QXL_COPY_BITS, .bbox = box, .surfaces_dest = {0, -1, -1}};
    d.u.copy_bits.src_pos.x = x;
    d.u.copy_bits.src_pos.y = y;
    draw(f, &d);
}

static uint32_t pending(const struct fixture *f)
{
    return f->late.surfaces.pending_count;
}

static void covered_drawing_is_left_out(void **state)
{
    struct fixture *f = *state;
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
    struct fixture *f = *state;
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
    struct fixture *f = *state;
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
    struct fixture *f = *state;
    for (uint32_t i = 0; i < 3000; i++) {
        sm_test_guest_reset(&f->guest);
        fill(f, sm_test_rect(0, 0, 40, 30), i);
        assert_int_equal(pending(f), 1);
    }
    check_all(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waiting_changes_no_picture, set_up, tear_down),
        cmocka_unit_test_setup_teardown(opaque_drawings_are_opaque, set_up, tear_down),
        cmocka_unit_test_setup_teardown(covered_drawing_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_lets_the_old_pixels_through_covers_nothing, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_a_move_reads_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_the_newest_of_many_frames_is_drawn, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
