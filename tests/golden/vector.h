/* SPDX-License-Identifier: MIT */
/* One test vector: what the manifest says about it, and its files. */
#ifndef SM_TESTS_GOLDEN_VECTOR_H
#define SM_TESTS_GOLDEN_VECTOR_H

#include <stdbool.h>

#include "core/codec/codec.h"
#include "tests/golden/json.h"

/** A whole file, on the heap; `data` NULL if it cannot be read. */
struct file {
    uint8_t *data;
    size_t size;
};

/** Reads DIR/NAME. */
struct file file_read(const char *dir, const char *name);

struct vector {
    const struct json *json; /* borrowed from the manifest */
    const char *name, *codec;
    bool is_bad, is_optional, is_lossy, is_encoder_exact;
    bool is_mjpeg;
    const char *group; /* NULL if alone */
    struct sm_codec_image image;
    uint32_t palette[SM_PALETTE_MAX_ENTRIES];
    enum sm_pixel_format raw_format;
    uint32_t raw_stride;
    struct file bin, raw; /* owned; raw is empty for bad ones */
};

/**
 * Reads what `json` and its files say.
 *
 * @return NULL, or what is wrong with it, static
 */
const char *vector_load(struct vector *out, const char *dir, const struct json *json);
void vector_free(struct vector *vector);

#endif
