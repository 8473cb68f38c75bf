/* SPDX-License-Identifier: MIT */
/*
 * An image as it came, on its way to a picture: by the canvas in its turn, or before its turn by
 * somebody else, on another thread if they like. Nothing of a canvas is touched by decoding, so the
 * caches see it only when the message that brought it is drawn. Source: docs/client.md, "Decoding
 * ahead".
 */
#ifndef SM_CORE_CHANNEL_CANVAS_AHEAD_H
#define SM_CORE_CHANNEL_CANVAS_AHEAD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/channel/canvas/picture.h"
#include "core/codec/codec.h"
#include "core/wire/display.h"
#include "sumac/status.h"

struct sm_canvas;
struct sm_decoder;

struct sm_ahead_image {
    struct sm_codec_image coded; /* borrowed from the message's body */
    enum sm_pixel_format target; /* of the surface it is for */
    bool is_kept;                /* in a cache: in its own format */
    bool has_high_bits;          /* the top bytes of its pixels are to be set */
    uint64_t max_pixels;         /* 0 for what the codecs allow */
};

/**
 * Whether the image of a DRAW_COPY may be decoded before its turn: it hangs on nothing but its own
 * bytes and on surfaces being what they are now. GLZ, which has its window, images of a palette and
 * those that are no bytes may not.
 *
 * @param out  receives the image; it borrows nothing of `msg` but what lies in the message's body
 */
bool sm_ahead_image_init(struct sm_ahead_image *out, const struct sm_canvas *canvas,
                         const struct sm_display_msg *msg);

/**
 * Decodes an image. Thread: any, one at a time per decoder.
 *
 * @param picture  NULL, then a picture held for the caller; also after SM_AGAIN, which only images
 *                 that may not be decoded ahead come to: call again, or let it go
 * @param reason   receives why it failed, static; NULL: as the decoder says
 * @return as sm_image_decode(), SM_ERR_PROTOCOL and SM_ERR_LIMIT also for what is no picture
 */
SM_NODISCARD enum sm_status sm_ahead_image_decode(const struct sm_ahead_image *image,
                                                  struct sm_decoder *decoder,
                                                  struct sm_picture **picture, const char **reason);

#endif
