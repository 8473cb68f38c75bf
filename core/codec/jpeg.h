/* SPDX-License-Identifier: MIT */
/* JPEG pictures, through the library's table. Source: docs/codec.md, "JPEG". */
#ifndef SM_CORE_CODEC_JPEG_H
#define SM_CORE_CODEC_JPEG_H

#include "core/base/pixels.h"
#include "core/codec/libs.h"

/** Decodes to `out` (XRGB32 or ARGB32), whose size must be the JPEG's; top bytes become `top`. */
SM_NODISCARD enum sm_status sm_jpeg_decode(const struct sm_jpeg_lib *lib, void *state,
                                           struct sm_bytes jpeg, const struct sm_pixels *out,
                                           enum sm_jpeg_quality_mode mode, uint8_t top,
                                           const char **reason);

#endif
