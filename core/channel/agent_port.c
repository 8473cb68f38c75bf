/* SPDX-License-Identifier: MIT */
#include "core/channel/agent_port.h"

#include <string.h>

#include "core/base/math.h"

void sm_agent_port_reset(struct sm_agent_port_reader *reader)
{
    *reader = (struct sm_agent_port_reader){0};
}

static bool has_piece(const struct sm_agent_port_reader *reader)
{
    return reader->wanted > 0 && reader->filled == reader->wanted;
}

/* Begins the next piece of the current chunk, if it has more. */
static void begin_piece(struct sm_agent_port_reader *reader)
{
    reader->filled = 0;
    reader->wanted = sm_min_u32(reader->left, SM_AGENT_PIECE_MAX);
    reader->left -= (uint32_t)reader->wanted;
}

size_t sm_agent_port_wanted(const struct sm_agent_port_reader *reader)
{
    if (reader->wanted == 0)
        return sizeof(reader->header) - reader->header_filled;
    return reader->wanted - reader->filled;
}

static enum sm_status on_header(struct sm_agent_port_reader *reader)
{
    struct sm_agent_chunk_header header;
    struct sm_bytes bytes = {.data = reader->header, .size = sizeof(reader->header)};
    enum sm_status status = sm_agent_chunk_header_parse(&header, bytes, NULL);
    if (status != SM_OK)
        return status;
    if (header.port != SM_AGENT_PORT_CLIENT && header.port != SM_AGENT_PORT_SERVER)
        return SM_ERR_PROTOCOL;
    reader->header_filled = 0;
    reader->port = header.port;
    reader->left = header.size;
    begin_piece(reader); /* an empty chunk leads to the next header */
    return SM_OK;
}

enum sm_status sm_agent_port_feed(struct sm_agent_port_reader *reader, struct sm_bytes in,
                                  size_t *taken)
{
    *taken = 0;
    while (*taken < in.size && !has_piece(reader)) {
        size_t part = sm_min_size(in.size - *taken, sm_agent_port_wanted(reader));
        bool is_header = reader->wanted == 0;
        uint8_t *to =
            is_header ? reader->header + reader->header_filled : reader->piece + reader->filled;
        memcpy(to, in.data + *taken, part);
        *taken += part;
        if (!is_header) {
            reader->filled += part;
            continue;
        }
        reader->header_filled += part;
        if (reader->header_filled < sizeof(reader->header))
            break;
        enum sm_status status = on_header(reader);
        if (status != SM_OK)
            return status;
    }
    return SM_OK;
}

bool sm_agent_port_next(struct sm_agent_port_reader *reader, struct sm_agent_port_piece *piece)
{
    if (!has_piece(reader))
        return false;
    *piece = (struct sm_agent_port_piece){
        .port = reader->port, .data = reader->piece, .size = reader->filled};
    begin_piece(reader);
    return true;
}

void sm_agent_port_put(struct sm_writer *w, enum sm_agent_port port, struct sm_bytes data)
{
    sm_put_le32(w, port);
    sm_put_le32(w, (uint32_t)data.size);
    sm_put_bytes(w, data);
}

void sm_agent_port_put_message(struct sm_writer *w, uint32_t type, struct sm_bytes body)
{
    sm_put_le32(w, SM_AGENT_PORT_SERVER);
    sm_put_le32(w, (uint32_t)(SM_AGENT_HEADER_SIZE + body.size));
    sm_put_le32(w, SM_AGENT_PROTOCOL);
    sm_put_le32(w, type);
    sm_put_le64(w, 0);
    sm_put_le32(w, (uint32_t)body.size);
    sm_put_bytes(w, body);
}
