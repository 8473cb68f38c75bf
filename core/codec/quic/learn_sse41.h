/* SPDX-License-Identifier: MIT */
/* Choosing a code with one instruction. Included behind SM_SSE41_BEGIN or SM_AVX2_BEGIN. */
#ifndef SM_CORE_CODEC_QUIC_LEARN_SSE41_H
#define SM_CORE_CODEC_QUIC_LEARN_SSE41_H

#include <smmintrin.h>

#include "core/codec/quic/model.h"

static SM_ALWAYS_INLINE void quic_learn_sse41(const struct sm_quic_family *family,
                                              struct sm_quic_component *component, uint32_t context,
                                              uint32_t value, uint32_t trigger)
{
    uint32_t bucket = family->bucket_of[context];
    __m128i *at = (__m128i *)(void *)component->counters[bucket];
    __m128i counters = _mm_load_si128(at);
    counters = _mm_add_epi16(counters,
                             _mm_load_si128((const __m128i *)(const void *)family->lengths[value]));
    __m128i costs =
        _mm_or_si128(counters, _mm_load_si128((const __m128i *)(const void *)family->idle));
    /* The smallest, and the first place that has it. */
    uint32_t found = (uint32_t)_mm_cvtsi128_si32(_mm_minpos_epu16(costs));
    int shift = (found & 0xffff) > trigger;
    _mm_store_si128(at, _mm_srl_epi16(counters, _mm_cvtsi32_si128(shift)));
    quic_choose(family, component, bucket, family->code_count - 1 - (found >> 16));
}

#endif
