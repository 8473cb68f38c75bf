/* SPDX-License-Identifier: MIT */
/* Raster operations: bitwise combinations of stored pixel values. */
#ifndef SM_CORE_GFX_ROP_H
#define SM_CORE_GFX_ROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * The sixteen combinations of s and d. Bit 0 of the number is the result for s = d = 1, bit 1 for
 * s = 1, d = 0, bit 2 for s = 0, d = 1, bit 3 for s = d = 0.
 */
enum sm_gfx_op {
    SM_GFX_OP_CLEAR = 0,
    SM_GFX_OP_AND = 1,
    SM_GFX_OP_AND_REVERSE = 2,
    SM_GFX_OP_COPY = 3,
    SM_GFX_OP_AND_INVERTED = 4,
    SM_GFX_OP_NOOP = 5,
    SM_GFX_OP_XOR = 6,
    SM_GFX_OP_OR = 7,
    SM_GFX_OP_NOR = 8,
    SM_GFX_OP_EQUIV = 9,
    SM_GFX_OP_INVERT = 10,
    SM_GFX_OP_OR_REVERSE = 11,
    SM_GFX_OP_COPY_INVERTED = 12,
    SM_GFX_OP_OR_INVERTED = 13,
    SM_GFX_OP_NAND = 14,
    SM_GFX_OP_SET = 15,
};

/** The bits of a raster operation descriptor. Source: docs/wire/types.md, "ropd". */
enum sm_gfx_ropd {
    SM_GFX_ROPD_INVERS_SRC = 0x001,
    SM_GFX_ROPD_INVERS_BRUSH = 0x002,
    SM_GFX_ROPD_INVERS_DEST = 0x004,
    SM_GFX_ROPD_OP_PUT = 0x008,
    SM_GFX_ROPD_OP_OR = 0x010,
    SM_GFX_ROPD_OP_AND = 0x020,
    SM_GFX_ROPD_OP_XOR = 0x040,
    SM_GFX_ROPD_OP_BLACKNESS = 0x080,
    SM_GFX_ROPD_OP_WHITENESS = 0x100,
    SM_GFX_ROPD_OP_INVERS = 0x200,
    SM_GFX_ROPD_INVERS_RES = 0x400,
};

/**
 * The operation that descriptor `ropd` stands for.
 *
 * @param invert_first   the SM_GFX_ROPD_INVERS_* bit that inverts the first operand: BRUSH for
 *                       fills, strokes and opaque, SRC for copies
 * @param invert_second  likewise for the second: DEST, or SRC for opaque
 */
enum sm_gfx_op sm_gfx_op_from_ropd(uint32_t ropd, uint32_t invert_first, uint32_t invert_second);

/** d = op(s, d) for `size` bytes. */
void sm_gfx_op_row(enum sm_gfx_op op, uint8_t *d, const uint8_t *s, size_t size);

/** d = op(s, d) for `size` bytes, s being the four bytes of `pattern` (lowest first) repeated. */
void sm_gfx_op_fill(enum sm_gfx_op op, uint8_t *d, uint32_t pattern, size_t size);

/**
 * d = code(p, s, d) for `size` bytes; bit 4p + 2s + d of `code` is the result for each combination
 * of bits.
 */
void sm_gfx_rop3_row(uint8_t code, uint8_t *d, const uint8_t *s, const uint8_t *p, size_t size);

#endif
