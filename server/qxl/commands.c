/* SPDX-License-Identifier: MIT */
#include "server/qxl/commands.h"

#include <string.h>

#include "core/base/math.h"
#include "core/base/reader.h"
#include "server/qxl/drawing_parts.h"

enum {
    SURFACE_COMMAND_CREATE = 0,
    SURFACE_COMMAND_DESTROY = 1,
    SURFACE_FLAG_KEEP_DATA = 1,
    MESSAGE_MAX_TEXT = 100000,
    HEAD_SIZE = 28,
    MONITORS_HEADER_SIZE = 4,
};

static struct sm_reader reader_of(const uint8_t *bytes, size_t size)
{
    return sm_reader((struct sm_bytes){.data = bytes, .size = size});
}

static enum sm_pixel_format surface_pixels(uint32_t format)
{
    switch (format) {
    case SM_SURFACE_FORMAT_1_A:
        return SM_PIXEL_A1;
    case SM_SURFACE_FORMAT_8_A:
        return SM_PIXEL_A8;
    case SM_SURFACE_FORMAT_16_555:
        return SM_PIXEL_RGB555;
    case SM_SURFACE_FORMAT_16_565:
        return SM_PIXEL_RGB565;
    case SM_SURFACE_FORMAT_32_XRGB:
        return SM_PIXEL_XRGB32;
    case SM_SURFACE_FORMAT_32_ARGB:
        return SM_PIXEL_ARGB32;
    default:
        return SM_PIXEL_NONE;
    }
}

enum sm_status sm_surface_memory_resolve(struct sm_pixels *out, const struct sm_memslots *slots,
                                         const struct sm_surface_memory *memory)
{
    enum sm_pixel_format format = surface_pixels(memory->format);
    if (format == SM_PIXEL_NONE) {
        sm_memslots_warn(slots, "surface format %u is unknown", memory->format);
        return SM_ERR_PROTOCOL;
    }
    if (memory->width == 0 || memory->height == 0 || memory->width > SM_MAX_SIDE ||
        memory->height > SM_MAX_SIDE || (uint64_t)memory->width * memory->height > SM_MAX_PIXELS) {
        sm_memslots_warn(slots, "surface of %u x %u pixels", memory->width, memory->height);
        return SM_ERR_PROTOCOL;
    }
    int64_t stride = memory->stride_bytes;
    uint64_t row_bytes = (uint64_t)(stride < 0 ? -stride : stride);
    uint64_t size = row_bytes * memory->height;
    if (stride == INT32_MIN || row_bytes < sm_pixel_row_bytes(format, memory->width) ||
        size > INT32_MAX) {
        sm_memslots_warn(slots, "surface of %u x %u pixels with a stride of %lld", memory->width,
                         memory->height, (long long)stride);
        return SM_ERR_PROTOCOL;
    }
    uint8_t *start = sm_memslots_resolve(slots, memory->address, (size_t)size, memory->group);
    if (!start)
        return SM_ERR_PROTOCOL;
    *out = (struct sm_pixels){
        .data = stride < 0 ? start + row_bytes * (memory->height - 1) : start,
        .stride_bytes = (ptrdiff_t)stride,
        .width = memory->width,
        .height = memory->height,
        .format = format,
    };
    return SM_OK;
}

void sm_surface_memory_clear(const struct sm_pixels *pixels)
{
    size_t row_bytes =
        (size_t)(pixels->stride_bytes < 0 ? -pixels->stride_bytes : pixels->stride_bytes);
    const uint8_t *lowest =
        pixels->stride_bytes < 0 ? sm_pixels_row(pixels, pixels->height - 1) : pixels->data;
    memset((uint8_t *)lowest, 0, row_bytes * pixels->height);
}

enum sm_status sm_surface_command_parse(struct sm_surface_command *out,
                                        const struct sm_memslots *slots, uint32_t group,
                                        uint64_t address)
{
    uint8_t bytes[SM_SURFACE_COMMAND_SIZE];
    if (!sm_memslots_copy(slots, address, group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = reader_of(bytes, sizeof(bytes));
    sm_skip(&r, 8);
    struct sm_surface_command command = {.memory.group = group};
    command.surface_id = sm_get_le32(&r);
    uint8_t type = sm_get_u8(&r);
    command.keep_data = sm_get_le32(&r) & SURFACE_FLAG_KEEP_DATA;
    command.memory.format = sm_get_le32(&r);
    command.memory.width = sm_get_le32(&r);
    command.memory.height = sm_get_le32(&r);
    command.memory.stride_bytes = (int32_t)sm_get_le32(&r);
    command.memory.address = sm_get_le64(&r);
    if (type > SURFACE_COMMAND_DESTROY) {
        sm_memslots_warn(slots, "surface command of unknown type %u", type);
        return SM_ERR_PROTOCOL;
    }
    command.is_create = type == SURFACE_COMMAND_CREATE;
    *out = command;
    return SM_OK;
}

enum sm_status sm_update_command_parse(struct sm_update_command *out,
                                       const struct sm_memslots *slots, uint32_t group,
                                       uint32_t flags, uint64_t address)
{
    uint8_t bytes[SM_UPDATE_COMMAND_SIZE] = {0};
    size_t size = flags & SM_QXL_COMPAT ? SM_UPDATE_COMPAT_COMMAND_SIZE : SM_UPDATE_COMMAND_SIZE;
    if (!sm_memslots_copy(slots, address, group, bytes, size))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = reader_of(bytes, sizeof(bytes)); /* the old layout has only surface 0 */
    sm_skip(&r, 8);
    out->area = sm_qxl_get_rect(&r);
    out->update_id = sm_get_le32(&r);
    out->surface_id = sm_get_le32(&r);
    return SM_OK;
}

bool sm_message_command_check(const struct sm_memslots *slots, uint32_t group, uint64_t address)
{
    const size_t header = SM_MESSAGE_COMMAND_SIZE;
    size_t room = sm_memslots_room(slots, address, group);
    if (room <= header)
        return false;
    room = sm_min_size(room - header, MESSAGE_MAX_TEXT);
    const uint8_t *text = sm_memslots_resolve(slots, address, header + room, group);
    if (!text || !memchr(text + header, 0, room)) {
        sm_memslots_warn(slots, "message without an end");
        return false;
    }
    return true;
}

static struct sm_head get_head(struct sm_reader *r)
{
    struct sm_head head;
    head.monitor_id = sm_get_le32(r);
    head.surface_id = sm_get_le32(r);
    head.width = sm_get_le32(r);
    head.height = sm_get_le32(r);
    head.x = sm_get_le32(r);
    head.y = sm_get_le32(r);
    head.flags = sm_get_le32(r);
    return head;
}

enum sm_status sm_monitors_parse(struct sm_monitors *out, const struct sm_memslots *slots,
                                 uint32_t group, uint64_t address, bool *is_readable)
{
    uint8_t bytes[MONITORS_HEADER_SIZE + HEAD_SIZE * SM_MAX_HEADS];
    *is_readable = sm_memslots_copy(slots, address, group, bytes, MONITORS_HEADER_SIZE + HEAD_SIZE);
    if (!*is_readable)
        return SM_ERR_PROTOCOL;
    struct sm_reader r = reader_of(bytes, MONITORS_HEADER_SIZE);
    uint32_t count = sm_get_le16(&r);
    uint32_t max_allowed = sm_get_le16(&r);
    if (count == 0 || count > max_allowed) {
        sm_memslots_warn(slots, "monitors config of %u heads, %u allowed", count, max_allowed);
        return SM_ERR_PROTOCOL;
    }
    if (!sm_memslots_resolve(slots, address, MONITORS_HEADER_SIZE + (size_t)count * HEAD_SIZE,
                             group))
        return SM_ERR_PROTOCOL;
    count = sm_min_u32(count, SM_MAX_HEADS);
    if (!sm_memslots_copy(slots, address, group, bytes,
                          MONITORS_HEADER_SIZE + (size_t)count * HEAD_SIZE))
        return SM_ERR_PROTOCOL;
    r = reader_of(bytes + MONITORS_HEADER_SIZE, (size_t)count * HEAD_SIZE);
    for (uint32_t i = 0; i < count; i++)
        out->heads[i] = get_head(&r);
    out->count = count;
    out->max_allowed = max_allowed;
    return SM_OK;
}
