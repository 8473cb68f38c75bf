/* SPDX-License-Identifier: MIT */
/* Pictures for benches, drawn from formulas, so that everybody measures the same ones. */
#ifndef SM_BENCH_CODEC_CORPUS_H
#define SM_BENCH_CODEC_CORPUS_H

#include <stddef.h>
#include <stdint.h>

enum corpus_kind {
    CORPUS_TEXT,     /* a full-screen editor: coloured words in a bitmap font on white */
    CORPUS_DESKTOP,  /* windows, gradients, icons, some text */
    CORPUS_PHOTO,    /* soft shapes at every scale, with the noise of a sensor */
    CORPUS_GRADIENT, /* a slow diagonal blend */
    CORPUS_NOISE,    /* random bytes */
    CORPUS_COUNT,
};

const char *corpus_name(enum corpus_kind kind);

/** Draws `width` x `height` XRGB32 pixels, top row first, tightly packed. */
void corpus_draw(enum corpus_kind kind, uint32_t *pixels, uint32_t width, uint32_t height);

#endif
