/* SPDX-License-Identifier: MIT */
/* The part of the QUIC model that encoder and decoder share, as inline bodies. */
#ifndef SM_CORE_CODEC_QUIC_MODEL_H
#define SM_CORE_CODEC_QUIC_MODEL_H

#include <string.h>

#include "core/codec/copy.h"
#include "core/codec/quic/quic.h"

#define QUIC_UNLIKELY(x) __builtin_expect(!!(x), 0)

enum {
    QUIC_NO_COLUMN = 0, /* runs begin behind column 2 */
};

/** Which bytes of the 32-bit pixels a plane codes, as constants. */
struct quic_layout {
    uint32_t mask;        /* of the bytes */
    uint32_t count;       /* of components: 3 or 1 */
    uint32_t first_shift; /* of the component coded first; the next ones lie 8 bits lower */
    uint32_t depth;       /* bits of a component */
};

static SM_ALWAYS_INLINE struct quic_layout quic_colors(uint32_t depth)
{
    return (struct quic_layout){.mask = 0xffffff, .count = 3, .first_shift = 16, .depth = depth};
}

static SM_ALWAYS_INLINE struct quic_layout quic_alpha(void)
{
    return (struct quic_layout){.mask = 0xff000000, .count = 1, .first_shift = 24, .depth = 8};
}

static SM_ALWAYS_INLINE struct quic_layout quic_gray(void)
{
    return (struct quic_layout){.mask = 0xff, .count = 1, .first_shift = 0, .depth = 8};
}

/* Arithmetic on the four bytes of a word at once. */

static SM_ALWAYS_INLINE uint32_t quic_average(uint32_t a, uint32_t b)
{
    return (a & b) + (((a ^ b) & 0xfefefefe) >> 1);
}

static SM_ALWAYS_INLINE uint32_t quic_add(uint32_t a, uint32_t b)
{
    return ((a & 0x7f7f7f7f) + (b & 0x7f7f7f7f)) ^ ((a ^ b) & 0x80808080);
}

static SM_ALWAYS_INLINE uint32_t quic_subtract(uint32_t a, uint32_t b)
{
    return ((a | 0x80808080) - (b & 0x7f7f7f7f)) ^ ((a ^ ~b) & 0x80808080);
}

/** Bytes of ones where the lowest bit of a byte is set. */
static SM_ALWAYS_INLINE uint32_t quic_spread_low_bit(uint32_t v)
{
    v &= 0x01010101;
    return (v << 8) - v;
}

/** From folded residuals to differences; beyond the depth the bits are garbage. */
static SM_ALWAYS_INLINE uint32_t quic_unfold(uint32_t folded)
{
    return ((folded >> 1) & 0x7f7f7f7f) ^ quic_spread_low_bit(folded);
}

/** From differences to folded residuals. */
static SM_ALWAYS_INLINE uint32_t quic_fold(uint32_t difference, uint32_t depth)
{
    uint32_t sign = quic_spread_low_bit(difference >> (depth - 1));
    if (depth == 8)
        return ((difference << 1) & 0xfefefefe) ^ sign;
    return (((difference << 1) & 0x1e1e1e1e) ^ sign) & 0x1f1f1f1f;
}

/** Makes `code` the one for a bucket. */
static SM_ALWAYS_INLINE void quic_choose(const struct sm_quic_family *family,
                                         struct sm_quic_component *component, uint32_t bucket,
                                         uint32_t code)
{
    if (code == component->best[bucket])
        return;
    component->best[bucket] = (uint8_t)code;
    memset(component->code_of + family->bucket_first[bucket], (int)code,
           family->bucket_size[bucket]);
}

/** Adds up what each code would have cost for `value` after `context`, and chooses the cheapest. */
typedef void quic_learn_fn(const struct sm_quic_family *family, struct sm_quic_component *component,
                           uint32_t context, uint32_t value, uint32_t trigger);

static SM_ALWAYS_INLINE void quic_learn_c(const struct sm_quic_family *family,
                                          struct sm_quic_component *component, uint32_t context,
                                          uint32_t value, uint32_t trigger)
{
    uint32_t bucket = family->bucket_of[context];
    uint16_t *counters = component->counters[bucket];
    const uint16_t *lengths = family->lengths[value];
    uint32_t smallest = UINT32_MAX, place = 0;
    for (uint32_t i = 0; i < SM_QUIC_MAX_CODES; i++) {
        counters[i] = (uint16_t)(counters[i] + lengths[i]);
        uint32_t cost = counters[i] | family->idle[i];
        if (cost < smallest) {
            smallest = cost;
            place = i;
        }
    }
    if (smallest > trigger) {
        for (uint32_t i = 0; i < SM_QUIC_MAX_CODES; i++)
            counters[i] >>= 1;
    }
    quic_choose(family, component, bucket, family->code_count - 1 - place);
}

/** Learns from a coded pixel: `context` and `value` are the folded residuals left of it and its
 * own.
 * @return how many pixels are not learnt from next */
static SM_ALWAYS_INLINE uint32_t quic_learn_pixel(const struct sm_quic_family *family,
                                                  quic_learn_fn *learn, struct sm_quic_plane *plane,
                                                  struct quic_layout layout, uint32_t context,
                                                  uint32_t value)
{
    uint32_t trigger = sm_quic_triggers[plane->stage], shift = layout.first_shift;
    struct sm_quic_component *components = plane->components;
    learn(family, &components[0], context >> shift & 0xff, value >> shift & 0xff, trigger);
    if (layout.count == 3) {
        learn(family, &components[1], context >> 8 & 0xff, value >> 8 & 0xff, trigger);
        learn(family, &components[2], context & 0xff, value & 0xff, trigger);
    }
    uint32_t wait = sm_quic_random[plane->drawn] & ((1u << plane->stage) - 1);
    plane->drawn = (plane->drawn + 1) & 255;
    return wait;
}

/** Pixels of this row that belong to the present stage, at most `left`. */
static SM_ALWAYS_INLINE uint32_t quic_segment(struct sm_quic_plane *plane, uint32_t left)
{
    if (plane->stage == SM_QUIC_LAST_STAGE)
        return left;
    if (plane->stage_left == 0) {
        plane->stage++;
        plane->stage_left = SM_QUIC_STAGE_PIXELS;
        if (plane->stage == SM_QUIC_LAST_STAGE)
            return left;
    }
    return left < plane->stage_left ? left : plane->stage_left;
}

#endif
