/* SPDX-License-Identifier: MIT */
/*
 * The host's GL scan-out: a shared buffer that local clients show instead of a surface. One draw is
 * with the clients at a time, others wait. Source: docs/screen.md, "GL".
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

/** A client became ready: it is to see the buffer, if there is one. */
void sm_gl_scanout_welcome(struct sm_gl_scanout *gl, struct sm_display_peer *client);

/** A client has drawn; one that was not asked to is closed. */
void sm_gl_scanout_draw_done(struct sm_gl_scanout *gl, struct sm_display_peer *client);

/** A client is gone or closed: nobody waits for it. */
void sm_gl_scanout_forget(struct sm_gl_scanout *gl, struct sm_display_peer *client);

#endif
