/* SPDX-License-Identifier: MIT */
#include "core/codec/jpeg.h"

#include <string.h>

static void set_top_bytes(const struct sm_pixels *pixels, uint8_t top)
{
    for (uint32_t y = 0; y < pixels->height; y++) {
        uint8_t *row = sm_pixels_row(pixels, y);
        for (uint32_t x = 0; x < pixels->width; x++)
            row[4 * (size_t)x + 3] = top;
    }
}

enum sm_status sm_jpeg_decode(const struct sm_jpeg_lib *lib, void *state, struct sm_bytes jpeg,
                              const struct sm_pixels *out, enum sm_jpeg_quality_mode mode,
                              uint8_t top, const char **reason)
{
    uint32_t width, height;
    enum sm_status status = lib->read_size(state, jpeg, &width, &height);
    if (status != SM_OK) {
        *reason = "jpeg: no JPEG header";
        return status;
    }
    if (width != out->width || height != out->height) {
        *reason = "jpeg: dimensions differ from the descriptor's";
        return SM_ERR_PROTOCOL;
    }
    status = lib->decode(state, jpeg, out, mode);
    if (status != SM_OK) {
        *reason = "jpeg: damaged beyond showing";
        return status;
    }
    set_top_bytes(out, top);
    return SM_OK;
}
