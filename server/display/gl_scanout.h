/* SPDX-License-Identifier: MIT */
/*
 * The host's GL scan-out: a shared buffer that is shown instead of a surface. Local clients that
 * can get its descriptor, all others its pixels. One draw is at work at a time, others wait: it is
 * over when the local clients have answered and the pixels were copied, because then the guest may
 * draw into the buffer again. What the host did last is shown: a buffer, a draw, or a new primary.
 * Source: docs/display.md, "GL".
 */
#ifndef SM_SERVER_DISPLAY_GL_SCANOUT_H
#define SM_SERVER_DISPLAY_GL_SCANOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "sumac/status.h"

struct sm_screen;
struct sm_display_peer;

/** Thread: the worker's. */
struct sm_gl_scanout;

struct sm_gl_buffer {
    int fd; /* −1: none */
    uint32_t width, height, stride_bytes, fourcc;
    bool is_y0_top;
};

struct sm_gl_area {
    uint32_t x, y, width, height;
};

SM_NODISCARD enum sm_status sm_gl_scanout_create(struct sm_gl_scanout **out,
                                                 struct sm_screen *screen);

/** Completes what is outstanding and closes the buffer. NULL does nothing. */
void sm_gl_scanout_destroy(struct sm_gl_scanout *gl);

/** Shows `buffer`, whose descriptor is taken, to all clients. */
void sm_gl_scanout_set(struct sm_gl_scanout *gl, const struct sm_gl_buffer *buffer);

/** Shows a changed area; the device's async_complete(cookie) says when all have drawn it. */
void sm_gl_scanout_draw(struct sm_gl_scanout *gl, const struct sm_gl_area *area, uint64_t cookie);

/** The guest's primary is shown from now on, until the next buffer or draw. */
void sm_gl_scanout_yield(struct sm_gl_scanout *gl);

/** True if this client, once welcomed, has the pixels of the buffer for a primary. */
bool sm_gl_scanout_has_pixels_for(struct sm_gl_scanout *gl, const struct sm_display_peer *client);

/** A client became ready: it is to see the buffer, if there is one. */
void sm_gl_scanout_welcome(struct sm_gl_scanout *gl, struct sm_display_peer *client);

/** A client has drawn; one that was not asked to is closed. */
void sm_gl_scanout_draw_done(struct sm_gl_scanout *gl, struct sm_display_peer *client);

/** A client is gone or closed: nobody waits for it. */
void sm_gl_scanout_forget(struct sm_gl_scanout *gl, struct sm_display_peer *client);

/** Clients were destroyed: what nobody looks at any more is let go. */
void sm_gl_scanout_tidy(struct sm_gl_scanout *gl);

#endif
