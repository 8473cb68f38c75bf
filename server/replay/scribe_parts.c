/* SPDX-License-Identifier: MIT */
/* Parts that several commands have, written down. parts.c reads them. */
#include "server/replay/scribe.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <spice/enums.h>

#include "server/replay/recording.h"

enum { TEXT_MAX = 200, PALETTE_MAX = 256 };

void sm_scribe_text(struct sm_scribe *r, const char *format, ...)
{
    char text[TEXT_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size < 0 || size > TEXT_MAX)
        r->failed = true;
    if (!r->failed)
        sm_put_bytes(r->out, (struct sm_bytes){(const uint8_t *)text, (size_t)size});
}

bool sm_scribe_copy(struct sm_scribe *r, uint64_t address, void *to, size_t size)
{
    if (!r->failed && !sm_memslots_copy(r->slots, address, r->group, to, size))
        r->failed = true;
    return !r->failed;
}

/* "binary 0 NAME SIZE:", and room for the bytes; NULL on failure. */
static uint8_t *begin_binary(struct sm_scribe *r, const char *name, size_t size)
{
    if (size > SM_RECORDING_ITEM_MAX)
        r->failed = true;
    sm_scribe_text(r, "binary 0 %s %zu:", name, size);
    uint8_t *room = r->failed ? NULL : sm_put_room(r->out, size);
    if (!room)
        r->failed = true;
    return room;
}

void sm_scribe_binary(struct sm_scribe *r, const char *name, uint64_t address, size_t size)
{
    const uint8_t *from =
        r->failed || !size ? NULL : sm_memslots_resolve(r->slots, address, size, r->group);
    if (!from && size)
        r->failed = true;
    uint8_t *room = begin_binary(r, name, size);
    if (room && size)
        sm_guest_memcpy(room, from, size);
    sm_scribe_text(r, "\n");
}

/* How many chunks and bytes there are; the chain may change before it is written down. */
static bool measure_chunks(struct sm_scribe *r, uint64_t address, size_t *count, size_t *total)
{
    *count = *total = 0;
    while (address != 0) {
        QXLDataChunk chunk;
        if (!sm_scribe_copy(r, address, &chunk, sizeof(chunk)))
            return false;
        *total += chunk.data_size;
        if (++*count > SM_RECORDING_CHUNKS_MAX || *total > SM_RECORDING_ITEM_MAX) {
            r->failed = true;
            return false;
        }
        address = chunk.next_chunk;
    }
    return *count > 0;
}

void sm_scribe_chunks(struct sm_scribe *r, const char *name, uint64_t address, size_t wanted)
{
    size_t count, total, written = 0;
    if (r->failed || !measure_chunks(r, address, &count, &total) ||
        (wanted != SIZE_MAX && total != wanted)) {
        r->failed = true;
        return;
    }
    sm_scribe_text(r, "data_chunks %zu %zu\n", count - 1, total);
    for (size_t i = 0; i < count && !r->failed; i++) {
        QXLDataChunk chunk;
        if (!address || !sm_scribe_copy(r, address, &chunk, sizeof(chunk)) ||
            chunk.data_size > total - written) {
            r->failed = true;
            return;
        }
        written += chunk.data_size;
        sm_scribe_binary(r, name, address + sizeof(chunk), chunk.data_size);
        address = chunk.next_chunk;
    }
    if (written != total)
        r->failed = true;
}

void sm_scribe_rect(struct sm_scribe *r, const char *name, const QXLRect *rect)
{
    sm_scribe_text(r, "rect %s %d %d %d %d\n", name, rect->top, rect->left, rect->bottom,
                   rect->right);
}

void sm_scribe_point(struct sm_scribe *r, QXLPoint point)
{
    sm_scribe_text(r, "point %d %d\n", point.x, point.y);
}

void sm_scribe_point16(struct sm_scribe *r, QXLPoint16 point)
{
    sm_scribe_text(r, "point16 %d %d\n", point.x, point.y);
}

uint32_t sm_scribe_color(const struct sm_scribe *r, uint32_t color)
{
    if (!r->is_555)
        return color;
    uint32_t channels[3] = {color >> 10 & 0x1f, color >> 5 & 0x1f, color & 0x1f};
    uint32_t wide = 0;
    for (unsigned i = 0; i < 3; i++)
        wide = wide << 8 | channels[i] << 3 | channels[i] >> 2;
    return wide;
}

static void record_palette(struct sm_scribe *r, uint64_t address)
{
    sm_scribe_text(r, "has_palette %d\n", address != 0);
    if (!address)
        return;
    QXLPalette palette;
    uint32_t entries[PALETTE_MAX];
    if (!sm_scribe_copy(r, address, &palette, sizeof(palette)))
        return;
    unsigned count = palette.num_ents < PALETTE_MAX ? palette.num_ents : PALETTE_MAX;
    if (count && !sm_scribe_copy(r, address + sizeof(palette), entries, count * sizeof(*entries)))
        return;
    sm_scribe_text(r, "qp.num_ents %u\nunique %" PRIu64 "\n", count, palette.unique);
    for (unsigned i = 0; i < count; i++)
        sm_scribe_text(r, "ents %d\n", (int32_t)sm_scribe_color(r, entries[i]));
}

static void record_bitmap(struct sm_scribe *r, uint64_t address)
{
    QXLBitmap bitmap;
    if (!sm_scribe_copy(r, address, &bitmap, sizeof(bitmap)))
        return;
    sm_scribe_text(r, "bitmap.format %d\nbitmap.flags %d\n", bitmap.format, bitmap.flags);
    sm_scribe_text(r, "bitmap.x %d\nbitmap.y %d\nbitmap.stride %d\n", (int32_t)bitmap.x,
                   (int32_t)bitmap.y, (int32_t)bitmap.stride);
    record_palette(r, bitmap.palette);
    uint64_t size = (uint64_t)bitmap.y * bitmap.stride;
    if (size > SM_RECORDING_ITEM_MAX)
        r->failed = true;
    else if (bitmap.flags & QXL_BITMAP_DIRECT)
        sm_scribe_binary(r, "image_data_flat", bitmap.data, (size_t)size);
    else
        sm_scribe_chunks(r, "bitmap.data", bitmap.data, (size_t)size);
}

void sm_scribe_image(struct sm_scribe *r, uint64_t address)
{
    sm_scribe_text(r, "image %d\n", address != 0);
    QXLImageDescriptor descriptor;
    if (!address || !sm_scribe_copy(r, address, &descriptor, sizeof(descriptor)))
        return;
    sm_scribe_text(r, "descriptor.id %" PRIu64 "\ndescriptor.type %d\ndescriptor.flags %d\n",
                   descriptor.id, descriptor.type, descriptor.flags);
    sm_scribe_text(r, "descriptor.width %d\ndescriptor.height %d\n", (int32_t)descriptor.width,
                   (int32_t)descriptor.height);
    uint32_t word;
    uint64_t body = address + sizeof(descriptor);
    switch (descriptor.type) {
    case SPICE_IMAGE_TYPE_BITMAP:
        record_bitmap(r, body);
        break;
    case SPICE_IMAGE_TYPE_SURFACE:
        if (sm_scribe_copy(r, body, &word, sizeof(word)))
            sm_scribe_text(r, "surface_image.surface_id %d\n", (int32_t)word);
        break;
    case SPICE_IMAGE_TYPE_QUIC:
        if (sm_scribe_copy(r, body, &word, sizeof(word))) {
            sm_scribe_text(r, "quic.data_size %d\n", (int32_t)word);
            sm_scribe_chunks(r, "quic.data", body + sizeof(word), word);
        }
        break;
    default:
        r->failed = true;
        break;
    }
}
