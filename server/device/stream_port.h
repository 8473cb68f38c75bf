/* SPDX-License-Identifier: MIT */
/*
 * What a guest's streaming agent says on its port: messages with a header of 8 bytes, cut anywhere.
 * Source: docs/devices.md, "Streams of the guest's own".
 */
#ifndef SM_SERVER_DEVICE_STREAM_PORT_H
#define SM_SERVER_DEVICE_STREAM_PORT_H

#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"
#include "sumac/status.h"

enum sm_stream_port_type {
    SM_STREAM_PORT_CAPABILITIES = 1,
    SM_STREAM_PORT_FORMAT = 2,
    SM_STREAM_PORT_DATA = 3,
    SM_STREAM_PORT_START_STOP = 4,   /* ours */
    SM_STREAM_PORT_NOTIFY_ERROR = 5, /* ours */
    SM_STREAM_PORT_CURSOR_SET = 6,
    SM_STREAM_PORT_CURSOR_MOVE = 7,
    SM_STREAM_PORT_DISPLAY_INFO = 8,
};

enum {
    SM_STREAM_PORT_HEADER_SIZE = 8,
    SM_STREAM_PORT_VERSION = 1,
    SM_STREAM_PORT_MAX_SIDE = 32768, /* pixels of a picture */
    SM_STREAM_PORT_MAX_CURSOR_SIDE = 1024,
    SM_STREAM_PORT_MAX_DATA = 32 << 20, /* bytes of a frame */
    SM_STREAM_PORT_MAX_ADDRESS = 256,
};

/** A message; only the fields of its type are set. */
struct sm_stream_port_msg {
    uint16_t type;
    struct sm_bytes data;   /* DATA, CURSOR_SET, DISPLAY_INFO (the address); borrowed, see _got() */
    uint32_t width, height; /* FORMAT, CURSOR_SET; pixels, in range */
    uint8_t codec;          /* FORMAT: enum sm_video_codec */
    uint8_t cursor_type;    /* CURSOR_SET: enum sm_cursor_type, with enough data */
    uint16_t hot_x, hot_y;
    int32_t x, y;                          /* CURSOR_MOVE */
    uint32_t stream_id, device_display_id; /* DISPLAY_INFO */
};

/** Zeroed by sm_stream_port_init(). Thread: one at a time. */
struct sm_stream_port {
    uint8_t header[SM_STREAM_PORT_HEADER_SIZE];
    size_t header_size; /* bytes got of it */
    uint16_t type;
    uint32_t size; /* of the body */
    uint8_t *body; /* owned; grows with what has come */
    size_t got, capacity;
    const char *error; /* static; NULL: none. Once set nothing is understood any more */
};

void sm_stream_port_init(struct sm_stream_port *port);

/** Frees the memory; the port is as after init. */
void sm_stream_port_finish(struct sm_stream_port *port);

/**
 * Where the next bytes go.
 *
 * @param room  receives how many may be put there, at least 1
 * @return NULL without memory
 */
uint8_t *sm_stream_port_room(struct sm_stream_port *port, size_t *room);

/**
 * `size` bytes were put there.
 *
 * @param msg  receives a message that is whole; its bytes are borrowed until the next call
 * @return SM_OK for a message; SM_AGAIN if more has to come; SM_ERR_PROTOCOL: port->error says why
 */
SM_NODISCARD enum sm_status sm_stream_port_got(struct sm_stream_port *port, size_t size,
                                               struct sm_stream_port_msg *msg);

#endif
