/* SPDX-License-Identifier: MIT */
#include "io/websocket_frames.h"

#include <string.h>

#include "core/base/math.h"

enum {
    FIN = 0x80,
    RESERVED = 0x70,
    OPCODE = 0x0f,
    CONTROL = 0x08,
    MASKED = 0x80,
    LENGTH = 0x7f,
    LENGTH_16 = 126,
    LENGTH_64 = 127,
};

static enum sm_status fail(struct sm_websocket_decoder *d, const char *reason)
{
    d->reason = reason;
    return SM_ERR_PROTOCOL;
}

/* Bytes the header has, as far as what is there of it tells. */
static size_t header_needs(const struct sm_websocket_decoder *d)
{
    if (d->header_size < 2)
        return 2;
    size_t needs = 2;
    uint8_t length = d->header[1] & LENGTH;
    if (length == LENGTH_16)
        needs += 2;
    else if (length == LENGTH_64)
        needs += 8;
    return needs + (d->header[1] & MASKED ? 4 : 0);
}

static uint64_t big_endian(const uint8_t *from, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | from[i];
    return value;
}

static enum sm_status check_data_frame(struct sm_websocket_decoder *d, uint8_t opcode,
                                       bool is_final)
{
    if (opcode > SM_WEBSOCKET_BINARY)
        return fail(d, "WebSocket: unknown opcode");
    if (opcode == SM_WEBSOCKET_CONTINUATION && !d->is_message_open)
        return fail(d, "WebSocket: continuation of nothing");
    if (opcode != SM_WEBSOCKET_CONTINUATION && d->is_message_open)
        return fail(d, "WebSocket: a message inside another");
    d->is_message_open = !is_final;
    return SM_OK;
}

static enum sm_status start_payload(struct sm_websocket_decoder *d)
{
    uint8_t opcode = d->header[0] & OPCODE, length = d->header[1] & LENGTH;
    bool is_final = d->header[0] & FIN;
    if (d->header[0] & RESERVED)
        return fail(d, "WebSocket: reserved bits are set");

    const uint8_t *pos = d->header + 2;
    d->left = length;
    if (length >= LENGTH_16) {
        size_t size = length == LENGTH_16 ? 2 : 8;
        d->left = big_endian(pos, size);
        pos += size;
    }
    if (d->left >> 63)
        return fail(d, "WebSocket: impossible frame length");
    memset(d->mask, 0, sizeof(d->mask));
    if (d->header[1] & MASKED)
        memcpy(d->mask, pos, sizeof(d->mask));
    d->position = 0;
    d->control_size = 0;
    d->is_in_payload = true;

    if (!(opcode & CONTROL))
        return check_data_frame(d, opcode, is_final);
    if (opcode > SM_WEBSOCKET_PONG)
        return fail(d, "WebSocket: unknown opcode");
    if (!is_final || d->left > SM_WEBSOCKET_CONTROL_MAX)
        return fail(d, "WebSocket: fragmented or oversized control frame");
    return SM_OK;
}

/* Moves what it can of the payload; returns how many bytes. */
static size_t move_payload(struct sm_websocket_decoder *d, struct sm_bytes in, uint8_t *to,
                           size_t room)
{
    size_t size = sm_min_size(in.size, room);
    if (size > d->left)
        size = (size_t)d->left;
    sm_websocket_mask(to, in.data, size, d->mask, d->position);
    d->position += size;
    d->left -= size;
    return size;
}

static void end_frame(struct sm_websocket_decoder *d, struct sm_websocket_step *step)
{
    uint8_t opcode = d->header[0] & OPCODE;
    if (opcode & CONTROL) {
        step->control_opcode = opcode;
        step->control = (struct sm_bytes){.data = d->control, .size = d->control_size};
    }
    d->header_size = 0;
    d->is_in_payload = false;
}

enum sm_status sm_websocket_decode(struct sm_websocket_decoder *d, struct sm_bytes in, uint8_t *out,
                                   size_t out_size, struct sm_websocket_step *step)
{
    *step = (struct sm_websocket_step){0};
    for (;;) {
        if (d->is_in_payload && d->left == 0) {
            end_frame(d, step);
            if (step->control_opcode)
                return SM_OK;
        }
        struct sm_bytes rest = {.data = in.data + step->taken, .size = in.size - step->taken};
        if (rest.size == 0)
            return SM_OK;
        if (!d->is_in_payload) {
            d->header[d->header_size++] = rest.data[0];
            step->taken++;
            if (d->header_size < header_needs(d))
                continue;
            enum sm_status status = start_payload(d);
            if (status != SM_OK)
                return status;
        } else if (d->header[0] & CONTROL) {
            size_t moved = move_payload(d, rest, d->control + d->control_size,
                                        sizeof(d->control) - d->control_size);
            d->control_size += moved;
            step->taken += moved;
        } else {
            size_t moved = move_payload(d, rest, out + step->put, out_size - step->put);
            if (moved == 0)
                return SM_OK; /* the output is full */
            step->put += moved;
            step->taken += moved;
        }
    }
}

size_t sm_websocket_header_build(uint8_t out[SM_WEBSOCKET_HEADER_MAX],
                                 enum sm_websocket_opcode opcode, uint64_t payload_size,
                                 const uint8_t *mask)
{
    size_t size = 2, length_size = 0;
    out[0] = (uint8_t)(FIN | opcode);
    if (payload_size < LENGTH_16) {
        out[1] = (uint8_t)payload_size;
    } else {
        length_size = payload_size <= UINT16_MAX ? 2 : 8;
        out[1] = length_size == 2 ? LENGTH_16 : LENGTH_64;
    }
    for (size_t i = 0; i < length_size; i++)
        out[size++] = (uint8_t)(payload_size >> (8 * (length_size - 1 - i)));
    if (mask) {
        out[1] |= MASKED;
        memcpy(out + size, mask, 4);
        size += 4;
    }
    return size;
}

void sm_websocket_mask(uint8_t *to, const uint8_t *from, size_t size, const uint8_t mask[4],
                       uint64_t position)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i] ^ mask[(position + i) % 4];
}
