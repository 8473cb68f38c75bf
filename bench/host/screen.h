/* SPDX-License-Identifier: MIT */
/*
 * A scripted graphics device over the server's public API: a primary surface and opaque copies of
 * pixels onto it, as a guest's driver would queue them.
 */
#ifndef SM_BENCH_HOST_SCREEN_H
#define SM_BENCH_HOST_SCREEN_H

#include <stddef.h>
#include <stdint.h>

#include "spice-server/spice.h"

struct sm_bench_screen;

/** Creates the device with a primary of `width` × `height` pixels, filled with a pattern. */
struct sm_bench_screen *sm_bench_screen_create(SpiceServer *server, uint32_t width,
                                               uint32_t height);

/** After spice_server_destroy(), which forgets the device. */
void sm_bench_screen_destroy(struct sm_bench_screen *screen);

/**
 * Queues a copy of `width` × `height` pixels to x, y (all inside the primary), whose content
 * depends on `seed`: something like text. Main thread.
 */
void sm_bench_screen_draw(struct sm_bench_screen *screen, uint32_t x, uint32_t y, uint32_t width,
                          uint32_t height, uint32_t seed);

/**
 * Queues an opaque copy of `width` × `height` pixels, XRGB32 in rows of `stride_px`, to x, y (all
 * inside the primary); they are copied. The library hears of it with sm_bench_screen_wake(). Main
 * thread.
 */
void sm_bench_screen_put(struct sm_bench_screen *screen, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height, const uint32_t *pixels, size_t stride_px);

/** Has the library fetch what was queued. Main thread. */
void sm_bench_screen_wake(struct sm_bench_screen *screen);

/** Bytes of pixels that were queued and not released yet: they would lie in the guest's memory. */
uint64_t sm_bench_screen_held_bytes(struct sm_bench_screen *screen);

/** Commands that the library has released so far; it may lag behind what was queued. */
uint64_t sm_bench_screen_released(struct sm_bench_screen *screen);

#endif
