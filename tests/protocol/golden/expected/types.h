/* SPDX-License-Identifier: MIT */
/* Made from protocol/types.wire; change that. */
/* What the example channel shares with others. */
#ifndef SM_CORE_WIRE_TYPES_H
#define SM_CORE_WIRE_TYPES_H

#include <stdint.h>

#include "sumac/bytes.h"

/** The most corners a shape may have. */
enum { SM_MAX_CORNERS = 64 };

/** A colour. */
enum sm_colour {
    SM_COLOUR_RED = 0,
    SM_COLOUR_GREEN = 1, /* like grass */
    SM_COLOUR_BLUE = 7,
};

/** How a shape is drawn. */
enum sm_style {
    SM_STYLE_FILLED = 0x01,
    SM_STYLE_DASHED = 0x10, /* only the outline */
};

/** A place. */
struct sm_corner {
    int16_t x;
    int16_t y;
};

/** Corners in order. */
struct sm_shape {
    uint8_t colour;
    uint32_t num_corners;
    const struct sm_corner *corners; /* at least none */
    uint16_t style;
    uint32_t gap;          /* pixels */
    struct sm_bytes label; /* what to write on it */
};

#endif
