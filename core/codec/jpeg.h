/* SPDX-License-Identifier: MIT */
/* JPEG pictures, through the library's table. Source: docs/codec.md, "JPEG". */
#ifndef SM_CORE_CODEC_JPEG_H
#define SM_CORE_CODEC_JPEG_H

#include "core/base/pixels.h"
#include "core/base/writer.h"
#include "core/codec/input.h"
#include "core/codec/libs.h"
#include "core/codec/scratch.h"

/** Decodes to `out` (XRGB32 or ARGB32), whose size must be the JPEG's; top bytes become `top`. */
SM_NODISCARD enum sm_status sm_jpeg_decode(const struct sm_jpeg_lib *lib, void *state,
                                           struct sm_bytes jpeg, const struct sm_pixels *out,
                                           enum sm_jpeg_quality_mode mode, uint8_t top,
                                           const char **reason);

/** True for the layouts a JPEG can be made of; alpha is left to others. */
bool sm_jpeg_can_encode(enum sm_pixel_format format);

/** Appends a JPEG of `input`, visible top first. `room` holds rows that are cut or of 16 bits. */
SM_NODISCARD enum sm_status sm_jpeg_encode(const struct sm_jpeg_lib *lib, void *state,
                                           struct sm_input *input, unsigned quality,
                                           enum sm_jpeg_quality_mode mode, struct sm_scratch *room,
                                           struct sm_writer *out);

#endif
