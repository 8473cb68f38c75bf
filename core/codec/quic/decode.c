/* SPDX-License-Identifier: MIT */
#include "core/codec/quic/decode.h"

#include <string.h>

#include "core/codec/ops.h"
#include "core/codec/palette.h"

static enum sm_status fail(const struct sm_quic_context *context, enum sm_status status,
                           const char *why)
{
    *context->reason = why;
    return status;
}

static bool is_32bit(enum sm_quic_type type)
{
    return type == SM_QUIC_RGB24 || type == SM_QUIC_RGB32 || type == SM_QUIC_RGBA;
}

/* True if the rows of `out` can be decoded in place. */
static bool is_in_place(enum sm_quic_type type, const struct sm_pixels *out)
{
    return is_32bit(type) && ((uintptr_t)out->data | (uintptr_t)out->stride_bytes) % 4 == 0;
}

static void store_row(enum sm_quic_type type, const uint32_t *row, const struct sm_pixels *out,
                      uint32_t y)
{
    uint8_t *to = sm_pixels_row(out, y);
    if (is_32bit(type)) {
        memcpy(to, row, (size_t)out->width * 4);
        return;
    }
    for (uint32_t x = 0; x < out->width; x++) {
        uint32_t v = row[x];
        if (type == SM_QUIC_GRAY) {
            to[x] = (uint8_t)v;
            continue;
        }
        uint32_t packed = (v >> 16 & 31) << 10 | (v >> 8 & 31) << 5 | (v & 31);
        if (out->format == SM_PIXEL_RGB555) {
            to[2 * (size_t)x] = (uint8_t)packed;
            to[2 * (size_t)x + 1] = (uint8_t)(packed >> 8);
        } else {
            uint32_t widened = sm_widen_555(packed);
            memcpy(to + 4 * (size_t)x, &widened, 4);
        }
    }
}

/* Zeros delivered after the end count as read only if they are not still in the buffer. */
static bool is_overrun(const struct sm_quic_bits *bits)
{
    return bits->missing > (uint64_t)bits->count;
}

static enum sm_status decode_rows(const struct sm_quic_context *context,
                                  const struct sm_quic_header *header, struct sm_bytes payload,
                                  const struct sm_pixels *out, uint32_t *residuals,
                                  uint32_t *const rows[2])
{
    sm_quic_decode_row_fn *decode_row = context->ops->quic_decode_row;
    bool is_5bit = header->type == SM_QUIC_RGB16;
    const struct sm_quic_family *family =
        is_5bit ? &context->tables->depth5 : &context->tables->depth8;
    enum sm_quic_plane_kind kind = header->type == SM_QUIC_GRAY ? SM_QUIC_GRAY8
                                   : is_5bit                    ? SM_QUIC_COLORS5
                                                                : SM_QUIC_COLORS8;
    sm_quic_plane_init(&context->planes[0], family);
    sm_quic_plane_init(&context->planes[1], family);
    struct sm_quic_bits bits = {.pos = payload.data, .end = payload.data + payload.size / 4 * 4};
    bool in_place = is_in_place(header->type, out);
    struct sm_quic_row row = {.residuals = residuals, .width = header->width};

    for (uint32_t y = 0; y < header->height; y++) {
        row.above = row.pixels;
        row.pixels = rows[y & 1];
        if (in_place)
            row.pixels = (uint32_t *)(void *)sm_pixels_row(out, y);
        decode_row(&bits, family, &context->planes[0], kind, &row);
        if (header->type == SM_QUIC_RGBA)
            decode_row(&bits, family, &context->planes[1], SM_QUIC_ALPHA8, &row);
        if (bits.wrong || is_overrun(&bits))
            return fail(context, SM_ERR_PROTOCOL, "quic: malformed or truncated stream");
        if (!in_place)
            store_row(header->type, row.pixels, out, y);
    }

    /* The reference always keeps a word in advance, and streams have one more for it. */
    uint64_t left = (uint64_t)(bits.end - bits.pos) * 8 + (uint64_t)bits.count - bits.missing;
    if (left < SM_QUIC_WORD_BITS)
        return fail(context, SM_ERR_PROTOCOL, "quic: the final word is missing");
    return SM_OK;
}

enum sm_status sm_quic_decode(const struct sm_quic_context *context, struct sm_bytes data,
                              const struct sm_pixels *out)
{
    struct sm_quic_header header;
    enum sm_status status = sm_quic_parse_header(&header, data, context->reason);
    if (status != SM_OK)
        return status;
    if (header.width != out->width || header.height != out->height)
        return fail(context, SM_ERR_PROTOCOL, "quic: dimensions differ from the descriptor's");
    bool is_widened = header.type == SM_QUIC_RGB16 && out->format == SM_PIXEL_XRGB32;
    if (out->format != sm_quic_format(header.type) && !is_widened)
        return fail(context, SM_ERR_STATE, "quic: pixels of the wrong format to decode to");

    size_t row_words = (size_t)header.width + 1;
    uint32_t *room =
        (uint32_t *)(void *)sm_scratch_need(context->scratch, 3 * row_words * sizeof(uint32_t));
    if (!room)
        return SM_ERR_NOMEM;
    memset(room, 0, 3 * row_words * sizeof(uint32_t));
    uint32_t *const rows[2] = {room + row_words, room + 2 * row_words};
    struct sm_bytes payload = {.data = data.data + SM_QUIC_HEADER_SIZE,
                               .size = data.size - SM_QUIC_HEADER_SIZE};
    return decode_rows(context, &header, payload, out, room + 1, rows);
}
