/* SPDX-License-Identifier: MIT */
/*
 * The pixels of the host's GL buffer, for clients that cannot show the buffer itself: a surface of
 * our own that follows it. What is read is compared with what was there, so that a guest which
 * announces whole frames costs a client what really changed. Source: docs/display.md, "GL".
 */
#ifndef SM_SERVER_DISPLAY_GL_PICTURE_H
#define SM_SERVER_DISPLAY_GL_PICTURE_H

#include "core/base/geometry.h"
#include "core/gfx/region.h"
#include "server/display/gl_scanout.h"
#include "server/display/surfaces.h"
#include "sumac/status.h"

struct sm_gl_reader;

/** Thread: the worker's. */
struct sm_gl_picture;

/**
 * A black picture as large as `buffer`, which need not be readable.
 *
 * @param reader  borrowed; used by nobody else meanwhile
 * @return SM_OK; SM_ERR_LIMIT for a size that no picture may have; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_gl_picture_create(struct sm_gl_picture **out,
                                                 const struct sm_gl_buffer *buffer,
                                                 struct sm_gl_reader *reader);

/** NULL does nothing. */
void sm_gl_picture_destroy(struct sm_gl_picture *picture);

/** The surface with the id 0 that clients get to see. */
struct sm_display_surface *sm_gl_picture_surface(struct sm_gl_picture *picture);

/**
 * Follows another buffer of the same size from now on; its descriptor is borrowed until the next
 * one or the end. Reads nothing yet.
 *
 * @param reason  receives static words about a failure; with SM_OK as sm_gl_reader_open()
 * @return SM_OK; SM_ERR_STATE if it is of another size; else why it cannot be read, and the picture
 *         stays as it is
 */
SM_NODISCARD enum sm_status sm_gl_picture_follow(struct sm_gl_picture *picture,
                                                 const struct sm_gl_buffer *buffer,
                                                 const char **reason);

/** Forgets the buffer, whose descriptor is about to be closed. */
void sm_gl_picture_let_go(struct sm_gl_picture *picture);

/**
 * Reads an area anew.
 *
 * @param area     may be anything
 * @param changed  initialised, empty; receives where the picture is another one now
 * @return SM_OK, also without a buffer to be read; SM_ERR_IO if its memory went away; SM_ERR_NOMEM.
 *         `changed` is valid in any case; after a failure the area is to be read again.
 */
SM_NODISCARD enum sm_status sm_gl_picture_read(struct sm_gl_picture *picture, struct sm_rect area,
                                               struct sm_region *changed);

#endif
