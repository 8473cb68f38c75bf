/* SPDX-License-Identifier: MIT */
#include "server/device/stream_port.h"

#include <stdlib.h>

#include "core/base/reader.h"
#include "core/channel/cursor/shape.h"
#include "core/wire/cursor.h"
#include "core/wire/display.h"

enum {
    GROWTH = 64 << 10, /* bytes of memory ahead of what has come */
    KEPT = 1 << 20,    /* of memory between messages */
    FORMAT_SIZE = 12,
    MOVE_SIZE = 8,
    CURSOR_HEADER = 12,
    INFO_HEADER = 12,
    MAX_CAPABILITIES = 1024,
    MAX_CURSOR =
        CURSOR_HEADER + (SM_STREAM_PORT_MAX_CURSOR_SIDE * 4 + 128) * SM_STREAM_PORT_MAX_CURSOR_SIDE,
};

void sm_stream_port_init(struct sm_stream_port *port)
{
    *port = (struct sm_stream_port){0};
}

void sm_stream_port_finish(struct sm_stream_port *port)
{
    free(port->body);
    sm_stream_port_init(port);
}

static enum sm_status fail(struct sm_stream_port *port, const char *error)
{
    port->error = error;
    return SM_ERR_PROTOCOL;
}

/* ---- headers ---- */

/* NULL if a body may have this size. */
static const char *wrong_size(uint16_t type, uint32_t size)
{
    switch (type) {
    case SM_STREAM_PORT_CAPABILITIES:
        return size <= MAX_CAPABILITIES ? NULL : "Wrong size for StreamMsgCapabilities";
    case SM_STREAM_PORT_FORMAT:
        return size == FORMAT_SIZE ? NULL : "Wrong size for StreamMsgFormat";
    case SM_STREAM_PORT_DATA:
        return size <= SM_STREAM_PORT_MAX_DATA ? NULL : "STREAM_DATA too large";
    case SM_STREAM_PORT_CURSOR_SET:
        return size >= CURSOR_HEADER && size <= MAX_CURSOR ? NULL : "Cursor size is invalid";
    case SM_STREAM_PORT_CURSOR_MOVE:
        return size == MOVE_SIZE ? NULL : "Wrong size for StreamMsgCursorMove";
    case SM_STREAM_PORT_DISPLAY_INFO:
        if (size < INFO_HEADER)
            return "Protocol error";
        return size <= INFO_HEADER + SM_STREAM_PORT_MAX_ADDRESS
                   ? NULL
                   : "StreamMsgDeviceDisplayInfo too large";
    default:
        return "Invalid message type";
    }
}

static enum sm_status take_header(struct sm_stream_port *port)
{
    struct sm_reader r =
        sm_reader((struct sm_bytes){.data = port->header, .size = sizeof(port->header)});
    uint8_t version = sm_get_u8(&r);
    (void)sm_get_u8(&r); /* padding */
    port->type = sm_get_le16(&r);
    port->size = sm_get_le32(&r);
    port->got = 0;
    if (version != SM_STREAM_PORT_VERSION)
        return fail(port, "Protocol error");
    const char *wrong = wrong_size(port->type, port->size);
    return wrong ? fail(port, wrong) : SM_AGAIN;
}

/* ---- bodies ---- */

static enum sm_status take_format(struct sm_stream_port *port, struct sm_reader r,
                                  struct sm_stream_port_msg *msg)
{
    msg->width = sm_get_le32(&r);
    msg->height = sm_get_le32(&r);
    msg->codec = sm_get_u8(&r);
    if (msg->width < 1 || msg->width > SM_STREAM_PORT_MAX_SIDE || msg->height < 1 ||
        msg->height > SM_STREAM_PORT_MAX_SIDE || msg->codec < SM_VIDEO_CODEC_MJPEG ||
        msg->codec > SM_VIDEO_CODEC_AV1)
        return fail(port, "Protocol error");
    return SM_OK;
}

static enum sm_status take_cursor(struct sm_stream_port *port, struct sm_reader r,
                                  struct sm_stream_port_msg *msg)
{
    msg->width = sm_get_le16(&r);
    msg->height = sm_get_le16(&r);
    msg->hot_x = sm_get_le16(&r);
    msg->hot_y = sm_get_le16(&r);
    msg->cursor_type = sm_get_u8(&r);
    sm_skip(&r, 3);
    bool is_known = msg->cursor_type == SM_CURSOR_TYPE_ALPHA ||
                    msg->cursor_type == SM_CURSOR_TYPE_COLOR24 ||
                    msg->cursor_type == SM_CURSOR_TYPE_COLOR32;
    if (!is_known || msg->width > SM_STREAM_PORT_MAX_CURSOR_SIDE ||
        msg->height > SM_STREAM_PORT_MAX_CURSOR_SIDE)
        return fail(port, "Protocol error");
    uint64_t needed = sm_cursor_shape_bytes(msg->cursor_type, msg->width, msg->height);
    if (sm_left(&r) < needed)
        return fail(port, "Protocol error");
    msg->data = sm_get_bytes(&r, (size_t)needed);
    return SM_OK;
}

static void take_info(struct sm_reader r, struct sm_stream_port_msg *msg)
{
    msg->stream_id = sm_get_le32(&r);
    msg->device_display_id = sm_get_le32(&r);
    uint32_t size = sm_get_le32(&r);
    /* One that claims more than there is has none. */
    msg->data = size <= sm_left(&r) ? sm_get_bytes(&r, size) : (struct sm_bytes){0};
}

static enum sm_status take_body(struct sm_stream_port *port, struct sm_stream_port_msg *msg)
{
    struct sm_bytes body = {.data = port->body, .size = port->size};
    struct sm_reader r = sm_reader(body);
    *msg = (struct sm_stream_port_msg){.type = port->type};
    port->header_size = 0;
    switch (port->type) {
    case SM_STREAM_PORT_FORMAT:
        return take_format(port, r, msg);
    case SM_STREAM_PORT_DATA:
        msg->data = body;
        return SM_OK;
    case SM_STREAM_PORT_CURSOR_SET:
        return take_cursor(port, r, msg);
    case SM_STREAM_PORT_CURSOR_MOVE:
        msg->x = (int32_t)sm_get_le32(&r);
        msg->y = (int32_t)sm_get_le32(&r);
        return SM_OK;
    case SM_STREAM_PORT_DISPLAY_INFO:
        take_info(r, msg);
        return SM_OK;
    default:
        return SM_OK; /* CAPABILITIES: no bit has a meaning yet */
    }
}

/* ---- bytes ---- */

/* Memory follows what comes, so nobody gets it for an announcement. */
static bool grow(struct sm_stream_port *port)
{
    size_t wanted = port->got * 2 > GROWTH ? port->got * 2 : GROWTH;
    if (wanted > port->size)
        wanted = port->size;
    uint8_t *body = realloc(port->body, wanted);
    if (!body)
        return false;
    port->body = body;
    port->capacity = wanted;
    return true;
}

uint8_t *sm_stream_port_room(struct sm_stream_port *port, size_t *room)
{
    if (port->header_size < sizeof(port->header)) {
        if (port->header_size == 0 && port->capacity > KEPT) {
            free(port->body);
            port->body = NULL;
            port->capacity = 0;
        }
        *room = sizeof(port->header) - port->header_size;
        return port->header + port->header_size;
    }
    if (port->got == port->capacity && !grow(port))
        return NULL;
    size_t end = port->capacity < port->size ? port->capacity : port->size;
    *room = end - port->got;
    return port->body + port->got;
}

enum sm_status sm_stream_port_got(struct sm_stream_port *port, size_t size,
                                  struct sm_stream_port_msg *msg)
{
    if (port->error)
        return SM_ERR_PROTOCOL;
    if (port->header_size < sizeof(port->header)) {
        port->header_size += size;
        if (port->header_size < sizeof(port->header))
            return SM_AGAIN;
        enum sm_status status = take_header(port);
        if (status != SM_AGAIN)
            return status;
    } else {
        port->got += size;
    }
    return port->got == port->size ? take_body(port, msg) : SM_AGAIN;
}
