/* SPDX-License-Identifier: MIT */
/*
 * The frames on a webdav channel: several connections of the guest over one stream. Each frame has
 * the number of its connection, a size, and so many bytes; without any, the connection has ended.
 * Source: docs/folders.md, "On the wire".
 */
#ifndef SM_CORE_CHANNEL_SPICEVMC_DAV_MUX_H
#define SM_CORE_CHANNEL_SPICEVMC_DAV_MUX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/bytes.h"

enum {
    SM_DAV_HEADER_SIZE = 10, /* i64 connection, u16 size, little-endian */
    SM_DAV_FRAME_MAX = 65535,
};

/** Reads frames. Zero-initialised it is ready. Thread: one at a time. */
struct sm_dav_mux {
    uint8_t header[SM_DAV_HEADER_SIZE];
    size_t header_filled;
    int64_t connection; /* of the frame at hand */
    size_t left;        /* bytes of it that have not come */
};

/** A part of what a connection carries. */
struct sm_dav_piece {
    int64_t connection;
    struct sm_bytes data; /* borrowed from the input; empty: the connection has ended */
};

/**
 * Takes the next piece.
 *
 * @param in  what has come; moved behind what was taken
 * @return false if all of it is used up and there was no piece
 */
bool sm_dav_mux_next(struct sm_dav_mux *mux, struct sm_bytes *in, struct sm_dav_piece *piece);

/** Writes the header of a frame of `size` bytes, at most SM_DAV_FRAME_MAX. */
void sm_dav_mux_header(uint8_t out[SM_DAV_HEADER_SIZE], int64_t connection, size_t size);

#endif
