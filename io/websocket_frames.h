/* SPDX-License-Identifier: MIT */
/*
 * WebSocket framing (RFC 6455) as a pure function of bytes: frames around a stream. Message
 * boundaries mean nothing here. Source: docs/wire, "WebSocket".
 */
#ifndef SM_IO_WEBSOCKET_FRAMES_H
#define SM_IO_WEBSOCKET_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

enum sm_websocket_opcode {
    SM_WEBSOCKET_CONTINUATION = 0,
    SM_WEBSOCKET_TEXT = 1,
    SM_WEBSOCKET_BINARY = 2,
    SM_WEBSOCKET_CLOSE = 8,
    SM_WEBSOCKET_PING = 9,
    SM_WEBSOCKET_PONG = 10,
};

enum {
    SM_WEBSOCKET_HEADER_MAX = 14,
    SM_WEBSOCKET_CONTROL_MAX = 125,
};

/** Takes frames apart. Thread: one at a time. All zero is the start. */
struct sm_websocket_decoder {
    uint8_t header[SM_WEBSOCKET_HEADER_MAX];
    size_t header_size; /* bytes of it seen so far */
    bool is_in_payload;
    bool is_message_open; /* a fragmented message has begun */
    uint64_t left;        /* payload bytes of the frame to come */
    uint64_t position;    /* in the payload, for the mask */
    uint8_t mask[4];      /* zero without one */
    uint8_t control[SM_WEBSOCKET_CONTROL_MAX];
    size_t control_size;
    const char *reason; /* static; set with a failure */
};

/** What one step of decoding gave. */
struct sm_websocket_step {
    size_t taken;            /* of the input */
    size_t put;              /* stream bytes written to the output */
    uint8_t control_opcode;  /* a whole control frame came: CLOSE, PING or PONG; else 0 */
    struct sm_bytes control; /* its payload, borrowed from the decoder until the next step */
};

/**
 * Decodes until the input is used up, the output is full, or a control frame is complete.
 *
 * @return SM_OK; SM_ERR_PROTOCOL with `reason` in the decoder, which is then of no more use
 */
SM_NODISCARD enum sm_status sm_websocket_decode(struct sm_websocket_decoder *decoder,
                                                struct sm_bytes in, uint8_t *out, size_t out_size,
                                                struct sm_websocket_step *step);

/**
 * Builds the header of a final frame.
 *
 * @param mask  four bytes, or NULL for none
 * @return its size in bytes
 */
size_t sm_websocket_header_build(uint8_t out[SM_WEBSOCKET_HEADER_MAX],
                                 enum sm_websocket_opcode opcode, uint64_t payload_size,
                                 const uint8_t *mask);

/** Applies `mask` to `size` bytes at `position` of a payload. `to` may be `from`. */
void sm_websocket_mask(uint8_t *to, const uint8_t *from, size_t size, const uint8_t mask[4],
                       uint64_t position);

#endif
