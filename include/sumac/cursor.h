/* SPDX-License-Identifier: MIT */
/* The shape and place of the guest's pointer. */
#ifndef SUMAC_CURSOR_H
#define SUMAC_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sumac/session.h"
#include "sumac/status.h"

#ifdef __cplusplus
extern "C" {
#endif

struct sm_cursor_info {
    bool is_visible; /* there is a shape and the guest shows it */
    int32_t x, y;    /* of the hot spot, in the surface's pixels; of use in mouse mode server */
    uint32_t width, height; /* of the shape; 0 without one */
    uint32_t hot_x, hot_y;  /* within the shape */
    uint64_t shape_serial;  /* changes whenever the shape does */
    bool inverts;           /* some pixels invert what lies below; they are emulated */
};

/**
 * The cursor of channel `channel_id`, and its shape.
 *
 * @param info    receives its state; untouched on failure
 * @param pixels  receives the shape, 32 bits a pixel (bytes blue, green, red, alpha; colours
 *                premultiplied), rows of 4 × width bytes; NULL for the state alone
 * @param size    bytes of room in `pixels`
 * @return SM_OK; SM_ERR_STATE if there is no such channel; SM_ERR_LIMIT if the room is too small
 *         (`info` is filled, so its size is known)
 */
SM_API SM_NODISCARD enum sm_status sm_session_get_cursor(struct sm_session *session,
                                                         uint8_t channel_id,
                                                         struct sm_cursor_info *info,
                                                         uint8_t *pixels, size_t size);

#ifdef __cplusplus
}
#endif

#endif
