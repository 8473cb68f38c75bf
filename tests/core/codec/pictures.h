/* SPDX-License-Identifier: MIT */
/* Small pictures for the codec tests, and both directions with a decoder and encoder at hand. */
#ifndef SM_TESTS_CORE_CODEC_PICTURES_H
#define SM_TESTS_CORE_CODEC_PICTURES_H

#include "core/base/writer.h"
#include "core/codec/decoder.h"
#include "core/codec/encoder.h"
#include "core/codec/glz/dictionary.h"
#include "core/codec/glz/window.h"

enum { PICTURE_WIDTH = 41, PICTURE_HEIGHT = 23 };

/** Draws flat areas, runs, repeats and noise into tightly packed bytes; `seed` chooses. */
void picture_draw(uint8_t *out, size_t size, uint32_t seed);

/** A tightly packed picture of `format` drawn so; `bytes` is exactly as large and freed by the
 * caller. */
struct sm_pixels_in picture_make(enum sm_pixel_format format, uint32_t width, uint32_t height,
                                 uint32_t seed, uint8_t **bytes);

/** An encoder and a decoder with all libraries, and for GLZ a window of `window_pixels`; 0: none.
 */
struct pair {
    struct sm_glz_dictionary *dictionary;
    struct sm_glz_window *window;
    struct sm_encoder *encoder;
    struct sm_decoder *decoder;
};
void pair_open(struct pair *pair, uint32_t window_pixels, uint32_t cpu_flags);
void pair_close(struct pair *pair);

/** Encodes; the image as it would arrive, its data in `out`. Checks that it worked. */
struct sm_codec_image pair_encode(struct pair *pair, enum sm_image_codec codec,
                                  const struct sm_pixels_in *in, struct sm_writer *out);

/** Decodes to exact heap memory, freed by the caller if `*pixels` is not NULL. */
enum sm_status pair_decode(struct pair *pair, const struct sm_codec_image *image, uint8_t **pixels,
                           size_t *size);

#endif
