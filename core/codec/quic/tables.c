/* SPDX-License-Identifier: MIT */
#include "core/codec/quic/quic.h"

#include <string.h>

#include "core/base/math.h"
#include "core/base/reader.h"

const uint8_t sm_quic_run_exponents[SM_QUIC_RUN_STATES] = {
    0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,  2,  3,  3,  3,  3,
    4, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10, 11, 12, 13, 14, 15,
};

const uint16_t sm_quic_triggers[SM_QUIC_LAST_STAGE + 1] = {110, 550, 900, 800, 550, 400, 350};

const uint8_t sm_quic_random[256] = {
    0x02, 0x17, 0x13, 0x15, 0x07, 0x12, 0x28, 0x0e, 0x0c, 0x20, 0x2f, 0x2c, 0x24, 0x06, 0x12, 0x0b,
    0x04, 0x13, 0x2a, 0x1d, 0x10, 0x3f, 0x39, 0x33, 0x10, 0x03, 0x05, 0x0e, 0x0f, 0x1e, 0x14, 0x09,
    0x24, 0x2d, 0x03, 0x39, 0x3d, 0x00, 0x08, 0x05, 0x29, 0x0e, 0x2b, 0x1b, 0x2b, 0x3b, 0x1f, 0x23,
    0x27, 0x3c, 0x2a, 0x26, 0x0d, 0x36, 0x3e, 0x01, 0x1a, 0x03, 0x0b, 0x3d, 0x34, 0x22, 0x07, 0x30,
    0x04, 0x3b, 0x16, 0x0c, 0x16, 0x08, 0x32, 0x04, 0x0a, 0x06, 0x2c, 0x08, 0x0b, 0x2e, 0x1f, 0x33,
    0x35, 0x11, 0x01, 0x2b, 0x2e, 0x3c, 0x24, 0x36, 0x0a, 0x1b, 0x27, 0x2c, 0x16, 0x29, 0x17, 0x02,
    0x2c, 0x00, 0x28, 0x35, 0x28, 0x30, 0x10, 0x2b, 0x20, 0x1c, 0x21, 0x0c, 0x14, 0x02, 0x38, 0x3e,
    0x37, 0x3a, 0x12, 0x14, 0x0d, 0x37, 0x26, 0x1d, 0x39, 0x13, 0x31, 0x21, 0x2f, 0x3f, 0x3b, 0x00,
    0x23, 0x3d, 0x13, 0x19, 0x2e, 0x26, 0x3c, 0x04, 0x23, 0x01, 0x1a, 0x28, 0x1c, 0x0a, 0x05, 0x0e,
    0x19, 0x12, 0x30, 0x31, 0x14, 0x3b, 0x3e, 0x22, 0x2e, 0x07, 0x21, 0x34, 0x22, 0x3a, 0x09, 0x1d,
    0x08, 0x37, 0x3e, 0x3c, 0x25, 0x24, 0x25, 0x32, 0x06, 0x03, 0x0a, 0x1c, 0x30, 0x18, 0x1a, 0x3d,
    0x39, 0x1e, 0x0b, 0x36, 0x02, 0x06, 0x32, 0x2f, 0x07, 0x11, 0x23, 0x35, 0x20, 0x0c, 0x17, 0x11,
    0x05, 0x15, 0x31, 0x37, 0x33, 0x2d, 0x34, 0x1b, 0x27, 0x19, 0x27, 0x3f, 0x16, 0x18, 0x2a, 0x34,
    0x38, 0x26, 0x29, 0x29, 0x38, 0x20, 0x0d, 0x18, 0x1a, 0x33, 0x1b, 0x38, 0x3a, 0x25, 0x18, 0x2a,
    0x0f, 0x1c, 0x11, 0x1e, 0x1f, 0x0f, 0x10, 0x17, 0x19, 0x36, 0x21, 0x22, 0x01, 0x1d, 0x1f, 0x32,
    0x35, 0x15, 0x31, 0x0f, 0x2f, 0x09, 0x00, 0x3a, 0x25, 0x2d, 0x1e, 0x0d, 0x09, 0x2d, 0x3f, 0x15,
};

enum sm_pixel_format sm_quic_format(enum sm_quic_type type)
{
    switch (type) {
    case SM_QUIC_GRAY:
        return SM_PIXEL_GRAY8;
    case SM_QUIC_RGB16:
        return SM_PIXEL_RGB555;
    case SM_QUIC_RGB24:
    case SM_QUIC_RGB32:
        return SM_PIXEL_XRGB32;
    case SM_QUIC_RGBA:
        return SM_PIXEL_ARGB32;
    }
    return SM_PIXEL_NONE;
}

enum sm_status sm_quic_parse_header(struct sm_quic_header *out, struct sm_bytes data,
                                    const char **reason)
{
    struct sm_reader r = sm_reader(data);
    uint32_t magic = sm_get_le32(&r);
    uint32_t version = sm_get_le32(&r);
    uint32_t type = sm_get_le32(&r);
    uint32_t width = sm_get_le32(&r);
    uint32_t height = sm_get_le32(&r);
    if (r.failed || magic != SM_QUIC_MAGIC || version != SM_QUIC_VERSION) {
        *reason = "quic: not a QUIC header";
        return SM_ERR_PROTOCOL;
    }
    if (type < SM_QUIC_GRAY || type > SM_QUIC_RGBA || width == 0 || height == 0) {
        *reason = "quic: unknown type, or no pixels";
        return SM_ERR_PROTOCOL;
    }
    *out =
        (struct sm_quic_header){.type = (enum sm_quic_type)type, .width = width, .height = height};
    return SM_OK;
}

static uint32_t bits_for(uint32_t values)
{
    uint32_t bits = 0;
    while ((1u << bits) < values)
        bits++;
    return bits;
}

/* Source: docs/codec.md, "QUIC codes". */
static void init_code(struct sm_quic_family *family, uint32_t depth, uint32_t k)
{
    uint32_t values = 1u << depth;
    uint32_t prefix = sm_min_u32(SM_QUIC_MAX_CODE_BITS - depth, (1u << (depth - k)) - 1);
    uint32_t escape_start = prefix << k;
    uint32_t suffix = bits_for(values - escape_start);
    family->prefix[k] = (uint8_t)prefix;
    family->suffix[k] = (uint8_t)suffix;
    family->escape_start[k] = (uint8_t)escape_start;
    for (uint32_t n = 0; n < values; n++) {
        uint32_t value, length;
        if (n < escape_start) {
            value = 1u << k | (n & ((1u << k) - 1));
            length = (n >> k) + 1 + k;
        } else {
            value = n - escape_start;
            length = prefix + suffix;
        }
        family->codes[k][n] = (uint16_t)(value << 5 | length);
        family->lengths[n][depth - 1 - k] = (uint16_t)length;
    }
}

static void init_family(struct sm_quic_family *family, uint32_t depth)
{
    memset(family, 0, sizeof(*family));
    family->code_count = depth;
    for (uint32_t k = 0; k < depth; k++)
        init_code(family, depth, k);
    for (uint32_t k = depth; k < SM_QUIC_MAX_CODES; k++)
        family->idle[k] = 0xffff;

    /* Sizes double; the last bucket takes what is left. */
    uint32_t context = 0;
    for (uint32_t bucket = 0; bucket < depth; bucket++) {
        uint32_t size = bucket + 1 < depth ? 1u << bucket : (1u << depth) - context;
        family->bucket_first[bucket] = (uint8_t)context;
        family->bucket_size[bucket] = (uint8_t)size;
        memset(family->bucket_of + context, (int)bucket, size);
        context += size;
    }
}

void sm_quic_tables_init(struct sm_quic_tables *tables)
{
    init_family(&tables->depth8, 8);
    init_family(&tables->depth5, 5);
}

void sm_quic_plane_init(struct sm_quic_plane *plane, const struct sm_quic_family *family)
{
    memset(plane, 0, sizeof(*plane));
    plane->stage_left = SM_QUIC_STAGE_PIXELS;
    for (size_t i = 0; i < SM_COUNT_OF(plane->components); i++) {
        struct sm_quic_component *component = &plane->components[i];
        memset(component->best, (int)family->code_count - 1, sizeof(component->best));
        memset(component->code_of, (int)family->code_count - 1, sizeof(component->code_of));
    }
}
