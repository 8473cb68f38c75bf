/* SPDX-License-Identifier: MIT */
/*
 * For files whose functions are compiled for more than the baseline: between SM_AVX2_BEGIN and
 * SM_AVX2_END all that SM_CPU_AVX2 stands for may be used. Nothing calls them but the dispatch
 * table.
 */
#ifndef SM_CORE_CODEC_X86_H
#define SM_CORE_CODEC_X86_H

#if defined(__x86_64__)
#define SM_HAS_X86 1

#if defined(__clang__)
#define SM_AVX2_BEGIN                                                                              \
    _Pragma("clang attribute push(__attribute__((target(\"avx2,bmi,bmi2,lzcnt\"))), "              \
            "apply_to = function)")
#define SM_AVX2_END _Pragma("clang attribute pop")
#else
#define SM_AVX2_BEGIN _Pragma("GCC push_options") _Pragma("GCC target(\"avx2,bmi,bmi2,lzcnt\")")
#define SM_AVX2_END   _Pragma("GCC pop_options")
#endif

#else
#define SM_HAS_X86 0
#endif

#endif
