/* SPDX-License-Identifier: MIT */
#include "tests/server/support/doodle.h"

#include <stdlib.h>
#include <string.h>

#include "core/wire/types.h"

uint32_t sm_test_doodle_pick(struct sm_test_doodle *doodle, uint32_t limit)
{
    return sm_test_random_next(&doodle->random) % limit;
}

QXLRect sm_test_doodle_rect(struct sm_test_doodle *doodle, uint32_t width, uint32_t height)
{
    int32_t w = (int32_t)width, h = (int32_t)height;
    if (sm_test_doodle_pick(doodle, 10) == 0)
        return sm_test_rect(0, 0, w, h);
    int32_t left = (int32_t)sm_test_doodle_pick(doodle, width);
    int32_t top = (int32_t)sm_test_doodle_pick(doodle, height);
    int32_t right = left + 1 + (int32_t)sm_test_doodle_pick(doodle, (uint32_t)(w - left));
    int32_t bottom = top + 1 + (int32_t)sm_test_doodle_pick(doodle, (uint32_t)(h - top));
    return sm_test_rect(left, top, right, bottom);
}

static uint64_t put_pixels(struct sm_test_doodle *doodle, uint32_t size)
{
    uint8_t *pixels = malloc(size);
    assert_non_null(pixels);
    for (uint32_t i = 0; i < size; i++)
        pixels[i] = (uint8_t)sm_test_random_next(&doodle->random);
    uint64_t chunk = sm_test_guest_chunk(doodle->guest, pixels, size, 0);
    free(pixels);
    return chunk;
}

enum { KEPT = 24, KEPT_FIRST_ID = 1 << 20, KEPT_WIDTH = 48, KEPT_HEIGHT = 32 };

/* Pixels are random, and so is the format. */
static uint64_t put_bitmap_of(struct sm_test_doodle *doodle, uint32_t width, uint32_t height,
                              uint64_t id, bool is_kept)
{
    static const struct {
        uint8_t format, bytes;
    } formats[] = {{SM_BITMAP_FORMAT_32BIT, 4},
                   {SM_BITMAP_FORMAT_RGBA, 4},
                   {SM_BITMAP_FORMAT_24BIT, 3},
                   {SM_BITMAP_FORMAT_16BIT, 2},
                   {SM_BITMAP_FORMAT_8BIT, 1}};
    unsigned kind = sm_test_doodle_pick(doodle, sizeof(formats) / sizeof(formats[0]));
    uint32_t stride = width * formats[kind].bytes;
    QXLImage image = {.descriptor = {.id = id, .flags = is_kept, .width = width, .height = height},
                      .bitmap = {.format = formats[kind].format,
                                 .flags = sm_test_doodle_pick(doodle, 2) ? QXL_BITMAP_TOP_DOWN : 0,
                                 .x = width,
                                 .y = height,
                                 .stride = stride,
                                 .data = put_pixels(doodle, stride * height)}};
    if (formats[kind].format == SM_BITMAP_FORMAT_8BIT) {
        const uint8_t head[10] = {id & (is_kept ? 0xff : 3), 0, 0, 0, 0, 0, 0, 0, 0, 1};
        image.bitmap.palette = sm_test_guest_put(doodle->guest, head, sizeof(head));
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t entry = sm_test_random_next(&doodle->random) & 0xffffff;
            (void)sm_test_guest_put(doodle->guest, &entry, sizeof(entry));
        }
    }
    return sm_test_guest_put(doodle->guest, &image, sizeof(image));
}

static uint64_t put_bitmap(struct sm_test_doodle *doodle, uint32_t width, uint32_t height)
{
    return put_bitmap_of(doodle, width, height, ++doodle->next_image, false);
}

/* One of a few pictures of one size, which its id determines. */
static uint64_t put_kept(struct sm_test_doodle *doodle)
{
    struct sm_test_doodle painter = *doodle;
    uint32_t number = sm_test_doodle_pick(doodle, KEPT);
    painter.random.state = number + 1;
    return put_bitmap_of(&painter, KEPT_WIDTH, KEPT_HEIGHT, KEPT_FIRST_ID + number, true);
}

static uint64_t put_mask(struct sm_test_doodle *doodle, uint32_t width, uint32_t height)
{
    uint32_t stride = (width + 7) / 8;
    QXLImage image = {.descriptor = {.width = width, .height = height},
                      .bitmap = {.format = SM_BITMAP_FORMAT_1BIT_BE,
                                 .flags = QXL_BITMAP_TOP_DOWN,
                                 .x = width,
                                 .y = height,
                                 .stride = stride,
                                 .data = put_pixels(doodle, stride * height)}};
    return sm_test_guest_put(doodle->guest, &image, sizeof(image));
}

static uint16_t pick_ropd(struct sm_test_doodle *doodle)
{
    static const uint16_t others[] = {SM_ROPD_OP_XOR,
                                      SM_ROPD_OP_AND,
                                      SM_ROPD_OP_OR,
                                      SM_ROPD_OP_INVERS,
                                      SM_ROPD_OP_BLACKNESS,
                                      SM_ROPD_OP_WHITENESS,
                                      SM_ROPD_OP_PUT | SM_ROPD_INVERS_SRC};
    return sm_test_doodle_pick(doodle, 3) ? SM_ROPD_OP_PUT : others[sm_test_doodle_pick(doodle, 7)];
}

static void add_mask(struct sm_test_doodle *doodle, QXLQMask *mask, const QXLRect *box)
{
    if (sm_test_doodle_pick(doodle, 6) != 0)
        return;
    mask->flags = (uint8_t)sm_test_doodle_pick(doodle, 2);
    mask->bitmap =
        put_mask(doodle, (uint32_t)(box->right - box->left), (uint32_t)(box->bottom - box->top));
}

static void add_clip(struct sm_test_doodle *doodle, QXLDrawable *d)
{
    if (sm_test_doodle_pick(doodle, 5) != 0)
        return;
    uint32_t count = 1 + sm_test_doodle_pick(doodle, 40), width = (uint32_t)d->bbox.right,
             height = (uint32_t)d->bbox.bottom;
    QXLRect rects[40];
    for (uint32_t i = 0; i < count; i++)
        rects[i] = sm_test_doodle_rect(doodle, width, height);
    d->clip.type = 1;
    d->clip.data = sm_test_guest_put(doodle->guest, &count, sizeof(count));
    (void)sm_test_guest_chunk(doodle->guest, rects, count * (uint32_t)sizeof(*rects), 0);
}

/* A picture at least as large as `box`, of which the area taken is as large; at times scaled. */
static uint64_t put_source(struct sm_test_doodle *doodle, QXLDrawable *d, QXLRect *area)
{
    uint32_t width = (uint32_t)(d->bbox.right - d->bbox.left);
    uint32_t height = (uint32_t)(d->bbox.bottom - d->bbox.top);
    uint32_t x = 0, y = 0;
    if (sm_test_doodle_pick(doodle, doodle->copy_in) == 0) {
        const struct sm_test_doodle_surface *from =
            &doodle->surfaces[sm_test_doodle_pick(doodle, doodle->surface_count)];
        if (from->width >= width && from->height >= height) {
            QXLImage image = {.descriptor = {.type = SM_IMAGE_TYPE_SURFACE},
                              .surface_image = {.surface_id = from->id}};
            x = sm_test_doodle_pick(doodle, from->width - width + 1);
            y = sm_test_doodle_pick(doodle, from->height - height + 1);
            *area =
                sm_test_rect((int32_t)x, (int32_t)y, (int32_t)(x + width), (int32_t)(y + height));
            d->surfaces_dest[0] = (int32_t)from->id;
            d->surfaces_rects[0] = *area;
            return sm_test_guest_put(doodle->guest, &image, sizeof(image));
        }
    }
    if (doodle->kept_in && width <= KEPT_WIDTH && height <= KEPT_HEIGHT &&
        sm_test_doodle_pick(doodle, doodle->kept_in) == 0) {
        x = sm_test_doodle_pick(doodle, KEPT_WIDTH - width + 1);
        y = sm_test_doodle_pick(doodle, KEPT_HEIGHT - height + 1);
        *area = sm_test_rect((int32_t)x, (int32_t)y, (int32_t)(x + width), (int32_t)(y + height));
        return put_kept(doodle);
    }
    if (sm_test_doodle_pick(doodle, 8) == 0)
        width += 3; /* squeezed */
    *area = sm_test_rect(0, 0, (int32_t)width, (int32_t)height);
    return put_bitmap(doodle, width, height);
}

static QXLBrush pick_brush(struct sm_test_doodle *doodle)
{
    if (sm_test_doodle_pick(doodle, 4) == 0)
        return (QXLBrush){.type = SM_BRUSH_TYPE_PATTERN,
                          .u.pattern = {.pat = put_bitmap(doodle, 5, 3), .pos = {1, 2}}};
    return (QXLBrush){.type = SM_BRUSH_TYPE_SOLID,
                      .u.color = sm_test_random_next(&doodle->random) & 0xffffff};
}

static void make_self_bitmap(struct sm_test_doodle *doodle, QXLDrawable *d)
{
    const struct sm_test_doodle_surface *target = &doodle->surfaces[0];
    for (uint32_t i = 0; i < doodle->surface_count; i++)
        target = doodle->surfaces[i].id == d->surface_id ? &doodle->surfaces[i] : target;
    int32_t width = d->bbox.right - d->bbox.left, height = d->bbox.bottom - d->bbox.top;
    int32_t x = (int32_t)sm_test_doodle_pick(doodle, target->width - (uint32_t)width + 1);
    int32_t y = (int32_t)sm_test_doodle_pick(doodle, target->height - (uint32_t)height + 1);
    d->self_bitmap = 1;
    d->self_bitmap_area = sm_test_rect(x, y, x + width, y + height);
    d->u.opaque.src_area = sm_test_rect(0, 0, width, height);
}

static void make(struct sm_test_doodle *doodle, QXLDrawable *d)
{
    switch (d->type) {
    case QXL_DRAW_FILL:
        d->u.fill.brush = pick_brush(doodle);
        d->u.fill.rop_descriptor = pick_ropd(doodle);
        add_mask(doodle, &d->u.fill.mask, &d->bbox);
        break;
    case QXL_DRAW_COPY:
        d->u.copy.src_bitmap = put_source(doodle, d, &d->u.copy.src_area);
        d->u.copy.rop_descriptor = pick_ropd(doodle);
        add_mask(doodle, &d->u.copy.mask, &d->bbox);
        break;
    case QXL_DRAW_OPAQUE:
        if (sm_test_doodle_pick(doodle, 2))
            make_self_bitmap(doodle, d);
        else
            d->u.opaque.src_bitmap = put_source(doodle, d, &d->u.opaque.src_area);
        d->u.opaque.brush = pick_brush(doodle);
        d->u.opaque.rop_descriptor = pick_ropd(doodle);
        break;
    case QXL_COPY_BITS:
        d->u.copy_bits.src_pos.x = (int32_t)sm_test_doodle_pick(doodle, 40) - 4;
        d->u.copy_bits.src_pos.y = (int32_t)sm_test_doodle_pick(doodle, 30) - 4;
        break;
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        add_mask(doodle, &d->u.blackness.mask, &d->bbox);
        break;
    case QXL_DRAW_ROP3:
        d->u.rop3.src_bitmap = put_source(doodle, d, &d->u.rop3.src_area);
        d->u.rop3.brush = pick_brush(doodle);
        d->u.rop3.rop3 = 0xe2;
        break;
    case QXL_DRAW_ALPHA_BLEND:
        d->u.alpha_blend.src_bitmap = put_source(doodle, d, &d->u.alpha_blend.src_area);
        d->u.alpha_blend.alpha = (uint8_t)sm_test_doodle_pick(doodle, 256);
        break;
    default:
        d->u.composite.src = put_bitmap(doodle, 7, 7);
        d->u.composite.flags = QXL_OP_OVER | 1 << 14; /* repeated */
        break;
    }
}

QXLDrawable sm_test_doodle_next(struct sm_test_doodle *doodle)
{
    static const uint8_t types[] = {
        QXL_DRAW_FILL,      QXL_DRAW_FILL,      QXL_DRAW_FILL,   QXL_DRAW_COPY,
        QXL_DRAW_COPY,      QXL_DRAW_COPY,      QXL_DRAW_OPAQUE, QXL_DRAW_BLACKNESS,
        QXL_DRAW_WHITENESS, QXL_DRAW_INVERS,    QXL_DRAW_ROP3,   QXL_DRAW_ALPHA_BLEND,
        QXL_DRAW_COMPOSITE, QXL_DRAW_BLACKNESS,
    };
    const struct sm_test_doodle_surface *target =
        &doodle->surfaces[sm_test_doodle_pick(doodle, doodle->surface_count)];
    QXLDrawable d = {.surface_id = target->id, .surfaces_dest = {-1, -1, -1}};
    d.type = sm_test_doodle_pick(doodle, doodle->copy_in) == 0
                 ? QXL_COPY_BITS
                 : types[sm_test_doodle_pick(doodle, sizeof(types))];
    d.bbox = sm_test_doodle_rect(doodle, target->width, target->height);
    make(doodle, &d);
    add_clip(doodle, &d);
    return d;
}
