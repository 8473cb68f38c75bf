/* SPDX-License-Identifier: MIT */
/*
 * Reads pictures out of graphics memory, whose pixels may lie in tiles that only the driver
 * understands. A module of its own, so that nobody else loads EGL. It exports one symbol, a struct
 * sm_gl_module named SM_GL_MODULE_SYMBOL.
 */
#ifndef SM_MEDIA_GL_H
#define SM_MEDIA_GL_H

#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/fourcc.h"
#include "sumac/status.h"

#define SM_GL_MODULE_FILE     "libsumac-gl.so"
#define SM_GL_MODULE_SYMBOL   "sm_gl_module"
#define SM_GL_MODULE_VARIABLE "SUMAC_GL_MODULE"

/** Of struct sm_gl_module and all it refers to; others are not to be used. */
enum { SM_GL_MODULE_VERSION = 1 };

/** Objects: one thread at a time, any of them; no context stays current between calls. */
struct sm_gl_module {
    uint32_t version;
    /**
     * Opens the graphics cards of this machine.
     *
     * @param reason  receives static words about a failure
     * @return SM_OK; SM_ERR_IO if none of them can read others' memory; SM_ERR_NOMEM
     */
    enum sm_status (*open_cards)(void **cards, const char **reason);
    /** After all pictures were closed. NULL does nothing. */
    void (*close_cards)(void *cards);
    /**
     * Finds the card that can read a dma-buf.
     *
     * @param fd      borrowed for the call
     * @param cards   borrowed until the picture is closed
     * @return SM_OK; SM_ERR_IO if no card can; SM_ERR_NOMEM
     */
    enum sm_status (*open_picture)(void **picture, void *cards, int fd,
                                   const struct sm_pixel_layout *layout, const char **reason);
    /** NULL does nothing. */
    void (*close_picture)(void *picture);
    /**
     * Copies an area, inside the picture, in pixels from the top left, as XRGB32 with a top byte of
     * zero.
     *
     * @return SM_OK; SM_ERR_IO if the card does not; SM_ERR_NOMEM
     */
    enum sm_status (*read)(void *picture, struct sm_rect area, const struct sm_pixels *to);
};

/** Loads the module. NULL if it is not installed, or of another version. Thread: any. */
const struct sm_gl_module *sm_gl_module_load(void);

#endif
