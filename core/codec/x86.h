/* SPDX-License-Identifier: MIT */
/*
 * For files whose functions are compiled for more than the baseline: between SM_AVX2_BEGIN and
 * SM_AVX2_END all that SM_CPU_AVX2 stands for may be used, likewise with SM_SSE41_BEGIN. Nothing
 * calls them but the dispatch table.
 */
#ifndef SM_CORE_CODEC_X86_H
#define SM_CORE_CODEC_X86_H

#if defined(__x86_64__)
#define SM_HAS_X86 1

#define SM_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
/* clang-format off */
#define SM_AVX2_BEGIN                                                                              \
    SM_PRAGMA(clang attribute push(__attribute__((target("avx2,bmi,bmi2,lzcnt"))),                 \
                                   apply_to = function))
#define SM_SSE41_BEGIN                                                                             \
    SM_PRAGMA(clang attribute push(__attribute__((target("ssse3,sse4.1"))), apply_to = function))
/* clang-format on */
#define SM_AVX2_END  SM_PRAGMA(clang attribute pop)
#define SM_SSE41_END SM_PRAGMA(clang attribute pop)
#else
#define SM_AVX2_BEGIN  SM_PRAGMA(GCC push_options) SM_PRAGMA(GCC target("avx2,bmi,bmi2,lzcnt"))
#define SM_AVX2_END    SM_PRAGMA(GCC pop_options)
#define SM_SSE41_BEGIN SM_PRAGMA(GCC push_options) SM_PRAGMA(GCC target("ssse3,sse4.1"))
#define SM_SSE41_END   SM_PRAGMA(GCC pop_options)
#endif

#else
#define SM_HAS_X86 0
#endif

#endif
