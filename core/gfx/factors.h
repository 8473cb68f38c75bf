/* SPDX-License-Identifier: MIT */
/* The Porter-Duff operators as pairs of factors. Private to core/gfx. */
#ifndef SM_CORE_GFX_FACTORS_H
#define SM_CORE_GFX_FACTORS_H

#include <stdint.h>

#include "core/gfx/composite.h"

/* How much of an operand an operator keeps. */
enum factor {
    ZERO,
    ONE,
    ALPHA_D, /* the target's alpha */
    CLEAR_D, /* 255 less that */
    ALPHA_S, /* the source's alpha as the channel sees it */
    CLEAR_S,
};

struct factors {
    uint8_t s, d;
};

static const struct factors PORTER_DUFF[] = {
    [SM_GFX_COMPOSITE_CLEAR] = {ZERO, ZERO},
    [SM_GFX_COMPOSITE_SRC] = {ONE, ZERO},
    [SM_GFX_COMPOSITE_DST] = {ZERO, ONE},
    [SM_GFX_COMPOSITE_OVER] = {ONE, CLEAR_S},
    [SM_GFX_COMPOSITE_OVER_REVERSE] = {CLEAR_D, ONE},
    [SM_GFX_COMPOSITE_IN] = {ALPHA_D, ZERO},
    [SM_GFX_COMPOSITE_IN_REVERSE] = {ZERO, ALPHA_S},
    [SM_GFX_COMPOSITE_OUT] = {CLEAR_D, ZERO},
    [SM_GFX_COMPOSITE_OUT_REVERSE] = {ZERO, CLEAR_S},
    [SM_GFX_COMPOSITE_ATOP] = {ALPHA_D, CLEAR_S},
    [SM_GFX_COMPOSITE_ATOP_REVERSE] = {CLEAR_D, ALPHA_S},
    [SM_GFX_COMPOSITE_XOR] = {CLEAR_D, CLEAR_S},
    [SM_GFX_COMPOSITE_ADD] = {ONE, ONE},
};

static inline uint32_t factor_value(enum factor factor, uint32_t alpha_s, uint32_t alpha_d)
{
    switch (factor) {
    case ONE:
        return 255;
    case ALPHA_D:
        return alpha_d;
    case CLEAR_D:
        return 255 - alpha_d;
    case ALPHA_S:
        return alpha_s;
    case CLEAR_S:
        return 255 - alpha_s;
    default:
        return 0;
    }
}

#endif
