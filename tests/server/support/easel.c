/* SPDX-License-Identifier: MIT */
#include "tests/server/support/easel.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"
#include "server/display/renderer.h"
#include "tests/support/check.h"

const struct sm_test_doodle_surface sm_test_easel_shapes[TEST_EASEL_SURFACES] = {
    {0, 40, 30}, {1, 24, 24}, {2, 40, 30}, {3, 16, 30}};

static const struct {
    uint32_t wire;
    enum sm_pixel_format pixel;
} FORMATS[TEST_EASEL_SURFACES] = {
    {SM_SURFACE_FORMAT_32_XRGB, SM_PIXEL_XRGB32},
    {SM_SURFACE_FORMAT_32_ARGB, SM_PIXEL_ARGB32},
    {SM_SURFACE_FORMAT_32_XRGB, SM_PIXEL_XRGB32},
    {SM_SURFACE_FORMAT_16_565, SM_PIXEL_RGB565},
};

void sm_test_easel_add_surface(struct sm_test_easel *easel, uint32_t id)
{
    const struct sm_test_doodle_surface *shape = &sm_test_easel_shapes[id];
    memset(easel->pixels[id], 0, sizeof(easel->pixels[id]));
    struct sm_pixels pixels = {.data = easel->pixels[id],
                               .stride_bytes =
                                   (ptrdiff_t)(shape->width * sm_pixel_bits(FORMATS[id].pixel) / 8),
                               .width = shape->width,
                               .height = shape->height,
                               .format = FORMATS[id].pixel};
    struct sm_display_surface *surface;
    sm_check_status(sm_surfaces_add(&easel->surfaces, &surface, id, FORMATS[id].wire, &pixels),
                    SM_OK);
}

void sm_test_easel_remove_surface(struct sm_test_easel *easel, uint32_t id)
{
    sm_surfaces_remove(&easel->surfaces, easel->surfaces.table[id]);
}

static void set_up(struct sm_test_easel *easel, const struct sm_memslots *slots)
{
    sm_check_status(sm_renderer_create(&easel->renderer, slots), SM_OK);
    sm_surfaces_init(&easel->surfaces, 1024, easel->renderer);
    for (uint32_t i = 0; i < TEST_EASEL_SURFACES; i++)
        sm_test_easel_add_surface(easel, i);
}

static void tear_down(struct sm_test_easel *easel)
{
    for (uint32_t i = 0; i < TEST_EASEL_SURFACES; i++) {
        if (easel->surfaces.table[i])
            sm_surfaces_drop_pending(&easel->surfaces, easel->surfaces.table[i]);
    }
    for (uint32_t i = 0; i < TEST_EASEL_SURFACES; i++) {
        if (easel->surfaces.table[i])
            sm_test_easel_remove_surface(easel, i);
    }
    sm_renderer_destroy(easel->renderer);
    assert_int_equal(easel->budget.count, 0);
}

int sm_test_studio_set_up(void **state)
{
    struct sm_test_studio *studio = calloc(1, sizeof(*studio));
    assert_non_null(studio);
    sm_test_guest_init(&studio->guest, TEST_EASEL_MEMORY);
    sm_test_lines_init(&studio->lines);
    sm_check_status(sm_memslots_create(&studio->slots, &sm_test_guest_info, &studio->lines.log),
                    SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&studio->guest);
    sm_memslots_add(studio->slots, &slot);
    set_up(&studio->late, studio->slots);
    set_up(&studio->now, studio->slots);
    *state = studio;
    return 0;
}

int sm_test_studio_tear_down(void **state)
{
    struct sm_test_studio *studio = *state;
    tear_down(&studio->late);
    tear_down(&studio->now);
    sm_memslots_destroy(studio->slots);
    sm_test_lines_finish(&studio->lines);
    sm_test_guest_finish(&studio->guest);
    free(studio);
    return 0;
}

static bool find_surface(const void *surfaces, uint32_t id, struct sm_surface_shape *out)
{
    const struct sm_display_surface *surface = sm_surfaces_find(surfaces, id);
    if (surface)
        *out = (struct sm_surface_shape){surface->pixels.width, surface->pixels.height,
                                         surface->format};
    return surface;
}

static void resolve_self_bitmap(struct sm_test_easel *easel, struct sm_drawing *drawing)
{
    struct sm_display_surface *target =
        sm_surfaces_find(&easel->surfaces, drawing->msg.draw_fill.base.surface_id);
    struct sm_snapshot taken;
    sm_surfaces_render_area(&easel->surfaces, target, drawing->self_area);
    sm_check_status(sm_surface_snapshot(&taken, target, drawing->self_area, false), SM_OK);
    sm_check_status(sm_drawing_set_self_bitmap(drawing, 9, taken.format, taken.flags, taken.pixels,
                                               taken.stride_bytes),
                    SM_OK);
}

struct sm_drawable *sm_test_easel_parse(struct sm_test_studio *studio, struct sm_test_easel *easel,
                                        uint64_t address)
{
    struct sm_drawing_source source = {.slots = studio->slots,
                                       .group = TEST_GUEST_GROUP,
                                       .find_surface = find_surface,
                                       .surfaces = &easel->surfaces};
    struct sm_drawing *drawing;
    enum sm_status status = sm_drawing_parse(&drawing, &source, address);
    if (status == SM_AGAIN)
        return NULL;
    sm_check_status(status, SM_OK);
    if (drawing->has_self_bitmap)
        resolve_self_bitmap(easel, drawing);
    struct sm_footprint_source shapes = sm_surfaces_for_footprints(&easel->surfaces);
    struct sm_drawable *drawable = sm_drawable_create(drawing, &easel->budget, &shapes);
    assert_non_null(drawable);
    return drawable;
}

void sm_test_studio_check_area(const struct sm_test_studio *studio, uint32_t id,
                               struct sm_rect area)
{
    const struct sm_pixels *late = &studio->late.surfaces.table[id]->pixels;
    const struct sm_pixels *now = &studio->now.surfaces.table[id]->pixels;
    size_t bytes = sm_pixel_bits(late->format) / 8, at = (size_t)area.left * bytes;
    for (int32_t y = area.top; y < area.bottom; y++)
        assert_memory_equal(sm_pixels_row(late, (uint32_t)y) + at,
                            sm_pixels_row(now, (uint32_t)y) + at,
                            (size_t)(area.right - area.left) * bytes);
}

void sm_test_studio_check_all(const struct sm_test_studio *studio)
{
    for (uint32_t i = 0; i < TEST_EASEL_SURFACES; i++) {
        const struct sm_test_doodle_surface *shape = &sm_test_easel_shapes[i];
        bool is_late = studio->late.surfaces.table[i], is_now = studio->now.surfaces.table[i];
        assert_int_equal(is_late, is_now);
        if (is_now)
            sm_test_studio_check_area(
                studio, i, (struct sm_rect){0, 0, (int32_t)shape->width, (int32_t)shape->height});
    }
}
