/* SPDX-License-Identifier: MIT */
#include "core/codec/bands.h"

#include "core/base/math.h"

uint32_t sm_bands_plan(struct sm_band bands[SM_BANDS_MAX], uint32_t width, uint32_t height,
                       uint32_t wanted)
{
    uint64_t pixels = (uint64_t)width * height;
    if (pixels == 0)
        return 0;
    uint64_t most = sm_min_u32(sm_min_u32(wanted, SM_BANDS_MAX), height);
    uint64_t room = pixels / SM_BAND_GOOD_PIXELS;
    if (room < 2 && pixels >= 2 * SM_BAND_MIN_PIXELS)
        room = 2;
    if (most > room)
        most = room;
    uint32_t count = most > 1 ? (uint32_t)most : 1;
    uint32_t top = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bottom = (uint32_t)((uint64_t)height * (i + 1) / count);
        bands[i] = (struct sm_band){.top = top, .height = bottom - top};
        top = bottom;
    }
    return count;
}

struct sm_pixels_in sm_band_source(const struct sm_pixels_in *in, struct sm_band band)
{
    struct sm_pixels_in part = *in;
    uint32_t first = in->is_top_down ? band.top : in->height - band.top - band.height;
    part.height = band.height;
    part.skip_bytes += (uint64_t)first * in->stride_bytes;
    return part;
}

struct sm_pixels sm_band_target(const struct sm_pixels *out, struct sm_band band)
{
    return sm_pixels_part(out, 0, band.top, out->width, band.height);
}
