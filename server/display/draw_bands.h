/* SPDX-License-Identifier: MIT */
/*
 * A large copy as several, a band of rows each, one below the other: encoded at the same time, and
 * the first is on its way before the last is made.
 */
#ifndef SM_SERVER_DISPLAY_DRAW_BANDS_H
#define SM_SERVER_DISPLAY_DRAW_BANDS_H

#include <stdint.h>

#include "core/codec/bands.h"
#include "core/wire/display.h"

/**
 * Bands of the rows that `msg` draws; 1 if it is small, or is not a plain copy of a bitmap in its
 * own size.
 */
uint32_t sm_draw_bands_plan(struct sm_band bands[SM_BANDS_MAX], const struct sm_display_msg *msg);

/**
 * Makes the message of one band.
 *
 * @param out    receives it; borrows what `msg` does, and `image`
 * @param image  receives the rows of its source, borrowed from that of `msg`
 */
void sm_draw_bands_cut(const struct sm_display_msg *msg, struct sm_band band,
                       struct sm_display_msg *out, struct sm_image *image);

#endif
