/* SPDX-License-Identifier: MIT */
#include "core/gfx/rop.h"

#include <string.h>

/* The compiler's own vectors: registers where the machine has them, plain words where not. */
typedef uint64_t lanes __attribute__((vector_size(32), aligned(1), may_alias));

enum { LANES_SIZE = 32 };

/* Any operation is (d & ((s & and1) ^ xor1)) ^ ((s & and2) ^ xor2); each member is 0 or ~0. */
struct masks {
    uint64_t and1, xor1, and2, xor2;
};

static uint64_t all_if(unsigned bit)
{
    return bit & 1 ? ~(uint64_t)0 : 0;
}

static struct masks masks_of(enum sm_gfx_op op)
{
    unsigned s1d1 = (unsigned)op, s1d0 = s1d1 >> 1, s0d1 = s1d1 >> 2, s0d0 = s1d1 >> 3;
    return (struct masks){
        .and1 = all_if(s0d0 ^ s0d1 ^ s1d0 ^ s1d1),
        .xor1 = all_if(s0d0 ^ s0d1),
        .and2 = all_if(s0d0 ^ s1d0),
        .xor2 = all_if(s0d0),
    };
}

enum sm_gfx_op sm_gfx_op_from_ropd(uint32_t ropd, uint32_t invert_first, uint32_t invert_second)
{
    /* The operation applied to all four combinations at once, in the order of their numbers. */
    unsigned a = SM_GFX_OP_COPY, b = SM_GFX_OP_NOOP, result;
    if (ropd & invert_first)
        a = ~a & 15;
    if (ropd & invert_second)
        b = ~b & 15;
    if (ropd & SM_GFX_ROPD_OP_PUT)
        result = a;
    else if (ropd & SM_GFX_ROPD_OP_OR)
        result = a | b;
    else if (ropd & SM_GFX_ROPD_OP_AND)
        result = a & b;
    else if (ropd & SM_GFX_ROPD_OP_XOR)
        result = a ^ b;
    else if (ropd & SM_GFX_ROPD_OP_BLACKNESS)
        return SM_GFX_OP_CLEAR;
    else if (ropd & SM_GFX_ROPD_OP_WHITENESS)
        return SM_GFX_OP_SET;
    else if (ropd & SM_GFX_ROPD_OP_INVERS)
        return SM_GFX_OP_INVERT; /* inversions count for none of these four */
    else
        return SM_GFX_OP_COPY;
    if (ropd & SM_GFX_ROPD_INVERS_RES)
        result = ~result & 15;
    return (enum sm_gfx_op)result;
}

void sm_gfx_op_row(enum sm_gfx_op op, uint8_t *d, const uint8_t *s, size_t size)
{
    if (op == SM_GFX_OP_COPY) {
        memmove(d, s, size); /* a hostile guest may let its surfaces overlap */
        return;
    }
    struct masks m = masks_of(op);
    size_t i = 0;
    for (; i + LANES_SIZE <= size; i += LANES_SIZE) {
        lanes from = *(const lanes *)(s + i), to = *(const lanes *)(d + i);
        *(lanes *)(d + i) = (to & ((from & m.and1) ^ m.xor1)) ^ ((from & m.and2) ^ m.xor2);
    }
    for (; i < size; i++)
        d[i] = (uint8_t)((d[i] & ((s[i] & m.and1) ^ m.xor1)) ^ ((s[i] & m.and2) ^ m.xor2));
}

void sm_gfx_op_fill(enum sm_gfx_op op, uint8_t *d, uint32_t pattern, size_t size)
{
    struct masks m = masks_of(op);
    uint64_t s = pattern | (uint64_t)pattern << 32;
    uint64_t and = (s & m.and1) ^ m.xor1, xor = (s & m.and2) ^ m.xor2;
    size_t i = 0;
    if (and == 0) {
        lanes value = xor^(lanes) {
          0
        };
        for (; i + LANES_SIZE <= size; i += LANES_SIZE)
            *(lanes *)(d + i) = value;
    } else {
        for (; i + LANES_SIZE <= size; i += LANES_SIZE)
            *(lanes *)(d + i) = (*(lanes *)(d + i) & and) ^ xor;
    }
    for (; i < size; i++) {
        unsigned shift = 8 * (i & 3);
        d[i] = (uint8_t)((d[i] & and >> shift) ^ xor >> shift);
    }
}

void sm_gfx_rop3_row(uint8_t code, uint8_t *d, const uint8_t *s, const uint8_t *p, size_t size)
{
    uint64_t on[8];
    for (unsigned n = 0; n < 8; n++)
        on[n] = all_if(code >> n);
    size_t i = 0;
    for (; i + LANES_SIZE <= size; i += LANES_SIZE) {
        lanes D = *(lanes *)(d + i), S = *(const lanes *)(s + i), P = *(const lanes *)(p + i);
        lanes without_p = (~S & ((~D & on[0]) | (D & on[1]))) | (S & ((~D & on[2]) | (D & on[3])));
        lanes with_p = (~S & ((~D & on[4]) | (D & on[5]))) | (S & ((~D & on[6]) | (D & on[7])));
        *(lanes *)(d + i) = (~P & without_p) | (P & with_p);
    }
    for (; i < size; i++) {
        uint64_t D = d[i], S = s[i], P = p[i];
        uint64_t without_p =
            (~S & ((~D & on[0]) | (D & on[1]))) | (S & ((~D & on[2]) | (D & on[3])));
        uint64_t with_p = (~S & ((~D & on[4]) | (D & on[5]))) | (S & ((~D & on[6]) | (D & on[7])));
        d[i] = (uint8_t)((~P & without_p) | (P & with_p));
    }
}
