/* SPDX-License-Identifier: MIT */
/* Parts that several recorded commands have. */
#include "server/replay/command.h"

#include <spice/enums.h>

void *sm_replay_alloc(struct sm_replay_builder *b, size_t size)
{
    void *room = b->in->failed ? NULL : sm_arena_alloc(&b->command->arena, size, 1);
    if (!room)
        b->in->failed = true;
    return room;
}

QXLRect sm_replay_read_rect(struct sm_replay_builder *b, const char *name)
{
    QXLRect rect = {0};
    sm_recording_word(b->in, "rect");
    rect.top = (int32_t)sm_recording_int(b->in, name);
    rect.left = (int32_t)sm_recording_int(b->in, NULL);
    rect.bottom = (int32_t)sm_recording_int(b->in, NULL);
    rect.right = (int32_t)sm_recording_int(b->in, NULL);
    return rect;
}

QXLPoint sm_replay_read_point(struct sm_replay_builder *b)
{
    QXLPoint point = {0};
    point.x = (int32_t)sm_recording_int(b->in, "point");
    point.y = (int32_t)sm_recording_int(b->in, NULL);
    return point;
}

QXLPoint16 sm_replay_read_point16(struct sm_replay_builder *b)
{
    QXLPoint16 point = {0};
    point.x = (int16_t)sm_recording_int(b->in, "point16");
    point.y = (int16_t)sm_recording_int(b->in, NULL);
    return point;
}

/* The total in the file is for people; the items say their own sizes. */
void *sm_replay_read_chunks(struct sm_replay_builder *b, const char *name, size_t head,
                            size_t *total)
{
    *total = 0;
    int64_t more = sm_recording_range(b->in, "data_chunks", 0, SM_RECORDING_CHUNKS_MAX);
    (void)sm_recording_int(b->in, NULL);
    size_t size;
    uint8_t *first = sm_recording_binary(b->in, name, &b->command->arena, head, &size);
    if (!first)
        return NULL;
    *total = size;
    QXLDataChunk *last = (QXLDataChunk *)(void *)(first + head - sizeof(QXLDataChunk));
    last->data_size = (uint32_t)size;
    for (int64_t i = 0; i < more; i++) {
        QXLDataChunk *next =
            sm_recording_binary(b->in, name, &b->command->arena, sizeof(QXLDataChunk), &size);
        if (!next)
            return NULL;
        next->data_size = (uint32_t)size;
        next->prev_chunk = (uintptr_t)last;
        last->next_chunk = (uintptr_t)next;
        last = next;
        *total += size;
    }
    return first;
}

static QXLPHYSICAL read_palette(struct sm_replay_builder *b)
{
    if (!sm_recording_range(b->in, "has_palette", 0, 1))
        return 0;
    uint16_t count = (uint16_t)sm_recording_range(b->in, "qp.num_ents", 0, UINT16_MAX);
    QXLPalette *palette = sm_replay_alloc(b, sizeof(*palette) + count * sizeof(uint32_t));
    if (!palette)
        return 0;
    palette->unique = sm_recording_u64(b->in, "unique");
    palette->num_ents = count;
    for (uint16_t i = 0; i < count; i++)
        palette->ents[i] = (uint32_t)sm_recording_int(b->in, "ents");
    return (uintptr_t)palette;
}

static void read_bitmap(struct sm_replay_builder *b, QXLBitmap *bitmap)
{
    bitmap->format = (uint8_t)sm_recording_int(b->in, "bitmap.format");
    bitmap->flags = (uint8_t)sm_recording_int(b->in, "bitmap.flags");
    bitmap->x = (uint32_t)sm_recording_int(b->in, "bitmap.x");
    bitmap->y = (uint32_t)sm_recording_int(b->in, "bitmap.y");
    bitmap->stride = (uint32_t)sm_recording_int(b->in, "bitmap.stride");
    bitmap->palette = read_palette(b);
    size_t size;
    void *data;
    if (bitmap->flags & QXL_BITMAP_DIRECT)
        data = sm_recording_binary(b->in, "image_data_flat", &b->command->arena, 0, &size);
    else
        data = sm_replay_read_chunks(b, "bitmap.data", sizeof(QXLDataChunk), &size);
    if (size != (uint64_t)bitmap->y * bitmap->stride)
        b->in->failed = true;
    bitmap->data = (uintptr_t)data;
}

/* The compressed data follows the image's head, chunk header first. */
static QXLImage *read_quic(struct sm_replay_builder *b)
{
    int64_t stated = sm_recording_int(b->in, "quic.data_size");
    size_t size;
    QXLImage *image = sm_replay_read_chunks(
        b, "quic.data", offsetof(QXLImage, quic.data) + sizeof(QXLDataChunk), &size);
    if (!image)
        return NULL;
    if (stated < 0 || (uint64_t)stated != size)
        b->in->failed = true;
    image->quic.data_size = (uint32_t)size;
    return image;
}

QXLPHYSICAL sm_replay_read_image(struct sm_replay_builder *b)
{
    if (!sm_recording_range(b->in, "image", 0, 1))
        return 0;
    QXLImageDescriptor descriptor = {0};
    descriptor.id = sm_recording_u64(b->in, "descriptor.id");
    descriptor.type = (uint8_t)sm_recording_int(b->in, "descriptor.type");
    descriptor.flags = (uint8_t)sm_recording_int(b->in, "descriptor.flags");
    descriptor.width = (uint32_t)sm_recording_int(b->in, "descriptor.width");
    descriptor.height = (uint32_t)sm_recording_int(b->in, "descriptor.height");

    QXLImage *image = NULL;
    if (descriptor.type == SPICE_IMAGE_TYPE_QUIC)
        image = read_quic(b);
    else
        image = sm_replay_alloc(b, sizeof(*image));
    if (!image)
        return 0;
    image->descriptor = descriptor;
    switch (descriptor.type) {
    case SPICE_IMAGE_TYPE_BITMAP:
        read_bitmap(b, &image->bitmap);
        break;
    case SPICE_IMAGE_TYPE_SURFACE:
        image->surface_image.surface_id = (uint32_t)sm_replay_surface_id(
            b->surfaces, sm_recording_int(b->in, "surface_image.surface_id"));
        break;
    case SPICE_IMAGE_TYPE_QUIC:
        break;
    default:
        b->in->failed = true;
        break;
    }
    return (uintptr_t)image;
}
