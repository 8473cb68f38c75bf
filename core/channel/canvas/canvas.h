/* SPDX-License-Identifier: MIT */
/*
 * Executes the drawing messages of a display channel on a table of surfaces. The client draws what
 * arrives with it, the server renders guest commands into guest memory. Source: docs/gfx.md.
 */
#ifndef SM_CORE_CHANNEL_CANVAS_CANVAS_H
#define SM_CORE_CHANNEL_CANVAS_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/geometry.h"
#include "core/base/pixels.h"
#include "core/channel/canvas/image_cache.h"
#include "core/codec/libs.h"
#include "core/gfx/region.h"
#include "core/gfx/surface.h"
#include "core/wire/display.h"
#include "sumac/status.h"

struct sm_glz_window;

/** Thread: one at a time. */
struct sm_canvas;

/** Other ways to an image's pixels than the bytes in the message; each function is optional. */
struct sm_canvas_image_ops {
    /**
     * Pixels decoded already, such as a copy of a surface: fills `pixels`, borrowed until the
     * command is done, not the target's, of a format surfaces can have, and returns true; false if
     * there are none.
     */
    bool (*pixels)(void *context, const struct sm_image *image, struct sm_pixels *pixels);
    /**
     * The data of `image` in pieces, which together stand for its one run of bytes: sets `chunks`,
     * borrowed until the command is done, and returns true; false if the message has the bytes.
     */
    bool (*chunks)(void *context, const struct sm_image *image, const struct sm_bytes **chunks,
                   size_t *count);
    /**
     * A picture that sm_ahead_image_decode() made of `image` before its turn, held for the canvas;
     * NULL: there is none, and the canvas decodes.
     */
    struct sm_picture *(*decoded)(void *context, const struct sm_image *image);
    void *context;
};

struct sm_canvas_config {
    uint32_t max_surfaces;        /* ids are below this */
    uint64_t max_pixels;          /* of all surfaces the canvas allocates together */
    uint64_t max_image_pixels;    /* of one image; 0 for what the codecs allow */
    struct sm_image_cache *cache; /* borrowed; NULL: cache flags, of palettes too, mean nothing */
    const struct sm_codec_libs *libs;  /* borrowed; NULL: without JPEG, zlib and LZ4 */
    struct sm_glz_window *window;      /* borrowed; NULL: without GLZ */
    struct sm_canvas_image_ops images; /* zeroed: none */
    uint32_t cpu_flags;                /* of sm_cpu_detect(), or 0 */
    bool has_lazy_fills; /* plain fills wait until sm_canvas_settle(), perhaps for nothing */
};

/** @return SM_OK, SM_ERR_NOMEM, or what sm_decoder_create() says */
SM_NODISCARD enum sm_status sm_canvas_create(struct sm_canvas **out,
                                             const struct sm_canvas_config *config);

/** Destroys `canvas` and its surfaces; not the cache. NULL does nothing. */
void sm_canvas_destroy(struct sm_canvas *canvas);

/**
 * Creates a zeroed surface under `id`, in place of one that is there.
 *
 * @param format  an enum sm_surface_format but not 1_A
 * @return SM_OK; SM_ERR_LIMIT if id, format or size is out of range; SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_canvas_surface_create(struct sm_canvas *canvas, uint32_t id,
                                                     uint32_t format, uint32_t width,
                                                     uint32_t height);

/**
 * Puts a surface on the caller's memory under `id`, in place of one that is there; the memory stays
 * borrowed until the surface is destroyed. Returns as sm_surface_wrap().
 */
SM_NODISCARD enum sm_status sm_canvas_surface_wrap(struct sm_canvas *canvas, uint32_t id,
                                                   const struct sm_pixels *pixels);

/** An unknown id does nothing. */
void sm_canvas_surface_destroy(struct sm_canvas *canvas, uint32_t id);

/**
 * Paints what waits to be seen. With `has_lazy_fills` pixels of a surface are what they should be
 * from here to the next call that draws; without, always.
 */
void sm_canvas_settle(struct sm_canvas *canvas);

/** An area of one colour. */
struct sm_canvas_fill {
    struct sm_rect rect; /* within its surface; not empty */
    uint32_t color;      /* a stored pixel value */
};

enum { SM_CANVAS_FILLS_MAX = 128 };

/**
 * Instead of sm_canvas_settle(): what waits to be seen of a surface. Its pixels are what they
 * should be everywhere else.
 *
 * @param out  receives the fills, which do not overlap; room for SM_CANVAS_FILLS_MAX
 * @return how many there are
 */
size_t sm_canvas_fills(const struct sm_canvas *canvas, uint32_t surface_id,
                       struct sm_canvas_fill *out);

/** Borrowed until the surface is destroyed; NULL if there is none. See sm_canvas_settle(). */
struct sm_surface *sm_canvas_surface(const struct sm_canvas *canvas, uint32_t id);

/** The pixel format of a surface format of the wire; SM_PIXEL_NONE if it cannot be drawn on. */
enum sm_pixel_format sm_canvas_pixel_format(uint32_t surface_format);

/**
 * Executes a COPY_BITS or DRAW_* message. Images that have to be decoded for later messages are,
 * even if nothing is drawn.
 *
 * @param msg     borrowed until the command is done, which after SM_AGAIN is later than this call
 * @param damage  NULL, or an initialised region that receives the pixels that may have changed
 * @return SM_OK, also if the command has no meaning and was left out;
 *         SM_AGAIN if an image is awaited that another channel brings: call again with the same
 *         message, or sm_canvas_cancel();
 *         SM_ERR_PROTOCOL if the message or an image in it is malformed, SM_ERR_LIMIT if it is too
 *         large: at most the damage, if it is not empty, was painted with what could be decoded,
 * and the canvas can go on (see sm_canvas_reason()); SM_ERR_STATE for other types of message;
 * SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_canvas_draw(struct sm_canvas *canvas,
                                           const struct sm_display_msg *msg,
                                           struct sm_region *damage);

/** Gives up a command that waits. Harmless if none does. */
void sm_canvas_cancel(struct sm_canvas *canvas);

/** What a waiting command waits for. */
enum sm_canvas_wait {
    SM_CANVAS_WAITS_NOT,
    SM_CANVAS_WAITS_FOR_CACHE, /* an id in the image cache */
    SM_CANVAS_WAITS_FOR_GLZ,   /* an image id in the GLZ window */
};

/** After SM_AGAIN: for what, and `id` receives which. */
enum sm_canvas_wait sm_canvas_awaited(const struct sm_canvas *canvas, uint64_t *id);

/**
 * Executes a message that changes surfaces or caches: MODE, RESET, SURFACE_CREATE,
 * SURFACE_DESTROY, INVAL_LIST, INVAL_ALL_PIXMAPS (its waits are the caller's affair),
 * INVAL_PALETTE, INVAL_ALL_PALETTES.
 *
 * @return SM_OK; SM_ERR_PROTOCOL, SM_ERR_LIMIT, SM_ERR_NOMEM; SM_ERR_STATE for other types
 */
SM_NODISCARD enum sm_status sm_canvas_apply(struct sm_canvas *canvas,
                                            const struct sm_display_msg *msg);

/**
 * Paints a frame of a video stream over `dest`, scaled if need be. An unknown surface or an empty
 * destination draws nothing.
 *
 * @param clip    the stream's clip, in surface coordinates; NULL for none
 * @param frame   XRGB32, top row first
 * @param damage  as in sm_canvas_draw()
 * @return SM_OK; SM_ERR_PROTOCOL, SM_ERR_LIMIT, SM_ERR_NOMEM
 */
SM_NODISCARD enum sm_status sm_canvas_blit(struct sm_canvas *canvas, uint32_t surface_id,
                                           struct sm_rect dest, const struct sm_clip *clip,
                                           const struct sm_pixels *frame, struct sm_region *damage);

/** Why the last call failed or drew nothing, in words; static, "" if it did neither. */
const char *sm_canvas_reason(const struct sm_canvas *canvas);

#endif
