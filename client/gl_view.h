/* SPDX-License-Identifier: MIT */
/*
 * The buffer that the host's GL draws into, on a local display channel: its descriptor came over
 * the unix socket, and its pixels are copied here when the server says that they changed, so that
 * a program sees them like any other picture. Source: docs/client.md, "GL".
 */
#ifndef SM_CLIENT_GL_VIEW_H
#define SM_CLIENT_GL_VIEW_H

#include <stdbool.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/wire/display.h"
#include "sumac/status.h"

struct sm_pixel_buffer;

/** Zeroed memory is one that shows nothing. Thread: one at a time. */
struct sm_gl_view {
    bool is_shown;           /* instead of the primary surface */
    struct sm_pixels pixels; /* XRGB32, owned; black while the buffer cannot be read */
    int fd;                  /* owned while `memory` is */
    struct sm_pixel_buffer *memory;
};

/** Releases everything; the view shows nothing and may be used again. */
void sm_gl_view_finish(struct sm_gl_view *view);

/**
 * Shows another buffer; a message without a format ends the view.
 *
 * @param fd      taken; −1 if none came
 * @param reason  receives static words when SM_OK is not returned
 * @return SM_OK; SM_ERR_LIMIT or SM_ERR_IO if the buffer cannot be read; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_gl_view_take(struct sm_gl_view *view,
                                            const struct sm_msg_display_gl_scanout_unix *msg,
                                            int fd, const char **reason);

/**
 * Copies an area anew.
 *
 * @param damage  receives what of the picture it was; empty for none
 * @return SM_OK, also if there is nothing to be read; SM_ERR_IO if the memory went away
 */
SM_NODISCARD enum sm_status sm_gl_view_draw(struct sm_gl_view *view,
                                            const struct sm_msg_display_gl_draw *msg,
                                            struct sm_rect *damage);

#endif
