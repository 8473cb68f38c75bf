/* SPDX-License-Identifier: MIT */
/* Made from protocol/example.wire; change that. */
/* A channel that exists only here. */
#ifndef SM_CORE_WIRE_EXAMPLE_H
#define SM_CORE_WIRE_EXAMPLE_H

#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/writer.h"
#include "core/wire/types.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/** What the ends of the example can do. */
enum sm_example_cap {
    SM_EXAMPLE_CAP_CELLS = 0,
};

/** Messages from server to client. */
enum sm_example_msg_type {
    SM_MSG_EXAMPLE_DRAW = 101,
    SM_MSG_EXAMPLE_CLEAR = 102,
    SM_MSG_EXAMPLE_CELLS = 103,
};

/** Messages from client to server. */
enum sm_example_msgc_type {
    SM_MSGC_EXAMPLE_CELLS = 103,
    SM_MSGC_EXAMPLE_PICK = 104,
};

/** Pixels of a given depth. */
struct sm_cell {
    uint8_t width;
    struct sm_bytes pixels;
};

/** Server to client, 101. Draws a shape. */
struct sm_msg_example_draw {
    const struct sm_shape *shape; /* never NULL; what */
    const struct sm_shape *under; /* what it covers */
    struct sm_corner at;
    uint64_t serial;
    uint8_t secret[4];
    int16_t marks[3];
};

/** Server to client, 103. Cells up to the end. Needs CELLS. */
struct sm_msg_example_cells {
    uint8_t depth;
    uint32_t num_cells;
    const struct sm_cell *cells;
    struct sm_bytes rest;
};

/** Client to server, 103. Cells up to the end. Needs CELLS. */
struct sm_msgc_example_cells {
    uint8_t depth;
    uint32_t num_cells;
    const struct sm_cell *cells;
    struct sm_bytes rest;
};

/** Client to server, 104. Chooses one. */
struct sm_msgc_example_pick {
    uint32_t num_choices;
    const uint32_t *choices;
};

/** Any message from server to client. */
struct sm_example_msg {
    uint16_t type;
    union {
        struct sm_msg_example_draw draw;
        struct sm_msg_example_cells cells;
    };
};

/**
 * Parses the body of a message, the data header not included. Bytes behind the last field are
 * ignored.
 *
 * @param out     untouched on failure; its arrays and pointers live in `arena`, its bytes in `body`
 * @param reason  NULL, or receives a static text on failure that names message and field
 * @return SM_OK; SM_ERR_PROTOCOL, also for an unknown type; SM_ERR_LIMIT if a count, a size or
 *         `arena` is exceeded; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_example_msg_parse(struct sm_example_msg *out, uint16_t type,
                                                 struct sm_bytes body, struct sm_arena *arena,
                                                 const char **reason);

/**
 * Appends the body of `msg` to `w`: fixed part first, then the targets of its pointers.
 *
 * @return SM_OK; SM_ERR_STATE if a parser would refuse the message, SM_ERR_LIMIT if a count does
 *         not fit the wire (both leave `w` as it was), or the status of `w`
 */
SM_NODISCARD enum sm_status sm_example_msg_build(struct sm_writer *w,
                                                 const struct sm_example_msg *msg);

/** The name of a message as in the protocol, in lower case; "unknown" for others. */
const char *sm_example_msg_name(uint16_t type);

/** The largest body we take, in bytes; 0 for an unknown type. */
uint32_t sm_example_msg_max_size(uint16_t type);

/** Any message from client to server. */
struct sm_example_msgc {
    uint16_t type;
    union {
        struct sm_msgc_example_cells cells;
        struct sm_msgc_example_pick pick;
    };
};

/**
 * Parses the body of a message, the data header not included. Bytes behind the last field are
 * ignored.
 *
 * @param out     untouched on failure; its arrays and pointers live in `arena`, its bytes in `body`
 * @param reason  NULL, or receives a static text on failure that names message and field
 * @return SM_OK; SM_ERR_PROTOCOL, also for an unknown type; SM_ERR_LIMIT if a count, a size or
 *         `arena` is exceeded; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_example_msgc_parse(struct sm_example_msgc *out, uint16_t type,
                                                  struct sm_bytes body, struct sm_arena *arena,
                                                  const char **reason);

/**
 * Appends the body of `msg` to `w`: fixed part first, then the targets of its pointers.
 *
 * @return SM_OK; SM_ERR_STATE if a parser would refuse the message, SM_ERR_LIMIT if a count does
 *         not fit the wire (both leave `w` as it was), or the status of `w`
 */
SM_NODISCARD enum sm_status sm_example_msgc_build(struct sm_writer *w,
                                                  const struct sm_example_msgc *msg);

/** The name of a message as in the protocol, in lower case; "unknown" for others. */
const char *sm_example_msgc_name(uint16_t type);

/** The largest body we take, in bytes; 0 for an unknown type. */
uint32_t sm_example_msgc_max_size(uint16_t type);

#endif
