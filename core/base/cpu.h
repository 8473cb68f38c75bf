/* SPDX-License-Identifier: MIT */
/* What the processor can do beyond the portable code: the keys of the SIMD dispatch tables. */
#ifndef SM_CORE_BASE_CPU_H
#define SM_CORE_BASE_CPU_H

#include <stdint.h>

/** Bits of a set of processor features. A table built with 0 holds portable C alone. */
enum sm_cpu_flag {
    SM_CPU_SSE41 = 1 << 0, /* SSE4.1 and SSSE3 below it */
    SM_CPU_AVX2 = 1 << 1,  /* AVX2, BMI1, BMI2 and LZCNT: what came with it in every processor */
};

/** What this processor and its operating system support; 0 where there is nothing to ask. */
uint32_t sm_cpu_detect(void);

#endif
