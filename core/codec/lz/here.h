/* SPDX-License-Identifier: MIT */
/* What the portable passes do with literals: shuffles where the baseline has them, else words. */
#ifndef SM_CORE_CODEC_LZ_HERE_H
#define SM_CORE_CODEC_LZ_HERE_H

#if defined(__ARM_NEON) || defined(__wasm_simd128__) || defined(__SSSE3__)
#include "core/codec/lz/shuffle.h"
#define lz_expand_bgr_here lz_expand_bgr_shuffled
#define lz_pack_bgr_here   lz_pack_bgr_shuffled
#else
#include "core/codec/lz/compress.h"
#include "core/codec/lz/pass.h"
#define lz_expand_bgr_here lz_expand_bgr_c
#define lz_pack_bgr_here   lz_pack_bgr_c
#endif

#endif
