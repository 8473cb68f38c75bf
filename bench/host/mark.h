/* SPDX-License-Identifier: MIT */
/*
 * A mark is a little picture that says a number: 64 bits in four rows of black and white cells, big
 * enough to survive lossy compression. A host draws the time into its screen, a client on the same
 * machine reads it back from what it shows, and knows how old that is.
 */
#ifndef SM_BENCH_HOST_MARK_H
#define SM_BENCH_HOST_MARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SM_MARK_CELL = 4, /* pixels */
    SM_MARK_COLUMNS = 16,
    SM_MARK_ROWS = 4,
    SM_MARK_WIDTH = SM_MARK_CELL * SM_MARK_COLUMNS,
    SM_MARK_HEIGHT = SM_MARK_CELL * SM_MARK_ROWS,
    SM_MARK_TIMES = 3, /* places of the screen that tell the time */
    SM_MARK_PLACES = SM_MARK_TIMES + 1,
    SM_MARK_KEYS = SM_MARK_TIMES, /* the place that counts key presses */
};

/** Top left corners on a screen of 1920 × 1080, multiples of 8: in the middle of what moves. */
static const struct sm_mark_place {
    int32_t x, y;
} SM_MARK_AT[SM_MARK_PLACES] = {{480, 320}, {960, 640}, {1360, 440}, {640, 800}};

/** What a place says: 39 bits of `number`, for a time in units of 100 µs, and who says it. */
struct sm_mark {
    uint64_t number;
    uint8_t place;
    bool is_last; /* the host draws no more */
};

enum { SM_MARK_TIME_UNIT_US = 100 };

/* The upper 24 bits tell a mark from everything else that may be on the screen there. */
static inline uint64_t sm_mark_seal(uint64_t content)
{
    uint64_t mixed = (content ^ content >> 29) * 0xbf58476d1ce4e5b9u;
    mixed = (mixed ^ mixed >> 32) * 0x94d049bb133111ebu;
    return (mixed >> 40 & 0xffffff) ^ 0x5a3c69;
}

static inline uint64_t sm_mark_bits(const struct sm_mark *mark)
{
    uint64_t content = (mark->number & 0x7fffffffff) << 1 | (mark->is_last ? 1 : 0);
    return content | sm_mark_seal(content ^ (uint64_t)mark->place << 50) << 40;
}

/** Draws the mark into SM_MARK_WIDTH × SM_MARK_HEIGHT pixels. */
static inline void sm_mark_draw(const struct sm_mark *mark, uint32_t *pixels)
{
    uint64_t bits = sm_mark_bits(mark);
    for (unsigned y = 0; y < SM_MARK_HEIGHT; y++)
        for (unsigned x = 0; x < SM_MARK_WIDTH; x++) {
            unsigned cell = y / SM_MARK_CELL * SM_MARK_COLUMNS + x / SM_MARK_CELL;
            pixels[y * SM_MARK_WIDTH + x] = bits >> cell & 1 ? 0x00ffffff : 0;
        }
}

/** Reads `place` of a screen; false if there is no mark. `mark->place` is `place`. */
static inline bool sm_mark_read(const uint8_t *screen, size_t stride_bytes, uint8_t place,
                                struct sm_mark *mark)
{
    uint64_t bits = 0;
    for (unsigned cell = 0; cell < SM_MARK_ROWS * SM_MARK_COLUMNS; cell++) {
        size_t x =
            (size_t)SM_MARK_AT[place].x + cell % SM_MARK_COLUMNS * SM_MARK_CELL + SM_MARK_CELL / 2;
        size_t y =
            (size_t)SM_MARK_AT[place].y + cell / SM_MARK_COLUMNS * SM_MARK_CELL + SM_MARK_CELL / 2;
        bits |= (uint64_t)(screen[y * stride_bytes + x * 4 + 1] >> 7) << cell; /* green */
    }
    uint64_t content = bits & 0xffffffffff;
    *mark = (struct sm_mark){.number = content >> 1, .place = place, .is_last = content & 1};
    return bits >> 40 == sm_mark_seal(content ^ (uint64_t)place << 50);
}

#endif
