/* SPDX-License-Identifier: MIT */
/* Drawing commands of every type, and what all of them have. */
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#include "tests/server/support/sketch.h"

/* ---- each type ---- */

static void fill_becomes_its_message(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_FILL);
    d->u.fill.brush = sm_test_sketch_solid(0x123456);
    d->u.fill.rop_descriptor = 0xf808;
    d->u.fill.mask = (QXLQMask){.flags = 0xff, .pos = {1, 2}, .bitmap = sm_test_sketch_put_mask(f)};
    const struct sm_display_msg *msg = sm_test_sketch_parse_ok(f);
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
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin_copy(f);
    d->u.copy.scale_mode = 1;
    d->self_bitmap = 1; /* forced off: a copy always has a picture */
    const struct sm_msg_display_draw_copy *copy = &sm_test_sketch_parse_ok(f)->draw_copy;
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
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin_copy(f)->type = QXL_DRAW_BLEND;
    const struct sm_display_msg *msg = sm_test_sketch_parse_ok(f);
    assert_int_equal(msg->type, SM_MSG_DISPLAY_DRAW_BLEND);
    assert_int_equal(msg->draw_blend.src_bitmap->width, 20);
    assert_int_equal(msg->draw_blend.src_area.right, 20);
}

static void opaque_has_source_and_brush(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_OPAQUE);
    d->u.opaque.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.opaque.src_area = sm_test_rect(1, 2, 11, 12);
    d->u.opaque.brush = sm_test_sketch_pattern(sm_test_sketch_put_bitmap(f, 8, 8));
    d->u.opaque.rop_descriptor = 0x20;
    const struct sm_msg_display_draw_opaque *opaque = &sm_test_sketch_parse_ok(f)->draw_opaque;
    assert_int_equal(opaque->src_area.top, 2);
    assert_int_equal(opaque->brush.image->width, 8);
    assert_int_equal(opaque->brush.pos.y, 4);
    assert_int_equal(opaque->ropd, SM_ROPD_OP_AND);
}

static void copy_bits_moves_and_onto_itself_is_nothing(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_COPY_BITS);
    d->u.copy_bits.src_pos = (QXLPoint){.x = 11, .y = 20};
    assert_int_equal(sm_test_sketch_parse_ok(f)->copy_bits.src_pos.x, 11);
    d->u.copy_bits.src_pos.x = 10;
    sm_check_status(sm_test_sketch_try_parse(f), SM_AGAIN);
}

static void blackness_whiteness_and_inversion_have_a_mask(void **state)
{
    struct sm_test_sketch *f = *state;
    const uint8_t types[] = {QXL_DRAW_BLACKNESS, QXL_DRAW_WHITENESS, QXL_DRAW_INVERS};
    const uint16_t messages[] = {SM_MSG_DISPLAY_DRAW_BLACKNESS, SM_MSG_DISPLAY_DRAW_WHITENESS,
                                 SM_MSG_DISPLAY_DRAW_INVERS};
    for (unsigned i = 0; i < 3; i++) {
        QXLDrawable *d = sm_test_sketch_begin(f, types[i]);
        d->u.blackness.mask = (QXLQMask){.pos = {5, 6}, .bitmap = sm_test_sketch_put_mask(f)};
        const struct sm_display_msg *msg = sm_test_sketch_parse_ok(f);
        assert_int_equal(msg->type, messages[i]);
        assert_int_equal(msg->draw_blackness.mask.pos.x, 5);
        assert_non_null(msg->draw_blackness.mask.bitmap);
    }
}

static void absent_mask_clears_its_fields(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_INVERS);
    d->u.invers.mask = (QXLQMask){.flags = 1, .pos = {5, 6}};
    const struct sm_qmask *mask = &sm_test_sketch_parse_ok(f)->draw_invers.mask;
    assert_int_equal(mask->flags, 0);
    assert_int_equal(mask->pos.x, 0);
    assert_null(mask->bitmap);
}

static void rop3_keeps_its_code(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_ROP3);
    d->u.rop3.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.rop3.src_area = sm_test_rect(0, 0, 20, 20);
    d->u.rop3.brush = sm_test_sketch_solid(1);
    d->u.rop3.rop3 = 0xca;
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_rop3.rop3, 0xca);
}

static void stroke_has_path_and_dashes(void **state)
{
    struct sm_test_sketch *f = *state;
    const uint32_t path[] = {0xffff0001, 2, 16, 32, 48, 64, 2, 1, 80, 96};
    const int32_t dashes[] = {32, 48};
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_STROKE);
    d->u.stroke.path = sm_test_sketch_put_path(f, path, sizeof(path));
    d->u.stroke.attr = (QXLLineAttr){
        .flags = 0xfc, .style_nseg = 2, .style = sm_test_guest_put(&f->guest, dashes, 8)};
    d->u.stroke.brush = sm_test_sketch_solid(7);
    d->u.stroke.fore_mode = 8;
    const struct sm_msg_display_draw_stroke *stroke = &sm_test_sketch_parse_ok(f)->draw_stroke;
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
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_stroke.attr.num_style, 0);
}

static void bad_paths_and_dashes_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    const uint32_t path[] = {3, 2, 16, 32, 48, 64};
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_STROKE);
    sm_test_sketch_check_dropped(f, "stroke without a path");
    const uint32_t huge[] = {3, 0x20000001, 16, 32}; /* times eight it would wrap to 8 */
    d->u.stroke.path = sm_test_sketch_put_path(f, huge, sizeof(huge));
    sm_test_sketch_check_dropped(f, "path segment beyond its data");

    d->u.stroke.path = sm_test_sketch_put_path(f, path, sizeof(path));
    d->u.stroke.attr = (QXLLineAttr){.flags = 8, .style_nseg = 2};
    sm_test_sketch_check_dropped(f, "styled line without a style");
    d->u.stroke.attr.style = sm_test_guest_address(TEST_SKETCH_MEMORY - 7);
    sm_test_sketch_check_dropped(f, "virtual address out of range");
    const int32_t zeros[] = {0, 0}, negative[] = {64, -16};
    d->u.stroke.attr.style = sm_test_guest_put(&f->guest, zeros, 8);
    sm_test_sketch_check_dropped(f, "line style without length");
    d->u.stroke.attr.style = sm_test_guest_put(&f->guest, negative, 8);
    sm_test_sketch_check_dropped(f, "line style without length");
    d->u.stroke.attr.style_nseg = 0;
    sm_test_sketch_check_dropped(f, "styled line without a style");
    d->u.stroke.attr.flags = 0;
    for (uint32_t size = 1; size < sizeof(path); size++) {
        d->u.stroke.path = sm_test_sketch_put_path(f, path, size);
        sm_check_status(sm_test_sketch_try_parse(f), SM_ERR_PROTOCOL);
    }
}

/* Two glyphs of 9 x 2 and 1 x 1 pixels of four bits. */
static uint64_t put_string(struct sm_test_sketch *f, uint16_t length, uint16_t flags,
                           int extra_bytes)
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

static QXLDrawable *begin_text(struct sm_test_sketch *f)
{
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_TEXT);
    d->u.text.back_area = sm_test_rect(10, 20, 12, 22);
    d->u.text.fore_brush = sm_test_sketch_solid(1);
    d->u.text.back_brush = sm_test_sketch_solid(2);
    d->u.text.fore_mode = 8;
    d->u.text.back_mode = 8;
    return d;
}

static void text_has_its_glyphs(void **state)
{
    struct sm_test_sketch *f = *state;
    begin_text(f)->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, 0);
    const struct sm_msg_display_draw_text *text = &sm_test_sketch_parse_ok(f)->draw_text;
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
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = begin_text(f);
    sm_test_sketch_check_dropped(f, "text without a string");
    d->u.text.str = put_string(f, 0, SM_STRING_FLAG_RASTER_A4, 0);
    sm_test_sketch_check_dropped(f, "string of 0 glyphs");
    d->u.text.str = put_string(f, 2, 0, 0);
    sm_test_sketch_check_dropped(f, "string of 2 glyphs with flags 0");
    d->u.text.str = put_string(f, 2, 3, 0);
    sm_test_sketch_check_dropped(f, "string of 2 glyphs with flags 0x3");
    d->u.text.str = put_string(f, 3, SM_STRING_FLAG_RASTER_A4, 0);
    sm_test_sketch_check_dropped(f, "string of 3 glyphs");
    d->u.text.str = put_string(f, 1, SM_STRING_FLAG_RASTER_A4, 0);
    sm_test_sketch_check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A8, 0);
    sm_test_sketch_check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, 1);
    sm_test_sketch_check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, -1);
    sm_test_sketch_check_dropped(f, "glyphs do not fill their string");
    d->u.text.str = put_string(f, 2, SM_STRING_FLAG_RASTER_A4, 0);
    ((QXLString *)sm_test_guest_at(&f->guest, d->u.text.str))->data_size++;
    sm_test_sketch_check_dropped(f, "52 bytes has 51 bytes");
}

static void transparent_keeps_both_keys(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_TRANSPARENT);
    d->u.transparent.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.transparent.src_area = sm_test_rect(0, 0, 20, 20);
    d->u.transparent.src_color = 5;
    d->u.transparent.true_color = 6;
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_transparent.src_color, 5);
    assert_int_equal(f->drawing->msg.draw_transparent.true_color, 6);
}

static void alpha_blend_keeps_known_flags(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_ALPHA_BLEND);
    d->u.alpha_blend.alpha_flags = 0xffff;
    d->u.alpha_blend.alpha = 0x80;
    d->u.alpha_blend.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.alpha_blend.src_area = sm_test_rect(0, 0, 20, 20);
    const struct sm_msg_display_draw_alpha_blend *blend =
        &sm_test_sketch_parse_ok(f)->draw_alpha_blend;
    assert_int_equal(blend->alpha_flags, 3);
    assert_int_equal(blend->alpha, 0x80);
}

static QXLDrawable *begin_composite(struct sm_test_sketch *f)
{
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_COMPOSITE);
    d->u.composite.flags = 3 | 7u << 19; /* what is there follows from the addresses */
    d->u.composite.src = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.composite.src_origin = (QXLPoint16){.x = -1, .y = 2};
    return d;
}

static void composite_says_what_is_there(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = begin_composite(f);
    assert_int_equal(sm_test_sketch_parse_ok(f)->draw_composite.flags, 3);
    assert_int_equal(f->drawing->msg.draw_composite.src_origin.x, -1);

    const int32_t transform[] = {65536, 0, 1, 0, 65536, 2};
    d->u.composite.mask = sm_test_sketch_put_bitmap(f, 4, 4);
    d->u.composite.mask_transform = sm_test_guest_put(&f->guest, transform, sizeof(transform));
    d->u.composite.src_transform = UINT64_MAX; /* does not resolve: counts as absent */
    const struct sm_msg_display_draw_composite *composite =
        &sm_test_sketch_parse_ok(f)->draw_composite;
    assert_int_equal(composite->flags,
                     3 | SM_COMPOSITE_FLAG_HAS_MASK | SM_COMPOSITE_FLAG_HAS_MASK_TRANSFORM);
    assert_int_equal(composite->mask_bitmap->width, 4);
    assert_int_equal(composite->mask_transform.t12, 2);
}

static void composite_with_unknown_operators_is_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    QXLDrawable *d = begin_composite(f);
    const uint32_t bad[] = {14, 15, 0x1c, 0x2c, 0x3f, 0xff, 5u << 8, 7u << 11};
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        d->u.composite.flags = bad[i];
        sm_test_sketch_check_dropped(f, "composite flags");
    }
    d->u.composite.flags = 0x3e;
    (void)sm_test_sketch_parse_ok(f);
    d->u.composite.src = 0;
    sm_test_sketch_check_dropped(f, "composite without a source");
}

static void nop_draws_nothing(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin(f, QXL_DRAW_NOP);
    sm_check_status(sm_test_sketch_try_parse(f), SM_AGAIN);
}

static void unknown_types_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin(f, QXL_DRAW_COMPOSITE + 1);
    sm_test_sketch_check_dropped(f, "unknown type 15");
    for (unsigned type = QXL_DRAW_COMPOSITE + 1; type < 256; type++) {
        sm_test_sketch_begin(f, (uint8_t)type);
        sm_check_status(sm_test_sketch_try_parse(f), SM_ERR_PROTOCOL);
    }
}

/* ---- what all have ---- */

static void boxes_outside_of_their_surface_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    const QXLRect bad[] = {
        sm_test_rect(-1, 0, 10, 10),
        sm_test_rect(0, -1, 10, 10),
        sm_test_rect(0, 0, 641, 10),
        sm_test_rect(0, 0, 10, 481),
        sm_test_rect(10, 0, 9, 10),
        sm_test_rect(0, 10, 10, 9),
        sm_test_rect(0, 0, INT32_MAX, INT32_MAX),
        sm_test_rect(INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX),
    };
    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        sm_test_sketch_begin(f, QXL_DRAW_INVERS)->bbox = bad[i];
        sm_test_sketch_check_dropped(f, "outside of surface 0");
    }
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->bbox = sm_test_rect(0, 0, 640, 480);
    (void)sm_test_sketch_parse_ok(f);
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->bbox =
        sm_test_rect(640, 480, 640, 480); /* empty: nothing to draw */
    sm_check_status(sm_test_sketch_try_parse(f), SM_AGAIN);
}

static void unknown_surfaces_and_dependencies_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->surface_id = 1;
    sm_test_sketch_check_dropped(f, "surface 1 does not exist");
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->surface_id = UINT32_MAX;
    sm_test_sketch_check_dropped(f, "does not exist");
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->surfaces_dest[2] = 6;
    sm_test_sketch_check_dropped(f, "depends on surface 6, which does not exist");
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->surfaces_dest[0] = INT32_MIN;
    sm_test_sketch_check_dropped(f, "does not exist");
    sm_test_sketch_begin(f, QXL_DRAW_INVERS)->surfaces_dest[1] = 5;
    (void)sm_test_sketch_parse_ok(f);
    assert_int_equal(f->drawing->dependency_count, 1);
    assert_int_equal(f->drawing->dependencies[0].surface_id, 5);
}

static void clip_rectangles_are_copied_and_bound_the_drawing(void **state)
{
    struct sm_test_sketch *f = *state;
    const QXLRect rects[] = {sm_test_rect(0, 0, 15, 25), sm_test_rect(20, 30, 22, 99),
                             sm_test_rect(9, 9, 3, 3)};
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_INVERS);
    d->clip = (QXLClip){.type = 1, .data = sm_test_sketch_put_clip(f, 3, rects, 3)};
    const struct sm_clip *clip = &sm_test_sketch_parse_ok(f)->draw_invers.base.clip;
    assert_int_equal(clip->type, SM_CLIP_TYPE_RECTS);
    assert_int_equal(clip->num_rects, 3);
    assert_int_equal(clip->rects[1].bottom, 99);
    assert_true(sm_rect_equal(f->drawing->bounds, (struct sm_rect){10, 20, 22, 40}));

    d->clip.data = sm_test_sketch_put_clip(f, 1, (const QXLRect[]){sm_test_rect(0, 0, 10, 20)}, 1);
    sm_check_status(sm_test_sketch_try_parse(f), SM_AGAIN); /* touches the box's corner only */
    d->clip.data = sm_test_sketch_put_clip(f, 0, NULL, 0);
    sm_check_status(sm_test_sketch_try_parse(f), SM_AGAIN);
}

static void bad_clips_are_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    const QXLRect rects[] = {sm_test_rect(0, 0, 15, 25), sm_test_rect(20, 30, 22, 99)};
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_INVERS);
    d->clip = (QXLClip){.type = 1, .data = sm_test_sketch_put_clip(f, 3, rects, 2)};
    sm_test_sketch_check_dropped(f, "3 clip rectangles in 32 bytes");
    d->clip.data =
        sm_test_sketch_put_clip(f, 0x10000002, rects, 2); /* times 16 it would wrap to 32 */
    sm_test_sketch_check_dropped(f, "clip rectangles in 32 bytes");
    d->clip.data = 0;
    sm_test_sketch_check_dropped(f, "virtual address out of range"); /* in slot 0, which is empty */
    d->clip.type = 2;
    sm_test_sketch_check_dropped(f, "clip type 2");
}

static void command_across_the_end_of_its_slot_is_dropped(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_test_sketch_begin(f, QXL_DRAW_INVERS);
    assert_int_equal(sm_drawing_header_size(0), sizeof(QXLDrawable));
    assert_int_equal(sm_drawing_header_size(SM_QXL_COMPAT), sizeof(QXLCompatDrawable));
    size_t start = TEST_SKETCH_MEMORY - sizeof(QXLDrawable);
    memcpy(f->guest.memory + start, &f->drawable, sizeof(f->drawable));
    sm_check_status(sm_drawing_parse(&f->drawing, &f->source, sm_test_guest_address(start)), SM_OK);
    struct sm_drawing *none = NULL;
    sm_check_status(sm_drawing_parse(&none, &f->source, sm_test_guest_address(start + 1)),
                    SM_ERR_PROTOCOL);
    sm_check_status(sm_drawing_parse(&none, &f->source, 0), SM_ERR_PROTOCOL);
    assert_null(none);
}

#define TEST(name)                                                                                 \
    cmocka_unit_test_setup_teardown(name, sm_test_sketch_set_up, sm_test_sketch_tear_down)

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
