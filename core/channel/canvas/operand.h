/* SPDX-License-Identifier: MIT */
/*
 * The images of a drawing message, brought from the wire to pixels. A command that has to wait
 * keeps those it has, so that nothing is decoded or cached twice. Private to core/channel/canvas.
 */
#ifndef SM_CORE_CHANNEL_CANVAS_OPERAND_H
#define SM_CORE_CHANNEL_CANVAS_OPERAND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/channel/canvas/ahead.h"
#include "core/channel/canvas/canvas.h"
#include "core/channel/canvas/lazy_fills.h"
#include "core/channel/canvas/palette_cache.h"
#include "core/channel/canvas/picture.h"
#include "core/codec/codec.h"
#include "core/codec/decoder.h"
#include "core/gfx/ops.h"

struct sm_operand {
    bool is_loaded;
    bool is_surface;
    bool is_decoded;        /* `picture` came decoded */
    bool is_palette_direct; /* a palette bitmap that did not come through the cache */
    uint32_t surface_id;
    struct sm_picture *picture; /* held; NULL if the pixels are the message's or a surface's */
    struct sm_pixels pixels;    /* native format; empty if there was no need to have them */
};

/** Which image of a message. */
enum sm_operand_role {
    SM_OPERAND_SOURCE,
    SM_OPERAND_BRUSH,
    SM_OPERAND_BACK_BRUSH,
    SM_OPERAND_MASK, /* one-bit masks, and the second picture of compositions */
    SM_OPERAND_COUNT,
};

struct sm_canvas {
    struct sm_canvas_config config;
    struct sm_gfx_ops gfx;
    struct sm_surface **surfaces; /* owned, each and all; by id */
    uint64_t *surface_pixels;     /* owned; what each surface counts for the limit */
    uint64_t pixels;              /* of all surfaces we allocated */
    bool has_primary;
    uint32_t primary_id;
    struct sm_palette_cache palettes;
    struct sm_lazy_fills lazy;  /* none but with config.has_lazy_fills */
    struct sm_decoder *decoder; /* owned */

    struct sm_operand operands[SM_OPERAND_COUNT]; /* of the command at work */
    bool is_dropped;                              /* the command must draw nothing */
    enum sm_canvas_wait wait;
    uint64_t awaited_id;
    const char *reason;
};

/* ---- ahead.c ---- */

/** The format an image of `native` format is decoded to. */
enum sm_pixel_format sm_ahead_image_format(const struct sm_ahead_image *image,
                                           enum sm_pixel_format native);

/** Sets the top bytes of decoded pixels, if they are to be and can be. */
void sm_ahead_image_set_high_bits(const struct sm_ahead_image *image,
                                  const struct sm_pixels *pixels);

/* ---- operand.c ---- */

/** All that the decoder wants to know of an image, its palette excepted. */
struct sm_ahead_image sm_operand_image(const struct sm_canvas *canvas, const struct sm_image *image,
                                       enum sm_pixel_format target);

/** Lets the command draw nothing, for `reason`. */
void sm_canvas_drop(struct sm_canvas *canvas, const char *reason);

/**
 * Loads a picture into the operand of `role`, if it is not there already.
 *
 * @param target     the format of the target surface
 * @param is_needed  false: only for its effects on caches and the GLZ window
 * @return SM_OK, also if the command was dropped; SM_AGAIN, SM_ERR_PROTOCOL, SM_ERR_LIMIT,
 *         SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_operand_load(struct sm_canvas *canvas, enum sm_operand_role role,
                                            const struct sm_image *image,
                                            enum sm_pixel_format target, bool is_needed);

/**
 * Decodes a picture that nobody keeps straight into `part` of a target, if it comes out as a
 * command would store it there.
 *
 * @param part     as large as the image; may be half written if decoding fails or waits
 * @param is_done  receives whether this was possible
 * @return as sm_operand_load(); SM_OK if it was not possible
 */
SM_NODISCARD enum sm_status sm_operand_decode_to(struct sm_canvas *canvas,
                                                 const struct sm_image *image,
                                                 const struct sm_pixels *part, bool *is_done);

/** Loads a one-bit mask as sm_operand_load() does; it is always needed. */
SM_NODISCARD enum sm_status sm_operand_load_mask(struct sm_canvas *canvas,
                                                 const struct sm_image *image);

/** Converts the operand to what commands other than ALPHA_BLEND use on a target. */
SM_NODISCARD enum sm_status sm_operand_adapt(struct sm_operand *operand,
                                             enum sm_pixel_format target);

/**
 * Gives the operand pixels of its own if it is the surface `target_id`.
 *
 * @param part  all that the command reads; the operand's pixel (0, 0) stays where it was, see `at`
 * @param at    receives the position of the operand's new pixel (0, 0) in the old one
 */
SM_NODISCARD enum sm_status sm_operand_detach(struct sm_operand *operand, uint32_t target_id,
                                              struct sm_rect part, struct sm_point *at);

/** Lets all operands go. */
void sm_operands_release(struct sm_canvas *canvas);

#endif
