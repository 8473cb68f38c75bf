/* SPDX-License-Identifier: MIT */
#include "core/codec/lz/lz.h"

#include "core/base/math.h"
#include "core/codec/codec.h"

/* One row per type. Source: docs/codec.md, "LZ". */
static const struct {
    enum sm_pixel_format format;
    uint32_t bits; /* of the stride, for each pixel */
} TYPES[] = {
    [SM_LZ_PLT1_LE] = {SM_PIXEL_INDEX1_LE, 1},
    [SM_LZ_PLT1_BE] = {SM_PIXEL_INDEX1_BE, 1},
    [SM_LZ_PLT4_LE] = {SM_PIXEL_INDEX4_LE, 4},
    [SM_LZ_PLT4_BE] = {SM_PIXEL_INDEX4_BE, 4},
    [SM_LZ_PLT8] = {SM_PIXEL_INDEX8, 8},
    [SM_LZ_RGB16] = {SM_PIXEL_RGB555, 16},
    [SM_LZ_RGB24] = {SM_PIXEL_XRGB32, 24},
    [SM_LZ_RGB32] = {SM_PIXEL_XRGB32, 32},
    [SM_LZ_RGBA] = {SM_PIXEL_ARGB32, 32},
    [SM_LZ_XXXA] = {SM_PIXEL_ARGB32, 32},
    [SM_LZ_A8] = {SM_PIXEL_A8, 8},
};

enum sm_pixel_format sm_lz_format(enum sm_lz_type type)
{
    return type < SM_COUNT_OF(TYPES) ? TYPES[type].format : SM_PIXEL_NONE;
}

uint32_t sm_lz_stride(uint32_t type, uint32_t width)
{
    if (type >= SM_COUNT_OF(TYPES) || width > SM_CODEC_MAX_SIDE)
        return 0;
    return (uint32_t)(((uint64_t)width * TYPES[type].bits + 7) / 8);
}

enum sm_status sm_lz_parse_header(struct sm_lz_header *out, struct sm_reader *r,
                                  const char **reason)
{
    uint32_t magic = sm_get_be32(r);
    uint32_t version = sm_get_be32(r);
    uint32_t type = sm_get_be32(r);
    uint32_t width = sm_get_be32(r);
    uint32_t height = sm_get_be32(r);
    uint32_t stride = sm_get_be32(r);
    uint32_t top_down = sm_get_be32(r);
    if (r->failed || magic != SM_LZ_MAGIC || version != SM_LZ_VERSION) {
        *reason = "lz: not an LZ header";
        return SM_ERR_PROTOCOL;
    }
    if (width == 0 || height == 0 || stride == 0 || stride != sm_lz_stride(type, width)) {
        *reason = "lz: type, size and stride do not agree";
        return SM_ERR_PROTOCOL;
    }
    *out = (struct sm_lz_header){
        .type = (enum sm_lz_type)type,
        .width = width,
        .height = height,
        .stride_bytes = stride,
        .is_top_down = top_down != 0,
    };
    return SM_OK;
}
