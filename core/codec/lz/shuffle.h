/* SPDX-License-Identifier: MIT */
/*
 * Pixels between B, G, R and words by shuffling the bytes of vectors, for processors that do so in
 * one instruction: SSSE3 and up, NEON, WebAssembly's SIMD. Included once for each of them.
 */
#ifndef SM_CORE_CODEC_LZ_SHUFFLE_H
#define SM_CORE_CODEC_LZ_SHUFFLE_H

#include "core/codec/lz/compress.h"
#include "core/codec/lz/pass.h"

typedef uint8_t lz_bytes_16 __attribute__((vector_size(16)));

enum {
    LZ_GROUP_PIXELS = 4,  /* of one vector */
    LZ_GROUP_PACKED = 12, /* bytes of them without fillers */
};

/* As lz_expand_bgr_c(), if there is room to read and write whole vectors. */
static SM_ALWAYS_INLINE void lz_expand_bgr_shuffled(uint8_t *out, const uint8_t *in, size_t count,
                                                    size_t in_left, size_t out_left)
{
    enum {
        IN_MAX = (SM_LZ_MAX_LITERALS / LZ_GROUP_PIXELS - 1) * LZ_GROUP_PACKED + 16,
        OUT_MAX = SM_LZ_MAX_LITERALS * 4,
    };
    if (in_left < IN_MAX || out_left < OUT_MAX) {
        lz_expand_bgr_c(out, in, count, in_left, out_left);
        return;
    }
    for (size_t i = 0; i < count; i += LZ_GROUP_PIXELS) {
        lz_bytes_16 v, zero = {0};
        memcpy(&v, in, sizeof(v));
        v = __builtin_shufflevector(v, zero, 0, 1, 2, 16, 3, 4, 5, 16, 6, 7, 8, 16, 9, 10, 11, 16);
        memcpy(out, &v, sizeof(v));
        in += LZ_GROUP_PACKED;
        out += sizeof(v);
    }
}

/* As lz_pack_bgr_c(). */
static SM_ALWAYS_INLINE void lz_pack_bgr_shuffled(uint8_t *out, const uint8_t *words, size_t count)
{
    for (size_t i = 0; i < count; i += LZ_GROUP_PIXELS) {
        lz_bytes_16 v;
        memcpy(&v, words, sizeof(v));
        v = __builtin_shufflevector(v, v, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
        memcpy(out, &v, sizeof(v));
        words += sizeof(v);
        out += LZ_GROUP_PACKED;
    }
}

#endif
