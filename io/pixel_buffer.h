/* SPDX-License-Identifier: MIT */
/*
 * A picture in memory that another process, or the graphics card, shares by a descriptor: a
 * dma-buf, or any file that holds pixels, such as a memfd. Whoever made it may be hostile: what it
 * says of its layout is checked against what is there, and a file that shrinks while it is read is
 * an error, not a signal.
 */
#ifndef SM_IO_PIXEL_BUFFER_H
#define SM_IO_PIXEL_BUFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/fourcc.h"
#include "sumac/status.h"

enum {
    SM_PIXEL_BUFFER_MAX_SIDE = 16384,
    /** All of the picture as 32-bit pixels. */
    SM_PIXEL_BUFFER_MAX_BYTES = 192 << 20,
};

/** Thread: one at a time. */
struct sm_pixel_buffer;

/** False for sides that no picture here may have. */
bool sm_pixel_layout_is_sane(const struct sm_pixel_layout *layout);

/** True for memory of a graphics driver, which may lie in another order than its rows. */
bool sm_pixel_buffer_is_dmabuf(int fd);

/**
 * @param fd      borrowed until sm_pixel_buffer_close()
 * @param reason  receives static words about a failure; may be NULL
 * @return SM_OK; SM_ERR_LIMIT if the layout is absurd or does not fit the memory; SM_ERR_IO if the
 *         memory cannot be read by us; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_pixel_buffer_open(struct sm_pixel_buffer **out, int fd,
                                                 const struct sm_pixel_layout *layout,
                                                 const char **reason);

/** NULL does nothing. */
void sm_pixel_buffer_close(struct sm_pixel_buffer *buffer);

/**
 * Copies an area, in pixels from the top left, as XRGB32 with a top byte of zero.
 *
 * @param area  inside the picture, not empty
 * @param to    as large as the area
 * @return SM_OK; SM_ERR_IO if the memory is not there any more, and `to` is written in part
 */
SM_NODISCARD enum sm_status sm_pixel_buffer_read(struct sm_pixel_buffer *buffer,
                                                 struct sm_rect area, const struct sm_pixels *to);

#endif
