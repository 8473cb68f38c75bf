/* SPDX-License-Identifier: MIT */
#include "core/base/cpu.h"

#if defined(__x86_64__) || defined(__i386__)

#include <cpuid.h>

enum {
    LEAF1_SSSE3 = 1 << 9,
    LEAF1_SSE41 = 1 << 19,
    LEAF1_OSXSAVE = 1 << 27,
    LEAF7_BMI1 = 1 << 3,
    LEAF7_AVX2 = 1 << 5,
    LEAF7_BMI2 = 1 << 8,
    EXTENDED1_LZCNT = 1 << 5,
    XCR0_SSE_AND_AVX = 6,
};

/* The operating system must save the wide registers, or they are not ours to use. */
static uint32_t xcr0(void)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    (void)high;
    return low;
}

static int has_all(uint32_t word, uint32_t bits)
{
    return (word & bits) == bits;
}

uint32_t sm_cpu_detect(void)
{
    uint32_t a, b, c, d, flags = 0;
    if (!__get_cpuid(1, &a, &b, &c, &d))
        return 0;
    if (has_all(c, LEAF1_SSSE3 | LEAF1_SSE41))
        flags |= SM_CPU_SSE41;
    if (!has_all(c, LEAF1_OSXSAVE) || !has_all(xcr0(), XCR0_SSE_AND_AVX))
        return flags;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) ||
        !has_all(b, LEAF7_BMI1 | LEAF7_AVX2 | LEAF7_BMI2))
        return flags;
    if (__get_cpuid(0x80000001, &a, &b, &c, &d) && has_all(c, EXTENDED1_LZCNT))
        flags |= SM_CPU_AVX2;
    return flags;
}

#else

uint32_t sm_cpu_detect(void)
{
    return 0;
}

#endif
