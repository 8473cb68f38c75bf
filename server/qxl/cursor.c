/* SPDX-License-Identifier: MIT */
/* Commands of the cursor ring. */
#include <stdlib.h>

#include "core/base/math.h"
#include "core/base/reader.h"
#include "server/qxl/chunks.h"
#include "server/qxl/commands.h"

enum {
    SHAPE_HEADER_SIZE = 22,     /* then the first chunk */
    SHAPE_MAX_PIXELS = 1 << 20, /* as the wire has it */
    SHAPE_MAX_BYTES = 8000000,  /* a message with it stays below the wire's limit */
};

size_t sm_cursor_shape_size(uint8_t type, uint16_t width, uint16_t height)
{
    size_t pixels = (size_t)width * height;
    size_t mask = ((size_t)width + 7) / 8 * height;
    switch (type) {
    case SM_CURSOR_TYPE_ALPHA:
        return 4 * pixels;
    case SM_CURSOR_TYPE_MONO:
        return 2 * mask;
    case SM_CURSOR_TYPE_COLOR4:
        return ((size_t)width + 1) / 2 * height + 16 * 4 + mask;
    case SM_CURSOR_TYPE_COLOR8:
        return pixels + 256 * 4 + mask;
    case SM_CURSOR_TYPE_COLOR16:
        return 2 * pixels + mask;
    case SM_CURSOR_TYPE_COLOR24:
        return 3 * pixels + mask;
    case SM_CURSOR_TYPE_COLOR32:
        return 4 * pixels + mask;
    default:
        return 0;
    }
}

static enum sm_status get_shape(struct sm_cursor_command *command, const struct sm_memslots *slots,
                                uint32_t group, uint64_t address)
{
    uint8_t bytes[SHAPE_HEADER_SIZE];
    if (address == 0 || !sm_memslots_copy(slots, address, group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    struct sm_cursor shape = {0};
    shape.unique = sm_get_le64(&r);
    uint16_t type = sm_get_le16(&r);
    shape.width = sm_get_le16(&r);
    shape.height = sm_get_le16(&r);
    shape.hot_spot_x = sm_get_le16(&r);
    shape.hot_spot_y = sm_get_le16(&r);
    uint32_t data_size = sm_get_le32(&r);
    shape.type = (uint8_t)type;
    size_t needed = sm_cursor_shape_size(shape.type, shape.width, shape.height);
    if (type > SM_CURSOR_TYPE_COLOR32 || needed == 0 || needed > SHAPE_MAX_BYTES ||
        (uint32_t)shape.width * shape.height > SHAPE_MAX_PIXELS || data_size < needed) {
        sm_memslots_warn(slots, "cursor of type %u, %u x %u pixels, %u bytes", type, shape.width,
                         shape.height, data_size);
        return SM_ERR_PROTOCOL;
    }
    struct sm_chunk_data data;
    enum sm_status status =
        sm_chunks_read(&data, slots, address + sizeof(bytes), group, SHAPE_MAX_BYTES);
    if (status)
        return status;
    if (data.size < needed) {
        sm_memslots_warn(slots, "cursor of %zu bytes instead of %zu", data.size, needed);
        free(data.data);
        return SM_ERR_PROTOCOL;
    }
    shape.data = (struct sm_bytes){.data = data.data, .size = needed};
    command->shape = shape;
    command->shape_data = data.data;
    return SM_OK;
}

static struct sm_point16 get_position(struct sm_reader *r)
{
    struct sm_point16 point;
    point.x = (int16_t)sm_get_le16(r);
    point.y = (int16_t)sm_get_le16(r);
    return point;
}

enum sm_status sm_cursor_command_parse(struct sm_cursor_command *out,
                                       const struct sm_memslots *slots, uint32_t group,
                                       uint64_t address)
{
    uint8_t bytes[SM_CURSOR_COMMAND_SIZE];
    if (!sm_memslots_copy(slots, address, group, bytes, sizeof(bytes)))
        return SM_ERR_PROTOCOL;
    struct sm_reader r = sm_reader((struct sm_bytes){.data = bytes, .size = sizeof(bytes)});
    sm_skip(&r, 8);
    uint8_t type = sm_get_u8(&r);
    struct sm_cursor_command command = {.type = (enum sm_cursor_command_type)type};
    switch (type) {
    case SM_CURSOR_SET: {
        command.position = get_position(&r);
        command.is_visible = sm_get_u8(&r) != 0;
        uint64_t shape = sm_get_le64(&r);
        enum sm_status status = get_shape(&command, slots, group, shape);
        if (status)
            return status;
        break;
    }
    case SM_CURSOR_MOVE:
        command.position = get_position(&r);
        break;
    case SM_CURSOR_HIDE:
        break;
    case SM_CURSOR_TRAIL:
        command.trail_length = sm_get_le16(&r);
        command.trail_frequency = sm_get_le16(&r);
        break;
    default:
        sm_memslots_warn(slots, "cursor command of unknown type %u", type);
        return SM_ERR_PROTOCOL;
    }
    *out = command;
    return SM_OK;
}

void sm_cursor_command_finish(struct sm_cursor_command *command)
{
    free(command->shape_data);
    *command = (struct sm_cursor_command){0};
}
