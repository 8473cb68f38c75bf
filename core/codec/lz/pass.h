/* SPDX-License-Identifier: MIT */
/*
 * The body of an LZ pass, written once: the files that include it give it the literal expansion of
 * their processor, and the compiler one tight loop for each unit.
 */
#ifndef SM_CORE_CODEC_LZ_PASS_H
#define SM_CORE_CODEC_LZ_PASS_H

#include "core/codec/copy.h"
#include "core/codec/lz/lz.h"
#include "core/codec/palette.h"

/** Expands `count` (1 to 32) pixels B, G, R at `in` to XRGB32, touching no byte beyond them. */
typedef void lz_expand_bgr_fn(uint8_t *out, const uint8_t *in, size_t count, size_t in_left,
                              size_t out_left);

static SM_ALWAYS_INLINE void lz_expand_bgr_c(uint8_t *out, const uint8_t *in, size_t count,
                                             size_t in_left, size_t out_left)
{
    (void)out_left;
    const uint8_t *last = in + (count - 1) * 3;
    if (in_left > count * 3) { /* a whole word may be read for the last pixel too */
        last += 3;
    }
    for (; in < last; in += 3, out += 4) {
        uint32_t v = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        memcpy(&v, in, 4);
        v &= 0xffffff;
#else
        memcpy(&v, in, 3);
#endif
        memcpy(out, &v, 4);
    }
    if (in_left <= count * 3) {
        memcpy(out, in, 3);
        out[3] = 0;
    }
}

/** What the units of a pass are, as constants. */
struct lz_unit {
    enum sm_lz_unit kind;
    size_t size;          /* bytes from one unit to the next in the output */
    size_t literal_bytes; /* of a unit in the input */
    size_t bias;          /* added to the length of a match */
};

static SM_ALWAYS_INLINE struct lz_unit lz_unit_of(enum sm_lz_unit kind)
{
    switch (kind) {
    case SM_LZ_BYTES:
        return (struct lz_unit){kind, 1, 1, 2};
    case SM_LZ_555:
        return (struct lz_unit){kind, 2, 2, 1};
    case SM_LZ_555_WIDENED:
        return (struct lz_unit){kind, 4, 2, 1};
    case SM_LZ_BGR:
        return (struct lz_unit){kind, 4, 3, 0};
    case SM_LZ_ALPHA:
        break;
    }
    return (struct lz_unit){kind, 4, 1, 2};
}

/** Writes `count` (1 to 32) literal units; the caller has checked both ends. */
static SM_ALWAYS_INLINE void lz_put_literals(struct lz_unit unit, lz_expand_bgr_fn *expand_bgr,
                                             uint8_t *to, const uint8_t *p, size_t count,
                                             size_t in_left, size_t out_left)
{
    switch (unit.kind) {
    case SM_LZ_BYTES:
        if (in_left >= 32 && out_left >= 32)
            sm_copy_32(to, p);
        else
            memcpy(to, p, count);
        break;
    case SM_LZ_555:
        for (size_t i = 0; i < count; i++) {
            to[2 * i] = p[2 * i + 1];
            to[2 * i + 1] = p[2 * i];
        }
        break;
    case SM_LZ_555_WIDENED:
        for (size_t i = 0; i < count; i++) {
            uint32_t v = sm_widen_555((uint32_t)p[2 * i] << 8 | p[2 * i + 1]);
            memcpy(to + 4 * i, &v, 4);
        }
        break;
    case SM_LZ_BGR:
        expand_bgr(to, p, count, in_left, out_left);
        break;
    case SM_LZ_ALPHA:
        for (size_t i = 0; i < count; i++)
            to[4 * i + 3] = p[i];
        break;
    }
}

/** Copies `count` units from `distance` units before `to`; both checked, neither 0. */
static SM_ALWAYS_INLINE void lz_put_match(struct lz_unit unit, uint8_t *to, size_t distance,
                                          size_t count, size_t out_left)
{
    if (unit.kind == SM_LZ_ALPHA) {
        const uint8_t *from = to - distance * 4;
        for (size_t i = 0; i < count; i++)
            to[4 * i + 3] = from[4 * i + 3];
    } else if (out_left >= count * unit.size + SM_COPY_SLACK) {
        sm_copy_match_wide(to, distance * unit.size, count * unit.size, unit.size);
    } else {
        sm_copy_match_exact(to, distance * unit.size, count * unit.size, unit.size);
    }
}

static SM_ALWAYS_INLINE bool lz_pass_body(struct sm_reader *r, enum sm_lz_unit kind,
                                          lz_expand_bgr_fn *expand_bgr, uint8_t *out, size_t count)
{
    const struct lz_unit unit = lz_unit_of(kind);
    const uint8_t *p = r->pos, *const end = r->end;
    size_t done = 0;

    while (done < count) {
        size_t left = count - done;
        uint8_t *to = out + done * unit.size;
        if (p == end)
            return false;
        size_t control = *p++;
        if (control < SM_LZ_MAX_LITERALS) {
            size_t literals = control + 1;
            size_t in_left = (size_t)(end - p);
            if (literals > left || in_left < literals * unit.literal_bytes)
                return false;
            lz_put_literals(unit, expand_bgr, to, p, literals, in_left, left * unit.size);
            p += literals * unit.literal_bytes;
            done += literals;
            continue;
        }

        size_t length = control >> 5;
        if (length == 7) {
            size_t extension;
            do {
                if (p == end || length > left)
                    return false;
                extension = *p++;
                length += extension;
            } while (extension == 255);
        }
        length += unit.bias;
        if (p == end)
            return false;
        size_t distance = ((control & 31) << 8 | *p++) + 1;
        if (distance == SM_LZ_NEAR_DISTANCE + 1) {
            if (end - p < 2)
                return false;
            distance += (size_t)p[0] << 8 | p[1];
            p += 2;
        }
        if (length > left || distance > done)
            return false;
        lz_put_match(unit, to, distance, length, left * unit.size);
        done += length;
    }
    r->pos = p;
    return true;
}

/** One specialised loop per unit. */
static SM_ALWAYS_INLINE bool lz_pass_any(struct sm_reader *r, enum sm_lz_unit unit,
                                         lz_expand_bgr_fn *expand_bgr, uint8_t *out, size_t count)
{
    switch (unit) {
    case SM_LZ_BYTES:
        return lz_pass_body(r, SM_LZ_BYTES, expand_bgr, out, count);
    case SM_LZ_555:
        return lz_pass_body(r, SM_LZ_555, expand_bgr, out, count);
    case SM_LZ_555_WIDENED:
        return lz_pass_body(r, SM_LZ_555_WIDENED, expand_bgr, out, count);
    case SM_LZ_BGR:
        return lz_pass_body(r, SM_LZ_BGR, expand_bgr, out, count);
    case SM_LZ_ALPHA:
        return lz_pass_body(r, SM_LZ_ALPHA, expand_bgr, out, count);
    }
    return false;
}

#endif
