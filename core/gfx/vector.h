/* SPDX-License-Identifier: MIT */
/*
 * Several pixels of channels at once, in the compiler's own vectors: registers where the machine
 * has them, plain words where not. The same arithmetic as the helpers in pixel.h. A file that is
 * compiled for wider registers defines SM_GFX_LANES before. Private to core/gfx.
 */
#ifndef SM_CORE_GFX_VECTOR_H
#define SM_CORE_GFX_VECTOR_H

#include <stdint.h>
#include <string.h>

#ifndef SM_GFX_LANES
#define SM_GFX_LANES 4
#endif

typedef uint32_t sm_gfx_v32 __attribute__((vector_size(4 * SM_GFX_LANES)));
typedef uint16_t sm_gfx_v16 __attribute__((vector_size(4 * SM_GFX_LANES)));

#define SM_GFX_INLINE static inline __attribute__((always_inline))

SM_GFX_INLINE sm_gfx_v32 sm_gfx_vload(const void *from)
{
    sm_gfx_v32 v;
    memcpy(&v, from, sizeof(v));
    return v;
}

SM_GFX_INLINE void sm_gfx_vstore(void *to, sm_gfx_v32 v)
{
    memcpy(to, &v, sizeof(v));
}

SM_GFX_INLINE sm_gfx_v32 sm_gfx_vsplat(uint32_t value)
{
    return value - (sm_gfx_v32){0};
}

/** A byte in each lane. */
SM_GFX_INLINE sm_gfx_v32 sm_gfx_vload_bytes(const uint8_t *from)
{
    uint8_t bytes __attribute__((vector_size(SM_GFX_LANES)));
    memcpy(&bytes, from, sizeof(bytes));
    return __builtin_convertvector(bytes, sm_gfx_v32);
}

/** A 16-bit pixel in each lane. */
SM_GFX_INLINE sm_gfx_v32 sm_gfx_vload_u16(const uint8_t *from)
{
    uint16_t pixels __attribute__((vector_size(2 * SM_GFX_LANES)));
    memcpy(&pixels, from, sizeof(pixels));
    return __builtin_convertvector(pixels, sm_gfx_v32);
}

/** All four channels of each lane times its `m` / 255; `m` is 0 to 255 in each lane. */
SM_GFX_INLINE sm_gfx_v32 sm_gfx_vmul4(sm_gfx_v32 p, sm_gfx_v32 m)
{
    sm_gfx_v16 factor = (sm_gfx_v16)(m | m << 16);
    sm_gfx_v16 rb = (sm_gfx_v16)(p & 0xff00ff) * factor + 128;
    sm_gfx_v16 ag = (sm_gfx_v16)(p >> 8 & 0xff00ff) * factor + 128;
    rb = (rb + (rb >> 8)) >> 8;
    ag = (ag + (ag >> 8)) & 0xff00;
    return (sm_gfx_v32)(rb | ag);
}

/** Sums of channels, each at most 255. */
SM_GFX_INLINE sm_gfx_v32 sm_gfx_vadd4(sm_gfx_v32 p, sm_gfx_v32 q)
{
    sm_gfx_v16 rb = (sm_gfx_v16)(p & 0xff00ff) + (sm_gfx_v16)(q & 0xff00ff);
    sm_gfx_v16 ag = (sm_gfx_v16)(p >> 8 & 0xff00ff) + (sm_gfx_v16)(q >> 8 & 0xff00ff);
    rb = (rb | -(rb >> 8)) & 0xff;
    ag = (ag | -(ag >> 8)) << 8;
    return (sm_gfx_v32)(rb | ag);
}

#endif
