/* SPDX-License-Identifier: MIT */
/* Drawing with transparency: a picture with a constant alpha, and text. See core/gfx/draw.h. */
#ifndef SM_CORE_GFX_BLEND_H
#define SM_CORE_GFX_BLEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/draw.h"
#include "core/gfx/ops.h"
#include "core/gfx/region.h"
#include "sumac/bytes.h"
#include "sumac/status.h"

/**
 * Lays the source, taken nearest and times `alpha` / 255, over the target. Sources of ARGB32 and A8
 * have alpha, all others 255 inside the picture; colours count as premultiplied.
 *
 * @param target_has_alpha  an XRGB32 target is treated as ARGB32
 */
void sm_gfx_alpha_blend(const struct sm_gfx_ops *ops, const struct sm_pixels *target,
                        const struct sm_region *region, struct sm_rect box,
                        const struct sm_gfx_source *source, uint32_t alpha, bool target_has_alpha);

/** A glyph's coverage, bottom row first, each row on a byte boundary. */
struct sm_gfx_glyph {
    int64_t left, top; /* target coordinates of the top-left corner */
    uint32_t width, height;
    struct sm_bytes data; /* borrowed; too short a glyph counts as blank */
};

struct sm_gfx_text {
    const struct sm_gfx_glyph *glyphs; /* borrowed */
    size_t count;
    unsigned depth; /* bits of coverage a pixel: 1, 4 or 8 */
};

/**
 * Paints the glyphs with `brush`. A solid brush has an opaque 0x00RRGGBB colour, or 555 on 16-bit
 * targets of both kinds; a tile counts from the top-left corner of the string's bounding box.
 *
 * @return SM_OK, SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_gfx_text(const struct sm_gfx_ops *ops,
                                        const struct sm_pixels *target,
                                        const struct sm_region *region,
                                        const struct sm_gfx_text *text,
                                        const struct sm_gfx_brush *brush);

#endif
