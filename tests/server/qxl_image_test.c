/* SPDX-License-Identifier: MIT */
/* Images of drawing commands, the old layout, and too little memory. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "io/pages.h"
#include "tests/server/support/sketch.h"
#include "tests/support/failmalloc.h"

/* ---- images ---- */

static void bad_bitmaps_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    QXLImage good = *sm_test_sketch_image_at(f, d->u.copy.src_bitmap);
    QXLImage *image = sm_test_sketch_image_at(f, d->u.copy.src_bitmap);
    const uint8_t formats[] = {0, 11, 255};
    for (unsigned i = 0; i < 3; i++) {
        image->bitmap.format = formats[i];
        sm_test_sketch_check_dropped(f, "bitmap format");
    }
    *image = good;
    image->bitmap.x = 0;
    sm_test_sketch_check_dropped(f, "bitmap of 0 x 20 pixels");
    *image = good;
    image->bitmap.y = 0;
    sm_test_sketch_check_dropped(f, "bitmap of 20 x 0 pixels");
    *image = good;
    image->bitmap.x = UINT32_MAX;
    sm_test_sketch_check_dropped(f, "bitmap of 4294967295 x 20 pixels");
    *image = good;
    image->bitmap.stride = 79;
    sm_test_sketch_check_dropped(f, "image stride too small for width");
    *image = good;
    image->bitmap.stride = UINT32_MAX;
    sm_test_sketch_check_dropped(f, "bitmap of 85899345900 bytes");
    *image = good;
    image->bitmap.stride = 84;
    sm_test_sketch_check_dropped(f, "1600 bytes of pixels instead of 1680");
    *image = good;
    image->bitmap.y = 19;
    sm_test_sketch_check_dropped(f, "too much data inside chunks");
    *image = good;
    image->bitmap.data = 0;
    sm_check_status(sm_test_sketch_try_parse(f), SM_ERR_PROTOCOL);
    for (unsigned type = 2; type < 120; type++) {
        if (type == SM_IMAGE_TYPE_SURFACE)
            continue;
        image->descriptor.type = (uint8_t)type;
        sm_check_status(sm_test_sketch_try_parse(f), SM_ERR_PROTOCOL);
    }
}

static void direct_bitmap_ends_inside_its_slot(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    QXLImage *image = sm_test_sketch_image_at(f, d->u.copy.src_bitmap);
    image->bitmap.flags |= QXL_BITMAP_DIRECT;
    image->bitmap.data = sm_test_guest_address(TEST_SKETCH_MEMORY - 1600);
    f->guest.memory[TEST_SKETCH_MEMORY - 1] = 0x42;
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap.data.data[1599],
                     0x42);
    image->bitmap.data++;
    sm_test_sketch_check_dropped(f, "virtual address out of range");
}

static uint64_t put_palette_bitmap(struct sm_test_sketch *f, uint16_t count, uint16_t present)
{
    uint8_t palette[10 + 300 * 4] = {0};
    QXLPalette head = {.unique = 9, .num_ents = count};
    memcpy(palette, &head, 10);
    for (unsigned i = 0; i < present; i++)
        memcpy(palette + 10 + 4 * i, &(uint32_t){0x7c00 + i}, 4);
    uint64_t pixels = sm_test_guest_chunk(&f->guest, NULL, 400, 0);
    QXLImage image = {.bitmap = {.format = 5, .x = 20, .y = 20, .stride = 20, .data = pixels}};
    image.bitmap.palette = sm_test_guest_put(&f->guest, palette, 10 + 4u * present);
    return sm_test_guest_put(&f->guest, &image, sizeof(image));
}

static void palettes_are_copied_and_cut(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    d->u.copy.src_bitmap = put_palette_bitmap(f, 16, 16);
    const struct sm_palette *palette =
        sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap.palette;
    assert_int_equal(palette->unique, 9);
    assert_int_equal(palette->num_ents, 16);
    assert_int_equal(palette->ents[15], 0x7c0f);

    d->u.copy.src_bitmap = put_palette_bitmap(f, 65535, 300);
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap.palette->num_ents,
                     256);

    d->u.copy.src_bitmap = put_palette_bitmap(f, 0, 0);
    sm_test_sketch_check_dropped(f, "empty palette");
    d->u.copy.src_bitmap = put_palette_bitmap(f, 2, 2);
    sm_test_sketch_image_at(f, d->u.copy.src_bitmap)->bitmap.palette = 0;
    sm_test_sketch_check_dropped(f, "bitmap without its palette");
    sm_test_sketch_image_at(f, d->u.copy.src_bitmap)->bitmap.palette =
        sm_test_guest_address(TEST_SKETCH_MEMORY - 17);
    ((QXLPalette *)(void *)(f->guest.memory + TEST_SKETCH_MEMORY - 17))->num_ents = 2;
    sm_test_sketch_check_dropped(f, "virtual address out of range");
}

static void palettes_reach_as_far_as_the_pixels(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    d->u.copy.src_bitmap = put_palette_bitmap(f, 16, 16);
    QXLImage *image = sm_test_sketch_image_at(f, d->u.copy.src_bitmap);
    uint8_t *pixels = (uint8_t *)sm_test_guest_at(&f->guest, image->bitmap.data) + 20;
    pixels[399] = 200;
    const struct sm_palette *palette =
        sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap.palette;
    assert_int_equal(palette->num_ents, 201);
    assert_int_equal(palette->ents[15], 0x7c0f);
    assert_int_equal(palette->ents[200], 0);
    image->bitmap.format = SM_BITMAP_FORMAT_1BIT_BE;
    ((QXLPalette *)sm_test_guest_at(&f->guest, image->bitmap.palette))->num_ents = 1;
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap.palette->num_ents, 2);
}

static void pictures_with_the_leftmost_pixel_low_are_turned_round(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    d->u.copy.src_bitmap = put_palette_bitmap(f, 16, 16);
    QXLImage *image = sm_test_sketch_image_at(f, d->u.copy.src_bitmap);
    uint8_t *pixels = (uint8_t *)sm_test_guest_at(&f->guest, image->bitmap.data) + 20;
    pixels[0] = 0x31;
    image->bitmap.format = SM_BITMAP_FORMAT_4BIT_LE;
    const struct sm_bitmap *bitmap = &sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap;
    assert_int_equal(bitmap->format, SM_BITMAP_FORMAT_4BIT_BE);
    assert_int_equal(bitmap->data.data[0], 0x13);
    image->bitmap.format = SM_BITMAP_FORMAT_1BIT_LE;
    bitmap = &sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap->bitmap;
    assert_int_equal(bitmap->format, SM_BITMAP_FORMAT_1BIT_BE);
    assert_int_equal(bitmap->data.data[0], 0x8c);
}

static uint64_t put_quic(struct sm_test_sketch *f, uint32_t width, uint32_t height)
{
    const uint32_t stream[] = {0x43495551, 0, 4, width, height, 0};
    QXLImage image = {.descriptor = {.id = 3, .type = 1, .width = 20, .height = 20},
                      .quic = {.data_size = sizeof(stream)}};
    uint64_t address = sm_test_guest_put(&f->guest, &image, 22);
    (void)sm_test_guest_chunk(&f->guest, stream, sizeof(stream), 0);
    return address;
}

static void quic_images_are_relayed_if_their_sizes_agree(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    d->u.copy.src_bitmap = put_quic(f, 20, 20);
    const struct sm_image *image = sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap;
    assert_int_equal(image->type, SM_IMAGE_TYPE_QUIC);
    assert_int_equal(image->data.size, 24);
    d->u.copy.src_bitmap = put_quic(f, 21, 20);
    sm_test_sketch_check_dropped(f, "QUIC stream of 21 x 20 in an image of 20 x 20");
    d->u.copy.src_bitmap = put_quic(f, 20, 20);
    sm_test_sketch_image_at(f, d->u.copy.src_bitmap)->quic.data_size = 28;
    sm_test_sketch_check_dropped(f, "24 bytes of pixels instead of 28");
    sm_test_sketch_image_at(f, d->u.copy.src_bitmap)->quic.data_size = UINT32_MAX;
    sm_test_sketch_check_dropped(f, "QUIC image of 4294967295 bytes");
    sm_test_sketch_image_at(f, d->u.copy.src_bitmap)->quic.data_size = 20;
    sm_test_sketch_check_dropped(f, "too much data inside chunks");
    d->u.copy.src_bitmap = put_quic(f, 20, 20);
    *((uint8_t *)sm_test_guest_at(&f->guest, d->u.copy.src_bitmap) + 22 + 20) ^= 1;
    sm_test_sketch_check_dropped(f, "malformed QUIC image");
}

static void surface_images_must_be_declared(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    d->u.copy.src_bitmap = sm_test_sketch_put_surface_image(f, 5);
    sm_test_sketch_check_dropped(f, "surface 5 as an image but not as a dependency");
    d->surfaces_dest[1] = 5;
    const struct sm_image *image = sm_test_sketch_parse_ok(f)->draw_copy.src_bitmap;
    assert_int_equal(image->surface_id, 5);
    assert_int_equal(image->width, 100);
    d->u.copy.src_area = sm_test_rect(80, 30, 101, 50);
    sm_test_sketch_check_dropped(f, "outside of 100 x 50");
}

static void masks_have_one_bit_or_are_alpha_surfaces(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_INVERS);
    d->u.invers.mask.bitmap = sm_test_sketch_put_bitmap(f, 4, 4);
    sm_test_sketch_check_dropped(f, "bitmap format 8");
    d->u.invers.mask.bitmap = put_quic(f, 20, 20);
    sm_test_sketch_check_dropped(f, "QUIC image as a mask");
    d->surfaces_dest[0] = 5;
    d->surfaces_dest[1] = 7;
    d->u.invers.mask.bitmap = sm_test_sketch_put_surface_image(f, 5);
    sm_test_sketch_check_dropped(f, "surface 5 of format 96 as a mask");
    d->u.invers.mask.bitmap = sm_test_sketch_put_surface_image(f, 7);
    (void)sm_test_sketch_parse_ok(f);
}

static void source_areas_outside_of_their_image_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    const QXLRect bad[] = {sm_test_rect(-1, 0, 20, 20), sm_test_rect(0, -1, 20, 20),
                           sm_test_rect(0, 0, 21, 20),  sm_test_rect(0, 0, 20, 21),
                           sm_test_rect(5, 0, 4, 20),   sm_test_rect(0, 5, 20, 4),
                           sm_test_rect(5, 5, 5, 5)};
    const uint8_t types[] = {QXL_DRAW_COPY, QXL_DRAW_OPAQUE, QXL_DRAW_TRANSPARENT, QXL_DRAW_ROP3};
    for (unsigned t = 0; t < sizeof(types); t++) {
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            QXLDrawable *d = sm_test_sketch_begin_copy(f);
            d->type = types[t]; /* all begin with source and area */
            d->u.copy.src_area = bad[i];
            sm_check_status(sm_test_sketch_try_parse(f), SM_ERR_PROTOCOL);
            sm_test_guest_reset(&f->guest);
        }
    }
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_ALPHA_BLEND);
    d->u.alpha_blend.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.alpha_blend.src_area = bad[2];
    sm_check_status(sm_test_sketch_try_parse(f), SM_ERR_PROTOCOL);
}

static void missing_sources_need_a_self_bitmap(void **state)
{
    struct sm_test_sketch *f = *state;
    const uint8_t types[] = {QXL_DRAW_COPY, QXL_DRAW_BLEND, QXL_DRAW_OPAQUE, QXL_DRAW_ROP3,
                             QXL_DRAW_TRANSPARENT};
    for (unsigned i = 0; i < sizeof(types); i++) {
        sm_test_sketch_begin(f, types[i])->u.copy.src_area = sm_test_rect(0, 0, 5, 5);
        sm_test_sketch_check_dropped(f, "source image missing");
    }
    sm_test_sketch_begin(f, QXL_DRAW_FILL)->u.fill.brush = sm_test_sketch_pattern(0);
    sm_test_sketch_check_dropped(f, "pattern brush without a pattern");
    sm_test_sketch_begin(f, QXL_DRAW_FILL)->u.fill.brush.type = 3;
    sm_test_sketch_check_dropped(f, "brush type 3");
}

static void self_bitmap_stands_for_absent_images(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_OPAQUE);
    d->self_bitmap = 1;
    d->self_bitmap_area = sm_test_rect(1, 1, 9, 5);
    d->u.opaque.src_area = sm_test_rect(0, 0, 8, 4);
    d->u.opaque.brush = sm_test_sketch_pattern(0);
    (void)sm_test_sketch_parse_ok(f);
    assert_true(f->drawing->has_self_bitmap);
    uint8_t *pixels = calloc(4, 8 * 4);
    sm_check_status(
        sm_drawing_set_self_bitmap(f->drawing, 0x100000002, SM_BITMAP_FORMAT_32BIT, 0, pixels, 32),
        SM_OK);
    const struct sm_msg_display_draw_opaque *opaque = &f->drawing->msg.draw_opaque;
    assert_ptr_equal(opaque->src_bitmap, opaque->brush.image);
    assert_int_equal(opaque->src_bitmap->width, 8);
    assert_int_equal(opaque->src_bitmap->height, 4);
    assert_ptr_equal(opaque->src_bitmap->bitmap.data.data, pixels);

    d->u.opaque.src_area = sm_test_rect(0, 0, 8, 5);
    sm_test_sketch_check_dropped(f, "outside of 8 x 4");
    const QXLRect bad[] = {sm_test_rect(0, 0, 0, 5), sm_test_rect(5, 0, 4, 5),
                           sm_test_rect(-1, 0, 4, 5), sm_test_rect(0, 0, 641, 5),
                           sm_test_rect(0, 476, 5, 481)};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        d->self_bitmap_area = bad[i];
        sm_test_sketch_check_dropped(f, "self bitmap area outside of surface 0");
    }
}

static void illegal_scale_modes_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin_copy(f)->u.copy.scale_mode = 2;
    sm_test_sketch_check_dropped(f, "scale mode 2");
}

static void unknown_effects_count_as_blend(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->effect = 8;
    (void)sm_test_sketch_parse_ok(f);
    assert_int_equal(f->drawing->effect, SM_EFFECT_BLEND);
}

/* ---- the old layout ---- */

static void compat_layout_is_read(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLCompatDrawable d = {.type = QXL_DRAW_ALPHA_BLEND, .bbox = sm_test_rect(1, 2, 3, 4)};
    d.u.alpha_blend.alpha = 9;
    d.u.alpha_blend.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d.u.alpha_blend.src_area = sm_test_rect(0, 0, 2, 2);
    f->source.flags = SM_QXL_COMPAT;
    sm_check_status(
        sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_OK);
    assert_int_equal(f->drawing->msg.draw_alpha_blend.alpha, 9);
    assert_int_equal(f->drawing->msg.draw_alpha_blend.alpha_flags, 0);
    assert_int_equal(f->drawing->msg.draw_alpha_blend.base.surface_id, 0);
    sm_drawing_destroy(f->drawing);
    f->drawing = NULL;

    d.type = QXL_DRAW_COMPOSITE; /* did not exist */
    d.u.fill.brush = sm_test_sketch_solid(0);
    struct sm_drawing *none = NULL;
    sm_check_status(
        sm_drawing_parse(&none, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_ERR_PROTOCOL);
    assert_null(none);
}

static void colours_of_16_bits_are_widened(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLCompatDrawable d = {.type = QXL_DRAW_FILL, .bbox = sm_test_rect(1, 2, 3, 4)};
    d.u.fill.brush = sm_test_sketch_solid(0x7c00 | 0x10 << 5 | 1);
    f->source.flags = SM_QXL_COMPAT | SM_QXL_COMPAT_16BPP;
    sm_check_status(
        sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_OK);
    assert_int_equal(f->drawing->msg.draw_fill.brush.color, 0xff8408);
    sm_drawing_destroy(f->drawing);
    f->drawing = NULL;

    d.type = QXL_DRAW_COPY;
    d.u.copy =
        (QXLCopy){.src_bitmap = put_palette_bitmap(f, 2, 2), .src_area = sm_test_rect(0, 0, 2, 2)};
    sm_check_status(
        sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_OK);
    assert_int_equal(f->drawing->msg.draw_copy.src_bitmap->bitmap.palette->ents[1], 0xff0008);
}

/* ---- memory ---- */

static void every_failing_allocation_is_survived(void **state)
{
    struct sm_test_sketch *f = *state;
    const uint32_t path[] = {3, 2, 16, 32, 48, 64};
    const QXLRect rects[] = {sm_test_rect(0, 0, 15, 25), sm_test_rect(20, 30, 22, 99)};
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_STROKE);
    d->u.stroke.path = sm_test_sketch_put_path(f, path, sizeof(path));
    d->u.stroke.brush = sm_test_sketch_pattern(put_palette_bitmap(f, 16, 16));
    d->clip = (QXLClip){.type = 1, .data = sm_test_sketch_put_clip(f, 2, rects, 2)};
    uint64_t address = sm_test_guest_put(&f->guest, d, sizeof(*d));
    for (unsigned nth = 0;; nth++) {
        struct sm_drawing *drawing = NULL;
        sm_failmalloc_arm(nth);
        enum sm_status status = sm_drawing_parse(&drawing, &f->source, address);
        bool failed = sm_failmalloc_disarm();
        if (!failed) {
            sm_check_status(status, SM_OK);
            assert_true(nth > 3);
            sm_drawing_destroy(drawing);
            return;
        }
        sm_check_status(status, SM_ERR_NOMEM);
        assert_null(drawing);
    }
}

static void made_copies_are_messages(void **state)
{
    struct sm_test_sketch *f = *state;
    uint8_t *pixels = calloc(10, 40);
    sm_check_status(sm_drawing_create_copy(&f->drawing, 5, (struct sm_rect){1, 2, 11, 12}, 42,
                                           SM_BITMAP_FORMAT_RGBA, 0, pixels, 40, 0),
                    SM_OK);
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_check_status(sm_display_msg_build(&w, &f->drawing->msg), SM_OK);
    assert_true(w.size > 400);
    sm_writer_finish(&w);
    assert_int_equal(f->drawing->msg.draw_copy.base.surface_id, 5);
}

/* Freed as what they are: a sanitizer would say. */
static void made_copies_may_lie_in_pages(void **state)
{
    struct sm_test_sketch *f = *state;
    uint8_t *pages = sm_pages_alloc(512 * 512 * 4);
    assert_non_null(pages);
    assert_int_equal(pages[512 * 512 * 4 - 1], 0);
    sm_check_status(sm_drawing_create_copy(&f->drawing, 5, (struct sm_rect){0, 0, 512, 512}, 42,
                                           SM_BITMAP_FORMAT_32BIT, 0, pages, 512 * 4,
                                           512 * 512 * 4),
                    SM_OK);
    sm_drawing_destroy(f->drawing);
    f->drawing = NULL;
    unsigned char resident;
    assert_int_equal(mincore(pages, 4096, &resident), -1); /* the system has them back */
    sm_pages_free(NULL, 0);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_sketch_set_up, sm_test_sketch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bad_bitmaps_are_dropped),
        TEST(direct_bitmap_ends_inside_its_slot),
        TEST(palettes_are_copied_and_cut),
        TEST(pictures_with_the_leftmost_pixel_low_are_turned_round),
        TEST(palettes_reach_as_far_as_the_pixels),
        TEST(quic_images_are_relayed_if_their_sizes_agree),
        TEST(surface_images_must_be_declared),
        TEST(masks_have_one_bit_or_are_alpha_surfaces),
        TEST(source_areas_outside_of_their_image_are_dropped),
        TEST(missing_sources_need_a_self_bitmap),
        TEST(self_bitmap_stands_for_absent_images),
        TEST(illegal_scale_modes_are_dropped),
        TEST(unknown_effects_count_as_blend),
        TEST(compat_layout_is_read),
        TEST(colours_of_16_bits_are_widened),
        TEST(every_failing_allocation_is_survived),
        TEST(made_copies_are_messages),
        TEST(made_copies_may_lie_in_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
