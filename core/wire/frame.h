/* SPDX-License-Identifier: MIT */
/*
 * The header in front of every data message, in its two forms, and the list of messages that travel
 * inside another one. Source: docs/wire/frame.md.
 */
#ifndef SM_CORE_WIRE_FRAME_H
#define SM_CORE_WIRE_FRAME_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/writer.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

enum {
    SM_FRAME_MINI_SIZE = 6,
    SM_FRAME_FULL_SIZE = 18,
    SM_FRAME_SUB_SIZE = 6,  /* the header of a message inside another one */
    SM_FRAME_MAX_SUBS = 64, /* the reference server sends at most 2 */
};

/** The header of a data message; of the mini form only `type` and `size` are on the wire. */
struct sm_frame {
    uint64_t serial;
    uint16_t type;
    uint32_t size;     /* bytes in the body */
    uint32_t sub_list; /* offset of a list of messages inside the body; 0 for none */
};

static inline size_t sm_frame_size(bool is_mini)
{
    return is_mini ? SM_FRAME_MINI_SIZE : SM_FRAME_FULL_SIZE;
}

/** Where `size` stands in a header. */
static inline size_t sm_frame_size_offset(bool is_mini)
{
    return is_mini ? 2 : 10;
}

/** Reads a header from sm_frame_size() bytes; what is missing is zero. */
struct sm_frame sm_frame_parse(struct sm_bytes bytes, bool is_mini);

void sm_frame_build(struct sm_writer *w, const struct sm_frame *frame, bool is_mini);

/**
 * How many messages the list at `offset` of `body` holds.
 *
 * @return SM_OK; SM_ERR_PROTOCOL if it is empty or the list or a message of it does not lie inside
 *         the body; SM_ERR_LIMIT for more than SM_FRAME_MAX_SUBS
 */
SM_NODISCARD enum sm_status sm_frame_sub_count(struct sm_bytes body, uint32_t offset,
                                               uint32_t *count);

/**
 * Item `index` of a list that sm_frame_sub_count() found good. A stated size beyond the end of
 * `body` is clamped: the reference server states too much.
 *
 * @param type  receives the type of the message
 * @return its body, borrowed from `body`
 */
struct sm_bytes sm_frame_sub(struct sm_bytes body, uint32_t offset, uint32_t index, uint16_t *type);

#endif
