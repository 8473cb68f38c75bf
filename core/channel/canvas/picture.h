/* SPDX-License-Identifier: MIT */
/* A decoded image that several may hold: a cache, and commands that draw it. */
#ifndef SM_CORE_CHANNEL_CANVAS_PICTURE_H
#define SM_CORE_CHANNEL_CANVAS_PICTURE_H

#include <stdint.h>

#include "core/base/pixels.h"
#include "sumac/status.h"

/**
 * The pixels do not change once others hold the picture. Thread: any; the count is atomic.
 */
struct sm_picture;

/**
 * @param out     receives a picture with undefined pixels, held once by the caller
 * @param format  any but SM_PIXEL_NONE
 * @return SM_OK, SM_ERR_NOMEM; SM_ERR_LIMIT if the size in bytes does not fit
 */
SM_NODISCARD enum sm_status sm_picture_create(struct sm_picture **out, enum sm_pixel_format format,
                                              uint32_t width, uint32_t height);

/** Holds the picture once more and returns it. */
struct sm_picture *sm_picture_ref(struct sm_picture *picture);

/** Lets the picture go; the last one to do so frees it. NULL does nothing. */
void sm_picture_unref(struct sm_picture *picture);

/** Borrowed as long as the picture is held. */
const struct sm_pixels *sm_picture_pixels(const struct sm_picture *picture);

#endif
