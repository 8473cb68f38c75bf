/* SPDX-License-Identifier: MIT */
#include "tests/server/support/sketch.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/check.h"

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

int sm_test_sketch_set_up(void **state)
{
    struct sm_test_sketch *f = calloc(1, sizeof(*f));
    sm_test_guest_init(&f->guest, TEST_SKETCH_MEMORY);
    sm_test_lines_init(&f->lines);
    sm_check_status(sm_memslots_create(&f->slots, &sm_test_guest_info, &f->lines.log), SM_OK);
    struct sm_qxl_memslot slot = sm_test_guest_slot(&f->guest);
    sm_memslots_add(f->slots, &slot);
    f->source = (struct sm_drawing_source){
        .slots = f->slots, .group = TEST_GUEST_GROUP, .find_surface = find_surface};
    *state = f;
    return 0;
}

int sm_test_sketch_tear_down(void **state)
{
    struct sm_test_sketch *f = *state;
    sm_drawing_destroy(f->drawing);
    sm_memslots_destroy(f->slots);
    sm_test_lines_finish(&f->lines);
    sm_test_guest_finish(&f->guest);
    free(f);
    return 0;
}

QXLDrawable *sm_test_sketch_begin(struct sm_test_sketch *f, uint8_t type)
{
    memset(&f->drawable, 0, sizeof(f->drawable));
    f->drawable.type = type;
    f->drawable.effect = QXL_EFFECT_OPAQUE;
    f->drawable.bbox = sm_test_rect(10, 20, 30, 40);
    for (unsigned i = 0; i < 3; i++)
        f->drawable.surfaces_dest[i] = -1;
    return &f->drawable;
}

enum sm_status sm_test_sketch_try_parse(struct sm_test_sketch *f)
{
    sm_drawing_destroy(f->drawing);
    f->drawing = NULL;
    uint64_t address = sm_test_guest_put(&f->guest, &f->drawable, sizeof(f->drawable));
    return sm_drawing_parse(&f->drawing, &f->source, address);
}

const struct sm_display_msg *sm_test_sketch_parse_ok(struct sm_test_sketch *f)
{
    sm_check_status(sm_test_sketch_try_parse(f), SM_OK);
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

void sm_test_sketch_check_dropped(struct sm_test_sketch *f, const char *words)
{
    sm_test_lines_clear(&f->lines);
    enum sm_status status = sm_test_sketch_try_parse(f);
    assert_true(status == SM_ERR_PROTOCOL || status == SM_ERR_LIMIT);
    assert_null(f->drawing);
    sm_test_lines_check(&f->lines, words);
}

uint64_t sm_test_sketch_put_bitmap(struct sm_test_sketch *f, uint32_t width, uint32_t height)
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

QXLImage *sm_test_sketch_image_at(struct sm_test_sketch *f, uint64_t address)
{
    return sm_test_guest_at(&f->guest, address);
}

uint64_t sm_test_sketch_put_mask(struct sm_test_sketch *f)
{
    uint64_t bits = sm_test_guest_chunk(&f->guest, NULL, 4 * 20, 0);
    QXLImage image = {.descriptor = {.width = 20, .height = 20},
                      .bitmap = {.format = 2, .x = 20, .y = 20, .stride = 4, .data = bits}};
    return sm_test_guest_put(&f->guest, &image, sizeof(image));
}

uint64_t sm_test_sketch_put_surface_image(struct sm_test_sketch *f, uint32_t id)
{
    QXLImage image = {.descriptor = {.type = 104}, .surface_image = {.surface_id = id}};
    return sm_test_guest_put(&f->guest, &image, sizeof(image));
}

QXLBrush sm_test_sketch_solid(uint32_t color)
{
    return (QXLBrush){.type = 1, .u.color = color};
}

QXLBrush sm_test_sketch_pattern(uint64_t image)
{
    return (QXLBrush){.type = 2, .u.pattern = {.pat = image, .pos = {3, 4}}};
}

QXLDrawable *sm_test_sketch_begin_copy(struct sm_test_sketch *f)
{
    QXLDrawable *d = sm_test_sketch_begin(f, QXL_DRAW_COPY);
    d->u.copy.src_bitmap = sm_test_sketch_put_bitmap(f, 20, 20);
    d->u.copy.src_area = sm_test_rect(0, 0, 20, 20);
    d->u.copy.rop_descriptor = 8;
    return d;
}

uint64_t sm_test_sketch_put_path(struct sm_test_sketch *f, const void *data, uint32_t size)
{
    uint32_t data_size = size;
    uint64_t address = sm_test_guest_put(&f->guest, &data_size, 4);
    (void)sm_test_guest_chunk(&f->guest, data, size, 0);
    return address;
}

uint64_t sm_test_sketch_put_clip(struct sm_test_sketch *f, uint32_t claimed, const QXLRect *rects,
                                 uint32_t count)
{
    uint64_t address = sm_test_guest_put(&f->guest, &claimed, 4);
    uint32_t first = count / 2;
    /* The second chunk lies somewhere else. */
    uint64_t next = sm_test_guest_address(f->guest.used + 20 + first * 16);
    (void)sm_test_guest_chunk(&f->guest, rects, first * 16, next);
    (void)sm_test_guest_chunk(&f->guest, count ? rects + first : NULL, (count - first) * 16, 0);
    return address;
}
