/* SPDX-License-Identifier: MIT */
/*
 * Reads the host's GL buffers by whatever way there is: graphics memory through the card
 * (media/gl.h), because its pixels may lie in tiles, else by the processor; any other memory by the
 * processor.
 */
#ifndef SM_SERVER_DISPLAY_GL_READER_H
#define SM_SERVER_DISPLAY_GL_READER_H

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/gfx/fourcc.h"
#include "sumac/status.h"

/** Zeroed memory is one without a buffer. Thread: the worker's. */
struct sm_gl_reader {
    const struct sm_gl_module *module; /* NULL: not looked for, or not there */
    void *cards;                       /* owned; NULL: none that are of use */
    bool has_tried;                    /* to get the two */
    const char *card_reason;           /* why there are none; static */
    void *picture;                     /* owned: of the module; or … */
    struct sm_pixel_buffer *memory;    /* owned */
};

/** Ends everything. */
void sm_gl_reader_finish(struct sm_gl_reader *reader);

/**
 * Takes up a buffer, after letting go of the one before.
 *
 * @param fd      borrowed until sm_gl_reader_close()
 * @param reason  receives static words about a failure; with SM_OK, why the processor has to read
 *                what is the card's, or NULL
 * @return as sm_pixel_buffer_open()
 */
SM_NODISCARD enum sm_status sm_gl_reader_open(struct sm_gl_reader *reader, int fd,
                                              const struct sm_pixel_layout *layout,
                                              const char **reason);

/** Lets go of the buffer, if there is one. */
void sm_gl_reader_close(struct sm_gl_reader *reader);

bool sm_gl_reader_is_open(const struct sm_gl_reader *reader);

/** True if reading much at once is better than little by little. */
bool sm_gl_reader_is_card(const struct sm_gl_reader *reader);

/** As sm_pixel_buffer_read(). */
SM_NODISCARD enum sm_status sm_gl_reader_read(struct sm_gl_reader *reader, struct sm_rect area,
                                              const struct sm_pixels *to);

#endif
