/* SPDX-License-Identifier: MIT */
/* From a command's source to a sampler. Private to core/gfx. */
#ifndef SM_CORE_GFX_SOURCE_H
#define SM_CORE_GFX_SOURCE_H

#include "core/base/geometry.h"
#include "core/gfx/draw.h"
#include "core/gfx/sample.h"

/**
 * A sampler that scales the source's area to `box`, which is not empty. Its positions before the
 * transform count from the box's top-left corner.
 */
struct sm_gfx_sampler sm_gfx_source_sampler(const struct sm_gfx_source *source, struct sm_rect box);

#endif
