/* SPDX-License-Identifier: MIT */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include <spice/qxl_dev.h>

#include "server/qxl/drawing.h"
#include "tests/server/support/guest.h"
#include "tests/server/support/lines.h"
#include "tests/support/failmalloc.h"

enum { GROUP = TEST_GUEST_GROUP, MEMORY_SIZE = 256 << 10 };

struct fixture {
    struct sm_test_guest guest;
    struct sm_test_lines lines;
    struct sm_memslots *slots;
    struct sm_drawing_source source;
    QXLDrawable drawable; /* what try_parse() puts into the guest */
    struct sm_drawing *drawing;
};

/* Surface 0 is 640 x 480, 5 has alpha and 100 x 50 pixels, 7 is 32 x 32 of alpha alone. */
static bool find_surface(const void *surfaces, uint32_t id, struct sm_surface_shape *out)
{
    (void)surfaces;
    switch (id) {
    case 0:
        *out = (struct sm_surface_shape){640, 480, SM_SURFACE_FORMAT_32_XRGB};
        return true;
    case 5:
        *out = (struct sm_surface_shape){100, 50, SM_SURFACE_FORMAT_32_ARGB};
        return true;
    case 7:
        *out = (struct sm_surface_shape){32, 32, SM_SURFACE_FORMAT_8_A};
        return true;
    default:
        return false;
    }
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    sm_test_guest_init(&f->guest, MEMORY_SIZE);
    sm_test_lines_init(&f->lines);
    sm_check_status(sm_memslots_create(&f->slots, &sm_test_guest_info, &f->lines.log), SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    sm_memslots_add(f->slots, &slot);
    f->source =
        (struct sm_drawing_source){.slots = f->slots, .group = GROUP, .find_surface = find_surface};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    sm_drawing_destroy(f->drawing);
    sm_memslots_destroy(f->slots);
    sm_test_lines_finish(&f->lines);
    sm_test_guest_finish(&f->guest);
    free(f);
    return 0;
}

/* ---- making commands ---- */

static QXLRect rect(int32_t left, int32_t top, int32_t right, int32_t bottom)
{
    return (QXLRect){.left = left, .top = top, .right = right, .bottom = bottom};
}

static QXLDrawable *begin(struct fixture *f, uint8_t type)
{
    memset(&f->drawable, 0, sizeof(f->drawable));
    f->drawable.type = type;
    f->drawable.effect = QXL_EFFECT_OPAQUE;
    f->drawable.bbox = rect(10, 20, 30, 40);
    for (unsigned i = 0; i < 3; i++)
        f->drawable.surfaces_dest[i] = -1;
    return &f->drawable;
}

static enum sm_status try_parse(struct fixture *f)
{
    sm_drawing_destroy(f->drawing);
    f->drawing = NULL;
    uint64_t address = sm_test_guest_put(&f->guest, &f->drawable, sizeof(f->drawable));
    return sm_drawing_parse(&f->drawing, &f->source, address);
}

static const struct sm_display_msg *parse_ok(struct fixture *f)
{
    sm_check_status(try_parse(f), SM_OK);
    assert_non_null(f->drawing);
    assert_true(f->drawing->size_bytes > 0);
    /* What the parser accepts, the wire does too. */
    if (!f->drawing->has_self_bitmap) {
        struct sm_writer w;
        sm_writer_init(&w, 1 << 20);
        sm_check_status(sm_display_msg_build(&w, &f->drawing->msg), SM_OK);
        sm_writer_finish(&w);
    }
    return &f->drawing->msg;
}

#define check_dropped(f, words)                                                                    \
    do {                                                                                           \
        sm_test_lines_clear(&(f)->lines);                                                          \
        enum sm_status dropped = try_parse(f);                                                     \
        assert_true(dropped == SM_ERR_PROTOCOL || dropped == SM_ERR_LIMIT);                        \
        assert_null((f)->drawing);                                                                 \
        sm_test_lines_check(&(f)->lines, words);                                                   \
    } while (0)

/* A 32-bit picture of `width` x `height` pixels in two chunks. */
static uint64_t put_bitmap(struct fixture *f, uint32_t width, uint32_t height)
{
    uint32_t size = width * height * 4;
    uint8_t *pixels = malloc(size);
    for (uint32_t i = 0; i < size; i++)
        pixels[i] = (uint8_t)i;
    uint64_t second = sm_test_guest_chunk(&f->guest, pixels + size / 2, size - size / 2, 0);
    uint64_t first = sm_test_guest_chunk(&f->guest, pixels, size / 2, second);
    free(pixels);
    QXLImage image = {
        .descriptor = {.id = 77, .type = 0, .flags = 1 | 2 | 4, .width = width, .height = height},
        .bitmap = {.format = 8,
                   .flags = QXL_BITMAP_TOP_DOWN | QXL_BITMAP_UNSTABLE,
                   .x = width,
                   .y = height,
                   .stride = width * 4,
                   .data = first}};
    return sm_test_guest_put(&f->guest, &image, sizeof(image));
}

static QXLImage *image_at(struct fixture *f, uint64_t address)
{
    return sm_test_guest_at(&f->guest, address);
}

static uint64_t put_mask(struct fixture *f)
{
    uint64_t bits = sm_test_guest_chunk(&f->guest, NULL, 4 * 20, 0);
    QXLImage image = {.descriptor = {.width = 20, .height = 20},
                      .bitmap = {.format = 2, .x = 20, .y = 20, .stride = 4, .data = bits}};
    return sm_test_guest_put(&f->guest, &image, sizeof(image));
}

static uint64_t put_surface_image(struct fixture *f, uint32_t id)
{
    QXLImage image = {.descriptor = {.type = 104}, .surface_image = {.surface_id = id}};
    return sm_test_guest_put(&f->guest, &image, sizeof(image));
}

static QXLBrush solid(uint32_t color)
{
    return (QXLBrush){.type = 1, .u.color = color};
}

static QXLBrush pattern(uint64_t image)
{
    return (QXLBrush){.type = 2, .u.pattern = {.pat = image, .pos = {3, 4}}};
}

static QXLDrawable *begin_copy(struct fixture *f)
{
    QXLDrawable *d = begin(f, QXL_DRAW_COPY);
    d->u.copy.src_bitmap = put_bitmap(f, 20, 20);
    d->u.copy.src_area = rect(0, 0, 20, 20);
    d->u.copy.rop_descriptor = 8;
    return d;
}

/* ---- each type ---- */

static void fill_becomes_its_message(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_FILL);
    d->u.fill.brush = solid(0x123456);
    d->u.fill.rop_descriptor = 0xf808;
    d->u.fill.mask = (QXLQMask){.flags = 0xff, .pos = {1, 2}, .bitmap = put_mask(f)};
    const struct sm_display_msg *msg = parse_ok(f);
    assert_int_equal(msg->type, SM_MSG_DISPLAY_DRAW_FILL);
    assert_int_equal(msg->draw_fill.base.surface_id, 0);
    assert_true(sm_rect_equal(msg->draw_fill.base.box, (struct sm_rect){10, 20, 30, 40}));
    assert_int_equal(msg->draw_fill.base.clip.type, SM_CLIP_TYPE_NONE);
    assert_int_equal(msg->draw_fill.brush.color, 0x123456);
    assert_int_equal(msg->draw_fill.ropd, 8); /* bits without a meaning are gone */
    assert_int_equal(msg->draw_fill.mask.flags, SM_MASK_FLAG_INVERS);
    assert_int_equal(msg->draw_fill.mask.pos.y, 2);
    assert_int_equal(msg->draw_fill.mask.bitmap->bitmap.format, SM_BITMAP_FORMAT_1BIT_BE);
    assert_null(msg->draw_fill.mask.bitmap->bitmap.palette);
    assert_int_equal(f->drawing->effect, SM_EFFECT_OPAQUE);
}

static void copy_brings_its_pixels(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_copy(f);
    d->u.copy.scale_mode = 1;
    d->self_bitmap = 1; /* forced off: a copy always has a picture */
    const struct sm_msg_display_draw_copy *copy = &parse_ok(f)->draw_copy;
    assert_int_equal(f->drawing->msg.type, SM_MSG_DISPLAY_DRAW_COPY);
    assert_false(f->drawing->has_self_bitmap);
    const struct sm_image *image = copy->src_bitmap;
    assert_int_equal(image->id, 77);
    assert_int_equal(image->flags, SM_IMAGE_FLAG_CACHE_ME | SM_IMAGE_FLAG_HIGH_BITS_SET);
    assert_int_equal(image->bitmap.flags, SM_BITMAP_FLAG_TOP_DOWN);
    assert_int_equal(image->bitmap.data.size, 20 * 20 * 4);
    for (size_t i = 0; i < image->bitmap.data.size; i++)
        assert_int_equal(image->bitmap.data.data[i], (uint8_t)i);
    assert_int_equal(copy->scale_mode, SM_SCALE_MODE_NEAREST);
    assert_int_equal(copy->ropd, SM_ROPD_OP_PUT);
    /* The guest may do what it likes with its memory now. */
    memset(f->guest.memory, 0xee, f->guest.size);
    assert_int_equal(image->bitmap.data.data[1], 1);
}

static void blend_is_copied_like_copy(void **state)
{
    struct fixture *f = *state;
    begin_copy(f)->type = QXL_DRAW_BLEND;
    const struct sm_display_msg *msg = parse_ok(f);
    assert_int_equal(msg->type, SM_MSG_DISPLAY_DRAW_BLEND);
    assert_int_equal(msg->draw_blend.src_bitmap->width, 20);
    assert_int_equal(msg->draw_blend.src_area.right, 20);
}

static void opaque_has_source_and_brush(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_OPAQUE);
    d->u.opaque.src_bitmap = put_bitmap(f, 20, 20);
    d->u.opaque.src_area = rect(1, 2, 11, 12);
    d->u.opaque.brush = pattern(put_bitmap(f, 8, 8));
    d->u.opaque.rop_descriptor = 0x20;
    const struct sm_msg_display_draw_opaque *opaque = &parse_ok(f)->draw_opaque;
    assert_int_equal(opaque->src_area.top, 2);
    assert_int_equal(opaque->brush.image->width, 8);
    assert_int_equal(opaque->brush.pos.y, 4);
    assert_int_equal(opaque->ropd, SM_ROPD_OP_AND);
}

static void copy_bits_moves_and_onto_itself_is_nothing(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_COPY_BITS);
    d->u.copy_bits.src_pos = (QXLPoint){.x = 11, .y = 20};
    assert_int_equal(parse_ok(f)->copy_bits.src_pos.x, 11);
    d->u.copy_bits.src_pos.x = 10;
    sm_check_status(try_parse(f), SM_AGAIN);
}

static void blackness_whiteness_and_inversion_have_a_mask(void **state)
{
    struct fixture *f = *state;
    const uint8_t types[] = {QXL_DRAW_BLACKNESS, QXL_DRAW_WHITENESS, QXL_DRAW_INVERS};
    const uint16_t messages[] = {SM_MSG_DISPLAY_DRAW_BLACKNESS, SM_MSG_DISPLAY_DRAW_WHITENESS,
                                 SM_MSG_DISPLAY_DRAW_INVERS};
    for (unsigned i = 0; i < 3; i++) {
        QXLDrawable *d = begin(f, types[i]);
        d->u.blackness.mask = (QXLQMask){.pos = {5, 6}, .bitmap = put_mask(f)};
        const struct sm_display_msg *msg = parse_ok(f);
        assert_int_equal(msg->type, messages[i]);
        assert_int_equal(msg->draw_blackness.mask.pos.x, 5);
        assert_non_null(msg->draw_blackness.mask.bitmap);
    }
}

static void absent_mask_clears_its_fields(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_INVERS);
    d->u.invers.mask = (QXLQMask){.flags = 1, .pos = {5, 6}};
    const struct sm_qmask *mask = &parse_ok(f)->draw_invers.mask;
    assert_int_equal(mask->flags, 0);
    assert_int_equal(mask->pos.x, 0);
    assert_null(mask->bitmap);
}

static void rop3_keeps_its_code(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_ROP3);
    d->u.rop3.src_bitmap = put_bitmap(f, 20, 20);
    d->u.rop3.src_area = rect(0, 0, 20, 20);
    d->u.rop3.brush = solid(1);
    d->u.rop3.rop3 = 0xca;
    assert_int_equal(parse_ok(f)->draw_rop3.rop3, 0xca);
}

static uint64_t put_path(struct fixture *f, const void *data, uint32_t size)
{
    uint32_t data_size = size;
    uint64_t address = sm_test_guest_put(&f->guest, &data_size, 4);
    (void)sm_test_guest_chunk(&f->guest, data, size, 0);
    return address;
}

static void stroke_has_path_and_dashes(void **state)
{
    struct fixture *f = *state;
    const uint32_t path[] = {0xffff0001, 2, 16, 32, 48, 64, 2, 1, 80, 96};
    const int32_t dashes[] = {32, 48};
    QXLDrawable *d = begin(f, QXL_DRAW_STROKE);
    d->u.stroke.path = put_path(f, path, sizeof(path));
    d->u.stroke.attr = (QXLLineAttr){
        .flags = 0xfc, .style_nseg = 2, .style = sm_test_guest_put(&f->guest, dashes, 8)};
    d->u.stroke.brush = solid(7);
    d->u.stroke.fore_mode = 8;
    const struct sm_msg_display_draw_stroke *stroke = &parse_ok(f)->draw_stroke;
    assert_int_equal(stroke->path->num_segments, 2);
    assert_int_equal(stroke->path->segments[0].flags, SM_PATH_FLAG_BEGIN);
    assert_int_equal(stroke->path->segments[0].num_points, 2);
    assert_int_equal(stroke->path->segments[0].points[1].y, 64);
    assert_int_equal(stroke->path->segments[1].points[0].x, 80);
    assert_int_equal(stroke->attr.flags, SM_LINE_FLAG_START_WITH_GAP | SM_LINE_FLAG_STYLED);
    assert_int_equal(stroke->attr.num_style, 2);
    assert_int_equal(stroke->attr.style[1], 48);
    assert_int_equal(stroke->brush.color, 7);

    d->u.stroke.attr.flags = 0;
    assert_int_equal(parse_ok(f)->draw_stroke.attr.num_style, 0);
}

static void bad_paths_and_dashes_are_dropped(void **state)
{
    struct fixture *f = *state;
    const uint32_t path[] = {3, 2, 16, 32, 48, 64};
    QXLDrawable *d = begin(f, QXL_DRAW_STROKE);
    check_dropped(f, "stroke without a path");
    const uint32_t huge[] = {3, 0x20000001, 16, 32}; /* times eight it would wrap to 8 */
    d->u.stroke.path = put_path(f, huge, sizeof(huge));
    check_dropped(f, "path segment beyond its data");

    d->u.stroke.path = put_path(f, path, sizeof(path));
    d->u.stroke.attr = (QXLLineAttr){.flags = 8, .style_nseg = 2};
    check_dropped(f, "styled line without a style");
    d->u.stroke.attr.style = sm_test_guest_address(MEMORY_SIZE - 7);
    check_dropped(f, "virtual address out of range");
    const int32_t zeros[] = {0, 0}, negative[] = {64, -16};
    d->u.stroke.attr.style = sm_test_guest_put(&f->guest, zeros, 8);
    check_dropped(f, "line style without length");
    d->u.stroke.attr.style = sm_test_guest_put(&f->guest, negative, 8);
    check_dropped(f, "line style without length");
    d->u.stroke.attr.style_nseg = 0;
    check_dropped(f, "styled line without a style");
    d->u.stroke.attr.flags = 0;
    for (uint32_t size = 1; size < sizeof(path); size++) {
        d->u.stroke.path = put_path(f, path, size);
        sm_check_status(try_parse(f), SM_ERR_PROTOCOL);
    }
}

/* Two glyphs of 9 x 2 and 1 x 1 pixels of four bits. */
static uint64_t put_string(struct fixture *f, uint16_t length, uint16_t flags, int extra_bytes)
{
    uint8_t bytes[64] = {0};
    QXLRasterGlyph glyph = {
        .render_pos = {1, 2}, .glyph_origin = {-3, -4}, .width = 9, .height = 2};
    memcpy(bytes, &glyph, 20);
    memset(bytes + 20, 0xab, 10);
    glyph.width = 1;
    glyph.height = 1;
    memcpy(bytes + 30, &glyph, 20);
    bytes[50] = 0xf0;
    uint32_t size = (uint32_t)(51 + extra_bytes);
    QXLString head = {.data_size = size, .length = length, .flags = flags};
    uint64_t address = sm_test_guest_put(&f->guest, &head, 8);
    (void)sm_test_guest_chunk(&f->guest, bytes, size, 0);
    return address;
}

static QXLDrawable *begin_text(struct fixture *f)
{
    QXLDrawable *d = begin(f, QXL_DRAW_TEXT);
    d->u.text.back_area = rect(10, 20, 12, 22);
    d->u.text.fore_brush = solid(1);
    d->u.text.back_brush = solid(2);
    d->u.text.fore_mode = 8;
    d->u.text.back_mode = 8;
    return d;
}

static void text_has_its_glyphs(void **state)
{
    struct fixture *f = *state;
    begin_text(f)->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, 0);
    const struct sm_msg_display_draw_text *text = &parse_ok(f)->draw_text;
    assert_int_equal(text->str->num_glyphs, 2);
    assert_int_equal(text->str->glyphs[0].glyph_origin.y, -4);
    assert_int_equal(text->str->glyphs[0].data.size, 10);
    assert_int_equal(text->str->glyphs[0].data.data[9], 0xab);
    assert_int_equal(text->str->glyphs[1].data.data[0], 0xf0);
    assert_int_equal(text->back_brush.color, 2);
    assert_int_equal(text->back_area.right, 12);
}

static void bad_strings_are_dropped(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_text(f);
    check_dropped(f, "text without a string");
    d->u.text.str = put_string(f, 0, SM_STRING_FLAG_RASTER_A4, 0);
    check_dropped(f, "string of 0 glyphs");
    d->u.text.str = put_string(f, 2, 0, 0);
    check_dropped(f, "string of 2 glyphs with flags 0");
    d->u.text.str = put_string(f, 2, 3, 0);
    check_dropped(f, "string of 2 glyphs with flags 0x3");
    d->u.text.str = put_string(f, 3, SM_STRING_FLAG_RASTER_A4, 0);
    check_dropped(f, "string of 3 glyphs");
    d->u.text.str = put_string(f, 1, SM_STRING_FLAG_RASTER_A4, 0);
    check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A8, 0);
    check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, 1);
    check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, -1);
    check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, 0);
    ((QXLString *)sm_test_guest_at(&f->guest, d->u.text.str))->data_size++;
    check_dropped(f, "52 bytes has 51 bytes");
}

static void transparent_keeps_both_keys(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_TRANSPARENT);
    d->u.transparent.src_bitmap = put_bitmap(f, 20, 20);
    d->u.transparent.src_area = rect(0, 0, 20, 20);
    d->u.transparent.src_color = 5;
    d->u.transparent.true_color = 6;
    assert_int_equal(parse_ok(f)->draw_transparent.src_color, 5);
    assert_int_equal(f->drawing->msg.draw_transparent.true_color, 6);
}

static void alpha_blend_keeps_known_flags(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_ALPHA_BLEND);
    d->u.alpha_blend.alpha_flags = 0xffff;
    d->u.alpha_blend.alpha = 0x80;
    d->u.alpha_blend.src_bitmap = put_bitmap(f, 20, 20);
    d->u.alpha_blend.src_area = rect(0, 0, 20, 20);
    const struct sm_msg_display_draw_alpha_blend *blend = &parse_ok(f)->draw_alpha_blend;
    assert_int_equal(blend->alpha_flags, 3);
    assert_int_equal(blend->alpha, 0x80);
}

static QXLDrawable *begin_composite(struct fixture *f)
{
    QXLDrawable *d = begin(f, QXL_DRAW_COMPOSITE);
    d->u.composite.flags = 3 | 7u << 19; /* what is there follows from the addresses */
    d->u.composite.src = put_bitmap(f, 20, 20);
    d->u.composite.src_origin = (QXLPoint16){.x = -1, .y = 2};
    return d;
}

static void composite_says_what_is_there(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_composite(f);
    assert_int_equal(parse_ok(f)->draw_composite.flags, 3);
    assert_int_equal(f->drawing->msg.draw_composite.src_origin.x, -1);

    const int32_t transform[] = {65536, 0, 1, 0, 65536, 2};
    d->u.composite.mask = put_bitmap(f, 4, 4);
    d->u.composite.mask_transform = sm_test_guest_put(&f->guest, transform, sizeof(transform));
    d->u.composite.src_transform = UINT64_MAX; /* does not resolve: counts as absent */
    const struct sm_msg_display_draw_composite *composite = &parse_ok(f)->draw_composite;
    assert_int_equal(composite->flags,
                     3 | SM_COMPOSITE_FLAG_HAS_MASK | SM_COMPOSITE_FLAG_HAS_MASK_TRANSFORM);
    assert_int_equal(composite->mask_bitmap->width, 4);
    assert_int_equal(composite->mask_transform.t12, 2);
}

static void composite_with_unknown_operators_is_dropped(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_composite(f);
    const uint32_t bad[] = {14, 15, 0x1c, 0x2c, 0x3f, 0xff, 5u << 8, 7u << 11};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        d->u.composite.flags = bad[i];
        check_dropped(f, "composite flags");
    }
    d->u.composite.flags = 0x3e;
    (void)parse_ok(f);
    d->u.composite.src = 0;
    check_dropped(f, "composite without a source");
}

static void nop_draws_nothing(void **state)
{
    struct fixture *f = *state;
    begin(f, QXL_DRAW_NOP);
    sm_check_status(try_parse(f), SM_AGAIN);
}

static void unknown_types_are_dropped(void **state)
{
    struct fixture *f = *state;
    begin(f, QXL_DRAW_COMPOSITE + 1);
    check_dropped(f, "unknown type 15");
    for (unsigned type = QXL_DRAW_COMPOSITE + 1; type < 256; type++) {
        begin(f, (uint8_t)type);
        sm_check_status(try_parse(f), SM_ERR_PROTOCOL);
    }
}

/* ---- what all have ---- */

static void boxes_outside_of_their_surface_are_dropped(void **state)
{
    struct fixture *f = *state;
    const QXLRect bad[] = {
        rect(-1, 0, 10, 10),
        rect(0, -1, 10, 10),
        rect(0, 0, 641, 10),
        rect(0, 0, 10, 481),
        rect(10, 0, 9, 10),
        rect(0, 10, 10, 9),
        rect(0, 0, INT32_MAX, INT32_MAX),
        rect(INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX),
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        begin(f, QXL_DRAW_INVERS)->bbox = bad[i];
        check_dropped(f, "outside of surface 0");
    }
    begin(f, QXL_DRAW_INVERS)->bbox = rect(0, 0, 640, 480);
    (void)parse_ok(f);
    begin(f, QXL_DRAW_INVERS)->bbox = rect(640, 480, 640, 480); /* empty: nothing to draw */
    sm_check_status(try_parse(f), SM_AGAIN);
}

static void unknown_surfaces_and_dependencies_are_dropped(void **state)
{
    struct fixture *f = *state;
    begin(f, QXL_DRAW_INVERS)->surface_id = 1;
    check_dropped(f, "surface 1 does not exist");
    begin(f, QXL_DRAW_INVERS)->surface_id = UINT32_MAX;
    check_dropped(f, "does not exist");
    begin(f, QXL_DRAW_INVERS)->surfaces_dest[2] = 6;
    check_dropped(f, "depends on surface 6, which does not exist");
    begin(f, QXL_DRAW_INVERS)->surfaces_dest[0] = INT32_MIN;
    check_dropped(f, "does not exist");
    begin(f, QXL_DRAW_INVERS)->surfaces_dest[1] = 5;
    (void)parse_ok(f);
    assert_int_equal(f->drawing->dependency_count, 1);
    assert_int_equal(f->drawing->dependencies[0].surface_id, 5);
}

static uint64_t put_clip(struct fixture *f, uint32_t claimed, const QXLRect *rects, uint32_t count)
{
    uint64_t address = sm_test_guest_put(&f->guest, &claimed, 4);
    uint32_t first = count / 2;
    /* The second chunk lies somewhere else. */
    uint64_t next = sm_test_guest_address(f->guest.used + 20 + first * 16);
    (void)sm_test_guest_chunk(&f->guest, rects, first * 16, next);
    (void)sm_test_guest_chunk(&f->guest, count ? rects + first : NULL, (count - first) * 16, 0);
    return address;
}

static void clip_rectangles_are_copied_and_bound_the_drawing(void **state)
{
    struct fixture *f = *state;
    const QXLRect rects[] = {rect(0, 0, 15, 25), rect(20, 30, 22, 99), rect(9, 9, 3, 3)};
    QXLDrawable *d = begin(f, QXL_DRAW_INVERS);
    d->clip = (QXLClip){.type = 1, .data = put_clip(f, 3, rects, 3)};
    const struct sm_clip *clip = &parse_ok(f)->draw_invers.base.clip;
    assert_int_equal(clip->type, SM_CLIP_TYPE_RECTS);
    assert_int_equal(clip->num_rects, 3);
    assert_int_equal(clip->rects[1].bottom, 99);
    assert_true(sm_rect_equal(f->drawing->bounds, (struct sm_rect){10, 20, 22, 40}));

    d->clip.data = put_clip(f, 1, (const QXLRect[]){rect(0, 0, 10, 20)}, 1);
    sm_check_status(try_parse(f), SM_AGAIN); /* touches the box's corner only */
    d->clip.data = put_clip(f, 0, NULL, 0);
    sm_check_status(try_parse(f), SM_AGAIN);
}

static void bad_clips_are_dropped(void **state)
{
    struct fixture *f = *state;
    const QXLRect rects[] = {rect(0, 0, 15, 25), rect(20, 30, 22, 99)};
    QXLDrawable *d = begin(f, QXL_DRAW_INVERS);
    d->clip = (QXLClip){.type = 1, .data = put_clip(f, 3, rects, 2)};
    check_dropped(f, "3 clip rectangles in 32 bytes");
    d->clip.data = put_clip(f, 0x10000002, rects, 2); /* times 16 it would wrap to 32 */
    check_dropped(f, "clip rectangles in 32 bytes");
    d->clip.data = 0;
    check_dropped(f, "virtual address out of range"); /* in slot 0, which is empty */
    d->clip.type = 2;
    check_dropped(f, "clip type 2");
}

static void command_across_the_end_of_its_slot_is_dropped(void **state)
{
    struct fixture *f = *state;
    begin(f, QXL_DRAW_INVERS);
    assert_int_equal(sm_drawing_header_size(0), sizeof(QXLDrawable));
    assert_int_equal(sm_drawing_header_size(SM_QXL_COMPAT), sizeof(QXLCompatDrawable));
    size_t start = MEMORY_SIZE - sizeof(QXLDrawable);
    memcpy(f->guest.memory + start, &f->drawable, sizeof(f->drawable));
    sm_check_status(sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_address(start)), SM_OK);
    struct sm_drawing *none = NULL;
    sm_check_status(sm_drawing_parse(&none, &f->source, sm_test_guest_address(start + 1)),
                    SM_ERR_PROTOCOL);
    sm_check_status(sm_drawing_parse(&none, &f->source, 0), SM_ERR_PROTOCOL);
    assert_null(none);
}

/* ---- images ---- */

static void bad_bitmaps_are_dropped(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_copy(f);
    QXLImage good = *image_at(f, d->u.copy.src_bitmap);
    QXLImage *image = image_at(f, d->u.copy.src_bitmap);
    const uint8_t formats[] = {0, 11, 255};
    for (unsigned i = 0; i < 3; i++) {
        image->bitmap.format = formats[i];
        check_dropped(f, "bitmap format");
    }
    *image = good;
    image->bitmap.x = 0;
    check_dropped(f, "bitmap of 0 x 20 pixels");
    *image = good;
    image->bitmap.y = 0;
    check_dropped(f, "bitmap of 20 x 0 pixels");
    *image = good;
    image->bitmap.x = UINT32_MAX;
    check_dropped(f, "bitmap of 4294967295 x 20 pixels");
    *image = good;
    image->bitmap.stride = 79;
    check_dropped(f, "image stride too small for width");
    *image = good;
    image->bitmap.stride = UINT32_MAX;
    check_dropped(f, "bitmap of 85899345900 bytes");
    *image = good;
    image->bitmap.stride = 84;
    check_dropped(f, "1600 bytes of pixels instead of 1680");
    *image = good;
    image->bitmap.y = 19;
    check_dropped(f, "too much data inside chunks");
    *image = good;
    image->bitmap.data = 0;
    sm_check_status(try_parse(f), SM_ERR_PROTOCOL);
    for (unsigned type = 2; type < 120; type++) {
        if (type == SM_IMAGE_TYPE_SURFACE)
            continue;
        image->descriptor.type = (uint8_t)type;
        sm_check_status(try_parse(f), SM_ERR_PROTOCOL);
    }
}

static void direct_bitmap_ends_inside_its_slot(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_copy(f);
    QXLImage *image = image_at(f, d->u.copy.src_bitmap);
    image->bitmap.flags |= QXL_BITMAP_DIRECT;
    image->bitmap.data = sm_test_guest_address(MEMORY_SIZE - 1600);
    f->guest.memory[MEMORY_SIZE - 1] = 0x42;
    assert_int_equal(parse_ok(f)->draw_copy.src_bitmap->bitmap.data.data[1599], 0x42);
    image->bitmap.data++;
    check_dropped(f, "virtual address out of range");
}

static uint64_t put_palette_bitmap(struct fixture *f, uint16_t count, uint16_t present)
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
    struct fixture *f = *state;
    QXLDrawable *d = begin_copy(f);
    d->u.copy.src_bitmap = put_palette_bitmap(f, 16, 16);
    const struct sm_palette *palette = parse_ok(f)->draw_copy.src_bitmap->bitmap.palette;
    assert_int_equal(palette->unique, 9);
    assert_int_equal(palette->num_ents, 16);
    assert_int_equal(palette->ents[15], 0x7c0f);

    d->u.copy.src_bitmap = put_palette_bitmap(f, 65535, 300);
    assert_int_equal(parse_ok(f)->draw_copy.src_bitmap->bitmap.palette->num_ents, 256);

    d->u.copy.src_bitmap = put_palette_bitmap(f, 0, 0);
    check_dropped(f, "empty palette");
    d->u.copy.src_bitmap = put_palette_bitmap(f, 2, 2);
    image_at(f, d->u.copy.src_bitmap)->bitmap.palette = 0;
    check_dropped(f, "bitmap without its palette");
    image_at(f, d->u.copy.src_bitmap)->bitmap.palette = sm_test_guest_address(MEMORY_SIZE - 17);
    ((QXLPalette *)(void *)(f->guest.memory + MEMORY_SIZE - 17))->num_ents = 2;
    check_dropped(f, "virtual address out of range");
}

static uint64_t put_quic(struct fixture *f, uint32_t width, uint32_t height)
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
    struct fixture *f = *state;
    QXLDrawable *d = begin_copy(f);
    d->u.copy.src_bitmap = put_quic(f, 20, 20);
    const struct sm_image *image = parse_ok(f)->draw_copy.src_bitmap;
    assert_int_equal(image->type, SM_IMAGE_TYPE_QUIC);
    assert_int_equal(image->data.size, 24);
    d->u.copy.src_bitmap = put_quic(f, 21, 20);
    check_dropped(f, "QUIC stream of 21 x 20 in an image of 20 x 20");
    d->u.copy.src_bitmap = put_quic(f, 20, 20);
    image_at(f, d->u.copy.src_bitmap)->quic.data_size = 28;
    check_dropped(f, "24 bytes of pixels instead of 28");
    image_at(f, d->u.copy.src_bitmap)->quic.data_size = UINT32_MAX;
    check_dropped(f, "QUIC image of 4294967295 bytes");
    image_at(f, d->u.copy.src_bitmap)->quic.data_size = 20;
    check_dropped(f, "too much data inside chunks");
    d->u.copy.src_bitmap = put_quic(f, 20, 20);
    *((uint8_t *)sm_test_guest_at(&f->guest, d->u.copy.src_bitmap) + 22 + 20) ^= 1;
    check_dropped(f, "malformed QUIC image");
}

static void surface_images_must_be_declared(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin_copy(f);
    d->u.copy.src_bitmap = put_surface_image(f, 5);
    check_dropped(f, "surface 5 as an image but not as a dependency");
    d->surfaces_dest[1] = 5;
    const struct sm_image *image = parse_ok(f)->draw_copy.src_bitmap;
    assert_int_equal(image->surface_id, 5);
    assert_int_equal(image->width, 100);
    d->u.copy.src_area = rect(80, 30, 101, 50);
    check_dropped(f, "outside of 100 x 50");
}

static void masks_have_one_bit_or_are_alpha_surfaces(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_INVERS);
    d->u.invers.mask.bitmap = put_bitmap(f, 4, 4);
    check_dropped(f, "bitmap format 8");
    d->u.invers.mask.bitmap = put_quic(f, 20, 20);
    check_dropped(f, "QUIC image as a mask");
    d->surfaces_dest[0] = 5;
    d->surfaces_dest[1] = 7;
    d->u.invers.mask.bitmap = put_surface_image(f, 5);
    check_dropped(f, "surface 5 of format 96 as a mask");
    d->u.invers.mask.bitmap = put_surface_image(f, 7);
    (void)parse_ok(f);
}

static void source_areas_outside_of_their_image_are_dropped(void **state)
{
    struct fixture *f = *state;
    const QXLRect bad[] = {rect(-1, 0, 20, 20), rect(0, -1, 20, 20), rect(0, 0, 21, 20),
                           rect(0, 0, 20, 21),  rect(5, 0, 4, 20),   rect(0, 5, 20, 4),
                           rect(5, 5, 5, 5)};
    const uint8_t types[] = {QXL_DRAW_COPY, QXL_DRAW_OPAQUE, QXL_DRAW_TRANSPARENT, QXL_DRAW_ROP3};
    for (unsigned t = 0; t < sizeof(types); t++) {
        for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            QXLDrawable *d = begin_copy(f);
            d->type = types[t]; /* all begin with source and area */
            d->u.copy.src_area = bad[i];
            sm_check_status(try_parse(f), SM_ERR_PROTOCOL);
            sm_test_guest_reset(&f->guest);
        }
    }
    QXLDrawable *d = begin(f, QXL_DRAW_ALPHA_BLEND);
    d->u.alpha_blend.src_bitmap = put_bitmap(f, 20, 20);
    d->u.alpha_blend.src_area = bad[2];
    sm_check_status(try_parse(f), SM_ERR_PROTOCOL);
}

static void missing_sources_need_a_self_bitmap(void **state)
{
    struct fixture *f = *state;
    const uint8_t types[] = {QXL_DRAW_COPY, QXL_DRAW_BLEND, QXL_DRAW_OPAQUE, QXL_DRAW_ROP3,
                             QXL_DRAW_TRANSPARENT};
    for (unsigned i = 0; i < sizeof(types); i++) {
        begin(f, types[i])->u.copy.src_area = rect(0, 0, 5, 5);
        check_dropped(f, "source image missing");
    }
    begin(f, QXL_DRAW_FILL)->u.fill.brush = pattern(0);
    check_dropped(f, "pattern brush without a pattern");
    begin(f, QXL_DRAW_FILL)->u.fill.brush.type = 3;
    check_dropped(f, "brush type 3");
}

static void self_bitmap_stands_for_absent_images(void **state)
{
    struct fixture *f = *state;
    QXLDrawable *d = begin(f, QXL_DRAW_OPAQUE);
    d->self_bitmap = 1;
    d->self_bitmap_area = rect(1, 1, 9, 5);
    d->u.opaque.src_area = rect(0, 0, 8, 4);
    d->u.opaque.brush = pattern(0);
    (void)parse_ok(f);
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

    d->u.opaque.src_area = rect(0, 0, 8, 5);
    check_dropped(f, "outside of 8 x 4");
    const QXLRect bad[] = {rect(0, 0, 0, 5), rect(5, 0, 4, 5), rect(-1, 0, 4, 5),
                           rect(0, 0, 641, 5), rect(0, 476, 5, 481)};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        d->self_bitmap_area = bad[i];
        check_dropped(f, "self bitmap area outside of surface 0");
    }
}

static void illegal_scale_modes_are_dropped(void **state)
{
    struct fixture *f = *state;
    begin_copy(f)->u.copy.scale_mode = 2;
    check_dropped(f, "scale mode 2");
}

static void unknown_effects_count_as_blend(void **state)
{
    struct fixture *f = *state;
    begin(f, QXL_DRAW_INVERS)->effect = 8;
    (void)parse_ok(f);
    assert_int_equal(f->drawing->effect, SM_EFFECT_BLEND);
}

/* ---- the old layout ---- */

static void compat_layout_is_read(void **state)
{
    struct fixture *f = *state;
    QXLCompatDrawable d = {.type = QXL_DRAW_ALPHA_BLEND, .bbox = rect(1, 2, 3, 4)};
    d.u.alpha_blend.alpha = 9;
    d.u.alpha_blend.src_bitmap = put_bitmap(f, 20, 20);
    d.u.alpha_blend.src_area = rect(0, 0, 2, 2);
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
    d.u.fill.brush = solid(0);
    struct sm_drawing *none = NULL;
    sm_check_status(
        sm_drawing_parse(&none, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_ERR_PROTOCOL);
    assert_null(none);
}

static void colours_of_16_bits_are_widened(void **state)
{
    struct fixture *f = *state;
    QXLCompatDrawable d = {.type = QXL_DRAW_FILL, .bbox = rect(1, 2, 3, 4)};
    d.u.fill.brush = solid(0x7c00 | 0x10 << 5 | 1);
    f->source.flags = SM_QXL_COMPAT | SM_QXL_COMPAT_16BPP;
    sm_check_status(
        sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_OK);
    assert_int_equal(f->drawing->msg.draw_fill.brush.color, 0xff8408);
    sm_drawing_destroy(f->drawing);
    f->drawing = NULL;

    d.type = QXL_DRAW_COPY;
    d.u.copy = (QXLCopy){.src_bitmap = put_palette_bitmap(f, 2, 2), .src_area = rect(0, 0, 2, 2)};
    sm_check_status(
        sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_put(&f->guest, &d, sizeof(d))),
        SM_OK);
    assert_int_equal(f->drawing->msg.draw_copy.src_bitmap->bitmap.palette->ents[1], 0xff0008);
}

/* ---- memory ---- */

static void every_failing_allocation_is_survived(void **state)
{
    struct fixture *f = *state;
    const uint32_t path[] = {3, 2, 16, 32, 48, 64};
    const QXLRect rects[] = {rect(0, 0, 15, 25), rect(20, 30, 22, 99)};
    QXLDrawable *d = begin(f, QXL_DRAW_STROKE);
    d->u.stroke.path = put_path(f, path, sizeof(path));
    d->u.stroke.brush = pattern(put_palette_bitmap(f, 16, 16));
    d->clip = (QXLClip){.type = 1, .data = put_clip(f, 2, rects, 2)};
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
    struct fixture *f = *state;
    uint8_t *pixels = calloc(10, 40);
    sm_check_status(sm_drawing_create_copy(&f->drawing, 5, (struct sm_rect){1, 2, 11, 12}, 42,
                                           SM_BITMAP_FORMAT_RGBA, 0, pixels, 40),
                    SM_OK);
    struct sm_writer w;
    sm_writer_init(&w, 1 << 20);
    sm_check_status(sm_display_msg_build(&w, &f->drawing->msg), SM_OK);
    assert_true(w.size > 400);
    sm_writer_finish(&w);
    assert_int_equal(f->drawing->msg.draw_copy.base.surface_id, 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(fill_becomes_its_message),
        TEST(copy_brings_its_pixels),
        TEST(blend_is_copied_like_copy),
        TEST(opaque_has_source_and_brush),
        TEST(copy_bits_moves_and_onto_itself_is_nothing),
        TEST(blackness_whiteness_and_inversion_have_a_mask),
        TEST(absent_mask_clears_its_fields),
        TEST(rop3_keeps_its_code),
        TEST(stroke_has_path_and_dashes),
        TEST(bad_paths_and_dashes_are_dropped),
        TEST(text_has_its_glyphs),
        TEST(bad_strings_are_dropped),
        TEST(transparent_keeps_both_keys),
        TEST(alpha_blend_keeps_known_flags),
        TEST(composite_says_what_is_there),
        TEST(composite_with_unknown_operators_is_dropped),
        TEST(nop_draws_nothing),
        TEST(unknown_types_are_dropped),
        TEST(boxes_outside_of_their_surface_are_dropped),
        TEST(unknown_surfaces_and_dependencies_are_dropped),
        TEST(clip_rectangles_are_copied_and_bound_the_drawing),
        TEST(bad_clips_are_dropped),
        TEST(command_across_the_end_of_its_slot_is_dropped),
        TEST(bad_bitmaps_are_dropped),
        TEST(direct_bitmap_ends_inside_its_slot),
        TEST(palettes_are_copied_and_cut),
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
