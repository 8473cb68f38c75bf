/* SPDX-License-Identifier: MIT */
/*
 * The slow way: one pixel at a time, in the words of docs/gfx.md. What the fast code is compared
 * with, on any format.
 */
#ifndef SM_TESTS_CORE_GFX_ORACLE_H
#define SM_TESTS_CORE_GFX_ORACLE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/pixels.h"
#include "core/gfx/ops.h"
#include "tests/support/check.h"

/** A pixel's channels, each 0 to 255. */
struct oracle_color {
    uint32_t a, r, g, b;
};

uint32_t oracle_load(const struct sm_pixels *p, int64_t x, int64_t y);
void oracle_put(const struct sm_pixels *p, int64_t x, int64_t y, uint32_t value);
struct oracle_color oracle_fetch(enum sm_pixel_format format, uint32_t value);
uint32_t oracle_store(enum sm_pixel_format format, struct oracle_color c);

/** round(a * b / 255). */
uint32_t oracle_mul(uint32_t a, uint32_t b);

/** The colour at a position; transparent black outside. */
struct oracle_color oracle_nearest(const struct sm_pixels *p, int64_t x_fixed, int64_t y_fixed);
struct oracle_color oracle_linear(const struct sm_pixels *p, int64_t x_fixed, int64_t y_fixed);

/** Random pixels of a random size up to 40 × 40, rows at odd addresses; freed with the copies. */
struct sm_pixels oracle_picture(struct sm_test_random *random, enum sm_pixel_format format);

/** A copy of `p` that can be changed on its own; freed with the copies. */
struct sm_pixels oracle_clone(const struct sm_pixels *p);

/** Both have the same bits; fails naming the first pixel that differs. */
void oracle_check_equal(const struct sm_pixels *actual, const struct sm_pixels *expected,
                        uint32_t mask, const char *what);

/** One of the five formats that can be drawn on. */
enum sm_pixel_format oracle_format(struct sm_test_random *random);

/** In turn the portable rows and the best this processor has. */
const struct sm_gfx_ops *oracle_ops(void);

int32_t oracle_between(struct sm_test_random *random, int32_t low, int32_t high);

#endif
