/* SPDX-License-Identifier: MIT */
/*
 * A drawing command of the display ring, copied out of the guest and checked. It has the shape of
 * the message that clients get and nothing in it points into guest memory, so the guest's command
 * can be given back as soon as this exists. Source: docs/qxl.md.
 */
#ifndef SM_SERVER_QXL_DRAWING_H
#define SM_SERVER_QXL_DRAWING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/geometry.h"
#include "core/wire/display.h"
#include "server/qxl/memslots.h"
#include "sumac/status.h"

enum {
    SM_DRAWING_MAX_DEPENDENCIES = 3,
    SM_DRAWING_MAX_BLOCKS = 4,
    /** Bytes of all images together: a picture of 8192 x 4320, and still below a message's limit.
     */
    SM_DRAWING_MAX_IMAGE_BYTES = 192 << 20,
    /** Bytes of a path, a string or a list of rectangles. */
    SM_DRAWING_MAX_SHAPE_BYTES = 4 << 20,
};

/** The guest's promise how the result depends on what was there before. */
enum sm_drawing_effect {
    SM_EFFECT_BLEND = 0,
    SM_EFFECT_OPAQUE = 1,
    SM_EFFECT_REVERT_ON_DUP = 2,
    SM_EFFECT_BLACKNESS_ON_DUP = 3,
    SM_EFFECT_WHITENESS_ON_DUP = 4,
    SM_EFFECT_NOP_ON_DUP = 5,
    SM_EFFECT_NOP = 6,
    SM_EFFECT_OPAQUE_BRUSH = 7,
};

/** Another surface that a drawing reads. */
struct sm_drawing_dependency {
    uint32_t surface_id;
    struct sm_rect area; /* what is read, as the guest says; not checked */
};

/** Thread: one at a time for changes, any number of readers. */
struct sm_drawing {
    struct sm_display_msg
        msg;               /* a DRAW_* message or COPY_BITS; images are as the guest made them */
    struct sm_rect bounds; /* box ∩ clip rectangles, not empty, inside the surface */
    enum sm_drawing_effect effect;
    bool has_self_bitmap; /* absent images stand for `self_area` of the target as it is before */
    struct sm_rect self_area;
    struct sm_drawing_dependency dependencies[SM_DRAWING_MAX_DEPENDENCIES];
    uint32_t dependency_count;
    size_t size_bytes; /* memory it holds, all in all */

    struct sm_arena arena;                  /* private: what `msg` points to */
    uint8_t *blocks[SM_DRAWING_MAX_BLOCKS]; /* private: owned, bulk data */
    uint32_t block_count;
    size_t page_bytes; /* private: the first block is of io/pages.h; 0: malloc as the others */
};

/** What the parser has to know about a surface. */
struct sm_surface_shape {
    uint32_t width, height; /* pixels */
    uint32_t format;        /* a wire surface format */
};

/** Where a command is read from. All borrowed for the call. */
struct sm_drawing_source {
    const struct sm_memslots *slots;
    uint32_t group, flags; /* of the ring command */
    /** False if there is no such surface. */
    bool (*find_surface)(const void *surfaces, uint32_t id, struct sm_surface_shape *out);
    const void *surfaces;
};

/**
 * Copies and checks the drawing command at `address`.
 *
 * @param out  receives the drawing, untouched unless SM_OK; release with sm_drawing_destroy()
 * @return SM_OK; SM_AGAIN if the command is in order but draws nothing; a failure, after a warning,
 *         for a command that is to be dropped
 */
SM_NODISCARD enum sm_status
sm_drawing_parse(struct sm_drawing **out, const struct sm_drawing_source *source, uint64_t address);

/** Bytes of guest memory at the start of a drawing command that must be readable. */
size_t sm_drawing_header_size(uint32_t flags);

/** NULL does nothing. */
void sm_drawing_destroy(struct sm_drawing *drawing);

/**
 * Gives a drawing with `has_self_bitmap` the picture that its absent images stand for: a bitmap,
 * top row first, as large as `self_area`.
 *
 * @param pixels  malloc; taken on SM_OK
 * @param format  a wire bitmap format
 */
SM_NODISCARD enum sm_status sm_drawing_set_self_bitmap(struct sm_drawing *drawing, uint64_t id,
                                                       uint8_t format, uint8_t image_flags,
                                                       uint8_t *pixels, uint32_t stride_bytes);

/**
 * A drawing made by the server: a lossless copy of pixels to `box` of a surface.
 *
 * @param pixels      top row first, as large as `box`; taken on SM_OK
 * @param page_bytes  `pixels` are so many bytes of io/pages.h; 0: malloc
 */
SM_NODISCARD enum sm_status sm_drawing_create_copy(struct sm_drawing **out, uint32_t surface_id,
                                                   struct sm_rect box, uint64_t id, uint8_t format,
                                                   uint8_t image_flags, uint8_t *pixels,
                                                   uint32_t stride_bytes, size_t page_bytes);

#endif
