/* SPDX-License-Identifier: MIT */
#include "tests/server/support/mutant.h"

#include <stdlib.h>
#include <string.h>

enum { RESERVE = 4096 /* bytes that one command needs at most, beside its pixels */ };

void sm_test_mutant_reset(struct sm_test_mutant *mutant)
{
    mutant->used = 64; /* nothing lies at offset 0 */
    mutant->object_count = 0;
}

static uint32_t next(struct sm_test_mutant *mutant)
{
    return sm_test_random_next(&mutant->random);
}

uint32_t sm_test_mutant_pick(struct sm_test_mutant *mutant, uint32_t limit)
{
    return next(mutant) % limit;
}

bool sm_test_mutant_chance(struct sm_test_mutant *mutant, uint32_t in)
{
    return in && sm_test_mutant_pick(mutant, in) == 0;
}

static bool is_wild(struct sm_test_mutant *mutant)
{
    return sm_test_mutant_chance(mutant, mutant->wildness);
}

uint64_t sm_test_mutant_wild_address(struct sm_test_mutant *mutant)
{
    uint64_t any = (uint64_t)next(mutant) << 32 | next(mutant);
    switch (sm_test_mutant_pick(mutant, 6)) {
    case 0:
        return any;
    case 1:
        return mutant->address_base | (any % (mutant->size + 64));
    case 2:
        return mutant->address_base | (mutant->size - any % 256);
    case 3:
        return mutant->address_base ^ (uint64_t)1 << (48 + any % 16);
    case 4:
        return 0;
    default:
        return mutant->object_count
                   ? mutant->objects[sm_test_mutant_pick(mutant, mutant->object_count)]
                   : 1;
    }
}

uint32_t sm_test_mutant_wild_number(struct sm_test_mutant *mutant)
{
    static const uint32_t numbers[] = {0,          1,          0x7f,       0x80,       0xff,
                                       0x100,      0x7fff,     0x8000,     0xffff,     0x10000,
                                       0x7fffffff, 0x80000000, 0xffffffff, 0xfffffffe, 0x40000000,
                                       0x3fffffff, 0x20000001, 0x10000001};
    uint32_t count = sizeof(numbers) / sizeof(numbers[0]);
    uint32_t pick = sm_test_mutant_pick(mutant, count + 2);
    return pick < count ? numbers[pick] : next(mutant);
}

static uint32_t number(struct sm_test_mutant *mutant, uint32_t value)
{
    return is_wild(mutant) ? sm_test_mutant_wild_number(mutant) : value;
}

static uint64_t address(struct sm_test_mutant *mutant, uint64_t value)
{
    return is_wild(mutant) ? sm_test_mutant_wild_address(mutant) : value;
}

/* Puts bytes behind everything else; 0 if there is no room. */
static uint64_t put(struct sm_test_mutant *mutant, const void *data, size_t size)
{
    if (size > mutant->size - mutant->used)
        return 0;
    uint64_t at = mutant->address_base | mutant->used;
    memcpy(mutant->memory + mutant->used, data, size);
    mutant->used += size;
    if (mutant->object_count < MUTANT_MAX_OBJECTS)
        mutant->objects[mutant->object_count++] = at;
    return at;
}

/* One chunk of up to 512 random bytes. */
static uint64_t put_chunk(struct sm_test_mutant *mutant, const void *data, uint32_t size,
                          uint64_t link)
{
    uint8_t bytes[sizeof(QXLDataChunk) + 512];
    QXLDataChunk head = {.data_size = number(mutant, size), .next_chunk = address(mutant, link)};
    memcpy(bytes, &head, sizeof(head));
    for (uint32_t i = 0; i < size; i++)
        bytes[sizeof(head) + i] = data ? ((const uint8_t *)data)[i] : (uint8_t)next(mutant);
    return put(mutant, bytes, sizeof(head) + size);
}

/* `size` bytes in one or more chunks. */
static uint64_t put_chain(struct sm_test_mutant *mutant, const uint8_t *data, uint32_t size)
{
    uint64_t link = 0;
    while (size > 0) {
        uint32_t part = 1 + sm_test_mutant_pick(mutant, 512);
        part = part > size ? size : part;
        link = put_chunk(mutant, data ? data + size - part : NULL, part, link);
        size -= part;
    }
    return link ? link : put_chunk(mutant, NULL, 0, 0);
}

static const struct {
    uint8_t format, bits;
} FORMATS[] = {{1, 1}, {2, 1}, {3, 4}, {4, 4}, {5, 8}, {6, 16}, {7, 24}, {8, 32}, {9, 32}, {10, 8}};

static uint64_t put_palette(struct sm_test_mutant *mutant)
{
    uint8_t bytes[sizeof(QXLPalette) + 256 * 4];
    uint32_t count = 1 + sm_test_mutant_pick(mutant, 256);
    QXLPalette head = {.unique = next(mutant), .num_ents = (uint16_t)number(mutant, count)};
    memcpy(bytes, &head, sizeof(head));
    for (uint32_t i = 0; i < count * 4; i++)
        bytes[sizeof(head) + i] = (uint8_t)next(mutant);
    return put(mutant, bytes, sizeof(head) + count * 4);
}

static uint64_t put_bitmap(struct sm_test_mutant *mutant, bool is_mask, uint32_t width,
                           uint32_t height)
{
    uint32_t pick = is_mask ? sm_test_mutant_pick(mutant, 2)
                            : sm_test_mutant_pick(mutant, sizeof(FORMATS) / sizeof(FORMATS[0]));
    uint32_t stride = (width * FORMATS[pick].bits + 7) / 8 + sm_test_mutant_pick(mutant, 2) * 3;
    QXLImage image = {
        .descriptor = {.id = next(mutant),
                       .flags = (uint8_t)sm_test_mutant_pick(mutant, 4),
                       .width = width,
                       .height = height},
        .bitmap = {.format = (uint8_t)number(mutant, FORMATS[pick].format),
                   .flags = (uint8_t)(sm_test_mutant_pick(mutant, 4) << 1),
                   .x = number(mutant, width),
                   .y = number(mutant, height),
                   .stride = number(mutant, stride),
                   .palette = address(mutant, FORMATS[pick].bits <= 8 ? put_palette(mutant) : 0),
                   .data = address(mutant, put_chain(mutant, NULL, stride * height))}};
    return put(mutant, &image, sizeof(image));
}

static uint64_t put_quic(struct sm_test_mutant *mutant, uint32_t width, uint32_t height)
{
    uint32_t stream[32] = {0x43495551, 0, 1 + sm_test_mutant_pick(mutant, 5), width, height};
    for (unsigned i = 5; i < 32; i++)
        stream[i] = next(mutant);
    QXLImage image = {
        .descriptor = {.type = 1, .width = number(mutant, width), .height = number(mutant, height)},
        .quic = {.data_size = number(mutant, sizeof(stream))}};
    uint64_t at = put(mutant, &image, 22);
    (void)put_chunk(mutant, stream, sizeof(stream), 0);
    return at;
}

static uint64_t put_image(struct sm_test_mutant *mutant, bool is_mask, int32_t surface_id)
{
    uint32_t width = 1 + sm_test_mutant_pick(mutant, 40);
    uint32_t height = 1 + sm_test_mutant_pick(mutant, 40);
    uint32_t pick = sm_test_mutant_pick(mutant, 12);
    if (surface_id >= 0 && pick < 5) {
        QXLImage image = {.descriptor = {.type = 104},
                          .surface_image = {.surface_id = number(mutant, (uint32_t)surface_id)}};
        return put(mutant, &image, 22);
    }
    if (pick == 11 && !is_mask)
        return put_quic(mutant, width, height);
    uint64_t at = put_bitmap(mutant, is_mask, width, height);
    if (at && is_wild(mutant))
        mutant->memory[(at ^ mutant->address_base) + 8] = (uint8_t)next(mutant); /* its type */
    return address(mutant, at);
}

QXLRect sm_test_mutant_rect(struct sm_test_mutant *mutant)
{
    QXLRect rect;
    rect.left = (int32_t)sm_test_mutant_pick(mutant, 600);
    rect.top = (int32_t)sm_test_mutant_pick(mutant, 440);
    rect.right = rect.left + 1 + (int32_t)sm_test_mutant_pick(mutant, 40);
    rect.bottom = rect.top + 1 + (int32_t)sm_test_mutant_pick(mutant, 40);
    rect.left = (int32_t)number(mutant, (uint32_t)rect.left);
    rect.top = (int32_t)number(mutant, (uint32_t)rect.top);
    rect.right = (int32_t)number(mutant, (uint32_t)rect.right);
    rect.bottom = (int32_t)number(mutant, (uint32_t)rect.bottom);
    return rect;
}

/* A part of a picture of at least 1 x 1 pixels. */
static QXLRect source_area(struct sm_test_mutant *mutant)
{
    QXLRect rect = {.right = 1, .bottom = 1};
    if (sm_test_mutant_chance(mutant, 2)) {
        rect.right += (int32_t)sm_test_mutant_pick(mutant, 8);
        rect.bottom += (int32_t)sm_test_mutant_pick(mutant, 8);
    }
    rect.left = (int32_t)number(mutant, 0);
    rect.bottom = (int32_t)number(mutant, (uint32_t)rect.bottom);
    return rect;
}

static QXLBrush brush(struct sm_test_mutant *mutant, int32_t surface_id)
{
    QXLBrush result = {.type = number(mutant, sm_test_mutant_pick(mutant, 3))};
    if (result.type == 2) {
        result.u.pattern.pat = put_image(mutant, false, surface_id);
        result.u.pattern.pos = (QXLPoint){(int32_t)number(mutant, 3), (int32_t)number(mutant, 4)};
    } else {
        result.u.color = next(mutant);
    }
    return result;
}

static QXLQMask mask(struct sm_test_mutant *mutant, int32_t surface_id)
{
    QXLQMask result = {.flags = (uint8_t)next(mutant)};
    if (sm_test_mutant_chance(mutant, 3)) {
        result.pos = (QXLPoint){(int32_t)number(mutant, 3), (int32_t)number(mutant, 4)};
        result.bitmap = put_image(mutant, true, surface_id);
    }
    return result;
}

static uint16_t ropd(struct sm_test_mutant *mutant)
{
    return (uint16_t)(sm_test_mutant_chance(mutant, 2) ? 8 : next(mutant));
}

static uint64_t put_path(struct sm_test_mutant *mutant)
{
    uint32_t words[128];
    uint32_t used = 0, segments = 1 + sm_test_mutant_pick(mutant, 4);
    for (uint32_t i = 0; i < segments; i++) {
        uint32_t points = sm_test_mutant_pick(mutant, 10);
        words[used++] = next(mutant);
        words[used++] = number(mutant, points);
        for (uint32_t p = 0; p < 2 * points; p++)
            words[used++] = number(mutant, sm_test_mutant_pick(mutant, 640 * 16));
    }
    uint32_t size = used * 4;
    uint32_t data_size = number(mutant, size);
    uint64_t at = put(mutant, &data_size, 4);
    (void)put_chunk(mutant, words, size, 0);
    return at;
}

static uint64_t put_string(struct sm_test_mutant *mutant)
{
    uint8_t bytes[480];
    uint32_t size = 0, count = 1 + sm_test_mutant_pick(mutant, 6);
    uint32_t kind = sm_test_mutant_pick(mutant, 3); /* 1, 4 or 8 bits */
    for (uint32_t i = 0; i < count; i++) {
        QXLRasterGlyph glyph = {
            .render_pos = {(int32_t)number(mutant, 20 + i * 9), (int32_t)number(mutant, 30)},
            .glyph_origin = {(int32_t)number(mutant, 0), (int32_t)number(mutant, 0)},
            .width = (uint16_t)number(mutant, 6),
            .height = (uint16_t)number(mutant, 7)};
        memcpy(bytes + size, &glyph, sizeof(glyph));
        size += sizeof(glyph);
        uint32_t data = (6u * (kind == 0 ? 1 : kind == 1 ? 4 : 8) + 7) / 8 * 7;
        for (uint32_t k = 0; k < data; k++)
            bytes[size++] = (uint8_t)next(mutant);
    }
    QXLString head = {.data_size = number(mutant, size),
                      .length = (uint16_t)number(mutant, count),
                      .flags = (uint16_t)number(mutant, 1u << kind)};
    uint64_t at = put(mutant, &head, 8);
    (void)put_chunk(mutant, bytes, size, 0);
    return at;
}

static QXLClip clip(struct sm_test_mutant *mutant)
{
    QXLClip result = {.type = number(mutant, sm_test_mutant_chance(mutant, 3))};
    if (result.type == 0)
        return result;
    QXLRect rects[8];
    uint32_t count = 1 + sm_test_mutant_pick(mutant, 8);
    for (uint32_t i = 0; i < count; i++)
        rects[i] = sm_test_mutant_rect(mutant);
    uint32_t claimed = number(mutant, count);
    result.data = put(mutant, &claimed, 4);
    (void)put_chunk(mutant, rects, count * sizeof(QXLRect), 0);
    result.data = address(mutant, result.data);
    return result;
}

static uint64_t put_transform(struct sm_test_mutant *mutant)
{
    uint32_t words[6] = {65536, 0, 0, 0, 65536, 0};
    for (unsigned i = 0; i < 6; i++)
        words[i] = number(mutant, words[i]);
    return put(mutant, words, sizeof(words));
}

static void fill_union(struct sm_test_mutant *mutant, QXLDrawable *d, int32_t from)
{
    switch (d->type) {
    case QXL_DRAW_FILL:
        d->u.fill = (QXLFill){brush(mutant, from), ropd(mutant), mask(mutant, from)};
        break;
    case QXL_DRAW_OPAQUE:
        d->u.opaque.brush = brush(mutant, from);
        d->u.opaque.mask = mask(mutant, from);
        d->u.opaque.rop_descriptor = ropd(mutant);
        break;
    case QXL_DRAW_COPY:
    case QXL_DRAW_BLEND:
        d->u.copy.mask = mask(mutant, from);
        d->u.copy.rop_descriptor = ropd(mutant);
        d->u.copy.scale_mode = (uint8_t)number(mutant, sm_test_mutant_pick(mutant, 2));
        break;
    case QXL_COPY_BITS:
        d->u.copy_bits.src_pos = (QXLPoint){(int32_t)number(mutant, 7), (int32_t)number(mutant, 9)};
        return;
    case QXL_DRAW_BLACKNESS:
    case QXL_DRAW_WHITENESS:
    case QXL_DRAW_INVERS:
        d->u.invers.mask = mask(mutant, from);
        return;
    case QXL_DRAW_ROP3:
        d->u.rop3.brush = brush(mutant, from);
        d->u.rop3.mask = mask(mutant, from);
        d->u.rop3.rop3 = (uint8_t)next(mutant);
        break;
    case QXL_DRAW_STROKE:
        d->u.stroke.path = address(mutant, put_path(mutant));
        d->u.stroke.attr.flags = (uint8_t)next(mutant);
        d->u.stroke.attr.style_nseg = (uint8_t)number(mutant, 2);
        d->u.stroke.attr.style = address(mutant, put(mutant, "\x20\0\0\0\x30\0\0\0", 8));
        d->u.stroke.brush = brush(mutant, from);
        d->u.stroke.fore_mode = ropd(mutant);
        return;
    case QXL_DRAW_TEXT:
        d->u.text.str = address(mutant, put_string(mutant));
        d->u.text.back_area = sm_test_mutant_rect(mutant);
        d->u.text.fore_brush = brush(mutant, from);
        d->u.text.back_brush = brush(mutant, from);
        d->u.text.fore_mode = ropd(mutant);
        return;
    case QXL_DRAW_TRANSPARENT:
        d->u.transparent.true_color = next(mutant);
        break;
    case QXL_DRAW_ALPHA_BLEND:
        d->u.alpha_blend.alpha_flags = (uint16_t)next(mutant);
        d->u.alpha_blend.alpha = (uint8_t)next(mutant);
        d->u.alpha_blend.src_bitmap = put_image(mutant, false, from);
        d->u.alpha_blend.src_area = source_area(mutant);
        return;
    case QXL_DRAW_COMPOSITE:
        d->u.composite.flags =
            number(mutant, sm_test_mutant_pick(mutant, 14) | (next(mutant) & 0x1c3ff00 & ~0x6c00u));
        d->u.composite.src = put_image(mutant, false, from);
        d->u.composite.mask = sm_test_mutant_chance(mutant, 2) ? put_image(mutant, false, from) : 0;
        d->u.composite.src_transform = sm_test_mutant_chance(mutant, 3) ? put_transform(mutant) : 0;
        d->u.composite.mask_transform =
            sm_test_mutant_chance(mutant, 3) ? put_transform(mutant) : 0;
        return;
    default:
        return;
    }
    /* The rest begin with a source and its area. */
    if (d->type != QXL_DRAW_FILL) {
        d->u.copy.src_bitmap = put_image(mutant, false, from);
        d->u.copy.src_area = source_area(mutant);
    }
}

uint64_t sm_test_mutant_pixels(const struct sm_test_mutant *mutant, uint32_t surface_id)
{
    return mutant->address_base | (mutant->size / 2 + surface_id * (size_t)(640 * 480 * 4));
}

static uint64_t put_drawable(struct sm_test_mutant *mutant)
{
    QXLDrawable d = {
        .surface_id = number(mutant, sm_test_mutant_pick(mutant, 4)),
        .effect = (uint8_t)sm_test_mutant_pick(mutant, 9),
        .type = (uint8_t)number(mutant, sm_test_mutant_pick(mutant, 15)),
        .self_bitmap = sm_test_mutant_chance(mutant, 8),
        .self_bitmap_area = sm_test_mutant_rect(mutant),
        .bbox = sm_test_mutant_rect(mutant),
        .clip = clip(mutant),
    };
    int32_t from = sm_test_mutant_chance(mutant, 2) ? (int32_t)sm_test_mutant_pick(mutant, 4) : -1;
    for (unsigned i = 0; i < 3; i++) {
        d.surfaces_dest[i] = (int32_t)number(mutant, (uint32_t)(i == 0 ? from : -1));
        d.surfaces_rects[i] = sm_test_mutant_rect(mutant);
    }
    fill_union(mutant, &d, from);
    return put(mutant, &d, sizeof(d));
}

static uint64_t put_surface_command(struct sm_test_mutant *mutant)
{
    static const uint32_t formats[] = {32, 32, 96, 96, 16, 80, 8, 1};
    uint32_t width = 640, height = 480;
    uint32_t id = 1 + sm_test_mutant_pick(mutant, 3);
    QXLSurfaceCmd command = {
        .surface_id = number(mutant, id),
        .type = (uint8_t)number(mutant, sm_test_mutant_chance(mutant, 3)),
        .flags = next(mutant) & 1,
        .u.surface_create = {.format = number(mutant, formats[sm_test_mutant_pick(mutant, 8)]),
                             .width = number(mutant, width),
                             .height = number(mutant, height),
                             .stride = (int32_t)number(
                                 mutant, sm_test_mutant_chance(mutant, 3) ? (uint32_t)-2560 : 2560),
                             .data = address(mutant, sm_test_mutant_pixels(mutant, id))}};
    return put(mutant, &command, sizeof(command));
}

uint64_t sm_test_mutant_surface(struct sm_test_mutant *mutant, uint32_t id)
{
    static const uint32_t formats[] = {32, 96, 8};
    QXLSurfaceCmd command = {.surface_id = id,
                             .type = QXL_SURFACE_CMD_CREATE,
                             .u.surface_create = {.format = formats[id - 1],
                                                  .width = 640,
                                                  .height = 480,
                                                  .stride = 2560,
                                                  .data = sm_test_mutant_pixels(mutant, id)}};
    return put(mutant, &command, sizeof(command));
}

uint64_t sm_test_mutant_command(struct sm_test_mutant *mutant, uint32_t *type)
{
    if (mutant->used + RESERVE + 64 * 1024 > mutant->size / 2)
        return 0;
    uint32_t pick = sm_test_mutant_pick(mutant, 20);
    if (pick < 15) {
        *type = QXL_CMD_DRAW;
        return put_drawable(mutant);
    }
    if (pick < 18) {
        *type = QXL_CMD_SURFACE;
        return put_surface_command(mutant);
    }
    if (pick == 18) {
        QXLUpdateCmd update = {.area = sm_test_mutant_rect(mutant),
                               .update_id = next(mutant),
                               .surface_id = number(mutant, sm_test_mutant_pick(mutant, 4))};
        *type = QXL_CMD_UPDATE;
        return put(mutant, &update, sizeof(update));
    }
    uint8_t message[40] = {0};
    for (unsigned i = 8; i < sizeof(message); i++)
        message[i] = (uint8_t)next(mutant);
    *type = QXL_CMD_MESSAGE;
    return put(mutant, message, sizeof(message));
}

uint64_t sm_test_mutant_cursor(struct sm_test_mutant *mutant)
{
    if (mutant->used + RESERVE + 64 * 1024 > mutant->size / 2)
        return 0;
    QXLCursorCmd command = {.type = (uint8_t)number(mutant, sm_test_mutant_pick(mutant, 4))};
    if (command.type == QXL_CURSOR_SET) {
        QXLCursor cursor = {
            .header = {.unique = sm_test_mutant_pick(mutant, 400),
                       .type = (uint16_t)number(mutant, sm_test_mutant_pick(mutant, 7)),
                       .width = (uint16_t)number(mutant, 8),
                       .height = (uint16_t)number(mutant, 8),
                       .hot_spot_x = (uint16_t)number(mutant, 2),
                       .hot_spot_y = (uint16_t)number(mutant, 2)},
            .data_size = number(mutant, 1400)};
        command.u.set.shape = put(mutant, &cursor, 22);
        uint64_t rest = mutant->address_base | (mutant->used + sizeof(QXLDataChunk) + 400);
        (void)put_chunk(mutant, NULL, 400, rest);
        rest = mutant->address_base | (mutant->used + sizeof(QXLDataChunk) + 500);
        (void)put_chunk(mutant, NULL, 500, rest);
        (void)put_chunk(mutant, NULL, 500, 0);
        command.u.set.shape = address(mutant, command.u.set.shape);
        command.u.set.visible = 1;
    } else {
        command.u.position = (QXLPoint16){(int16_t)next(mutant), (int16_t)next(mutant)};
    }
    return put(mutant, &command, sizeof(command));
}

uint64_t sm_test_mutant_monitors(struct sm_test_mutant *mutant)
{
    uint8_t bytes[sizeof(QXLMonitorsConfig) + 4 * sizeof(QXLHead)];
    QXLMonitorsConfig head = {.count = (uint16_t)number(mutant, 1 + sm_test_mutant_pick(mutant, 4)),
                              .max_allowed = (uint16_t)number(mutant, 4)};
    for (unsigned i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)next(mutant);
    memcpy(bytes, &head, sizeof(head));
    return address(mutant, put(mutant, bytes, sizeof(bytes)));
}

void sm_test_mutant_scribble(uint8_t *memory, size_t size, struct sm_test_random *random)
{
    volatile uint8_t *at = memory + sm_test_random_next(random) % size;
    *at = (uint8_t)sm_test_random_next(random);
}
